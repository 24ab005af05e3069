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

use crate::frame::{INSTANCE, LOST, STATUS};
use crate::instance;
use crate::shutdown::Shutdown;
use crate::trust::Trust;
use crate::url::Url;
use chunks::Chunks;
pub(crate) use error::{Error, Fault};
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
    patience: Arc<Patience>,
    login: Option<Login>,
    exchange: Arc<Exchange>,
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
    chunks: Chunks,
    exchange: Arc<Exchange>,
}

impl Fetcher {
    /// `trust` counts for https addresses.
    pub(crate) fn new(url: Url, trust: &Trust, stop: Shutdown) -> Self {
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
            .max_response_header_size(head::MAX_HEAD_BYTES)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_idle_connections(1)
            .build();
        let exchange = Arc::new(Exchange::default());
        let normalize = Normalize(Arc::clone(&exchange));
        let connector = connection::connector(Arc::clone(&patience), trust, normalize);
        let resolver = resolve::Names(Arc::clone(&patience));
        let agent = Agent::with_parts(config, connector, resolver);
        Self { agent, url, patience, login: None, exchange }
    }

    /// Sends the request and waits for the head of a good answer, up to
    /// `until`. Follows redirects, and logs in where it is asked to.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub(crate) fn get(&mut self, until: Instant) -> Result<Answer, Error> {
        *self.patience.until.lock() = until;
        self.exchange.has_odd_chunks.store(false, Relaxed);
        let response = self.answered().map_err(|error| self.told(error))?;
        let header = response.headers().get(CONTENT_TYPE);
        let content_type = header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let header = response.headers().get(INSTANCE).and_then(|value| value.to_str().ok());
        let instance = header.and_then(instance::parse);
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let body = Reading {
            body: Box::new(body),
            patience: Arc::clone(&self.patience),
            chunks: Chunks::default(),
            exchange: Arc::clone(&self.exchange),
        };
        Ok(Answer { content_type, instance, body })
    }

    /// An order to stop is one, whatever it was taken for on its way.
    fn told(&self, error: Error) -> Error {
        if self.patience.stop.is_ordered() { Error::Stopped } else { error }
    }

    fn answered(&mut self) -> Result<Response, Error> {
        let asked = self.url.as_str().parse::<Uri>();
        let asked = asked.map_err(|e| Error::new(Fault::Unusable, e.to_string()))?;
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
                return Err(Error::new(Fault::Denied, "user and password are wrong (401)"));
            }
        }
        good(response)
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
            login.go_on(&response);
            self.login = Some(login);
        }
        Ok(response)
    }

    fn send(&self, uri: &Uri, authorization: Option<Vec<u8>>) -> Result<Response, Error> {
        let mut request = self.agent.get(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, self.exchange.hold(value));
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
            self.patience.check()?;
        }
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
pub(crate) fn look_at_challenge(value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    use challenge::Challenge;
    let all = |value: &[u8]| Challenge::all([value].into_iter());
    let realm = |challenge: &Challenge| challenge.param("realm").unwrap_or_default().to_vec();
    let asked = digest::Asked { user: b"a\"\\", password: b"", target: "/", cnonce: "" };
    let mut found = Vec::new();
    for offered in all(value) {
        if let Some(mut digest) = digest::Digest::new(&offered) {
            let answer = digest.answer(&asked);
            found.push((realm(&offered), realm(&all(&answer)[0])));
        }
    }
    found
}

/// The data of chunks that come in these pieces; `None`: they are none.
#[cfg(test)]
pub(crate) fn look_at_chunks(pieces: &[&[u8]]) -> Option<(Vec<u8>, bool)> {
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
pub(crate) fn look_at_head(pieces: &[&[u8]]) -> Result<Option<(Vec<u8>, usize)>, String> {
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
