//! User and password, in the form that a server asks for.

use http_auth::{PasswordClient, PasswordParams};
use ureq::ResponseExt;
use ureq::http::Uri;
use ureq::http::header::WWW_AUTHENTICATE;

use super::{Error, Fault, Response};
use crate::url::Url;

/// A challenge of a server, and who answers it.
pub(super) struct Login {
    challenge: PasswordClient,
    /// What was asked for when the challenge came.
    uri: Uri,
    user: String,
    password: String,
}

impl Login {
    /// Takes up the challenge of an answer 401. A password is only for the
    /// server that it was typed for.
    pub(super) fn new(url: &Url, asked: &Uri, response: &Response) -> Result<Self, Error> {
        let denied = |why: String| Error::new(Fault::Denied, why);
        let Some(login) = url.login() else {
            return Err(denied(
                "the server asks for user and password (401); use http://USER:PASSWORD@HOST/PATH"
                    .into(),
            ));
        };
        let uri = response.get_uri().clone();
        if (uri.scheme(), uri.authority()) != (asked.scheme(), asked.authority()) {
            let host = uri.authority().map_or("", |authority| authority.as_str());
            return Err(denied(format!(
                "redirected to {host}, which asks for user and password (401); \
                 those of another server are not sent there"
            )));
        }
        let mut challenges = PasswordClient::builder();
        for value in response.headers().get_all(WWW_AUTHENTICATE) {
            challenges = challenges.challenges(&String::from_utf8_lossy(value.as_bytes()));
        }
        let challenge = challenges.build().map_err(|e| {
            denied(format!("the server asks for a login that is neither Basic nor Digest: {e}"))
        })?;
        let (user, password) = (login.user.clone(), login.password.clone());
        Ok(Self { challenge, uri, user, password })
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of Authorization, for one request.
    pub(super) fn header(&mut self) -> Result<String, Error> {
        let params = PasswordParams {
            username: &self.user,
            password: &self.password,
            uri: self.uri.path_and_query().map_or("/", |path| path.as_str()),
            method: "GET",
            body: Some(&[]),
        };
        let header = self.challenge.respond(&params);
        header.map_err(|e| Error::new(Fault::Denied, format!("the login cannot be made: {e}")))
    }
}
