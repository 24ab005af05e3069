//! The HTTP side as a whole.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use crossbeam_channel::Receiver;

use super::context::{Context, Shown};
use super::dispatch::Dispatch;
use super::drainer::Drainer;
use super::routes;
use super::transport::{Connections, Inherited, Transport, TransportConfig};
use crate::config::{Bind, HttpConfig};
use crate::shutdown::Shutdown;

/// How often to look whether the last replies are sent, once, at the end of the program.
const POLL: Duration = Duration::from_millis(20);

/// The running HTTP side.
pub(crate) struct Server {
    transport: Transport,
    dispatch: Arc<Dispatch>,
}

impl Server {
    /// Listens and answers from now on.
    ///
    /// # Errors
    /// Why the address cannot be listened on.
    pub(crate) fn start(
        config: HttpConfig,
        shown: Shown,
        inherited: Option<Inherited>,
        stop: &Shutdown,
    ) -> Result<Self> {
        let transport = TransportConfig {
            binds: config.binds.clone(),
            unix_mode: config.unix_mode,
            write_timeout: config.write_timeout,
            limits: config.limits.clone(),
            inherited,
        };
        // Made here, as both sides need it: the transport counts, and the endpoints
        // show the counts.
        let connections = Arc::new(Connections::default());
        let (counted, stopped) = (Arc::clone(&connections), stop.clone());
        let context = Context::new(config, shown, counted, stopped, routes::list());
        let dispatch = Arc::new(Dispatch::new(context));
        let transport = Transport::start(transport, connections, Arc::clone(&dispatch) as _, stop)?;
        Ok(Self { transport, dispatch })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(crate) fn addresses(&self) -> Vec<Bind> {
        self.transport.addresses()
    }

    /// How many watch now.
    pub(crate) fn n_viewers(&self) -> usize {
        self.dispatch.n_viewers()
    }

    /// Counts those who watch the camera of a name.
    pub(crate) fn count_viewers(&self) -> Box<dyn Fn(&str) -> usize + Send> {
        self.dispatch.count_viewers()
    }

    /// When somebody last watched or asked for a snapshot; now, if somebody
    /// watches.
    pub(crate) fn last_watched(&self) -> Option<Instant> {
        self.dispatch.last_watched()
    }

    /// What disconnects the viewers before the program ends.
    pub(crate) fn drainer(&self) -> Drainer {
        self.dispatch.drainer()
    }

    /// Receives one message when the HTTP library has leaked too many
    /// connections that the process should be restarted.
    pub(crate) fn restart_needed(&self) -> &Receiver<()> {
        self.transport.restart_needed()
    }

    /// Stops accepting new connections; the open ones finish.
    pub(crate) fn stop_accepting(&self) {
        self.transport.stop_accepting();
    }

    /// Returns when the requests that have arrived are answered, or after `limit`. Streams
    /// go on.
    pub(crate) fn finish(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.dispatch.is_busy() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
    }

    /// Cuts all connections and returns the listeners when the threads have
    /// ended. The order to stop must have been given, and the cameras be closed.
    /// Without `is_restart` the files of Unix sockets are removed.
    ///
    /// # Errors
    /// Why a listener cannot be kept.
    pub(crate) fn stop(self, is_restart: bool) -> Result<Vec<OwnedFd>> {
        let listeners = self.transport.stop(is_restart);
        // After the transport, which has cut the sockets: a worker that waits in a
        // write comes back by that alone.
        self.dispatch.stop();
        listeners
    }
}
