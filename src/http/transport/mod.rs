//! Everything that exists because `tiny_http` listens, and nothing else: no
//! other folder names that library, so that it can be judged, and exchanged, in
//! one place.
//!
//! ```text
//! listener -> accept (tiny_http's requests) -> claim -> Handler::receive(Connection)
//!             guard (connections that have sent no whole request)
//! ```
//! The rest of `http` sees this face only: [`Transport`], [`Handler`],
//! [`Connection`], [`StreamSocket`], [`Connections`] and its figures.

mod accept;
mod body;
mod connection;
mod connections;
mod counts;
mod descriptor;
mod guard;
mod head;
mod high_bytes;
mod listener;
mod port_owner;
mod restart;
mod socket;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, bounded};

use accept::Accept;
use guard::{Guard, GuardConfig};
use listener::{Listener, adopt, listen};

pub(super) use connection::Connection;
pub(super) use connections::Connections;
pub(super) use counts::{ConnectionsReport, Cut};
pub(super) use head::Method;
pub(crate) use listener::QUIET;
pub(crate) use restart::{Inherited, Restart};
pub(super) use socket::{NonBlocking, StreamSocket};

use crate::config::Limits;
use crate::shutdown::Shutdown;

/// Who takes the requests. Called on the accept thread, or on the guard's for a
/// request that the library cannot read: nothing here may block.
pub(super) trait Handler: Send + Sync + 'static {
    /// Whether a worker will read the body that a request announces. If not,
    /// the read side of its connection is shut at once.
    fn takes_body(&self, method: Method, target: &str) -> bool;

    /// Takes a whole request. Dropping the connection closes it.
    fn receive(&self, connection: Connection);

    /// Whether a restart of the program would cut no viewer.
    fn is_idle(&self) -> bool;
}

/// Hands a request over. A panic costs the one client its answer, and not all
/// clients the thread that brings requests. It was logged and counted when it began.
fn receive(handler: &dyn Handler, connection: Connection) {
    let _ = catch_unwind(AssertUnwindSafe(|| handler.receive(connection)));
}

/// How to listen.
pub(super) struct TransportConfig {
    pub(super) bind: SocketAddr,
    /// How long one write to a client may take.
    pub(super) write_timeout: Duration,
    pub(super) limits: Limits,
    /// The listener that the image of this process before this one left open.
    pub(super) inherited: Option<Inherited>,
}

/// The listener, its threads, and the connections that they brought.
pub(super) struct Transport {
    address: SocketAddr,
    accept: Arc<Accept>,
    accept_thread: JoinHandle<()>,
    guard: Guard,
    connections: Arc<Connections>,
    restart_needed: Receiver<()>,
}

/// Why an address cannot be listened on, and what to type instead.
fn describe_failure(error: io::Error, bind: SocketAddr) -> anyhow::Error {
    let what = format!("cannot listen on {bind}");
    let (ip, port) = (bind.ip(), bind.port());
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = port_owner::find(port).unwrap_or_else(|| "another program".into());
            let next = SocketAddr::new(ip, port.checked_add(1).unwrap_or(5001));
            // Both are often on the machines that this program is for.
            let also = if port == 5000 { "; OctoPrint and Frigate use 5000 too" } else { "" };
            format!("{owner} listens there; use another port, such as --bind {next}{also}")
        }
        ErrorKind::PermissionDenied if port < 1024 => {
            let high = SocketAddr::new(ip, 5000);
            format!("ports below 1024 are for root; use another one, such as --bind {high}")
        }
        ErrorKind::AddrNotAvailable => {
            let any = SocketAddr::from(([0, 0, 0, 0], port));
            format!("this machine has no such address; for all that it has, --bind {any}")
        }
        _ => return anyhow::Error::new(error).context(what),
    };
    anyhow::Error::new(error).context(hint).context(what)
}

impl Transport {
    /// Listens, and hands requests to `handler` from now on.
    ///
    /// # Errors
    /// Why the address cannot be listened on.
    pub(super) fn start(
        config: TransportConfig,
        connections: Arc<Connections>,
        handler: Arc<dyn Handler>,
        stop: &Shutdown,
    ) -> Result<Self> {
        let TransportConfig { bind, write_timeout, limits, inherited } = config;
        // After a restart the port was open all the time. If the address was changed in
        // the file meanwhile, the old listener does not fit and is closed.
        let adopted = inherited.as_ref().and_then(|before| adopt(before, bind, write_timeout));
        let Listener { socket: listener, has_filter } = match adopted {
            Some(listener) => listener,
            None => listen(bind, write_timeout).map_err(|e| describe_failure(e, bind))?,
        };
        let n_before = inherited.map_or(0, |inherited| inherited.n_before);
        connections.counts().restarts.store(n_before, Relaxed);
        let address = listener.local_addr().context("the listener has no address")?;
        let guarded = listener.try_clone().context("the listener cannot be duplicated")?;
        let accept = Arc::new(Accept::new(
            listener,
            Arc::clone(&connections),
            Arc::clone(&handler),
            limits.head_timeout,
            stop.clone(),
        )?);
        let (report, restart_needed) = bounded(1);
        let taker = Arc::clone(&handler);
        let (stuck, max_leaks) = (Arc::clone(&accept), limits.max_leaks);
        let guard = Guard::start(GuardConfig {
            listener: guarded,
            has_filter,
            address,
            connections: Arc::clone(&connections),
            limits,
            on_request: Box::new(move |connection| receive(&*taker, connection)),
            on_stuck: Box::new(move || stuck.report_stuck()),
            on_leaks: Box::new(move |n_leaked| {
                // Viewers are cut only when waiting for them would cost more
                // threads and descriptors than they are worth.
                if handler.is_idle() || n_leaked / 4 >= max_leaks {
                    // A full channel holds the same report already.
                    let _ = report.try_send(());
                }
            }),
            stop: stop.clone(),
        })
        .context("the guard does not start")?;
        let accepting = Arc::clone(&accept);
        // Last of all: whatever it calls exists by now.
        let accept_thread = thread::Builder::new()
            .name("accept".into())
            .spawn(move || accepting.run())
            .context("the accept thread does not start")?;
        Ok(Self { address, accept, accept_thread, guard, connections, restart_needed })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Receives one message when `tiny_http` has leaked so many connections
    /// that the process should be restarted.
    pub(super) fn restart_needed(&self) -> &Receiver<()> {
        &self.restart_needed
    }

    /// Stops accepting new connections; the open ones finish. Returns when the
    /// requests that have arrived were handed over. Clients that connect later
    /// wait in the listener's queue.
    pub(super) fn stop_accepting(&self) {
        self.accept.close(self.address, || self.accept_thread.is_finished());
    }

    /// Cuts all connections and returns the listener when the threads have
    /// ended. The order to stop must have been given before.
    ///
    /// # Errors
    /// Why the listener cannot be kept.
    pub(super) fn stop(self) -> Result<TcpListener> {
        self.accept.wake();
        if self.accept_thread.join().is_err() {
            log::error!("the accept thread panicked");
        }
        self.guard.stop();
        self.connections.shut_all();
        self.accept.into_listener().context("the listener cannot be kept")
    }
}
