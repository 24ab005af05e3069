//! The HTTP side as a whole: from the port to the front desk.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, bounded};
use parking_lot::Mutex;
use tiny_http::Request;

use super::connection::Connections;
use super::descriptor::Peers;
use super::desk::Desk;
use super::guard::{Counts, Guard, Post, reachable};
use super::listener::{adopt, listen, serve};
use super::methods;
use super::office::Office;
use crate::cameras::Cameras;
use crate::config::HttpConfig;
use crate::log_limit::LogLimit;
use crate::restart::Inherited;
use crate::shutdown::Shutdown;

/// Before the listener is made anew after a fault, such as a lack of
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a listener that was replaced is asked for requests...
const LOOK_BACK: Duration = Duration::from_millis(50);
/// ...and how much longer than a request may take to come.
const MARGIN: Duration = Duration::from_secs(10);
/// Requests whose sockets are looked for together.
const MOST_AT_ONCE: usize = 256;
/// How long requests that are on their way may hold up a new start.
const CLOSING: Duration = Duration::from_secs(1);

/// The running HTTP side.
pub(crate) struct Server {
    address: SocketAddr,
    listening: Arc<Listening>,
    guard: Guard,
    accept: JoinHandle<()>,
    losses: Receiver<()>,
}

struct Listening {
    listener: TcpListener,
    current: Mutex<Arc<tiny_http::Server>>,
    connections: Arc<Connections>,
    desk: Desk,
    head_timeout: Duration,
    /// tiny_http's own thread accepts no more, without having said so.
    is_stuck: AtomicBool,
    /// Nobody is let in any more; those who are in are served.
    is_closing: AtomicBool,
    stop: Shutdown,
}

/// A listener of tiny_http's whose thread has ended. Its connections still
/// bring their requests to it.
struct Retired {
    server: Arc<tiny_http::Server>,
    until: Instant,
}

impl Server {
    /// Listens and answers from now on.
    ///
    /// # Errors
    /// Why the address cannot be listened on.
    pub(crate) fn start(
        config: HttpConfig,
        cameras: Cameras,
        inherited: Option<Inherited>,
        stop: &Shutdown,
    ) -> Result<Self> {
        let (bind, limits) = (config.bind, config.limits.clone());
        let listener = match inherited.and_then(|inherited| adopt(inherited, bind)) {
            Some(listener) => listener,
            None => listen(bind, config.write_timeout)
                .with_context(|| format!("cannot listen on {bind}"))?,
        };
        let address = listener.local_addr().context("the listener has no address")?;
        let guarded = listener.try_clone().context("the listener cannot be duplicated")?;
        let counts = Arc::new(Counts::default());
        counts.restarts.store(inherited.map_or(0, |inherited| inherited.n_before), Relaxed);
        let connections = Arc::new(Connections::new(Arc::clone(&counts)));
        let office = Office::new(config, cameras, Arc::clone(&connections), stop.clone());
        let viewers = Arc::clone(&office.viewers);
        let listening = Arc::new(Listening {
            current: Mutex::new(Arc::new(serve(&listener)?)),
            listener,
            connections: Arc::clone(&connections),
            desk: Desk::new(office),
            head_timeout: limits.head_timeout,
            is_stuck: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            stop: stop.clone(),
        });
        let told = Arc::clone(&listening);
        let (report, losses) = bounded(1);
        let max_leaks = limits.max_leaks;
        let guard = Guard::start(Post {
            listener: guarded,
            address,
            counts,
            connections,
            limits,
            on_stuck: Box::new(move || told.stuck()),
            on_leaks: Box::new(move |n_leaked| {
                if viewers.present().is_empty() || n_leaked / 4 >= max_leaks {
                    // Said once is enough.
                    let _ = report.try_send(());
                }
            }),
            stop: stop.clone(),
        })
        .context("the guard does not start")?;
        let accepting = Arc::clone(&listening);
        let accept = thread::Builder::new()
            .name("accept".into())
            .spawn(move || accepting.accept())
            .context("the accept thread does not start")?;
        Ok(Self { address, listening, guard, accept, losses })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says once that tiny_http has lost so many connections that the process
    /// should start anew.
    pub(crate) fn losses(&self) -> &Receiver<()> {
        &self.losses
    }

    /// Lets nobody in any more: who comes now waits in the listener's queue.
    /// Returns when the requests that are here have been taken.
    pub(crate) fn close_door(&self) {
        let listening = &self.listening;
        listening.is_closing.store(true, SeqCst);
        // tiny_http takes one more connection, finds no other and ends.
        let is_set = listening.listener.set_nonblocking(true);
        let last = TcpStream::connect_timeout(&reachable(self.address), PAUSE);
        listening.current.lock().unblock();
        let deadline = Instant::now() + CLOSING;
        while !self.accept.is_finished() && Instant::now() < deadline {
            thread::sleep(LOOK_BACK);
        }
        if let Err(e) = is_set.and(last) {
            log::debug!("the door stays open: {e}");
        }
    }

    /// Cuts all connections and returns the listener when the threads are
    /// gone. The order to stop must have been given and the slot be closed.
    pub(crate) fn stop(self) -> Result<TcpListener> {
        self.listening.current.lock().unblock();
        if self.accept.join().is_err() {
            log::error!("the accept thread panicked");
        }
        self.guard.stop();
        self.listening.connections.shut_all();
        self.listening.desk.stop();
        // Never dropped: see `let_go`. The process is about to end.
        std::mem::forget(Arc::clone(&self.listening.current.lock()));
        self.listening.listener.try_clone().context("the listener cannot be kept")
    }
}

impl Listening {
    /// The accept thread.
    fn accept(&self) {
        let (mut retired, mut log) = (Vec::new(), LogLimit::default());
        let mut has_ended = false;
        while !self.stop.is_ordered() && !self.is_closing.load(SeqCst) {
            let current = Arc::clone(&self.current.lock());
            let fault = match self.next(&current, &retired) {
                Ok(Some(request)) => self.receive_all(&current, request),
                other => self.receive(other),
            };
            let is_stuck = self.is_stuck.swap(false, SeqCst);
            let fault = fault.or(is_stuck.then(|| "nobody takes connections any more".into()));
            if self.is_closing.load(SeqCst) {
                has_ended = fault.is_some();
            } else if let Some(fault) = fault {
                log.warn(&format!("accepting failed: {fault}; listening anew"));
                retired.extend(self.renew());
            }
            self.look_back(&mut retired);
        }
        self.drain(has_ended);
    }

    /// Waits for a request. `None`: there is something else to look after.
    fn next(
        &self,
        current: &tiny_http::Server,
        retired: &[Retired],
    ) -> io::Result<Option<Request>> {
        let got = current.try_recv();
        // Whoever wakes this thread says why before, and the wake-up may just
        // have been taken for an empty queue.
        let is_called =
            self.stop.is_ordered() || self.is_closing.load(SeqCst) || self.is_stuck.load(SeqCst);
        match got {
            Ok(None) if is_called => Ok(None),
            Ok(None) if retired.is_empty() => self.connections.rest(|| current.recv().map(Some)),
            Ok(None) => self.connections.rest(|| current.recv_timeout(LOOK_BACK)),
            _ => got,
        }
    }

    /// Takes the last requests, when nobody is let in any more.
    fn drain(&self, mut has_ended: bool) {
        let current = Arc::clone(&self.current.lock());
        let mut n_silent = 0;
        while !(self.stop.is_ordered() || (has_ended && n_silent > 1)) {
            let got = current.recv_timeout(LOOK_BACK);
            n_silent = if matches!(got, Ok(None)) { n_silent + 1 } else { 0 };
            has_ended |= self.receive(got).is_some();
        }
    }

    /// Takes what tiny_http has. What it says when its thread has ended, if it
    /// is that.
    fn receive(&self, got: io::Result<Option<Request>>) -> Option<String> {
        match got {
            Ok(Some(request)) => {
                self.admit(request, None);
                None
            }
            Ok(None) => None,
            // An order to stop, or a word of the guard's, has no number.
            Err(e) => e.raw_os_error().is_some().then(|| e.to_string()),
        }
    }

    /// Takes a request and those that lie behind it: their sockets are looked
    /// for all at once, or in a flood each search would make the next longer.
    fn receive_all(&self, server: &tiny_http::Server, first: Request) -> Option<String> {
        let (mut several, mut end) = (vec![first], None);
        while several.len() < MOST_AT_ONCE {
            match server.try_recv() {
                Ok(Some(request)) => several.push(request),
                Ok(None) => break,
                Err(e) => {
                    end = self.receive(Err(e));
                    break;
                }
            }
        }
        let peers = (several.len() > 1).then(Peers::now);
        several.into_iter().for_each(|request| self.admit(request, peers.as_ref()));
        end
    }

    fn admit(&self, request: Request, peers: Option<&Peers>) {
        let wants_body = methods::wants_body(&request);
        if let Some(client) = self.connections.claim(request, wants_body, peers) {
            self.desk.receive(client);
        }
    }

    /// What the guard says when clients wait and nobody accepts.
    fn stuck(&self) {
        self.is_stuck.store(true, SeqCst);
        self.current.lock().unblock();
    }

    /// Makes the listener's thread anew; clients wait in the backlog meanwhile.
    /// Gives back the old one.
    fn renew(&self) -> Option<Retired> {
        while !self.stop.wait_for(PAUSE) {
            match serve(&self.listener) {
                Ok(server) => {
                    self.connections.counts().renewed.fetch_add(1, Relaxed);
                    let server = std::mem::replace(&mut *self.current.lock(), Arc::new(server));
                    let until = Instant::now() + self.head_timeout + MARGIN;
                    return Some(Retired { server, until });
                }
                Err(e) => log::debug!("listening anew failed: {e:#}"),
            }
        }
        None
    }

    /// Takes the requests that came to listeners of before.
    fn look_back(&self, retired: &mut Vec<Retired>) {
        let now = Instant::now();
        for old in std::mem::take(retired) {
            while let Ok(Some(request)) = old.server.try_recv() {
                self.admit(request, None);
            }
            if old.until > now {
                retired.push(old);
            } else {
                let_go(old.server);
            }
        }
    }
}

/// Drops a server of tiny_http's, which connects to itself to end its thread:
/// with a full queue that takes minutes, and so nobody waits for it.
fn let_go(server: Arc<tiny_http::Server>) {
    let drop_it = move || drop(server);
    if let Err(e) = thread::Builder::new().name("let-go".into()).spawn(drop_it) {
        log::debug!("a listener's thread is left behind: {e}");
    }
}
