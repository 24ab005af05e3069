//! A connection to a server that does not speak HTTP, plain or over TLS.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
#[cfg(feature = "https")]
use rustls::{ClientConnection, StreamOwned};

use super::connection::{TcpSocket, connect_any};
use super::resolve::SystemResolver;
use super::{Cause, Error, WaitLimit};
use crate::shutdown::Shutdown;
use crate::trust::Trust;

/// A connection whose waits end at a deadline or when the program stops.
pub(crate) struct Link {
    stream: Stream,
    wait_limit: Arc<WaitLimit>,
}

enum Stream {
    Plain(TcpSocket),
    #[cfg(feature = "https")]
    Tls(Box<StreamOwned<ClientConnection, TcpSocket>>),
}

impl Link {
    /// Connects until `until`. With `trust`, over TLS.
    ///
    /// # Errors
    /// Why there is no connection, in words for people.
    pub(crate) fn open(
        (host, port): (&str, u16),
        trust: Option<&Trust>,
        stop: Shutdown,
        until: Instant,
    ) -> Result<Self, Error> {
        let wait_limit = Arc::new(WaitLimit { stop, until: Mutex::new(until) });
        let open = || {
            let resolver = SystemResolver(Arc::clone(&wait_limit));
            let addresses = resolver.look_up(host.to_owned(), port)?;
            let stream = connect_any(&addresses, &wait_limit)?;
            let stream = stream.ok_or(io::ErrorKind::NotFound)?;
            let socket = TcpSocket { stream, wait_limit: Arc::clone(&wait_limit) };
            encrypt(socket, host, trust)
        };
        match open() {
            Ok(stream) => Ok(Self { stream, wait_limit }),
            Err(_) if wait_limit.stop.is_ordered() => Err(Error::Stopped),
            Err(e) => Err(Error::from_io(&e)),
        }
    }

    /// Writes all bytes until `until`.
    ///
    /// # Errors
    /// They cannot be written, and the connection is of no use any more.
    pub(crate) fn write(&mut self, bytes: &[u8], until: Instant) -> Result<(), Error> {
        *self.wait_limit.until.lock() = until;
        let written = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            #[cfg(feature = "https")]
            Stream::Tls(stream) => stream.write_all(bytes),
        };
        written.map_err(|e| self.error(&e))
    }

    /// Reads what has arrived, or waits for it until `until`. Returns 0 if nothing came.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn read(&mut self, buf: &mut [u8], until: Instant) -> Result<usize, Error> {
        *self.wait_limit.until.lock() = until;
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(buf),
            #[cfg(feature = "https")]
            Stream::Tls(stream) => stream.read(buf),
        };
        match read {
            Ok(0) => Err(Error::Failed(Cause::Io, "the server closed the connection".to_owned())),
            Ok(n) => Ok(n),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(e) => Err(self.error(&e)),
        }
    }

    /// From now on waits end at their deadlines only: for the last words, after the order
    /// to stop.
    pub(crate) fn outlast_stop(&mut self) {
        let until = Mutex::new(Instant::now());
        self.wait_limit = Arc::new(WaitLimit { stop: Shutdown::never(), until });
        self.stream.socket().wait_limit = Arc::clone(&self.wait_limit);
    }

    fn error(&self, error: &io::Error) -> Error {
        if self.wait_limit.stop.is_ordered() { Error::Stopped } else { Error::from_io(error) }
    }
}

impl Stream {
    fn socket(&mut self) -> &mut TcpSocket {
        match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "https")]
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

#[cfg(feature = "https")]
fn encrypt(socket: TcpSocket, host: &str, trust: Option<&Trust>) -> io::Result<Stream> {
    let Some(trust) = trust else { return Ok(Stream::Plain(socket)) };
    Ok(Stream::Tls(Box::new(super::tls::Tls::new(trust).wrap(host, socket)?)))
}

/// Without the feature no address needs TLS.
#[cfg(not(feature = "https"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
fn encrypt(socket: TcpSocket, _: &str, _: Option<&Trust>) -> io::Result<Stream> {
    Ok(Stream::Plain(socket))
}
