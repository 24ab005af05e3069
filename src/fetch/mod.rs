//! GET requests to another server, which can be stopped at any moment.
//!
//! ureq does the HTTP: chunks, redirects and keep-alive. The code here does what
//! ureq does not: below it, a connection whose waits end at a deadline or when the
//! program stops, and heads as cameras send them; above it, the login that a server
//! asks for.

mod challenge;
mod chunks;
mod clean_heads;
mod connection;
mod digest;
mod error;
mod head;
#[cfg(feature = "mqtt")]
mod link;
mod login;
#[cfg(feature = "daemon")]
mod post;

mod resolve;
#[cfg(feature = "https")]
mod tls;

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::io::Errno;
use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::Uri;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::{Agent, Body, ResponseExt};

use crate::frame::{self, INSTANCE, LOST, STATUS};
use crate::instance;
use crate::shutdown::Shutdown;
use crate::trust::Trust;
use crate::url::Url;
use chunks::Chunks;
use clean_heads::{CleanHeads, Exchange};
pub(crate) use error::{Cause, Error};
#[cfg(feature = "mqtt")]
pub(crate) use link::Link;
use login::Login;
#[cfg(feature = "daemon")]
pub(crate) use post::Poster;

type Response = ureq::http::Response<Body>;

/// How many redirects are followed. No real chain is longer, and a circle ends soon.
const MAX_REDIRECTS: u32 = 10;
/// How often a wait checks whether the program stops.
const SLICE: Duration = Duration::from_millis(200);
/// Bytes that have already arrived are read even after the deadline, for at most this
/// long: a caller may pass a deadline of now to read without waiting.
const MAX_LATE: Duration = Duration::from_secs(1);
/// Bytes that one read from a socket takes at most. A larger buffer is no faster.
const INPUT_BYTES: usize = 128 << 10;
/// The buffer of a request, which is smaller than this.
const OUTPUT_BYTES: usize = 4 << 10;

/// What is read of the text of an answer that refuses.
const MAX_REASON_BYTES: u64 = 300;

/// Sends requests to one address, over one connection if the server keeps it open.
pub(crate) struct Fetcher {
    agent: Agent,
    url: Url,
    wait_limit: Arc<WaitLimit>,
    login: Option<Login>,
    exchange: Arc<Exchange>,
}

/// Limits every wait of a fetch: the program stops, or the deadline passes.
#[derive(Debug)]
struct WaitLimit {
    stop: Shutdown,
    until: Mutex<Instant>,
}

/// The answer of a server.
pub(crate) struct Answer {
    /// The value of Content-Type, as it was sent.
    pub(crate) content_type: Option<String>,
    /// Which camera of a mjpegd it is, see [`crate::instance`].
    pub(crate) instance: Option<u64>,
    pub(crate) body: BodyReader,
}

/// The body of an answer.
pub(crate) struct BodyReader {
    body: Box<dyn Read + Send + Sync>,
    wait_limit: Arc<WaitLimit>,
    chunks: Chunks,
    exchange: Arc<Exchange>,
}

impl Fetcher {
    /// A fetcher for `url`. `trust` matters only for https addresses.
    pub(crate) fn new(url: Url, trust: &Trust, stop: Shutdown) -> Self {
        let (agent, wait_limit, exchange) = parts(trust, stop);
        Self { agent, url, wait_limit, login: None, exchange }
    }

    /// Sends the request and waits until `until` for the head of an answer with a
    /// status of success. Follows redirects, and logs in if the server asks for it.
    ///
    /// # Errors
    /// Why there is no such answer, in words for people.
    pub(crate) fn get(&mut self, until: Instant) -> Result<Answer, Error> {
        *self.wait_limit.until.lock() = until;
        self.exchange.has_odd_chunks.store(false, Relaxed);
        let response = self.request().map_err(|error| self.prefer_stopped(error))?;
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let header = response.headers().get(INSTANCE).and_then(|value| value.to_str().ok());
        let instance = header.and_then(instance::parse);
        // A stream has no length, so ureq is given no limit. The parser bounds each
        // picture.
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let body = BodyReader {
            body: Box::new(body),
            wait_limit: Arc::clone(&self.wait_limit),
            chunks: Chunks::default(),
            exchange: Arc::clone(&self.exchange),
        };
        Ok(Answer { content_type, instance, body })
    }

    /// Returns [`Error::Stopped`] if the program stops. ureq may report a wait that was
    /// stopped as any kind of error, so the error itself does not show it.
    fn prefer_stopped(&self, error: Error) -> Error {
        if self.wait_limit.stop.is_ordered() { Error::Stopped } else { error }
    }

    fn request(&mut self) -> Result<Response, Error> {
        let asked = self.url.as_str().parse::<Uri>();
        let asked = asked.map_err(|e| Error::new(Cause::Unusable, e.to_string()))?;
        let mut response = match self.login.take() {
            // Send a login that was accepted before at once, which saves a round trip.
            // Its nonce may have expired, or the page may have moved: then start over.
            Some(login) => match self.log_in(login)? {
                response if keeps_login(&response) => return check_status(response),
                response if response.status() == 401 => response,
                _ => self.send(&asked, None)?,
            },
            None => self.send(&asked, None)?,
        };
        if response.status() == 401 {
            let challenge = response;
            response = self.log_in(Login::new(self.url.login(), &asked, &challenge)?)?;
            if response.status() == 401
                // `%41` in a password may stand for itself, or for A. Both are seen, so
                // both are tried.
                && let Some(literal) = self.url.literal_login()
            {
                response = self.log_in(Login::new(Some(literal), &asked, &challenge)?)?;
            }
            if response.status() == 401 {
                return Err(Error::new(Cause::Denied, "user and password are wrong (401)"));
            }
        }
        check_status(response)
    }

    /// Sends the request with a login, and keeps the login unless the server refuses it.
    /// Tries once more if only the nonce was too old.
    fn log_in(&mut self, mut login: Login) -> Result<Response, Error> {
        let uri = login.uri().clone();
        let mut sent = login.header().and_then(|value| self.send(&uri, Some(value)));
        if let Ok(response) = &sent
            && response.status() == 401
            && login.renew(response)
        {
            sent = login.header().and_then(|value| self.send(&uri, Some(value)));
        }
        if let Ok(response) = &sent
            && keeps_login(response)
        {
            login.take_next_nonce(response);
        }
        // A connection that breaks says nothing about the login either.
        if sent.as_ref().map_or(true, keeps_login) {
            self.login = Some(login);
        }
        sent
    }

    fn send(&self, uri: &Uri, authorization: Option<Vec<u8>>) -> Result<Response, Error> {
        let mut request = self.agent.get(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, self.exchange.set_authorization(value));
        }
        request.call().map_err(|e| Error::from_ureq(e, &self.wait_limit))
    }
}

/// An agent of ureq, with what limits its waits and what cleans its answers.
fn parts(trust: &Trust, stop: Shutdown) -> (Agent, Arc<WaitLimit>, Arc<Exchange>) {
    let wait_limit = Arc::new(WaitLimit { stop, until: Mutex::new(Instant::now()) });
    // ureq has timeouts of its own, which stay off: they end a call but not a wait, and
    // know no order to stop. `WaitLimit` does both.
    let config = Config::builder()
        .http_status_as_error(false)
        // The camera is on the local network, and a proxy of the environment is
        // for the internet.
        .proxy(None)
        .user_agent(concat!("mjpegd/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .max_redirects(MAX_REDIRECTS)
        .max_redirects_will_error(false)
        .save_redirect_history(true)
        // The login is for the server in whose address it was typed. See `login` for
        // those that a redirect leads to.
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .max_response_header_size(head::MAX_HEAD_BYTES)
        .input_buffer_size(INPUT_BYTES)
        .output_buffer_size(OUTPUT_BYTES)
        .max_idle_connections(1)
        .build();
    let exchange = Arc::new(Exchange::default());
    let clean_heads = CleanHeads(Arc::clone(&exchange));
    let connector = connection::connector(Arc::clone(&wait_limit), trust, clean_heads);
    let resolver = resolve::SystemResolver(Arc::clone(&wait_limit));
    let agent = Agent::with_parts(config, connector, resolver);
    (agent, wait_limit, exchange)
}

/// Whether the login of a request can be used again: the server accepted it, or did not
/// come to judge it. A camera with all its seats taken answers 503 to everybody, and a
/// request without login in between would count as a failed login at some cameras.
fn keeps_login(response: &Response) -> bool {
    response.status().is_success() || response.status().is_server_error()
}

/// Returns an answer with a status of success, or an error that says what to do.
fn check_status(response: Response) -> Result<Response, Error> {
    let status = response.status();
    let text = format!("the server answered {status}");
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let (cause, why) = match status.as_u16() {
        200..=299 => return Ok(response),
        300..=399 => {
            let seen = response.get_redirect_history().unwrap_or_default();
            (Cause::Unusable, error::redirect_message(seen, status))
        }
        403 => (Cause::Denied, text),
        404 | 410 => {
            let hint = "streams often are at /stream, /video_feed or /?action=stream";
            (Cause::Away, format!("{text}: {hint}"))
        }
        // A mjpegd whose camera is lost says why.
        503 if header(STATUS).is_some() => {
            let lost = header(STATUS).unwrap_or_default();
            let lost = lost.strip_prefix(LOST).unwrap_or(lost);
            (Cause::Upstream, frame::upstream_loss(lost))
        }
        503 => {
            let seats = header(RETRY_AFTER.as_str()).map(|_| "all its seats may be taken");
            let reason = reason(response).or(seats.map(str::to_owned));
            (Cause::Busy, reason.map_or(text.clone(), |reason| format!("{text}: {reason}")))
        }
        _ => (Cause::Unusable, text),
    };
    Err(Error::new(cause, why))
}

/// The first line of an answer in plain text, by which a mjpegd says why it refuses.
fn reason(response: Response) -> Option<String> {
    let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("text/plain") {
        return None;
    }
    let mut text = Vec::new();
    let body = response.into_body().into_with_config().limit(MAX_REASON_BYTES).reader();
    // What came before a limit or a broken connection is shown too.
    let _ = body.take(MAX_REASON_BYTES).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let line: String = text.lines().next()?.chars().filter(|c| !c.is_control()).collect();
    Some(crate::url::mask(line.trim()).into_owned()).filter(|line| !line.is_empty())
}

impl BodyReader {
    /// Reads the bytes that have arrived, or waits for them until `until`. `Ok(0)` is
    /// the end of the body.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing came in time; the caller may try again.
    /// After any error, [`BodyReader::is_stopped`] says whether the program stops.
    pub(crate) fn read(&mut self, buf: &mut [u8], until: Instant) -> io::Result<usize> {
        *self.wait_limit.until.lock() = until;
        loop {
            if self.chunks.is_over() {
                return Ok(0);
            }
            let n = self.body.read(buf)?;
            if n == 0 || !self.exchange.has_odd_chunks.load(Relaxed) {
                return Ok(n);
            }
            // `Ok(0)` would mean the end, so read on if the bytes were only framing.
            let n_data = self.chunks.strip(&mut buf[..n])?;
            if n_data > 0 {
                return Ok(n_data);
            }
            self.wait_limit.check()?;
        }
    }

    /// Whether the program stops, which ends every wait.
    pub(crate) fn is_stopped(&self) -> bool {
        self.wait_limit.stop.is_ordered()
    }
}

impl WaitLimit {
    fn until(&self) -> Instant {
        *self.until.lock()
    }

    /// Whether the deadline has passed.
    fn is_over(&self) -> bool {
        Instant::now() >= self.until()
    }

    /// Ends a call of ureq that never waits. A server may send useless bytes without
    /// a pause, such as headers without end, and ureq reads on while bytes arrive.
    fn check(&self) -> io::Result<()> {
        if self.stop.is_ordered() {
            return Err(io::Error::other("asked to stop"));
        }
        let is_late = Instant::now() > self.until() + MAX_LATE;
        if is_late { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }

    /// Repeats `poll`, which waits for at most the given time, until it returns true.
    ///
    /// # Errors
    /// The program stops, the deadline passes ([`io::ErrorKind::WouldBlock`]), or
    /// the error of `poll`.
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

#[cfg(test)]
pub(crate) mod tests;
