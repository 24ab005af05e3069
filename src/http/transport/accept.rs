//! The accept thread: takes requests from `tiny_http`, and replaces its
//! listener thread when that has died.
//!
//! `tiny_http` ends its thread for good at the first failed accept, such as a
//! lack of descriptors, with an error or without a word. The listening socket
//! is ours and stays open, so that clients wait in its queue meanwhile.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use parking_lot::Mutex;
use tiny_http::Request;

use super::connections::Connections;
use super::descriptor::Peers;
use super::guard::reachable;
use super::head::Method;
use super::intake::Intake;
use super::listener::serve;
use super::{Handler, receive};
use crate::log_limit::LogLimit;
use crate::shutdown::Shutdown;
use crate::threads;

/// Pause before the listener is replaced after a fault, such as a lack of
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a listener that was replaced is polled for requests...
const POLL_RETIRED: Duration = Duration::from_millis(50);
/// ...and how much longer than a request may take to arrive.
const MARGIN: Duration = Duration::from_secs(10);
/// Requests whose sockets are looked up together.
const MAX_BATCH: usize = 256;
/// How long requests that are on their way may delay a restart.
const CLOSING: Duration = Duration::from_secs(1);

/// What the accept thread shares with the threads that wake it.
pub(super) struct Accept {
    listener: TcpListener,
    current: Mutex<Arc<tiny_http::Server>>,
    connections: Arc<Connections>,
    intake: Arc<Intake>,
    handler: Arc<dyn Handler>,
    head_timeout: Duration,
    /// The guard saw that tiny_http's own thread accepts no more.
    is_stuck: AtomicBool,
    /// No new connection is accepted; the open ones finish.
    is_closing: AtomicBool,
    stop: Shutdown,
}

/// A listener of tiny_http's whose thread has ended. Its connections still
/// bring their requests to it.
struct Retired {
    server: Arc<tiny_http::Server>,
    until: Instant,
}

impl Accept {
    /// # Errors
    /// Why `tiny_http` cannot serve the listener.
    pub(super) fn new(
        listener: TcpListener,
        connections: Arc<Connections>,
        intake: Arc<Intake>,
        handler: Arc<dyn Handler>,
        head_timeout: Duration,
        stop: Shutdown,
    ) -> Result<Self> {
        Ok(Self {
            current: Mutex::new(Arc::new(serve(&listener)?)),
            listener,
            connections,
            intake,
            handler,
            head_timeout,
            is_stuck: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            stop,
        })
    }

    /// The accept thread.
    pub(super) fn run(&self) {
        let (mut retired, mut log) = (Vec::new(), LogLimit::default());
        let mut has_ended = false;
        while !self.stop.is_ordered() && !self.is_closing.load(SeqCst) {
            let current = Arc::clone(&self.current.lock());
            let fault = match self.next(&current, &retired) {
                Ok(Some(request)) => self.receive_batch(&current, request),
                other => self.receive(other),
            };
            let is_stuck = self.is_stuck.swap(false, SeqCst);
            let fault = fault.or(is_stuck.then(|| "no connection was accepted any more".into()));
            if self.is_closing.load(SeqCst) {
                has_ended = fault.is_some();
            } else if let Some(fault) = fault {
                log.warn(&format!("accepting failed: {fault}; the listener is replaced"));
                retired.extend(self.renew());
            }
            self.poll_retired(&mut retired);
        }
        self.drain(has_ended);
        // Not dropped: see `drop_in_background`. The process is about to end.
        retired.into_iter().for_each(|old| std::mem::forget(old.server));
    }

    /// Wakes the accept thread, which then sees the order to stop.
    pub(super) fn wake(&self) {
        self.current.lock().unblock();
    }

    /// Called by the guard when clients wait and none is accepted.
    pub(super) fn report_stuck(&self) {
        self.is_stuck.store(true, SeqCst);
        self.wake();
    }

    /// Stops accepting. Returns when the thread has handed over what arrived
    /// before (`is_finished`), or after a second.
    pub(super) fn close(&self, address: SocketAddr, is_finished: impl Fn() -> bool) {
        self.is_closing.store(true, SeqCst);
        // tiny_http accepts one more connection, finds no other and ends.
        let is_set = self.listener.set_nonblocking(true);
        let last = TcpStream::connect_timeout(&reachable(address), PAUSE);
        self.wake();
        let deadline = Instant::now() + CLOSING;
        while !is_finished() && Instant::now() < deadline {
            // Polled, since the standard library joins no thread with a deadline.
            thread::sleep(POLL_RETIRED);
        }
        if let Err(e) = is_set.and(last) {
            log::debug!("the listener goes on accepting: {e}");
        }
    }

    /// The listener, for the next image of this process.
    pub(super) fn into_listener(self: Arc<Self>) -> io::Result<TcpListener> {
        // Never dropped: see `drop_in_background`. The process is about to end.
        std::mem::forget(Arc::clone(&self.current.lock()));
        self.listener.try_clone()
    }

    /// Waits for a request. `None`: there is something else to look after.
    fn next(
        &self,
        current: &tiny_http::Server,
        retired: &[Retired],
    ) -> io::Result<Option<Request>> {
        let received = current.try_recv();
        // Whoever wakes this thread sets its flag first, and `try_recv` may
        // just have taken the wake-up for an empty queue.
        let is_called =
            self.stop.is_ordered() || self.is_closing.load(SeqCst) || self.is_stuck.load(SeqCst);
        let wait = |wait: &dyn Fn() -> io::Result<Option<Request>>| self.intake.while_waiting(wait);
        match received {
            Ok(None) if is_called => Ok(None),
            Ok(None) if retired.is_empty() => wait(&|| current.recv().map(Some)),
            Ok(None) => wait(&|| current.recv_timeout(POLL_RETIRED)),
            _ => received,
        }
    }

    /// Takes the last requests after accepting was stopped.
    fn drain(&self, mut has_ended: bool) {
        let current = Arc::clone(&self.current.lock());
        let mut n_silent = 0;
        while !(self.stop.is_ordered() || (has_ended && n_silent > 1)) {
            let received = current.recv_timeout(POLL_RETIRED);
            n_silent = if matches!(received, Ok(None)) { n_silent + 1 } else { 0 };
            has_ended |= self.receive(received).is_some();
        }
    }

    /// Takes what `tiny_http` returned. `Some`: its thread has ended, and why.
    fn receive(&self, received: io::Result<Option<Request>>) -> Option<String> {
        match received {
            Ok(Some(request)) => {
                self.hand_over(request, None);
                None
            }
            Ok(None) => None,
            // A wake-up by `unblock` is an error without a number.
            Err(e) => e.raw_os_error().is_some().then(|| e.to_string()),
        }
    }

    /// Takes a request and those that wait behind it: their sockets are looked
    /// up all at once, or in a flood each search would make the next longer.
    fn receive_batch(&self, server: &tiny_http::Server, first: Request) -> Option<String> {
        let (mut batch, mut end) = (vec![first], None);
        while batch.len() < MAX_BATCH {
            match server.try_recv() {
                Ok(Some(request)) => batch.push(request),
                Ok(None) => break,
                Err(e) => {
                    end = self.receive(Err(e));
                    break;
                }
            }
        }
        let peers = (batch.len() > 1).then(Peers::now);
        batch.into_iter().for_each(|request| self.hand_over(request, peers.as_ref()));
        end
    }

    fn hand_over(&self, request: Request, peers: Option<&Peers>) {
        let takes_body = self.handler.takes_body(Method::from_request(&request), request.url());
        if let Some(connection) = self.connections.claim(request, takes_body, peers) {
            self.intake.count_claim();
            receive(&*self.handler, connection);
        }
    }

    /// Replaces the listener's thread; clients wait in the backlog meanwhile.
    /// Returns the old one.
    fn renew(&self) -> Option<Retired> {
        while !self.stop.wait_for(PAUSE) {
            match serve(&self.listener) {
                Ok(server) => {
                    self.connections.counts().renewed.fetch_add(1, Relaxed);
                    let server = std::mem::replace(&mut *self.current.lock(), Arc::new(server));
                    let until = Instant::now() + self.head_timeout + MARGIN;
                    return Some(Retired { server, until });
                }
                Err(e) => log::debug!("the listener cannot be replaced yet: {e:#}"),
            }
        }
        None
    }

    /// Takes the requests that came to listeners that were replaced.
    fn poll_retired(&self, retired: &mut Vec<Retired>) {
        let now = Instant::now();
        for old in std::mem::take(retired) {
            while let Ok(Some(request)) = old.server.try_recv() {
                self.hand_over(request, None);
            }
            if old.until > now {
                retired.push(old);
            } else {
                drop_in_background(old.server);
            }
        }
    }
}

/// Drops a server of tiny_http's, which connects to itself to end its thread:
/// with a full backlog that takes minutes, so no other thread waits for it.
fn drop_in_background(server: Arc<tiny_http::Server>) {
    let held = Arc::new(Mutex::new(Some(server)));
    let taken = Arc::clone(&held);
    let take = move || {
        let server = taken.lock().take();
        drop(server);
    };
    if let Err(e) = threads::spawn("let-go", take) {
        std::mem::forget(held.lock().take());
        log::debug!("a listener of the HTTP library is left behind: {e}");
    }
}
