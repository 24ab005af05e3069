//! The content of a head: its status, and the headers that this program reads.

use memchr::memchr;

use crate::frame;

/// How many headers are kept: more than any server sends of the names below. It
/// bounds the memory.
pub(super) const MAX_KEPT: usize = 64;
/// The body of a redirect is read up to this length, which keeps the connection
/// usable. For a longer body, closing the connection is cheaper.
const MAX_REDIRECT_BYTES: u64 = 16 << 10;
/// A smaller Content-Length cannot be that of a multipart stream: one picture with its
/// delimiter is larger.
const MIN_BYTES_OF_PARTS: u64 = 100;

/// The headers that are kept, written as ureq gets them.
const KEPT: [&str; 11] = [
    AUTHENTICATION_INFO,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    LOCATION,
    RETRY_AFTER,
    STATUS,
    TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
    frame::INSTANCE,
    frame::STATUS,
];
const AUTHENTICATION_INFO: &str = "Authentication-Info";
const CONNECTION: &str = "Connection";
const CONTENT_LENGTH: &str = "Content-Length";
const CONTENT_TYPE: &str = "Content-Type";
const LOCATION: &str = "Location";
const RETRY_AFTER: &str = "Retry-After";
/// What CGI programs send in place of a status line.
const STATUS: &str = "Status";
const TRANSFER_ENCODING: &str = "Transfer-Encoding";
const WWW_AUTHENTICATE: &str = "WWW-Authenticate";

/// A clean head.
#[derive(Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) text: Vec<u8>,
    /// Whether the head announces a body in chunks.
    pub(crate) is_chunked: bool,
}

/// The part of a head that was read so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    status: Option<Status>,
    fields: Vec<Field>,
    /// Whether a folded line goes on with the last of `fields`.
    is_open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Status {
    is_http_1_0: bool,
    /// `None`: there is no status line, only headers.
    code: Option<u16>,
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    value: Vec<u8>,
}

impl Fields {
    /// Takes a line; the first one is the status line. Returns whether it can belong to
    /// a head.
    pub(super) fn take(&mut self, line: &[u8]) -> bool {
        if self.has_begun() {
            self.header(line);
            return true;
        }
        self.status = Status::parse(line);
        if !self.has_begun() && has_name(line) {
            // A head without a status line, as CGI programs write it. 1.0, so that nothing
            // is expected of its connection.
            self.status = Some(Status { is_http_1_0: true, code: None });
            self.header(line);
        }
        self.has_begun()
    }

    /// Whether a line came.
    pub(super) fn has_begun(&self) -> bool {
        self.status.is_some()
    }

    fn header(&mut self, line: &[u8]) {
        let is_folded = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        let line = line.trim_ascii();
        let (name, value) = match memchr(b':', line) {
            Some(at) => (line[..at].trim_ascii_end(), line[at + 1..].trim_ascii()),
            None => (&[][..], line),
        };
        let kept = KEPT.iter().find(|kept| kept.as_bytes().eq_ignore_ascii_case(name));
        if let Some(name) = kept {
            // Also if the line is indented like a folded one: some servers indent all.
            self.is_open = self.fields.len() < MAX_KEPT;
            if self.is_open {
                self.fields.push(Field { name, value: printable(value) });
            }
            return;
        }
        self.is_open &= is_folded;
        if let Some(last) = self.fields.last_mut().filter(|_| self.is_open) {
            last.value.push(b' ');
            last.value.extend(printable(line));
        }
    }

    /// The values of a header that are not empty, in order.
    fn values(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &[u8]> {
        let fields = self.fields.iter().filter(move |field| field.name == name);
        fields.map(|field| field.value.trim_ascii()).filter(|value| !value.is_empty())
    }

    /// The last value of a header that came several times, as ffmpeg and browsers do.
    fn value(&self, name: &'static str) -> Option<&[u8]> {
        self.values(name).next_back()
    }

    fn code(&self) -> u16 {
        let code = self.status.and_then(|status| status.code);
        let from_cgi = || self.value(STATUS).and_then(|value| number(value)?.try_into().ok());
        // A code outside of the range is a typing error of the camera; the body shows
        // whether it is a stream.
        code.or_else(from_cgi).filter(|code| (100..=999).contains(code)).unwrap_or(200)
    }

    /// Whether another head follows this one (RFC 9110, section 15.2).
    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.code()) && self.code() != 101
    }

    /// Whether this is a redirect with a target.
    pub(super) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.code()) && self.value(LOCATION).is_some()
    }

    /// The Content-Type. Of several, a multipart type wins: the other is a default of
    /// the web server which the camera's program did not remove.
    fn content_type(&self) -> Option<&[u8]> {
        let types = || self.values(CONTENT_TYPE);
        types().rfind(|value| is_of_parts(value)).or_else(|| types().next_back())
    }

    /// The length of the body, if the head names a plausible one.
    fn content_length(&self) -> Option<u64> {
        let values = self.values(CONTENT_LENGTH).flat_map(|value| value.split(|b| *b == b','));
        let lengths: Vec<_> = values.filter_map(number).collect();
        let last = *lengths.last()?;
        // A stream has no length. Some servers send one nevertheless: ignore a length
        // that no picture fits in, and lengths that contradict each other.
        let is_of_parts = self.content_type().is_some_and(is_of_parts);
        (!is_of_parts || last >= MIN_BYTES_OF_PARTS && lengths.iter().all(|n| *n == last))
            .then_some(last)
    }

    fn is_chunked(&self) -> bool {
        let values = self.values(TRANSFER_ENCODING).flat_map(|value| value.split(|b| *b == b','));
        let names = values.filter_map(|value| value.split(|b| *b == b';').next());
        names.into_iter().any(|name| name.trim_ascii().eq_ignore_ascii_case(b"chunked"))
    }

    /// Writes the head that ureq gets.
    pub(super) fn clean(&self, is_cut: bool) -> Head {
        // The body of a redirect is of no use. If it is long, or its length is not
        // known, do not wait for it: announce an empty body and close the connection.
        let is_known = !is_cut && !self.is_chunked();
        let is_short = self.content_length().is_some_and(|n| n <= MAX_REDIRECT_BYTES);
        let ends_here = self.is_redirect() && !(is_known && is_short);
        let length = self.content_length().filter(|_| !ends_here);
        let (code, is_chunked) = (self.code(), self.is_chunked() && !ends_here);
        let is_http_1_0 = self.status.is_none_or(|status| status.is_http_1_0);
        // ureq accepts chunks in HTTP/1.1 only, other clients in every version.
        let minor = u8::from(!is_http_1_0 || is_chunked);
        let mut text = format!("HTTP/1.{minor} {code}\r\n").into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        };
        match (is_chunked, length) {
            (true, _) => add(TRANSFER_ENCODING, b"chunked"),
            (false, Some(length)) => add(CONTENT_LENGTH, length.to_string().as_bytes()),
            (false, None) if ends_here => add(CONTENT_LENGTH, b"0"),
            (false, None) => {}
        }
        if ends_here {
            add(CONNECTION, b"close");
        } else if let Some(value) = self.value(CONNECTION) {
            add(CONNECTION, value);
        } else if is_http_1_0 && is_chunked {
            add(CONNECTION, b"close");
        }
        self.content_type().into_iter().for_each(|value| add(CONTENT_TYPE, value));
        if let Some(value) = self.value(LOCATION) {
            add(LOCATION, percent_encoded(value).as_bytes());
        }
        for name in [RETRY_AFTER, AUTHENTICATION_INFO, frame::INSTANCE, frame::STATUS] {
            self.value(name).into_iter().for_each(|value| add(name, value));
        }
        self.values(WWW_AUTHENTICATE).for_each(|value| add(WWW_AUTHENTICATE, value));
        text.extend_from_slice(b"\r\n");
        Head { text, is_chunked }
    }
}

impl Status {
    /// Parses `HTTP/1.1 200 OK` and variants of it, such as `http 200`, `ICY 200 OK`
    /// or a line without a code. An impossible code becomes 200, as in ffmpeg: the body
    /// shows whether it is a stream.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
        let begins = |name: &&[u8]| {
            line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let name = [&b"HTTP"[..], b"ICY"].into_iter().find(begins)?;
        let rest = &line[name.len()..];
        let blank_at = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (version, rest) = rest.split_at(blank_at);
        if !matches!(version, [] | [b'/', ..]) {
            return None;
        }
        let is_http_1_0 = matches!(version, [] | [b'/', b'0', ..] | [b'/', b'1', b'.', b'0']);
        let rest = rest.trim_ascii_start();
        let is_ok = rest.get(..2).is_none_or(|word| word.eq_ignore_ascii_case(b"OK"));
        if !is_ok && !rest[0].is_ascii_digit() {
            return None;
        }
        // HTTP/1.1 200OK is seen in cameras, so only the digits count.
        let code = number(rest).and_then(|code| u16::try_from(code).ok());
        Some(Self { is_http_1_0, code: code.or(Some(200)) })
    }
}

/// Replaces control characters, which a strict parser refuses, by blanks. Bytes above
/// 127 stay.
fn printable(value: &[u8]) -> Vec<u8> {
    value.iter().map(|b| if b.is_ascii_control() { b' ' } else { *b }).collect()
}

/// The number that a value begins with, as ffmpeg and curl read it.
fn number(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"+").unwrap_or(value);
    let n_digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&value[..n_digits]).ok()?.parse().ok()
}

/// Whether a line is a header, by its name (RFC 9110, section 5.6.2).
fn has_name(line: &[u8]) -> bool {
    let name = memchr(b':', line).map(|at| line[..at].trim_ascii());
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    name.is_some_and(|name| !name.is_empty() && name.iter().all(is_token))
}

fn is_of_parts(content_type: &[u8]) -> bool {
    let name = content_type.to_ascii_lowercase();
    name.starts_with(b"multipart/") || name.starts_with(b"x-mixed-replace")
}

/// Encodes each byte that is not allowed in an address as %XX, as browsers do.
fn percent_encoded(address: &[u8]) -> String {
    let mut text = String::with_capacity(address.len());
    for b in address {
        if b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(b) {
            text.push(char::from(*b));
        } else {
            text.push_str(&format!("%{b:02X}"));
        }
    }
    text
}

#[cfg(test)]
impl Fields {
    pub(super) fn n_bytes_held(&self) -> usize {
        self.fields.iter().map(|field| field.value.len()).sum()
    }
}
