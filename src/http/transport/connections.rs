//! All connections that are being answered, and how a request becomes one.
//!
//! tiny_http would read on after the first request, keep a thread for it and
//! answer in turn. So the read side of each connection is shut as soon as its
//! first request is there: the thread ends, nothing is pipelined, no body is
//! waited for, and all that is left is a socket that its worker owns. Where a
//! body is wanted, the read side is shut as soon as a worker has read it. (A
//! connection that the guard took over, see `high_bytes`, keeps the thread and
//! the two descriptors of tiny_http as long as it lasts.)

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;
use rustix::event::PollFlags;
use socket2::Socket;
use tiny_http::Request;

use super::body::is_coming;
use super::connection::Connection;
use super::counts::{ConnectionsReport, Counts, Cut};
use super::descriptor::{self, Found, Peers};
use super::own_head::Body;
use super::peer::Peer;
use crate::config::N_SHORT_CONNECTIONS;

/// `tiny_http` allocates what is left of an unread body when a request is
/// dropped. Above this a request is never dropped but forgotten: a claimed
/// length beyond the memory of the machine would abort the process.
pub(super) const MAX_DROPPED_BODY: usize = 64 << 20;

/// All connections that are being answered, by their [cookies](descriptor::cookie).
#[derive(Default)]
pub(in crate::http) struct Connections {
    entries: Mutex<HashMap<u64, Arc<Entry>>>,
    counts: Counts,
}

/// One connection that is being answered.
pub(super) struct Entry {
    cookie: u64,
    pub(super) peer: Peer,
    pub(super) socket: Socket,
    /// Further requests that had arrived before the read side was shut. They
    /// are not answered, and dropped after the first one's writer: before
    /// that, dropping one would block.
    parked: Mutex<Vec<Request>>,
    /// Whether a stream is written to it.
    is_viewer: AtomicBool,
    /// Whether its stream was ordered to end.
    is_ended: AtomicBool,
    /// Wakes the worker of a viewer whose connection is cut: it may wait for a
    /// picture, and would keep the seat until that comes.
    on_cut: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
}

/// The right to answer a connection. Dropping it closes the connection.
pub(super) struct Claim {
    pub(super) entry: Arc<Entry>,
    pub(super) all: Arc<Connections>,
}

impl Connections {
    /// The cookies of all that are being answered.
    pub(super) fn cookies(&self) -> HashSet<u64> {
        self.entries.lock().keys().copied().collect()
    }

    pub(super) fn contains(&self, cookie: u64) -> bool {
        self.entries.lock().contains_key(&cookie)
    }

    /// The figures that others of `http` add to.
    pub(in crate::http) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// All figures of connections, of which there may be `max`.
    pub(in crate::http) fn report(&self, max: usize) -> ConnectionsReport {
        let n_answered = self.entries.lock().len();
        self.counts.report(max, n_answered)
    }

    /// Whether a reply that does without a worker may stay open: enough connections
    /// are left for requests.
    pub(in crate::http) fn has_room(&self, max: usize) -> bool {
        self.entries.lock().len() + 4 * N_SHORT_CONNECTIONS <= max
    }

    /// Drops a request that is not answered, or forgets it where dropping it
    /// could abort the process.
    pub(super) fn discard(&self, request: Request) {
        if request.body_length().unwrap_or(0) > MAX_DROPPED_BODY {
            self.counts.forgotten.fetch_add(1, Relaxed);
            log::debug!(
                "a request announced a body of {:?} bytes: its memory is given up",
                request.body_length()
            );
            std::mem::forget(request);
        }
    }

    /// Takes a request over as the one of its connection. `None`: it is not
    /// answered, as it is not the first one or the client has left. With
    /// `takes_body` its worker may read the body. `peers`, if given, were
    /// looked up after the request came.
    pub(super) fn claim(
        self: &Arc<Self>,
        request: Request,
        takes_body: bool,
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
        let request = self.park_if_pipelined(request, peer, found.as_ref())?;
        // A socket that was answered already is shut, and takes no byte: not
        // even an empty write.
        let Some(socket) = found.filter(|socket| (&socket.stream).write(&[]).is_ok()) else {
            self.discard(request);
            return None;
        };
        let claim = self.enter(Peer::Tcp(peer), socket.stream.into(), socket.cookie);
        let is_open = takes_body && is_coming(&request);
        if !is_open {
            let is_huge = request.body_length().unwrap_or(0) > MAX_DROPPED_BODY;
            let how = if is_huge { Shutdown::Both } else { Shutdown::Read };
            // An error means that the client has left: the first write says so.
            let _ = claim.entry.socket.shutdown(how);
        }
        Some(Connection::new(request, is_open, claim, Body::OfLibrary))
    }

    /// Makes a request, which was read here and not by `tiny_http`, the one of
    /// its connection. The read side stays open: where the guard has read it, a
    /// thread of `tiny_http` waits there, and would close the connection.
    pub(super) fn adopt(
        self: &Arc<Self>,
        request: Request,
        body: Body,
        is_body_coming: bool,
        (peer, socket, cookie): (Peer, Socket, u64),
    ) -> Connection {
        Connection::new(request, is_body_coming, self.enter(peer, socket, cookie), body)
    }

    /// Keeps a request back that came behind another one of its connection.
    fn park_if_pipelined(
        &self,
        request: Request,
        peer: SocketAddr,
        found: Option<&Found>,
    ) -> Option<Request> {
        let entries = self.entries.lock();
        let earlier = match found {
            Some(socket) => entries.get(&socket.cookie),
            // A socket that was reset has no peer any more.
            None => entries.values().find(|entry| entry.peer == Peer::Tcp(peer)),
        };
        let Some(entry) = earlier else { return Some(request) };
        if entry.park(request) {
            self.counts.cut(Cut::Pipelined);
        }
        None
    }

    fn enter(self: &Arc<Self>, peer: Peer, socket: Socket, cookie: u64) -> Claim {
        let entry = Arc::new(Entry {
            cookie,
            peer,
            socket,
            parked: Mutex::default(),
            is_viewer: AtomicBool::new(false),
            is_ended: AtomicBool::new(false),
            on_cut: Mutex::default(),
        });
        self.entries.lock().insert(entry.cookie, Arc::clone(&entry));
        Claim { entry, all: Arc::clone(self) }
    }

    /// Cuts the viewers that have closed their side, which a worker would
    /// notice only at its second write, and returns how many are leaving.
    pub(in crate::http) fn cut_viewers_who_left(&self) -> usize {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let has_left = |entry: &&Arc<Entry>| entry.is_viewer.load(Relaxed) && entry.has_left();
        entries.iter().filter(has_left).map(|entry| entry.cut()).count()
    }

    /// Ends the streams of up to `n` viewers. Returns how many more there are whose
    /// streams go on.
    pub(in crate::http) fn end_viewers(&self, n: usize) -> usize {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let is_watching =
            |entry: &Arc<Entry>| entry.is_viewer.load(Relaxed) && !entry.is_ended.load(Relaxed);
        let mut n_left = 0;
        for (i, entry) in entries.iter().filter(|entry| is_watching(entry)).enumerate() {
            if i < n { entry.end() } else { n_left += 1 }
        }
        n_left
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

    /// Sets what wakes the worker, or nothing.
    pub(super) fn set_on_cut(&self, wake: Option<Box<dyn Fn() + Send + Sync>>) {
        *self.on_cut.lock() = wake;
    }

    /// Whether the client has closed its side.
    pub(super) fn has_left(&self) -> bool {
        match self.peer {
            Peer::Tcp(_) | Peer::Forwarded(_) => descriptor::has_left(&self.socket),
            Peer::Unix => descriptor::is_polled(&self.socket, PollFlags::RDHUP),
        }
    }

    /// Whether the connection is cut, as far as the client has said so itself, or its
    /// stream was ordered to end.
    pub(super) fn is_cut(&self) -> bool {
        self.is_ended.load(Relaxed)
            || match self.peer {
                // A socket that was reset has no peer any more.
                Peer::Tcp(_) | Peer::Forwarded(_) => self.socket.peer_addr().is_err(),
                Peer::Unix => descriptor::is_polled(&self.socket, PollFlags::HUP),
            }
    }

    fn cut(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(wake) = &*self.on_cut.lock() {
            wake();
        }
    }

    /// Ends a stream behind a whole picture, where the worker can be woken for that.
    fn end(&self) {
        self.is_ended.store(true, Relaxed);
        match &*self.on_cut.lock() {
            Some(wake) => wake(),
            None => {
                let _ = self.socket.shutdown(Shutdown::Both);
            }
        }
    }

    pub(super) fn mark_as_viewer(&self) {
        self.is_viewer.store(true, Relaxed);
    }

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

impl Drop for Claim {
    fn drop(&mut self) {
        // What was written still goes out, then the client sees the end.
        let _ = self.entry.socket.shutdown(Shutdown::Both);
        // INVARIANT: shut before it is forgotten, so that a further request of
        // this connection finds the entry or a shut socket, never an open one;
        // and forgotten before the parked ones go, so that none comes after.
        self.all.entries.lock().remove(&self.entry.cookie);
        self.entry.parked.lock().drain(..).for_each(|request| self.all.discard(request));
    }
}
