//! The client behind one request.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tiny_http::Request;

use super::body::{MAX_UNREAD_BODY, has_body};
use super::connections::{Claim, Connections, Entry, MAX_DROPPED_BODY};
use super::head::{self, Method};
use super::own_head::{Body, OwnBody};
use super::peer::Peer;
use super::socket::{StreamSocket, write_all};

/// How long the rest of a body that was refused may take.
const LINGER: Duration = Duration::from_secs(1);

/// The client behind a request, to be answered once. Dropping it closes the
/// connection.
pub(in crate::http) struct Connection {
    // INVARIANT: dropped in this order. What the client still sends is received
    // before tiny_http would wait for it, and tiny_http's half goes before the
    // requests that were pipelined behind this one.
    read_side: ReadSide,
    request: Unanswered,
    claim: Claim,
    body: Body,
    method: Method,
    client: Peer,
}

/// The read side of a connection, open until the body was read.
struct ReadSide {
    entry: Arc<Entry>,
    is_open: bool,
}

/// A request of tiny_http's that is answered without it.
struct Unanswered {
    /// `None` only while it is dropped, as a writer can be had by value only.
    request: Option<Request>,
    all: Arc<Connections>,
}

impl Connection {
    pub(super) fn new(request: Request, is_open: bool, claim: Claim, body: Body) -> Self {
        Self {
            read_side: ReadSide { entry: Arc::clone(&claim.entry), is_open },
            method: Method::from_request(&request),
            request: Unanswered { request: Some(request), all: Arc::clone(&claim.all) },
            client: claim.entry.peer,
            claim,
            body,
        }
    }

    /// The client: the other end of the connection, or who asks through that.
    pub(in crate::http) fn peer(&self) -> Peer {
        self.client
    }

    /// Sets for whom the proxy asks that is at the other end.
    pub(in crate::http) fn set_client(&mut self, address: IpAddr) {
        self.client = Peer::Forwarded(address);
    }

    /// The address of the other end of the connection; `None` at a Unix socket.
    pub(in crate::http) fn proxy_address(&self) -> Option<IpAddr> {
        match self.claim.entry.peer {
            Peer::Unix => None,
            peer => Some(peer.ip()),
        }
    }

    pub(in crate::http) fn method(&self) -> Method {
        self.method
    }

    /// The target as it stands in the request line.
    pub(in crate::http) fn target(&self) -> &str {
        self.request.get().url()
    }

    /// The first header of that name.
    pub(in crate::http) fn header(&self, name: &'static str) -> Option<&str> {
        let headers = self.request.get().headers().iter();
        headers.filter(|h| h.field.equiv(name)).map(|h| h.value.as_str()).next()
    }

    /// All headers of that name, in their order.
    pub(in crate::http) fn headers(&self, name: &'static str) -> Vec<&str> {
        let headers = self.request.get().headers().iter();
        headers.filter(|h| h.field.equiv(name)).map(|h| h.value.as_str()).collect()
    }

    /// The length of the head in bytes, without blanks around values.
    pub(in crate::http) fn n_head_bytes(&self) -> usize {
        head::n_bytes(self.request.get())
    }

    /// Whether the client sends more than a head.
    pub(in crate::http) fn has_body(&self) -> bool {
        match &self.body {
            Body::OfLibrary => has_body(self.request.get()),
            Body::Own(own) => own.length != Some(0),
        }
    }

    /// The length that the client announces for its body; `None`: it does not
    /// say.
    pub(in crate::http) fn body_length(&self) -> Option<usize> {
        match &self.body {
            Body::OfLibrary => self.request.get().body_length(),
            Body::Own(own) => own.length,
        }
    }

    /// Reads the body, if [`super::Handler::takes_body`] wanted it, and shuts
    /// the read side. A client that waits for "100 Continue" receives it.
    ///
    /// # Errors
    /// `TimedOut` when it takes longer than `timeout`, `UnexpectedEof` when the
    /// client hangs up before the end; otherwise what the socket says.
    pub(in crate::http) fn read_body(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut body = vec![0; self.body_length().unwrap_or(0).min(MAX_UNREAD_BODY)];
        let socket = &self.claim.entry.socket;
        let mut own;
        let reader: &mut dyn Read = match &self.body {
            Body::OfLibrary => self.request.get_mut().as_reader(),
            Body::Own(OwnBody { ahead, is_expecting, .. }) => {
                if *is_expecting && ahead.len() < body.len() {
                    write_all(socket, b"HTTP/1.1 100 Continue\r\n\r\n", &[], timeout)?;
                }
                own = ahead.as_slice().chain(socket);
                &mut own
            }
        };
        let mut remaining = &mut body[..];
        while !remaining.is_empty() {
            // What is sent drop by drop has one deadline, not one for each.
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            socket.set_read_timeout(Some(left))?;
            match reader.read(remaining) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => remaining = &mut remaining[n..],
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(e) => return Err(e),
            }
        }
        let _ = socket.shutdown(Shutdown::Read);
        self.read_side.is_open = false;
        Ok(body)
    }

    /// Writes all of two slices, by one system call if the client takes them.
    ///
    /// # Errors
    /// `TimedOut` when it takes longer than `timeout`; otherwise what the
    /// socket says when the client has left.
    pub(in crate::http) fn write(
        &self,
        head: &[u8],
        body: &[u8],
        timeout: Duration,
    ) -> io::Result<()> {
        write_all(&self.claim.entry.socket, head, body, timeout)
    }

    /// Whether the client has closed its side.
    pub(in crate::http) fn has_left(&self) -> bool {
        self.claim.entry.has_left()
    }

    /// Whether the client still sends a body, for which dropping this waits up
    /// to a second, so that the reply is not taken away from the client again.
    pub(in crate::http) fn is_body_coming(&self) -> bool {
        self.read_side.is_open
    }

    /// Ends the connection without waiting for the body. Where dropping may not
    /// block, which costs a client that is still sending the reply.
    pub(in crate::http) fn abandon_body(&mut self) {
        if std::mem::take(&mut self.read_side.is_open) {
            let _ = self.claim.entry.socket.shutdown(Shutdown::Both);
        }
    }

    /// Makes it the socket of a stream. The head is freed, as a browser's
    /// takes 2 kB for as long as the viewer stays.
    pub(in crate::http) fn into_stream(self) -> StreamSocket {
        let Self { read_side, request, claim, client, .. } = self;
        drop(read_side);
        StreamSocket::new(claim, request.into_writer(), client)
    }
}

impl Unanswered {
    const HELD: &str = "a request is held until it is dropped";

    fn get(&self) -> &Request {
        self.request.as_ref().expect(Self::HELD)
    }

    fn get_mut(&mut self) -> &mut Request {
        self.request.as_mut().expect(Self::HELD)
    }

    fn into_writer(mut self) -> Box<dyn Write + Send> {
        self.request.take().expect(Self::HELD).into_writer()
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let Some(request) = self.request.take() else { return };
        if request.body_length().unwrap_or(0) > MAX_DROPPED_BODY {
            self.all.discard(request);
        } else {
            // A request that is dropped would answer 500; its writer does not.
            drop(request.into_writer());
        }
    }
}

impl Drop for ReadSide {
    fn drop(&mut self) {
        if self.is_open {
            self.linger();
            // Before the request goes, which would wait for the rest.
            let _ = self.entry.socket.shutdown(Shutdown::Read);
        }
    }
}

impl ReadSide {
    /// Ends the reply and receives what the client still sends: a socket that
    /// is closed with bytes unread takes the reply away from the client again.
    // Not inlined: the buffer would cost a page of every viewer's stack.
    #[inline(never)]
    fn linger(&self) {
        let deadline = Instant::now() + LINGER;
        let mut socket = &self.entry.socket;
        let _ = socket.shutdown(Shutdown::Write);
        let (mut piece, mut n_left) = ([0; 4096], MAX_UNREAD_BODY);
        while n_left > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match socket.read(&mut piece) {
                Ok(0) => return,
                Ok(n) => n_left = n_left.saturating_sub(n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}
