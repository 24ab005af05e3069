//! GET from another server, so that it can be stopped at any moment.
//!
//! HTTP is ureq's: chunks, redirects, connections that are kept. Own code is
//! below and above it: a connection whose every wait looks for the order to
//! stop and for a deadline, heads as cameras send them, and the login that a
//! server asks for.

mod challenge;
mod chunks;
mod connection;
mod digest;
mod error;
mod head;
mod login;
mod normalize;
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

use crate::shutdown::Shutdown;
use crate::trust::Trust;
use crate::url::Url;
use chunks::Chunks;
pub(crate) use error::{Cause, Error};
use login::Login;
use normalize::{Exchange, Normalize};

type Response = ureq::http::Response<Body>;

/// As many as browsers take, and more than any real chain has.
const MAX_REDIRECTS: u32 = 10;
/// How often a wait looks for the order to stop.
const SLICE: Duration = Duration::from_millis(200);
/// What is there is read also when there is no time to wait, but not for longer.
const MAX_LATE: Duration = Duration::from_secs(1);
/// What is read from a socket at once. Larger ones are no faster.
const INPUT_BYTES: usize = 128 << 10;
/// A request is smaller.
const OUTPUT_BYTES: usize = 4 << 10;

/// Asks one address, as often as wanted, over one connection if the server
/// keeps it.
pub(crate) struct Fetcher {
    agent: Agent,
    url: Url,
    wait_limit: Arc<WaitLimit>,
    login: Option<Login>,
    exchange: Arc<Exchange>,
}

/// How long every wait of a fetch may take.
#[derive(Debug)]
struct WaitLimit {
    stop: Shutdown,
    until: Mutex<Instant>,
}

/// What a server answered.
pub(crate) struct Answer {
    /// Value of Content-Type, as it was sent.
    pub(crate) content_type: Option<String>,
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
    /// `trust` counts for https addresses.
    pub(crate) fn new(url: Url, trust: &Trust, stop: Shutdown) -> Self {
        let wait_limit = Arc::new(WaitLimit { stop, until: Mutex::new(Instant::now()) });
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
            .max_response_header_size(head::MAX_HEAD_BYTES)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_idle_connections(1)
            .build();
        let exchange = Arc::new(Exchange::default());
        let normalize = Normalize(Arc::clone(&exchange));
        let connector = connection::connector(Arc::clone(&wait_limit), trust, normalize);
        let resolver = resolve::SystemResolver(Arc::clone(&wait_limit));
        let agent = Agent::with_parts(config, connector, resolver);
        Self { agent, url, wait_limit, login: None, exchange }
    }

    /// Sends the request and waits for the head of a good answer, up to
    /// `until`. Follows redirects, and logs in where it is asked to.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub(crate) fn get(&mut self, until: Instant) -> Result<Answer, Error> {
        *self.wait_limit.until.lock() = until;
        self.exchange.has_odd_chunks.store(false, Relaxed);
        let response = self.request().map_err(|error| self.prefer_stopped(error))?;
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let body = BodyReader {
            body: Box::new(body),
            wait_limit: Arc::clone(&self.wait_limit),
            chunks: Chunks::default(),
            exchange: Arc::clone(&self.exchange),
        };
        Ok(Answer { content_type, body })
    }

    /// An order to stop is one, whatever it was taken for on its way.
    fn prefer_stopped(&self, error: Error) -> Error {
        if self.wait_limit.stop.is_ordered() { Error::Stopped } else { error }
    }

    fn request(&mut self) -> Result<Response, Error> {
        let asked = self.url.as_str().parse::<Uri>();
        let asked = asked.map_err(|e| Error::new(Cause::Unusable, e.to_string()))?;
        let mut response = match self.login.take() {
            // One that was good before is sent at once. It may be too old, or
            // the way to the page another one now.
            Some(login) => match self.log_in(login)? {
                response if response.status().is_success() => return Ok(response),
                response if response.status() == 401 => response,
                _ => self.send(&asked, None)?,
            },
            None => self.send(&asked, None)?,
        };
        if response.status() == 401 {
            let challenge = response;
            response = self.log_in(Login::new(self.url.login(), &asked, &challenge)?)?;
            if response.status() == 401
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

    /// Asks with a login, which is kept if it was good. Asks once more if all
    /// that was wrong with it was its age.
    fn log_in(&mut self, mut login: Login) -> Result<Response, Error> {
        let uri = login.uri().clone();
        let mut response = self.send(&uri, Some(login.header()?))?;
        if response.status() == 401 && login.renew(&response) {
            response = self.send(&uri, Some(login.header()?))?;
        }
        if response.status().is_success() {
            login.take_next_nonce(&response);
            self.login = Some(login);
        }
        Ok(response)
    }

    fn send(&self, uri: &Uri, authorization: Option<Vec<u8>>) -> Result<Response, Error> {
        let mut request = self.agent.get(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, self.exchange.set_authorization(value));
        }
        request.call().map_err(|e| Error::from_ureq(e, &self.wait_limit))
    }
}

/// A good answer, or what is wrong with it.
fn check_status(response: Response) -> Result<Response, Error> {
    let status = response.status();
    let text = format!("the server answered {status}");
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let (cause, why) = match status.as_u16() {
        200..=299 => return Ok(response),
        300..=399 => {
            let seen = response.get_redirect_history().unwrap_or_default();
            (Cause::Unusable, error::redirect_message(seen, status))
        }
        403 => (Cause::Denied, text),
        404 | 410 => {
            let right = "streams often are at /stream, /video_feed or /?action=stream";
            (Cause::Away, format!("{text}: {right}"))
        }
        503 => match header(RETRY_AFTER) {
            Some(_) => (Cause::Busy, format!("{text}: all its seats may be taken")),
            None => (Cause::Busy, text),
        },
        _ => (Cause::Unusable, text),
    };
    Err(Error::new(cause, why))
}

impl BodyReader {
    /// Reads what is there, or waits for it up to `until`. `Ok(0)` is the end.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing came in time: it may be
    /// asked again. [`Error::Stopped`] by [`BodyReader::is_stopped`].
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
            // Where it was framing alone, there is nothing to give yet.
            let n_data = self.chunks.strip(&mut buf[..n])?;
            if n_data > 0 {
                return Ok(n_data);
            }
            self.wait_limit.check()?;
        }
    }

    /// Whether the order to stop came.
    pub(crate) fn is_stopped(&self) -> bool {
        self.wait_limit.stop.is_ordered()
    }
}

impl WaitLimit {
    fn until(&self) -> Instant {
        *self.until.lock()
    }

    /// Ends what never has to wait, because the server sends without a pause
    /// bytes of which nothing comes: a call of ureq goes on for as long.
    fn check(&self) -> io::Result<()> {
        if self.stop.is_ordered() {
            return Err(io::Error::other("asked to stop"));
        }
        let is_late = Instant::now() > self.until() + MAX_LATE;
        if is_late { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
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

/// The realm of each Digest in a challenge that can be answered, and the realm
/// in the answer.
#[cfg(test)]
pub(crate) fn challenge_realms(value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    use challenge::Challenge;
    let all = |value: &[u8]| Challenge::all([value].into_iter());
    let realm = |challenge: &Challenge| challenge.param("realm").unwrap_or_default().to_vec();
    let request = digest::Request { user: b"a\"\\", password: b"", target: "/", cnonce: "" };
    let mut found = Vec::new();
    for offered in all(value) {
        if let Some(mut digest) = digest::Digest::new(&offered) {
            let answer = digest.answer(&request);
            found.push((realm(&offered), realm(&all(&answer)[0])));
        }
    }
    found
}

/// The data of chunks that come in these pieces; `None`: they are none.
#[cfg(test)]
pub(crate) fn strip_chunks(pieces: &[&[u8]]) -> Option<(Vec<u8>, bool)> {
    let (mut chunks, mut data) = (Chunks::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let n = chunks.strip(&mut piece).ok()?;
        data.extend_from_slice(&piece[..n]);
    }
    Some((data, chunks.is_over()))
}

/// What is made of a head that comes in these pieces, and of how many bytes; or
/// why it is none.
#[cfg(test)]
pub(crate) fn clean_head(pieces: &[&[u8]]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut reader, mut held, mut n_done) = (head::HeadReader::default(), Vec::new(), 0);
    for (piece, is_end) in pieces.iter().map(|piece| (*piece, false)).chain([(&[][..], true)]) {
        held.extend_from_slice(piece);
        let (n, head) = reader.read(&held, is_end).map_err(|e| e.to_string())?;
        n_done += n;
        if let Some(head) = head {
            return Ok(Some((head.text, n_done)));
        }
        held.drain(..n);
        assert!(held.len() <= 16, "{} bytes held", held.len());
    }
    Ok(None)
}
