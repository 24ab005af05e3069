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
mod listener;
mod restart;
mod socket;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, bounded};

use accept::Accept;
use guard::{Guard, GuardConfig};
use listener::{adopt, listen};

pub(super) use connection::Connection;
pub(super) use connections::Connections;
pub(super) use counts::{ConnectionsReport, Cut};
pub(super) use head::Method;
pub(crate) use listener::QUIET;
pub(crate) use restart::{Inherited, Restart};
pub(super) use socket::{NonBlocking, StreamSocket};

use crate::config::Limits;
use crate::shutdown::Shutdown;

/// Who takes the requests. Called on the accept thread: nothing here may block.
pub(super) trait Handler: Send + Sync + 'static {
    /// Whether a worker will read the body that a request announces. If not,
    /// the read side of its connection is shut at once.
    fn takes_body(&self, method: Method, target: &str) -> bool;

    /// Takes a whole request. Dropping the connection closes it.
    fn receive(&self, connection: Connection);

    /// Whether a restart of the program would cut no viewer.
    fn is_idle(&self) -> bool;
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
        let listener = match inherited.and_then(|inherited| adopt(inherited, bind)) {
            Some(listener) => listener,
            None => {
                listen(bind, write_timeout).with_context(|| format!("cannot listen on {bind}"))?
            }
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
        let (stuck, max_leaks) = (Arc::clone(&accept), limits.max_leaks);
        let guard = Guard::start(GuardConfig {
            listener: guarded,
            address,
            connections: Arc::clone(&connections),
            limits,
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
