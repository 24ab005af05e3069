//! One connection to one client, for one request.
//!
//! tiny_http would read on after the first request, keep a thread for it and
//! answer in turn. So the read side of each connection is shut as soon as its
//! first request is there: the thread ends, nothing is pipelined, no body is
//! waited for, and all that is left is a socket that its worker owns. Where a
//! body is wanted, the read side is shut as soon as a worker has read it.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::net::{SendFlags, send};
use tiny_http::{Method, Request};

use super::body::{MAX_UNREAD_BODY, has_body, is_coming};
use super::descriptor::{self, Peers};
use super::guard::{Counts, Cut};

/// tiny_http allocates what is left of an unread body when a request is
/// dropped. Above this a request is never dropped but forgotten: a claimed
/// length beyond the memory of the machine would abort the process.
const MAX_DROPPED_BODY: usize = 64 << 20;

/// How long the rest of a body that was refused may take.
const LINGER: Duration = Duration::from_secs(1);

/// All connections that are being answered, by the kernel's socket cookie.
pub(super) struct Connections {
    entries: Mutex<HashMap<u64, Arc<Entry>>>,
    n_claimed: AtomicU64,
    /// Odd while no request waits to be claimed; it counts the changes.
    n_turns: AtomicU64,
    counts: Arc<Counts>,
}

struct Entry {
    cookie: u64,
    peer: SocketAddr,
    socket: TcpStream,
    /// Further requests that had arrived before the read side was shut. They
    /// are not answered, and dropped after the first one's writer: before
    /// that, dropping one would block.
    parked: Mutex<Vec<Request>>,
    /// Whether a stream is written to it.
    is_viewer: AtomicBool,
}

/// The client behind a request, to be answered once. Dropping it closes the
/// connection.
pub(super) struct Connection {
    /// tiny_http's half, with the head; `None` for a viewer, and while dropping.
    request: Option<Request>,
    /// What is left of that for a viewer: it shuts the socket when it is dropped.
    rest: Option<Box<dyn Write + Send>>,
    method: Method,
    /// Whether the read side is open, as a body is wanted and not here yet.
    is_open: bool,
    entry: Arc<Entry>,
    all: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(counts: Arc<Counts>) -> Self {
        let (n_claimed, n_turns) = Default::default();
        Self { entries: Mutex::default(), n_claimed, n_turns, counts }
    }

    /// The cookies of all that are being answered.
    pub(super) fn cookies(&self) -> HashSet<u64> {
        self.entries.lock().keys().copied().collect()
    }

    pub(super) fn contains(&self, cookie: u64) -> bool {
        self.entries.lock().contains_key(&cookie)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// How many connections ever sent a request.
    pub(super) fn n_claimed(&self) -> u64 {
        self.n_claimed.load(Relaxed)
    }

    /// Runs `wait`, during which no request waits.
    pub(super) fn rest<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.n_turns.fetch_add(1, Relaxed);
        let end = wait();
        self.n_turns.fetch_add(1, Relaxed);
        end
    }

    /// Whether all requests that came were claimed at some time since the last
    /// look, of which `turns` is kept.
    pub(super) fn was_at_rest(&self, turns: &mut u64) -> bool {
        let before = std::mem::replace(turns, self.n_turns.load(Relaxed));
        *turns != before || *turns % 2 == 1
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Gets rid of a request that nobody answers.
    fn discard(&self, request: Request) {
        if request.body_length().unwrap_or(0) > MAX_DROPPED_BODY {
            self.counts.forgotten.fetch_add(1, Relaxed);
            log::debug!(
                "a request claimed a body of {:?} bytes: its memory is given up",
                request.body_length()
            );
            std::mem::forget(request);
        }
    }

    /// Takes a request over as the one of its connection. `None`: it is not
    /// to be answered, as it is not the first or the client is gone. With
    /// `wants_body` its worker may read the body. `peers` were there after it
    /// came, if they are known.
    pub(super) fn claim(
        self: &Arc<Self>,
        request: Request,
        wants_body: bool,
        peers: Option<&Peers>,
    ) -> Option<Connection> {
        let Some(&peer) = request.remote_addr() else {
            self.discard(request);
            return None;
        };
        let is_new = |cookie| !self.contains(cookie);
        let found = match peers {
            Some(peers) => peers.find(peer, is_new),
            None => descriptor::find(peer, is_new),
        };
        let mut entries = self.entries.lock();
        let earlier = match &found {
            Some(socket) => entries.get(&socket.cookie),
            // A socket that was reset has no peer any more.
            None => entries.values().find(|entry| entry.peer == peer),
        };
        if let Some(entry) = earlier {
            if entry.park(request) {
                self.counts.cut(Cut::Pipelined);
            }
            return None;
        }
        // One that was answered already is shut, and takes no byte: not even none.
        let Some(socket) = found.filter(|socket| (&socket.stream).write(&[]).is_ok()) else {
            drop(entries);
            self.discard(request);
            return None;
        };
        let entry = Arc::new(Entry {
            cookie: socket.cookie,
            peer,
            socket: socket.stream,
            parked: Mutex::default(),
            is_viewer: AtomicBool::new(false),
        });
        entries.insert(entry.cookie, Arc::clone(&entry));
        drop(entries);
        self.n_claimed.fetch_add(1, Relaxed);
        let body = request.body_length().unwrap_or(0);
        let is_open = wants_body && is_coming(&request);
        if !is_open {
            let how = if body > MAX_DROPPED_BODY { Shutdown::Both } else { Shutdown::Read };
            // An error means that the client is gone: the first write will say so.
            let _ = entry.socket.shutdown(how);
        }
        let (method, all) = (request.method().clone(), Arc::clone(self));
        Some(Connection { request: Some(request), rest: None, method, is_open, entry, all })
    }

    /// Cuts the viewers that have closed their side, which a worker would see
    /// only by writing twice, and says how many are on their way out.
    pub(super) fn cut_viewers_who_left(&self) -> usize {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let has_left = |entry: &&Arc<Entry>| {
            entry.is_viewer.load(Relaxed) && descriptor::has_left(&entry.socket)
        };
        entries.iter().filter(has_left).map(|e| drop(e.socket.shutdown(Shutdown::Both))).count()
    }

    /// Cuts all connections, so that no worker blocks on one.
    pub(super) fn shut_all(&self) {
        for entry in self.entries.lock().values() {
            let _ = entry.socket.shutdown(Shutdown::Both);
        }
    }
}

impl Entry {
    /// What a client may send ahead by mistake; more is an attempt to flood.
    const MAX_PARKED: usize = 4;

    /// Keeps a request back. `true`: it was one too many, and the connection
    /// is cut.
    fn park(&self, request: Request) -> bool {
        let mut parked = self.parked.lock();
        parked.push(request);
        if parked.len() > Self::MAX_PARKED {
            let _ = self.socket.shutdown(Shutdown::Both);
        }
        parked.len() == Self::MAX_PARKED + 1
    }
}

impl Connection {
    fn request(&self) -> &Request {
        self.request.as_ref().expect("nobody asks for the head of one that watches")
    }

    /// Tells that a stream will be written to it. What the client asked for
    /// is known: nothing is left of the head, as a browser's takes 2 kB.
    pub(super) fn is_for_a_viewer(&mut self) {
        self.entry.is_viewer.store(true, Relaxed);
        if !self.has_body() {
            self.rest = self.request.take().map(Request::into_writer);
        }
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.entry.peer
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The target as it stands in the request line.
    pub(super) fn target(&self) -> &str {
        self.request().url()
    }

    /// The first header of that name.
    pub(super) fn header(&self, name: &'static str) -> Option<&str> {
        let headers = self.request().headers().iter();
        headers.filter(|h| h.field.equiv(name)).map(|h| h.value.as_str()).next()
    }

    /// Whether the client sends more than a head.
    pub(super) fn has_body(&self) -> bool {
        has_body(self.request())
    }

    /// The length that the client claims for its body; `None`: it does not say.
    pub(super) fn body_length(&self) -> Option<usize> {
        self.request().body_length()
    }

    /// Reads the body, if the connection was claimed with one, and shuts the
    /// read side. A client that waits for "100 Continue" is told so.
    ///
    /// # Errors
    /// `TimedOut` when it takes longer than `timeout`, `UnexpectedEof` when the
    /// client hangs up before the end; otherwise what the socket says.
    pub(super) fn read_body(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut body = vec![0; self.body_length().unwrap_or(0).min(MAX_UNREAD_BODY)];
        let request = self.request.as_mut().expect("a connection has its request until dropped");
        let (reader, socket) = (request.as_reader(), &self.entry.socket);
        let mut rest = &mut body[..];
        while !rest.is_empty() {
            // What was sent drop by drop has one deadline, not one for each.
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            socket.set_read_timeout(Some(left))?;
            match reader.read(rest) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => rest = &mut rest[n..],
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(e) => return Err(e),
            }
        }
        let _ = socket.shutdown(Shutdown::Read);
        self.is_open = false;
        Ok(body)
    }

    /// Ends the reply and receives what the client still sends: a socket that
    /// is closed with bytes unread takes the reply away from the client again.
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

    /// Whether the client is still there, as far as it has said so itself.
    ///
    /// # Errors
    /// What the socket says of a client that has cut the connection.
    pub(super) fn look(&self) -> io::Result<()> {
        // A socket that was reset has no peer any more.
        self.entry.socket.peer_addr().map(drop).map_err(|_| ErrorKind::ConnectionReset.into())
    }

    /// The same connection for a thread that may not wait.
    pub(super) fn at_once(&self) -> AtOnce {
        AtOnce(Arc::clone(&self.entry))
    }

    /// Writes all of two slices, by one system call if the client takes them.
    ///
    /// # Errors
    /// `TimedOut` when it takes longer than `timeout`; otherwise what the
    /// socket says when the client is gone.
    pub(super) fn write(&self, head: &[u8], body: &[u8], timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now() + timeout;
        let mut socket = &self.entry.socket;
        let mut slices = [IoSlice::new(head), IoSlice::new(body)];
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = match &*rest {
                // A plain write costs the kernel less than one of a vector.
                [only] => socket.write(only),
                several => socket.write_vectored(several),
            };
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                // The listener's send timeout, a fraction of the deadline.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if !rest.is_empty() && Instant::now() >= deadline {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

/// Writes to a connection without waiting.
pub(super) struct AtOnce(Arc<Entry>);

impl AtOnce {
    /// How many bytes the socket takes now: none too when the client is gone,
    /// which the next write that may wait will say.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        send(&self.0.socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).unwrap_or(0)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_open {
            self.linger();
            // Before the request goes, which would wait for the rest.
            let _ = self.entry.socket.shutdown(Shutdown::Read);
        }
        if let Some(request) = self.request.take() {
            if request.body_length().unwrap_or(0) > MAX_DROPPED_BODY {
                self.all.discard(request);
            } else {
                // A request that is dropped would answer 500; its writer does not.
                drop(request.into_writer());
            }
        }
        // Before the parked ones, which would wait for it.
        drop(self.rest.take());
        // What was written still goes out, then the client sees the end.
        let _ = self.entry.socket.shutdown(Shutdown::Both);
        // INVARIANT: shut before it is forgotten, so that a further request of
        // this connection finds the entry or a shut socket, never an open one;
        // and forgotten before the parked ones go, so that none comes after.
        self.all.entries.lock().remove(&self.entry.cookie);
        self.entry.parked.lock().drain(..).for_each(|request| self.all.discard(request));
    }
}
