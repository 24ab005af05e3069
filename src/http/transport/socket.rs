//! Writing to a client: with a deadline, and without waiting at all.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{SendFlags, send};
use socket2::Socket;

use super::connections::{Claim, Entry};
use super::peer::Peer;

/// The client of a stream: a socket that is written to until one side closes
/// it. Dropping it closes the connection.
pub(in crate::http) struct StreamSocket {
    // INVARIANT: dropped in this order, as requests that were pipelined behind
    // this one, which the claim drops, wait for the writer.
    /// What remains of the request in tiny_http. Nothing is written through it,
    /// but it shuts the socket when it is dropped.
    _writer: Box<dyn Write + Send>,
    claim: Claim,
    client: Peer,
}

impl StreamSocket {
    pub(super) fn new(claim: Claim, writer: Box<dyn Write + Send>, client: Peer) -> Self {
        Self { _writer: writer, claim, client }
    }

    /// Says that a viewer's pictures are written to it.
    pub(in crate::http) fn mark_as_viewer(&self) {
        self.claim.entry.mark_as_viewer();
    }

    pub(in crate::http) fn peer(&self) -> Peer {
        self.client
    }

    /// Writes all of two slices, by one system call if the client takes them.
    ///
    /// # Errors
    /// As [`write_all`].
    pub(in crate::http) fn write(
        &self,
        head: &[u8],
        body: &[u8],
        timeout: Duration,
    ) -> io::Result<()> {
        write_all(&self.claim.entry.socket, head, body, timeout)
    }

    /// Whether the client is still there, as far as it has said so itself.
    ///
    /// # Errors
    /// What the socket says of a client that has cut the connection.
    pub(in crate::http) fn check_peer(&self) -> io::Result<()> {
        if self.claim.entry.is_cut() { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// Whether the client has closed its side. That is no error for a viewer that
    /// still reads, so it only counts where others wait for its place.
    pub(in crate::http) fn has_left(&self) -> bool {
        self.claim.entry.has_left()
    }

    /// Sets what wakes this viewer's worker when its connection is cut because the
    /// client has left and its seat is wanted.
    pub(in crate::http) fn on_cut(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.claim.entry.set_on_cut(Some(Box::new(wake)));
    }

    /// The same socket for a thread that may not wait.
    pub(in crate::http) fn non_blocking(&self) -> NonBlocking {
        NonBlocking(Arc::clone(&self.claim.entry))
    }
}

impl Drop for StreamSocket {
    fn drop(&mut self) {
        // It holds a subscription, which holds a `NonBlocking`, which holds this.
        self.claim.entry.set_on_cut(None);
    }
}

/// Writes to a connection without waiting.
pub(in crate::http) struct NonBlocking(Arc<Entry>);

impl NonBlocking {
    /// How many bytes the socket takes now. It is 0 too when the client has
    /// left, which the next blocking write reports.
    pub(in crate::http) fn write(&self, bytes: &[u8]) -> usize {
        send(&self.0.socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).unwrap_or(0)
    }
}

/// Writes all of two slices, by one system call if the client takes them.
///
/// # Errors
/// `TimedOut` when it takes longer than `timeout`; otherwise what the socket
/// says when the client has left.
pub(super) fn write_all(
    mut socket: &Socket,
    head: &[u8],
    body: &[u8],
    timeout: Duration,
) -> io::Result<()> {
    let deadline = Instant::now() + timeout;
    let mut slices = [IoSlice::new(head), IoSlice::new(body)];
    let mut remaining = &mut slices[..];
    IoSlice::advance_slices(&mut remaining, 0);
    while !remaining.is_empty() {
        let written = match &*remaining {
            // A plain write costs the kernel less than one of a vector.
            [only] => socket.write(only),
            several => socket.write_vectored(several),
        };
        match written {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut remaining, n),
            // The listener's send timeout, a fraction of the deadline.
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if !remaining.is_empty() && Instant::now() >= deadline {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
