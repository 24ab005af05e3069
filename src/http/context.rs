//! What all endpoints share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::reply::{Code, Head, Reply};
use super::request::{self, Request, TIMEOUT};
use super::transport::{Connection, Connections, Peer};
use super::viewers::Viewers;
use crate::cameras::Cameras;
use crate::config::HttpConfig;
use crate::frame::JPEG_TYPE;
use crate::hooks::Hooks;
use crate::log_limit::{self, LogBudget, LogReasons};
use crate::mqtt::Mqtt;
use crate::secrets::hide;
use crate::shutdown::Shutdown;

/// A body above this, in bytes, may take `--write-timeout`.
const LARGE: usize = 64 << 10;

/// Targets have any length; of one in the log this many characters are enough to
/// know what was asked.
const MAX_SHOWN: usize = 80;

/// The parts of the daemon that endpoints show.
pub(crate) struct Shown {
    pub(crate) cameras: Cameras,
    pub(crate) hooks: Arc<Hooks>,
    pub(crate) mqtt: Option<Arc<Mqtt>>,
}

/// What all endpoints share.
pub(super) struct Context {
    pub(super) config: HttpConfig,
    pub(super) cameras: Cameras,
    pub(super) hooks: Arc<Hooks>,
    pub(super) mqtt: Option<Arc<Mqtt>>,
    pub(super) viewers: Arc<Viewers>,
    pub(super) connections: Arc<Connections>,
    pub(super) started: Instant,
    pub(super) stop: Shutdown,
    /// The addresses that exist, for the text of a 404. The table of routes
    /// comes after this file, so whoever starts the server passes it in.
    pub(super) addresses: String,
    refusals: Mutex<LogReasons>,
    /// Lines of viewers that come, and of those that leave again at once.
    viewer_lines: Mutex<LogBudget>,
}

impl Context {
    pub(super) fn new(
        config: HttpConfig,
        Shown { cameras, hooks, mqtt }: Shown,
        connections: Arc<Connections>,
        stop: Shutdown,
        addresses: String,
    ) -> Self {
        Self {
            viewers: Arc::new(Viewers::new(config.n_seats, cameras.events().clone())),
            config,
            cameras,
            hooks,
            mqtt,
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
        self.write(&request.connection, Some(&request.camera.name), reply);
    }

    /// Sends a whole reply to a client whose request was not routed, or is about no
    /// `camera`.
    // Not inlined: what it takes of the stack would be taken from each viewer.
    #[inline(never)]
    pub(super) fn write(&self, connection: &Connection, camera: Option<&str>, reply: &Reply) {
        let (head, body) = (reply.head(self.allow_origin()), reply.body(connection.method()));
        let timeout = self.timeout(body.len());
        request::log_end(connection.peer(), connection.write(&head, body, timeout));
        self.log_if_unavailable(connection.peer(), connection.target(), camera, reply);
    }

    /// Sends one picture with headers of its own. What comes from a client must not
    /// stand in their values unchecked.
    /// `caching` is for how long it may be kept; `None`: not at all.
    pub(super) fn send_picture(
        &self,
        request: &Request,
        jpeg: &[u8],
        caching: Option<&str>,
        headers: &[(&str, &str)],
    ) {
        let head = self
            .head(Code::Ok)
            .with("Content-Type", JPEG_TYPE)
            .with("Content-Length", &jpeg.len().to_string());
        let mut head = match caching {
            Some(caching) => head.with("Cache-Control", caching),
            None => head.picture_of_now(),
        };
        for (name, value) in headers {
            head = head.with(name, value);
        }
        request.send(&head.finish(), jpeg, self.timeout(jpeg.len()));
    }

    /// Sends 304 instead of what the client has.
    pub(super) fn send_not_modified(&self, request: &Request, tag: &str, caching: &str) {
        let head = self.head(Code::NotModified).with("ETag", tag).with("Cache-Control", caching);
        request.send(&head.finish(), &[], TIMEOUT);
    }

    /// How long a client may take to receive a body: more than fits into the
    /// buffers of its connection takes as long as its network takes.
    pub(super) fn timeout(&self, n_bytes: usize) -> Duration {
        if n_bytes > LARGE { self.config.write_timeout.max(TIMEOUT) } else { TIMEOUT }
    }

    /// 503 with the causes while a camera is lost.
    pub(super) fn why_lost(&self) -> Option<Reply> {
        let lost = self.cameras.lost();
        let causes: Vec<_> =
            lost.iter().map(|(name, cause)| format!("camera {name} is lost: {cause}")).collect();
        // In one line, as the log repeats the text of a 503.
        (!causes.is_empty()).then(|| Reply::unavailable(&causes.join("; ")))
    }

    /// Whether controls may be changed.
    ///
    /// # Errors
    /// 403 where they are locked.
    pub(super) fn check_lock(&self) -> Result<(), Reply> {
        if self.config.lock_controls {
            return Err(Reply::text(Code::Forbidden, "controls are locked (--lock-controls)"));
        }
        Ok(())
    }

    /// Logs who got 503 for what and why, the same reason once a period and the
    /// others at the level `debug`: an operator who is asked about it has nothing
    /// else to look at. `target` is the address as it was asked, so that it can be
    /// found in the log of a proxy or a client.
    pub(super) fn log_if_unavailable(
        &self,
        peer: Peer,
        target: &str,
        camera: Option<&str>,
        reply: &Reply,
    ) {
        let Some(why) = reply.why_unavailable() else { return };
        // Unlock before logging: a log that blocks must hold nobody else up.
        let passed = self.refusals.lock().pass(why, Instant::now());
        // Secrets are hidden before the end is cut off, or half of one would no longer
        // be known for what it is.
        let shown: String = hide(target).chars().take(MAX_SHOWN).collect();
        let of = camera.map(|name| format!(" of {name}")).unwrap_or_default();
        passed.warn(&format!("503 to {peer} for {shown}{of}: {why}"));
    }

    /// Logs a line of a viewer, a limited number a minute: a client that reconnects
    /// thousands of times must not fill the log.
    pub(super) fn log_viewer(&self, line: &str) {
        let passed = self.viewer_lines.lock().pass(Instant::now());
        log_limit::info(line, passed);
    }
}
