//! Why a fetch failed: for the caller, by what to do next; and in words, for people.

use std::fmt;
use std::io::{self, ErrorKind};

use ureq::http::{StatusCode, Uri};

use super::WaitLimit;

/// Why a fetch has no answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// The program stops.
    Stopped,
    /// The fetch failed and may succeed later. The text says why, for people.
    Failed(Cause, String),
}

/// The kind of a failure, which callers count and act on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    /// The host does not exist, runs no server, or has no such page.
    Away,
    /// The server asks for a login, or refuses this one.
    Denied,
    /// The server has no room for another viewer now.
    Busy,
    /// The server sent nothing in time.
    Late,
    /// The answer holds nothing that this program can use.
    Unusable,
    /// The connection broke.
    Io,
    /// It is a mjpegd, and has no picture either.
    Upstream,
}

impl Error {
    pub(super) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self::Failed(cause, why.into())
    }

    /// Turns an error of ureq into one of these.
    pub(super) fn from_ureq(error: ureq::Error, wait_limit: &WaitLimit) -> Self {
        if wait_limit.stop.is_ordered() {
            return Self::Stopped;
        }
        let (cause, why) = match error {
            ureq::Error::Io(e) => return Self::from_io(&e),
            ureq::Error::HostNotFound => (Cause::Away, "no such host".to_owned()),
            ureq::Error::TlsRequired => {
                (Cause::Unusable, format!("redirected to https; {}", crate::url::NO_HTTPS))
            }
            ureq::Error::BadUri(why) => {
                (Cause::Unusable, format!("redirected to an invalid address: {why}"))
            }
            // From `head` or `tls`, which say what is wrong.
            ureq::Error::Other(e) => (Cause::Unusable, e.to_string()),
            e => (Cause::Unusable, format!("not an HTTP answer: {e}")),
        };
        Self::Failed(cause, why)
    }

    /// Turns an error of a socket into one of these.
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
            // An error of rustls: the certificate, or a server that does not speak TLS.
            ErrorKind::InvalidData if cfg!(feature = "https") => {
                let why = error.to_string();
                // rustls puts this before the text of the own certificate check.
                let why = why.trim_start_matches("unexpected error: ");
                (Cause::Unusable, format!("TLS: {why}"))
            }
            _ => (Cause::Io, error.to_string()),
        };
        Self::Failed(cause, why)
    }
}

/// Describes redirects that led to no page: each address once, so that the user sees
/// where they turn in a circle.
pub(super) fn redirect_message(seen: &[Uri], status: StatusCode) -> String {
    let Some((last, before)) = seen.split_last().filter(|(_, before)| !before.is_empty()) else {
        return format!("the server answered {status} without saying where to go");
    };
    let begin = before.iter().position(|uri| uri == last).unwrap_or(0);
    // From the first time that the last address was seen: what led there is not part of the
    // circle.
    let n_shown = before[begin + 1..].iter().take_while(|uri| *uri != last).count();
    let way: Vec<_> = before[begin..].iter().take(n_shown + 1).chain([last]).map(shown).collect();
    let what = if before.contains(last) { "in a circle" } else { "too often" };
    format!("redirected {what}: {}", way.join(" -> "))
}

/// An address without its secrets: those of the login, and values in the query whose
/// key says that they are secret. A redirect often repeats the query of the request.
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
