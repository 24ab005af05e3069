//! Why there is no answer, by what the caller does next and in words.

use std::fmt;
use std::io::{self, ErrorKind};

use ureq::http::{StatusCode, Uri};

use super::WaitLimit;

/// What a fetch can come to instead of an answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// The order to stop came.
    Stopped,
    /// Try again later: why, in general and in words.
    Failed(Cause, String),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    /// No such host, nobody there, no such page.
    Away,
    /// It wants a login, or another one.
    Denied,
    /// It has no room now.
    Busy,
    /// It is there and gives nothing in time.
    Late,
    /// What it says is of no use.
    Unusable,
    /// The connection broke.
    Io,
}

impl Error {
    pub(super) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self::Failed(cause, why.into())
    }

    /// What ureq says.
    pub(super) fn from_ureq(error: ureq::Error, wait_limit: &WaitLimit) -> Self {
        if wait_limit.stop.is_ordered() {
            return Self::Stopped;
        }
        let (cause, why) = match error {
            ureq::Error::Io(e) => return Self::from_io(&e),
            ureq::Error::HostNotFound => (Cause::Away, "no such host".to_owned()),
            ureq::Error::LargeResponseHeader(_, limit) => (
                Cause::Unusable,
                format!("the headers of the answer do not end within {limit} bytes"),
            ),
            ureq::Error::TlsRequired => {
                (Cause::Unusable, format!("redirected to https; {}", crate::url::NO_HTTPS))
            }
            ureq::Error::BadUri(why) => {
                (Cause::Unusable, format!("redirected to no address: {why}"))
            }
            // By the reader of heads.
            ureq::Error::Other(e) => (Cause::Unusable, format!("no answer of HTTP: {e}")),
            e => (Cause::Unusable, format!("no answer of HTTP: {e}")),
        };
        Self::Failed(cause, why)
    }

    /// What the system says.
    pub(crate) fn from_io(error: &io::Error) -> Self {
        let (cause, why) = match error.kind() {
            ErrorKind::NotFound => (Cause::Away, format!("no such host ({error})")),
            ErrorKind::ConnectionRefused => {
                (Cause::Away, "the connection was refused: no server runs there".to_owned())
            }
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                (Cause::Away, error.to_string())
            }
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                (Cause::Late, "no answer in time".to_owned())
            }
            // What rustls says of a certificate, or of a server that has none.
            ErrorKind::InvalidData if cfg!(feature = "https") => {
                let why = error.to_string();
                // So rustls begins what the check of a certificate says itself.
                let why = why.trim_start_matches("unexpected error: ");
                (Cause::Unusable, format!("TLS: {why}"))
            }
            _ => (Cause::Io, error.to_string()),
        };
        Self::Failed(cause, why)
    }
}

/// Names the way that led nowhere.
pub(super) fn redirect_message(seen: &[Uri], status: StatusCode) -> String {
    let Some((last, before)) = seen.split_last().filter(|(_, before)| !before.is_empty()) else {
        return format!("the server answered {status} without saying where to go");
    };
    let begin = before.iter().position(|uri| uri == last).unwrap_or(0);
    let n_shown = before[begin + 1..].iter().take_while(|uri| *uri != last).count();
    let way: Vec<_> = before[begin..].iter().take(n_shown + 1).chain([last]).map(shown).collect();
    let what = if before.contains(last) { "in a circle" } else { "too often" };
    format!("redirected {what}: {}", way.join(" -> "))
}

/// An address as far as it may be shown: a password may be in the last part
/// of it, too, but there nobody expects it to be hidden.
fn shown(uri: &Uri) -> String {
    crate::url::mask(&uri.to_string()).into_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("asked to stop"),
            Self::Failed(_, why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circle_of_redirects_is_named_once_around() {
        let uris = |paths: &[&str]| -> Vec<Uri> {
            paths.iter().map(|path| format!("http://me:x@h{path}").parse().unwrap()).collect()
        };
        let text = |paths: &[&str]| redirect_message(&uris(paths), StatusCode::FOUND);
        let circle = ["/start", "/a", "/b", "/a", "/b", "/a"];
        assert_eq!(
            text(&circle),
            "redirected in a circle: http://***@h/a -> http://***@h/b -> http://***@h/a"
        );
        assert_eq!(text(&["/a", "/a"]), "redirected in a circle: http://***@h/a -> http://***@h/a");
        let far = text(&["/1", "/2", "/3"]);
        assert_eq!(far, "redirected too often: http://***@h/1 -> http://***@h/2 -> http://***@h/3");
        assert!(text(&["/1"]).contains("302 Found without saying where"));
    }
}
