//! The packets of MQTT 3.1.1 that a publisher needs, by the sections of its specification.
//!
//! An own codec of a hundred lines: the crates that there are, `mqttrs` and `mqttbytes`, had
//! their last releases in 2021, and know packets of subscribers too.

/// No packet may be longer (2.2.3).
pub(super) const MAX_LEN: usize = 268_435_455;

/// 3.12 and 3.14.
pub(super) const PING_REQUEST: [u8; 2] = [0xC0, 0];
pub(super) const DISCONNECT: [u8; 2] = [0xE0, 0];

/// What CONNECT says (3.1).
pub(super) struct Connect<'a> {
    pub(super) client_id: &'a str,
    /// What the broker publishes, retained, when the connection is lost.
    pub(super) will: (&'a str, &'a str),
    pub(super) user: Option<&'a [u8]>,
    /// Only with a user.
    pub(super) password: Option<&'a [u8]>,
    pub(super) keep_alive_s: u16,
}

/// What PUBLISH says beside its payload (3.3).
pub(super) struct Publish<'a> {
    pub(super) topic: &'a str,
    /// The number of the packet, at QoS 1; `None` is QoS 0.
    pub(super) id: Option<u16>,
    /// It was sent before, over another connection.
    pub(super) is_again: bool,
    pub(super) is_retained: bool,
}

/// What a broker sends to a client that subscribes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Incoming {
    /// 0: it lets the client in (3.2).
    ConnectReturn(u8),
    /// It has the packet of this number (3.4).
    PublishAck(u16),
    PingResponse,
}

/// The broker sent what is no such packet; its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Unknown(pub(super) u8);

impl Connect<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        const PROTOCOL: &[u8] = b"\x00\x04MQTT\x04";
        // The session is kept: only then does a broker know that a packet comes again (4.4).
        const WILL_RETAINED: u8 = 0x24;
        let flags = WILL_RETAINED
            | u8::from(self.user.is_some()) << 7
            | u8::from(self.password.is_some()) << 6;
        let (topic, message) = self.will;
        let fields = [self.client_id, topic, message].map(|text| Some(text.as_bytes()));
        let fields = fields.into_iter().chain([self.user, self.password]).flatten();
        let n_bytes: usize = fields.clone().map(|field| 2 + field.len()).sum();
        head(out, 0x10, PROTOCOL.len() + 3 + n_bytes);
        out.extend_from_slice(PROTOCOL);
        out.push(flags);
        out.extend_from_slice(&self.keep_alive_s.to_be_bytes());
        fields.for_each(|field| string(out, field));
    }
}

impl Publish<'_> {
    /// Writes all but the payload, of `n_bytes`, which stands behind it.
    pub(super) fn write(&self, out: &mut Vec<u8>, n_bytes: usize) {
        let flags = u8::from(self.is_again) << 3
            | u8::from(self.id.is_some()) << 1
            | u8::from(self.is_retained);
        let n_id = if self.id.is_some() { 2 } else { 0 };
        head(out, 0x30 | flags, 2 + self.topic.len() + n_id + n_bytes);
        string(out, self.topic.as_bytes());
        if let Some(id) = self.id {
            out.extend_from_slice(&id.to_be_bytes());
        }
    }
}

/// The fixed header (2.2).
fn head(out: &mut Vec<u8>, first: u8, mut length: usize) {
    out.push(first);
    loop {
        let digit = length.to_le_bytes()[0] & 0x7F;
        length >>= 7;
        if length == 0 {
            return out.push(digit);
        }
        out.push(digit | 0x80);
    }
}

/// A string or binary data with its length (1.5.3). Callers have checked the length.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&text[..length.into()]);
}

/// The first packet of what has come, and how many bytes it has; `None`: it is not
/// whole yet.
///
/// # Errors
/// It is no packet that a broker may send to this client.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Incoming, usize)>, Unknown> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let n_bytes = match first {
        0x20 | 0x40 => 4,
        0xD0 => 2,
        _ => return Err(Unknown(*first)),
    };
    if bytes.get(1).is_some_and(|length| usize::from(*length) != n_bytes - 2) {
        return Err(Unknown(*first));
    }
    let packet = match bytes {
        [0x20, _, _, code, ..] => Incoming::ConnectReturn(*code),
        [0x40, _, high, low, ..] => Incoming::PublishAck(u16::from_be_bytes([*high, *low])),
        [0xD0, _, ..] => Incoming::PingResponse,
        _ => return Ok(None),
    };
    Ok(Some((packet, n_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_that_of_the_specification() {
        // Figure 3.6 of MQTT 3.1.1 has a user, a password and a will; its payload in the
        // order of 3.1.3.
        let connect = Connect {
            client_id: "pi",
            will: ("p/status", "offline"),
            user: Some(b"me"),
            password: Some(b"\xFF\0"),
            keep_alive_s: 10,
        };
        let mut out = Vec::new();
        connect.write(&mut out);
        assert_eq!(
            out,
            [
                &b"\x10\x29\x00\x04MQTT\x04\xE4\x00\x0A"[..],
                b"\x00\x02pi\x00\x08p/status\x00\x07offline\x00\x02me\x00\x02\xFF\0",
            ]
            .concat()
        );
        out.clear();
        Connect { user: None, password: None, keep_alive_s: 300, ..connect }.write(&mut out);
        assert_eq!(
            out,
            b"\x10\x21\x00\x04MQTT\x04\x24\x01\x2C\x00\x02pi\x00\x08p/status\x00\x07offline"
        );
    }

    #[test]
    fn publish_is_that_of_the_specification() {
        let write = |publish: Publish<'_>, n| {
            let mut out = Vec::new();
            publish.write(&mut out, n);
            out
        };
        // The example of 3.3.2.3: topic a/b, number 10.
        let publish = Publish { topic: "a/b", id: Some(10), is_again: false, is_retained: false };
        assert_eq!(write(publish, 5), b"\x32\x0C\x00\x03a/b\x00\x0A");
        let again = Publish { topic: "a/b", id: Some(10), is_again: true, is_retained: true };
        assert_eq!(write(again, 0), b"\x3B\x07\x00\x03a/b\x00\x0A");
        let picture = Publish { topic: "a", id: None, is_again: false, is_retained: true };
        assert_eq!(write(picture, 0), b"\x31\x03\x00\x01a");
    }

    #[test]
    fn lengths_are_those_of_table_2_4() {
        for (length, digits) in [
            (0, &b"\x00"[..]),
            (127, b"\x7F"),
            (128, b"\x80\x01"),
            (16_383, b"\xFF\x7F"),
            (16_384, b"\x80\x80\x01"),
            (2_097_151, b"\xFF\xFF\x7F"),
            (2_097_152, b"\x80\x80\x80\x01"),
            (MAX_LEN, b"\xFF\xFF\xFF\x7F"),
        ] {
            let mut out = Vec::new();
            head(&mut out, 0x30, length);
            assert_eq!(out[1..], *digits, "{length}");
        }
    }

    #[test]
    fn packets_of_a_broker_are_read_one_by_one() {
        let bytes = b"\x20\x02\x00\x05\x40\x02\x12\x34\xD0\x00\x40";
        let (mut at, mut found) = (0, Vec::new());
        while let Some((packet, n)) = parse(&bytes[at..]).unwrap() {
            found.push(packet);
            at += n;
        }
        let due =
            [Incoming::ConnectReturn(5), Incoming::PublishAck(0x1234), Incoming::PingResponse];
        assert_eq!((found, at), (due.to_vec(), 10));
        // A PUBLISH, an acknowledgement that is too long, a web server.
        for (wrong, first) in [(&b"\x30"[..], 0x30), (b"\x40\x03", 0x40), (b"HTTP/1.1", b'H')] {
            assert_eq!(parse(wrong), Err(Unknown(first)));
        }
    }
}
