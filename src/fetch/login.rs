//! Sends user and password in the form that a server asks for.

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::ResponseExt;
use ureq::http::header::WWW_AUTHENTICATE;
use ureq::http::{HeaderName, HeaderValue, Uri};

use super::challenge::{self, Challenge};
use super::digest::{Digest, Request};
use super::{Cause, Error, Response};
use crate::url;

/// A challenge of a server, and the login that answers it.
pub(super) struct Login {
    scheme: Scheme,
    /// The address that the challenge came from, which redirects may have led to.
    uri: Uri,
    login: url::Login,
}

enum Scheme {
    Basic,
    Digest(Box<Digest>),
}

impl Login {
    /// Prepares the login for the challenge of a response 401. The password goes
    /// only to the server in whose address it was typed.
    pub(super) fn new(
        login: Option<&url::Login>,
        asked: &Uri,
        response: &Response,
    ) -> Result<Self, Error> {
        let denied = |why: String| Error::new(Cause::Denied, why);
        let Some(login) = login else {
            return Err(denied(
                "the server asks for user and password (401); use http://USER:PASSWORD@HOST/PATH"
                    .into(),
            ));
        };
        let uri = response.get_uri().clone();
        // Compared with the port: another port may be another user's program.
        if (uri.scheme(), uri.authority()) != (asked.scheme(), asked.authority()) {
            let host = uri.authority().map_or("", |authority| authority.as_str());
            return Err(denied(format!(
                "redirected to {host}, which asks for user and password (401); \
                 those of another server are not sent there"
            )));
        }
        let scheme = Scheme::best(&challenges(response)).map_err(denied)?;
        Ok(Self { scheme, uri, login: login.clone() })
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of Authorization, for one request.
    pub(super) fn header(&mut self) -> Result<Vec<u8>, Error> {
        let url::Login { user, password } = &self.login;
        let value = match &mut self.scheme {
            Scheme::Basic => {
                let login = [&user[..], b":", password].concat();
                format!("Basic {}", STANDARD.encode(login)).into_bytes()
            }
            Scheme::Digest(digest) => {
                let target = self.uri.path_and_query().map_or("/", |path| path.as_str());
                digest.answer(&Request { user, password, target, cnonce: &cnonce() })
            }
        };
        // A line end in a name would begin another header, written by whoever chose the
        // name.
        if value.iter().any(u8::is_ascii_control) {
            let why = "the login cannot be sent: the name of the user or the server's challenge \
                       contains a control character";
            return Err(Error::new(Cause::Denied, why));
        }
        Ok(value)
    }

    /// Takes the nonce for the next request from the response to an accepted login.
    pub(super) fn take_next_nonce(&mut self, response: &Response) {
        const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");
        if let Scheme::Digest(digest) = &mut self.scheme
            && let Some(value) = response.headers().get(AUTHENTICATION_INFO)
            && let Some(nonce) = challenge::param(value.as_bytes(), "nextnonce")
        {
            digest.set_nonce(nonce);
        }
    }

    /// Whether a response 401 says that the login is right and only its nonce is
    /// too old. The new nonce is then in place.
    pub(super) fn renew(&mut self, response: &Response) -> bool {
        match (&mut self.scheme, Scheme::best(&challenges(response))) {
            // Only where the server says "stale": without it the same answer again would
            // count as a second failed login.
            (Scheme::Digest(old), Ok(Scheme::Digest(new))) if new.is_stale => {
                *old = new;
                true
            }
            _ => false,
        }
    }
}

fn challenges(response: &Response) -> Vec<Challenge> {
    let values = response.headers().get_all(WWW_AUTHENTICATE);
    Challenge::all(values.iter().map(HeaderValue::as_bytes))
}

impl Scheme {
    /// The strongest scheme that can be answered; of equal ones the first.
    fn best(challenges: &[Challenge]) -> Result<Self, String> {
        let mut best: Option<Digest> = None;
        for digest in challenges.iter().filter_map(Digest::new) {
            // Of equal ones the first: servers list them in the order they prefer (RFC
            // 7616, section 3.7).
            if best.as_ref().is_none_or(|best| digest.hash() > best.hash()) {
                best = Some(digest);
            }
        }
        // Some cameras send 401 without a challenge. curl answers these with Basic.
        let is_basic = |challenge: &Challenge| challenge.scheme == "basic";
        match best {
            Some(digest) => Ok(Self::Digest(Box::new(digest))),
            None if challenges.is_empty() || challenges.iter().any(is_basic) => Ok(Self::Basic),
            None => {
                let names: Vec<_> = challenges.iter().map(|c| c.scheme.as_str()).collect();
                Err(format!(
                    "the server asks for a login that is neither Basic nor a Digest of MD5, \
                     SHA-256 or SHA-512-256 (401): {}",
                    names.join(", ")
                ))
            }
        }
    }
}

/// A random text, so that no two responses to a challenge are the same. The keys of the
/// standard library's hashes are random on each system, and this need not be a secret.
fn cnonce() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", random(), random())
}
