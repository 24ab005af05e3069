//! POST requests, which a shutdown can interrupt as it does a GET.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::http::header::AUTHORIZATION;

use super::{Error, WaitLimit, parts};
use crate::shutdown::Shutdown;
use crate::trust::Trust;
use crate::url::{Login, Url};

/// Sends messages to one address.
pub(crate) struct Poster {
    agent: Agent,
    url: Url,
    wait_limit: Arc<WaitLimit>,
}

impl Poster {
    pub(crate) fn new(url: Url, stop: Shutdown) -> Self {
        let (agent, wait_limit, _) = parts(&Trust::Public, stop);
        Self { agent, url, wait_limit }
    }

    /// Sends a message and waits until `until` for the answer, whose status it returns.
    /// Redirects are not followed: they are answers to a request without a body.
    ///
    /// # Errors
    /// Why there is no answer, in words for people.
    pub(crate) fn post(
        &self,
        headers: &[(&str, &str)],
        body: &[u8],
        until: Instant,
    ) -> Result<u16, Error> {
        *self.wait_limit.until.lock() = until;
        let mut request = self.agent.post(self.url.as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Sent with the first request, as a receiver of messages does not ask for it.
        if let Some(Login { user, password }) = self.url.login() {
            let login = STANDARD.encode([&user[..], b":", password].concat());
            request = request.header(AUTHORIZATION, format!("Basic {login}"));
        }
        let request = request.config().max_redirects(0).build();
        let response = request.send(body);
        response
            .map(|response| response.status().as_u16())
            .map_err(|e| Error::from_ureq(e, &self.wait_limit))
    }
}
