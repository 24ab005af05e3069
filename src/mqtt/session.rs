//! One connection to the broker.

use std::time::{Duration, Instant};

use super::packet::{Connect, DISCONNECT, Incoming, PING_REQUEST, Publish, Unknown, parse};
use super::topics::{OFFLINE, Topics};
use crate::config::MqttConfig;
use crate::fetch::{Cause, Error, Link};
use crate::shutdown::Shutdown;

/// How long the broker may take: to let the program in, to take a piece of a packet, to
/// answer a ping.
const TIMEOUT: Duration = Duration::from_secs(10);
/// After this time without a word from the broker it is asked for one.
const PING_AFTER: Duration = Duration::from_secs(20);
/// The broker takes the program for lost after one and a half of this time without a
/// packet (3.1.2.10).
const KEEP_ALIVE_S: u16 = 30;
/// What is written with one deadline. A whole picture may take long over a radio link.
const PIECE: usize = 64 << 10;

pub(super) struct Session {
    link: Link,
    /// What has come of a packet that is not whole.
    input: Vec<u8>,
    heard_at: Instant,
    pinged_at: Option<Instant>,
    /// When all has to be said, after the order to stop.
    end: Option<Instant>,
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Why the broker does not let the program in, in words for people.
    pub(super) fn open(
        config: &MqttConfig,
        topics: &Topics,
        stop: &Shutdown,
    ) -> Result<Self, Error> {
        let until = Instant::now() + TIMEOUT;
        let server = (&*config.host, config.port);
        let link = Link::open(server, config.trust.as_ref(), stop.clone(), until)?;
        let (input, heard_at) = (Vec::new(), Instant::now());
        let mut session = Self { link, input, heard_at, pinged_at: None, end: None };
        let login = config.login.as_ref();
        let password = login.map(|login| &*login.password);
        let connect = Connect {
            client_id: &topics.node,
            will: (&topics.status, OFFLINE),
            user: login.map(|login| &*login.user),
            password: password.filter(|password| !password.is_empty()),
            keep_alive_s: KEEP_ALIVE_S,
        };
        let mut packet = Vec::new();
        connect.write(&mut packet);
        session.link.write(&packet, until)?;
        match session.receive(until)? {
            Some(Incoming::ConnectReturn(0)) => Ok(session),
            Some(Incoming::ConnectReturn(code)) => Err(refused(code)),
            Some(_) => Err(not_mqtt("an answer to no question")),
            None => Err(Error::Failed(Cause::Late, "no answer in time".to_owned())),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) fn publish(&mut self, publish: &Publish<'_>, payload: &[u8]) -> Result<(), Error> {
        let mut packet = Vec::with_capacity(PIECE.min(256 + payload.len()));
        publish.write(&mut packet, payload.len());
        let (first, rest) = payload.split_at(payload.len().min(PIECE));
        packet.extend_from_slice(first);
        self.write(&packet)?;
        rest.chunks(PIECE).try_for_each(|piece| self.write(piece))
    }

    /// The next packet that has come, or comes until `until`.
    ///
    /// # Errors
    /// The connection has ended, or what has come is no MQTT.
    pub(super) fn receive(&mut self, until: Instant) -> Result<Option<Incoming>, Error> {
        loop {
            match parse(&self.input) {
                Ok(Some((packet, n_bytes))) => {
                    self.input.drain(..n_bytes);
                    return Ok(Some(packet));
                }
                Ok(None) => {}
                Err(Unknown(first)) => return Err(not_mqtt(&format!("a packet {first:#04x}"))),
            }
            let mut buf = [0; 256];
            let n_bytes = self.link.read(&mut buf, until)?;
            if n_bytes == 0 {
                return Ok(None);
            }
            (self.heard_at, self.pinged_at) = (Instant::now(), None);
            self.input.extend_from_slice(&buf[..n_bytes]);
        }
    }

    /// Asks a broker that is silent for a sign of life.
    ///
    /// # Errors
    /// It gives none.
    pub(super) fn keep_alive(&mut self, now: Instant) -> Result<(), Error> {
        match self.pinged_at {
            Some(at) if now.duration_since(at) > TIMEOUT => {
                Err(Error::Failed(Cause::Late, "the broker does not answer any more".to_owned()))
            }
            None if now.duration_since(self.heard_at) >= PING_AFTER => {
                self.pinged_at = Some(now);
                self.write(&PING_REQUEST)
            }
            _ => Ok(()),
        }
    }

    /// From now on the order to stop ends no wait, but `end` does.
    pub(super) fn finish_until(&mut self, end: Instant) {
        self.link.outlast_stop();
        self.end = Some(end);
    }

    /// Ends the connection so that the broker does not take the program for lost.
    ///
    /// # Errors
    /// The connection has ended already.
    pub(super) fn disconnect(mut self) -> Result<(), Error> {
        self.write(&DISCONNECT)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let until = Instant::now() + TIMEOUT;
        self.link.write(bytes, self.end.map_or(until, |end| end.min(until)))
    }
}

fn not_mqtt(what: &str) -> Error {
    Error::Failed(Cause::Unusable, format!("this is no MQTT broker: it sent {what}"))
}

/// The return codes of 3.2.2.3.
fn refused(code: u8) -> Error {
    let (cause, why) = match code {
        1 => (Cause::Unusable, "the broker does not know MQTT 3.1.1"),
        2 => (Cause::Unusable, "the broker refuses the identifier, which is the prefix"),
        3 => (Cause::Busy, "the broker is not available"),
        4 => (Cause::Denied, "user or password are wrong"),
        5 => (Cause::Denied, "the broker lets this user not in"),
        _ => (Cause::Unusable, "the broker refuses the connection"),
    };
    Error::Failed(cause, format!("{why} ({code})"))
}
