//! GET from another server, so that it can be stopped at any moment.
//!
//! HTTP is ureq's: heads, chunks, redirects. What is ours is below and above
//! it: a connection whose every wait looks for the order to stop and for a
//! deadline, and the login that a server asks for.

mod connection;
mod error;
mod login;
mod resolve;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::io::Errno;
use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::Uri;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::{Agent, Body, ResponseExt};

use crate::frame::{INSTANCE, LOST, STATUS};
use crate::instance;
use crate::shutdown::Shutdown;
use crate::url::Url;
pub(crate) use error::{Error, Fault};
use login::Login;

type Response = ureq::http::Response<Body>;

/// Above it a head is none that is meant well.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// As many as browsers take, and more than any real chain has.
const MAX_REDIRECTS: u32 = 10;
/// How often a wait looks for the order to stop.
const SLICE: Duration = Duration::from_millis(200);
/// What is read from a socket at once. Larger ones are no faster.
const INPUT_BYTES: usize = 128 << 10;
/// A request is smaller.
const OUTPUT_BYTES: usize = 4 << 10;

/// Asks one address, as often as wanted, over one connection if the server
/// keeps it.
pub(crate) struct Fetcher {
    agent: Agent,
    url: Url,
    patience: Arc<Patience>,
    login: Option<Login>,
}

/// How long every wait of a fetch may take.
#[derive(Debug)]
struct Patience {
    stop: Shutdown,
    until: Mutex<Instant>,
}

/// What a server answered.
pub(crate) struct Answer {
    /// Value of Content-Type, as it was sent.
    pub(crate) content_type: Option<String>,
    /// Which camera of a mjpegd it is, see [`crate::instance`].
    pub(crate) instance: Option<u64>,
    pub(crate) body: Reading,
}

/// The body of an answer.
pub(crate) struct Reading {
    body: Box<dyn Read + Send + Sync>,
    patience: Arc<Patience>,
}

impl Fetcher {
    pub(crate) fn new(url: Url, stop: Shutdown) -> Self {
        let patience = Arc::new(Patience { stop, until: Mutex::new(Instant::now()) });
        let config = Config::builder()
            .http_status_as_error(false)
            // The camera is in the house; a proxy is for the way out of it.
            .proxy(None)
            .user_agent(concat!("mjpegd/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_redirects(MAX_REDIRECTS)
            .max_redirects_will_error(false)
            .save_redirect_history(true)
            .redirect_auth_headers(RedirectAuthHeaders::Never)
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_idle_connections(1)
            .build();
        let connector = connection::connector(Arc::clone(&patience));
        let resolver = resolve::Names(Arc::clone(&patience));
        let agent = Agent::with_parts(config, connector, resolver);
        Self { agent, url, patience, login: None }
    }

    /// Sends the request and waits for the head of a good answer, up to
    /// `until`. Follows redirects, and logs in where it is asked to.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub(crate) fn get(&mut self, until: Instant) -> Result<Answer, Error> {
        *self.patience.until.lock() = until;
        let response = self.answered().map_err(|error| self.told(error))?;
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let header = response.headers().get(INSTANCE).and_then(|value| value.to_str().ok());
        let instance = header.and_then(instance::parse);
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let body = Reading { body: Box::new(body), patience: Arc::clone(&self.patience) };
        Ok(Answer { content_type, instance, body })
    }

    /// An order to stop is one, whatever it was taken for on its way.
    fn told(&self, error: Error) -> Error {
        if self.patience.stop.is_ordered() { Error::Stopped } else { error }
    }

    fn answered(&mut self) -> Result<Response, Error> {
        // A login that was good before is sent at once. It may be stale.
        if let Some(mut login) = self.login.take() {
            let uri = login.uri().clone();
            let response = self.send(&uri, Some(login.header()?))?;
            if response.status().is_success() {
                self.login = Some(login);
                return Ok(response);
            }
        }
        let asked = self.url.as_str().parse::<Uri>();
        let asked = asked.map_err(|e| Error::new(Fault::Unusable, e.to_string()))?;
        let response = self.send(&asked, None)?;
        if response.status() != 401 {
            return good(response);
        }
        let mut login = Login::new(&self.url, &asked, &response)?;
        let uri = login.uri().clone();
        let response = self.send(&uri, Some(login.header()?))?;
        if response.status() == 401 {
            return Err(Error::new(Fault::Denied, "user and password are wrong (401)"));
        }
        let response = good(response)?;
        self.login = Some(login);
        Ok(response)
    }

    fn send(&self, uri: &Uri, authorization: Option<String>) -> Result<Response, Error> {
        let mut request = self.agent.get(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        request.call().map_err(|e| Error::of(e, &self.patience))
    }
}

/// A good answer, or what is wrong with it.
fn good(response: Response) -> Result<Response, Error> {
    let status = response.status();
    let said = format!("the server answered {status}");
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let (fault, why) = match status.as_u16() {
        200..=299 => return Ok(response),
        300..=399 => {
            let seen = response.get_redirect_history().unwrap_or_default();
            (Fault::Unusable, error::of_redirects(seen, status))
        }
        403 => (Fault::Denied, said),
        404 | 410 => {
            let right = "streams often are at /stream, /video_feed or /?action=stream";
            (Fault::Away, format!("{said}: {right}"))
        }
        // A mjpegd whose camera is lost says why.
        503 if header(STATUS).is_some() => {
            let cause = header(STATUS).unwrap_or_default();
            let cause = cause.strip_prefix(LOST).unwrap_or(cause);
            (Fault::Upstream, format!("the server has lost its camera: {cause}"))
        }
        503 => match header(RETRY_AFTER.as_str()) {
            Some(_) => (Fault::Busy, format!("{said}: all its seats may be taken")),
            None => (Fault::Busy, said),
        },
        _ => (Fault::Unusable, said),
    };
    Err(Error::new(fault, why))
}

impl Reading {
    /// Reads what is there, or waits for it up to `until`. `Ok(0)` is the end.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing came in time: it may be
    /// asked again. [`Error::Stopped`] by [`Reading::is_stopped`].
    pub(crate) fn read(&mut self, buf: &mut [u8], until: Instant) -> io::Result<usize> {
        *self.patience.until.lock() = until;
        self.body.read(buf)
    }

    /// Whether the order to stop came.
    pub(crate) fn is_stopped(&self) -> bool {
        self.patience.stop.is_ordered()
    }
}

impl Patience {
    fn until(&self) -> Instant {
        *self.until.lock()
    }

    /// Waits in slices for what a poll of at most a slice finds.
    fn wait(&self, poll: impl FnMut(Duration) -> Result<bool, Errno>) -> io::Result<()> {
        self.wait_until(self.until(), poll)
    }

    fn wait_until(
        &self,
        until: Instant,
        mut poll: impl FnMut(Duration) -> Result<bool, Errno>,
    ) -> io::Result<()> {
        loop {
            if self.stop.is_ordered() {
                return Err(io::Error::other("asked to stop"));
            }
            let left = until.saturating_duration_since(Instant::now());
            match poll(left.min(SLICE)) {
                Ok(true) => return Ok(()),
                Ok(false) if left.is_zero() => return Err(io::ErrorKind::WouldBlock.into()),
                Ok(false) | Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}
