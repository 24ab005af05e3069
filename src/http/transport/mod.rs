//! Everything that exists because `tiny_http` listens, and nothing else: no
//! other folder names that library, so that it can be judged, and exchanged, in
//! one place.
//!
//! ```text
//! tcp:  listener -> accept (tiny_http's requests) -> claim -> Handler::receive(Connection)
//!                   guard (connections that have sent no whole request)
//! unix: one thread accepts and reads the heads itself
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
mod intake;
mod listener;
mod own_head;
mod peer;
mod restart;
mod socket;
mod socket_file;
mod tcp;
mod unix;

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, bounded};

use tcp::TcpPort;
use unix::UnixPort;

pub(super) use connection::Connection;
pub(super) use connections::Connections;
pub(super) use counts::{ConnectionsReport, Cut};
pub(crate) use guard::reachable;
pub(super) use head::Method;
pub(crate) use listener::QUIET;
pub(super) use peer::Peer;
pub(crate) use restart::{Inherited, Restart};
pub(super) use socket::{NonBlocking, StreamSocket};

use crate::config::{Bind, Limits};
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
    pub(super) binds: Vec<Bind>,
    /// The mode of the files of Unix sockets; `None`: as the umask says.
    pub(super) unix_mode: Option<u32>,
    /// How long one write to a client may take.
    pub(super) write_timeout: Duration,
    pub(super) limits: Limits,
    /// The listeners that the image of this process before this one left open.
    pub(super) inherited: Option<Inherited>,
}

/// What all listeners share: the limits are of all connections together.
#[derive(Clone)]
struct Shared {
    connections: Arc<Connections>,
    handler: Arc<dyn Handler>,
    limits: Limits,
    stop: Shutdown,
    report_leaks: Sender<()>,
}

/// Whether a place can be listened at now. Nothing stays open.
///
/// # Errors
/// Why not: what failed, and then what would help.
pub(crate) fn try_bind(bind: &Bind, unix_mode: Option<u32>) -> Result<()> {
    match bind {
        Bind::Tcp(address) => {
            let tried = listener::listen(*address, listener::SEND_TIMEOUT);
            tried.map(drop).map_err(|e| listener::describe_failure(e, *address))
        }
        Bind::Unix(path) => unix::listen(path, unix_mode).map(drop),
    }
}

/// The listeners, their threads, and the connections that they brought.
pub(super) struct Transport {
    tcp: Vec<TcpPort>,
    unix: Vec<UnixPort>,
    connections: Arc<Connections>,
    restart_needed: Receiver<()>,
}

impl Transport {
    /// Listens, and hands requests to `handler` from now on.
    ///
    /// # Errors
    /// Why an address cannot be listened on.
    pub(super) fn start(
        config: TransportConfig,
        connections: Arc<Connections>,
        handler: Arc<dyn Handler>,
        stop: &Shutdown,
    ) -> Result<Self> {
        let TransportConfig { mut binds, unix_mode, write_timeout, limits, inherited } = config;
        let n_before = inherited.as_ref().map_or(0, |inherited| inherited.n_before);
        connections.counts().restarts.store(n_before, Relaxed);
        let is_activation = inherited.as_ref().is_some_and(|inherited| inherited.is_activation);
        // After a restart the ports were open all the time. A listener whose address is not
        // wanted any more fits none of these, and is closed.
        let mut left = inherited.map(Inherited::adopt).unwrap_or_default();
        if is_activation {
            binds = restart::places(&left)?;
            log::info!("listening at the sockets of the supervisor, not at --bind");
        }
        let (report_leaks, restart_needed) = bounded(1);
        let counted = Arc::clone(&connections);
        let shared = Shared { connections, handler, limits, stop: stop.clone(), report_leaks };
        let (mut tcp, mut unix) = (Vec::new(), Vec::new());
        for bind in binds {
            match bind {
                Bind::Tcp(address) => {
                    tcp.push(TcpPort::start(address, write_timeout, &mut left, &shared)?);
                }
                Bind::Unix(path) => {
                    let path = path.as_path();
                    let port = UnixPort::start(path, unix_mode, write_timeout, &mut left, &shared)?;
                    // The file of a supervisor's socket stays, as it goes on listening.
                    unix.push(if is_activation { port.keeping_file() } else { port });
                }
            }
        }
        Ok(Self { tcp, unix, connections: counted, restart_needed })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(super) fn addresses(&self) -> Vec<Bind> {
        let tcp = self.tcp.iter().map(|port| Bind::Tcp(port.address()));
        tcp.chain(self.unix.iter().map(|port| Bind::Unix(port.path().to_owned()))).collect()
    }

    /// Receives one message when `tiny_http` has leaked too many connections
    /// that the process should be restarted.
    pub(super) fn restart_needed(&self) -> &Receiver<()> {
        &self.restart_needed
    }

    /// Stops accepting new connections; the open ones finish. Returns when the
    /// requests that have arrived were handed over. Clients that connect later
    /// wait in the listener's queue.
    pub(super) fn stop_accepting(&self) {
        self.tcp.iter().for_each(TcpPort::stop_accepting);
        self.unix.iter().for_each(UnixPort::stop_accepting);
    }

    /// Cuts all connections and returns the listeners when the threads have
    /// ended. The order to stop must have been given before. Without `is_restart`
    /// the files of Unix sockets are removed.
    ///
    /// # Errors
    /// Why a listener cannot be kept.
    pub(super) fn stop(self, is_restart: bool) -> Result<Vec<OwnedFd>> {
        // All ports are stopped before an error of one is returned, so that no thread is
        // left behind.
        let unix = self.unix.into_iter().map(|port| Ok(port.stop(is_restart)));
        let unix: Vec<_> = unix.collect();
        let tcp: Vec<_> = self.tcp.into_iter().map(|port| port.stop(&self.connections)).collect();
        self.connections.shut_all();
        // In any order: the next image finds each by its address.
        tcp.into_iter().chain(unix).collect()
    }
}

/// Waits for what the kernel, or a command that another test starts, does a little later.
#[cfg(test)]
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}
