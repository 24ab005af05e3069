//! What all endpoints share.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::reply::{Code, Head, Reply};
use super::request::{self, Request};
use super::transport::{Connection, Connections};
use super::viewers::Viewers;
use crate::cameras::Cameras;
use crate::config::HttpConfig;
use crate::log_limit::{self, LogBudget, LogLimit};
use crate::shutdown::Shutdown;

/// What all endpoints share.
pub(super) struct Context {
    pub(super) config: HttpConfig,
    pub(super) cameras: Cameras,
    pub(super) viewers: Arc<Viewers>,
    pub(super) connections: Arc<Connections>,
    pub(super) started: Instant,
    pub(super) stop: Shutdown,
    /// The addresses that exist, for the text of a 404. The table of routes
    /// comes after this file, so whoever starts the server passes it in.
    pub(super) addresses: String,
    refusals: Mutex<LogLimit>,
    /// Lines of viewers that come, and of those that leave again at once.
    viewer_lines: Mutex<LogBudget>,
}

impl Context {
    pub(super) fn new(
        config: HttpConfig,
        cameras: Cameras,
        connections: Arc<Connections>,
        stop: Shutdown,
        addresses: String,
    ) -> Self {
        Self {
            viewers: Arc::new(Viewers::new(config.n_seats)),
            config,
            cameras,
            connections,
            started: Instant::now(),
            stop,
            addresses,
            refusals: Mutex::default(),
            viewer_lines: Mutex::default(),
        }
    }

    pub(super) fn allow_origin(&self) -> Option<&str> {
        self.config.allow_origin.as_deref()
    }

    /// The head of a reply whose body the endpoint writes itself.
    pub(super) fn head(&self, code: Code) -> Head {
        Head::new(code, self.allow_origin())
    }

    /// Sends a whole reply, without its body to a HEAD.
    pub(super) fn send(&self, request: &Request, reply: &Reply) {
        request.send(&reply.to_bytes(request.method(), self.allow_origin()), &[]);
    }

    /// Sends a whole reply to a client whose request was not routed.
    pub(super) fn write(&self, connection: &Connection, reply: &Reply) {
        let whole = reply.to_bytes(connection.method(), self.allow_origin());
        request::send(connection, &whole, &[]);
    }

    /// Logs why a client got 503, the same reason once a period.
    pub(super) fn log_refusal(&self, why: &str) {
        // Formatted here, as one level deeper it takes a further page of stack
        // from every viewer's thread.
        let line = format!("a client was refused: {why}");
        // Unlock before logging: a log that blocks must hold nobody else up.
        let passed = self.refusals.lock().pass(&line, Instant::now());
        log_limit::warn(&line, passed);
    }

    /// Logs a line of a viewer, so many a minute: a client that reconnects
    /// thousands of times must not fill the log.
    pub(super) fn log_viewer(&self, line: &str) {
        let passed = self.viewer_lines.lock().pass(Instant::now());
        log_limit::info(line, passed);
    }
}
