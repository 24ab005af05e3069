//! The HTTP side as a whole: from the port to the front desk.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use parking_lot::Mutex;

use super::connection::Connections;
use super::desk::Desk;
use super::guard::{Counts, Guard, Post};
use super::listener::{listen, serve};
use super::methods;
use super::office::Office;
use crate::cameras::Cameras;
use crate::config::HttpConfig;
use crate::log_limit::LogLimit;
use crate::shutdown::Shutdown;

/// Before the listener is made anew after a fault, such as a lack of
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a listener that was replaced is asked for requests...
const LOOK_BACK: Duration = Duration::from_millis(50);
/// ...and how much longer than a request may take to come.
const MARGIN: Duration = Duration::from_secs(10);

/// The running HTTP side.
pub(crate) struct Server {
    address: SocketAddr,
    listening: Arc<Listening>,
    guard: Guard,
    accept: JoinHandle<()>,
}

struct Listening {
    listener: TcpListener,
    current: Mutex<Arc<tiny_http::Server>>,
    connections: Arc<Connections>,
    desk: Desk,
    head_timeout: Duration,
    /// tiny_http's own thread accepts no more, without having said so.
    is_stuck: AtomicBool,
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
    pub(crate) fn start(config: HttpConfig, cameras: Cameras, stop: &Shutdown) -> Result<Self> {
        let (bind, limits) = (config.bind, config.limits.clone());
        let listener = listen(bind, config.write_timeout)
            .with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr().context("the listener has no address")?;
        let guarded = listener.try_clone().context("the listener cannot be duplicated")?;
        let counts = Arc::new(Counts::default());
        let connections = Arc::new(Connections::new(Arc::clone(&counts)));
        let office = Office::new(config, cameras, Arc::clone(&connections), stop.clone());
        let listening = Arc::new(Listening {
            current: Mutex::new(Arc::new(serve(&listener)?)),
            listener,
            connections: Arc::clone(&connections),
            desk: Desk::new(office),
            head_timeout: limits.head_timeout,
            is_stuck: AtomicBool::new(false),
            stop: stop.clone(),
        });
        let told = Arc::clone(&listening);
        let guard = Guard::start(Post {
            listener: guarded,
            address,
            counts,
            connections,
            limits,
            on_stuck: Box::new(move || told.stuck()),
            stop: stop.clone(),
        })
        .context("the guard does not start")?;
        let accepting = Arc::clone(&listening);
        let accept = thread::Builder::new()
            .name("accept".into())
            .spawn(move || accepting.accept())
            .context("the accept thread does not start")?;
        Ok(Self { address, listening, guard, accept })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nobody in any more, cuts all connections and returns when the
    /// threads are gone. The order to stop must have been given and the slot
    /// be closed.
    pub(crate) fn stop(self) {
        self.listening.current.lock().unblock();
        if self.accept.join().is_err() {
            log::error!("the accept thread panicked");
        }
        self.guard.stop();
        self.listening.connections.shut_all();
        self.listening.desk.stop();
        // Never dropped: see `let_go`. The process is about to end.
        std::mem::forget(Arc::clone(&self.listening.current.lock()));
    }
}

impl Listening {
    /// The accept thread.
    fn accept(&self) {
        let (mut retired, mut log) = (Vec::new(), LogLimit::default());
        while !self.stop.is_ordered() {
            let current = Arc::clone(&self.current.lock());
            let got = if retired.is_empty() {
                current.recv().map(Some)
            } else {
                current.recv_timeout(LOOK_BACK)
            };
            let fault = match got {
                Ok(request) => {
                    request.into_iter().for_each(|request| self.receive(request));
                    None
                }
                // An order to stop, or a word of the guard's, has no number.
                Err(e) => e.raw_os_error().is_some().then(|| e.to_string()),
            };
            let is_stuck = self.is_stuck.swap(false, SeqCst);
            let fault = fault.or(is_stuck.then(|| "nobody takes connections any more".into()));
            if let Some(fault) = fault {
                log.warn(&format!("accepting failed: {fault}; listening anew"));
                retired.extend(self.renew());
            }
            self.look_back(&mut retired);
        }
    }

    fn receive(&self, request: tiny_http::Request) {
        let wants_body = methods::wants_body(&request);
        if let Some(client) = self.connections.claim(request, wants_body) {
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
                self.receive(request);
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
