//! One address of TCP: its listener, the accept thread and the guard.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

use super::accept::Accept;
use super::connections::Connections;
use super::guard::{Guard, GuardConfig};
use super::intake::Intake;
use super::listener::{Listener, adopt, describe_failure, listen};
use super::{Shared, receive};

use crate::threads;

/// An address that is listened on, with its threads.
pub(super) struct TcpPort {
    address: SocketAddr,
    accept: Arc<Accept>,
    accept_thread: JoinHandle<()>,
    guard: Guard,
}

impl TcpPort {
    /// Listens. `left` are the listeners that the image of this process before
    /// this one left open; the one of this address is taken from them.
    ///
    /// # Errors
    /// Why the address cannot be listened on.
    pub(super) fn start(
        bind: SocketAddr,
        write_timeout: Duration,
        left: &mut Vec<OwnedFd>,
        shared: &Shared,
    ) -> Result<Self> {
        let Listener { socket, has_filter } = match adopt(left, bind, write_timeout) {
            Some(listener) => listener,
            None => listen(bind, write_timeout).map_err(|e| describe_failure(e, bind))?,
        };
        let address = socket.local_addr().context("the listener has no address")?;
        let guarded = socket.try_clone().context("the listener cannot be duplicated")?;
        let Shared { connections, handler, limits, stop, report_leaks } = shared;
        let intake = Arc::new(Intake::default());
        let accept = Arc::new(Accept::new(
            socket,
            Arc::clone(connections),
            Arc::clone(&intake),
            Arc::clone(handler),
            limits.head_timeout,
            stop.clone(),
        )?);
        let (taker, leaker) = (Arc::clone(handler), Arc::clone(handler));
        let (stuck, max_leaks, report) =
            (Arc::clone(&accept), limits.max_leaks, report_leaks.clone());
        let guard = Guard::start(GuardConfig {
            listener: guarded,
            has_filter,
            address,
            connections: Arc::clone(connections),
            intake,
            limits: limits.clone(),
            on_request: Box::new(move |connection| receive(&*taker, connection)),
            on_stuck: Box::new(move || stuck.report_stuck()),
            on_leaks: Box::new(move |n_leaked| {
                // Viewers are cut only when waiting for them would cost more
                // threads and descriptors than they are worth.
                if leaker.is_idle() || n_leaked / 4 >= max_leaks {
                    // A full channel holds the same report already.
                    let _ = report.try_send(());
                }
            }),
            stop: stop.clone(),
        })
        .context("the guard does not start")?;
        let accepting = Arc::clone(&accept);
        let accept_thread = threads::spawn("accept", move || accepting.run())
            .context("the accept thread does not start")?;
        Ok(Self { address, accept, accept_thread, guard })
    }

    /// With the port that the kernel chose for port 0.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting. Returns when the requests that arrived were handed over.
    pub(super) fn stop_accepting(&self) {
        self.accept.close(self.address, || self.accept_thread.is_finished());
    }

    /// Ends the threads; the order to stop must have been given.
    ///
    /// # Errors
    /// Why the listener cannot be kept.
    pub(super) fn stop(self, connections: &Connections) -> Result<OwnedFd> {
        self.accept.wake();
        if self.accept_thread.join().is_err() {
            log::error!("the accept thread panicked");
        }
        self.guard.stop();
        connections.shut_all();
        let listener = self.accept.into_listener().context("the listener cannot be kept")?;
        Ok(listener.into())
    }
}
