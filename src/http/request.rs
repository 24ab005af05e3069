//! A request that was routed: the client, which camera it means, and what
//! stands in its target.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::query::Query;
use super::reply::{Code, Reply};
use super::transport::{Connection, Method, Peer, StreamSocket};
use crate::cameras::Camera;

/// How long a client may take to receive a short reply.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body may take: it holds a worker meanwhile.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// One request on its way to an endpoint.
pub(super) struct Request {
    pub(super) connection: Connection,
    /// The camera that the address names, or the first one.
    pub(super) camera: Arc<Camera>,
    /// The path without the camera's name, as it is in the table of routes:
    /// `/stream` for `/front/stream`, `/webcam/stream` and `/?action=stream`.
    pub(super) path: String,
    pub(super) query: String,
    /// Whether the address has the camera's name.
    pub(super) is_named: bool,
    /// When it arrived.
    pub(super) asked: Instant,
}

impl Request {
    pub(super) fn method(&self) -> Method {
        self.connection.method()
    }

    pub(super) fn is_head(&self) -> bool {
        self.method() == Method::Head
    }

    pub(super) fn query(&self) -> Query<'_> {
        Query(&self.query)
    }

    /// What stands in the path behind `prefix`.
    pub(super) fn path_behind(&self, prefix: &str) -> &str {
        self.path.strip_prefix(prefix).unwrap_or_default()
    }

    /// Whether the client has what this tag names (`If-None-Match`).
    pub(super) fn has(&self, tag: &str) -> bool {
        let known = self.connection.header("If-None-Match").unwrap_or_default();
        // A weak tag compares like a strong one here (RFC 9110 13.1.2).
        let is_it = |known: &str| known == "*" || known.trim_start_matches("W/") == tag;
        known.split(',').any(|known| is_it(known.trim()))
    }

    /// Sends a head that is already made, and a body unless it is a HEAD.
    pub(super) fn send(&self, head: &[u8], body: &[u8], timeout: Duration) {
        let body = if self.is_head() { &[] } else { body };
        self.log_end(self.connection.write(head, body, timeout));
    }

    /// Logs how a reply ended that the endpoint wrote itself.
    pub(super) fn log_end(&self, end: io::Result<()>) {
        log_end(self.connection.peer(), end);
    }

    /// The body of a POST whose row takes one.
    ///
    /// # Errors
    /// The reply to a client that does not send it.
    pub(super) fn body(&mut self) -> Result<Vec<u8>, Reply> {
        self.connection.read_body(BODY_TIMEOUT).map_err(|e| match e.kind() {
            // 408 says that a second try may work, which a 400 does not.
            ErrorKind::TimedOut => Reply::text(
                Code::RequestTimeout,
                &format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()),
            ),
            _ => Reply::bad_request(&format!("the body did not arrive whole: {e}")),
        })
    }

    /// Frees all but the socket.
    // Not inlined: the pieces that are moved would stay on the viewer's stack.
    #[inline(never)]
    pub(super) fn into_stream(self: Box<Self>) -> StreamSocket {
        self.connection.into_stream()
    }
}

/// Logs how the writing of a reply ended.
pub(super) fn log_end(peer: Peer, end: io::Result<()>) {
    match end {
        Ok(()) => {}
        // An error of the recording. Those of a socket have other kinds.
        Err(e) if e.kind() == ErrorKind::Other => {
            log::warn!("{peer}: a download was broken off: {e}");
        }
        Err(e) => log::debug!("{peer}: the client did not take the reply: {e}"),
    }
}
