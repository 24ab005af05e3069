//! Requests that change something: who may make one, and its body.
//!
//! A visitor's browser sends a request wherever any page tells it to, with the
//! visitor's password. So whatever takes POST is asked here first, by
//! `methods`, and no route can forget it.

use std::io::ErrorKind;
use std::time::Duration;

use super::connection::Connection;
use super::methods::Methods;
use super::reply::{Code, Reply};

/// Settings are small.
const MAX_BODY: usize = 64 << 10;
/// How long a body may take: it holds a worker meanwhile.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The reply to a POST that may not be; `None`: it may, as far as its head
/// tells.
pub(super) fn refusal(
    client: &Connection,
    methods: Methods,
    allow_origin: Option<&str>,
) -> Option<Reply> {
    let sender = Sender {
        site: client.header("Sec-Fetch-Site"),
        origin: client.header("Origin"),
        host: client.header("Host"),
    };
    if let Err(why) = sender.check(allow_origin) {
        return Some(Reply::text(Code::Forbidden, &why));
    }
    if methods.has_body {
        body_refusal(client)
    } else if client.has_body() {
        Some(Reply::text(Code::BadRequest, "a POST takes no body here"))
    } else {
        None
    }
}

fn body_refusal(client: &Connection) -> Option<Reply> {
    let (code, why) = match client.body_length() {
        None => (Code::LengthRequired, "send a JSON body with its Content-Length, not chunked"),
        Some(length) if length > MAX_BODY => (Code::ContentTooLarge, "send at most 64 KiB"),
        Some(_) if !is_json(client.header("Content-Type")) => {
            (Code::UnsupportedMediaType, "send JSON, with Content-Type: application/json")
        }
        Some(_) => return None,
    };
    Some(Reply::text(code, why))
}

fn is_json(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next());
    media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json"))
}

/// The body of a POST that was not refused.
///
/// # Errors
/// The reply to a client that does not send it.
pub(super) fn body(client: &mut Connection) -> Result<Vec<u8>, Reply> {
    client.read_body(TIMEOUT).map_err(|e| match e.kind() {
        ErrorKind::TimedOut => Reply::text(
            Code::RequestTimeout,
            &format!("the body was not here within {} s", TIMEOUT.as_secs()),
        ),
        _ => Reply::text(Code::BadRequest, &format!("the body did not come whole: {e}")),
    })
}

/// What a browser says of the page that made it send a request.
struct Sender<'a> {
    site: Option<&'a str>,
    origin: Option<&'a str>,
    host: Option<&'a str>,
}

impl Sender<'_> {
    /// # Errors
    /// Why the page may not change anything, and what would help.
    fn check(&self, allow_origin: Option<&str>) -> Result<(), String> {
        // `*` lets all pages read; whoever is to change something has a name.
        let is_named = self.origin.is_some_and(|o| o != "*" && allow_origin == Some(o));
        let is_own = match (self.site, self.origin) {
            // Browsers leave Sec-Fetch-Site out where the page came by plain
            // HTTP from another machine, but send Origin with each POST.
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => is_same(origin, self.host),
            // Not from a page: a program, or an address bar.
            (None, None) => true,
        };
        if is_named || is_own {
            return Ok(());
        }
        let origin = self.origin.unwrap_or("another site");
        Err(format!(
            "a page of {origin} may not change anything here; if it is to: --allow-origin {}",
            self.origin.filter(|o| o.contains("://")).unwrap_or("ORIGIN")
        ))
    }
}

/// Whether an origin is where the request was sent to. The scheme is left out:
/// behind a proxy it is not ours.
fn is_same(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.zip(host).is_some_and(|(ours, host)| ours.eq_ignore_ascii_case(host.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(site: Option<&str>, origin: Option<&str>, allowed: Option<&str>) -> bool {
        Sender { site, origin, host: Some("camera:5000") }.check(allowed).is_ok()
    }

    #[test]
    fn own_page_and_programs_may_change() {
        for (site, origin) in [
            (None, None),
            (Some("none"), None),
            (Some("same-origin"), Some("http://camera:5000")),
            // Behind a proxy, whose name is not ours.
            (Some("same-origin"), Some("https://garden.example")),
            (None, Some("http://camera:5000")),
            (None, Some("https://Camera:5000")),
        ] {
            assert!(may(site, origin, None), "{site:?} {origin:?}");
        }
    }

    #[test]
    fn other_pages_may_not_unless_they_are_named() {
        let named = "http://printer:7125";
        for (site, origin) in [
            (Some("cross-site"), Some(named)),
            (Some("same-site"), Some(named)),
            (Some("nonsense"), None),
            (Some(""), None),
            (Some("cross-site"), Some("http://camera:5000")),
            (None, Some(named)),
            (None, Some("null")),
            (None, Some("")),
            (None, Some("*")),
            (None, Some("camera:5000")),
            (None, Some("http://camera")),
            (None, Some("http://camera:5000.evil.example")),
        ] {
            for allowed in [None, Some("*"), Some("http://printer"), Some("http://printer:71250")] {
                assert!(!may(site, origin, allowed), "{site:?} {origin:?} {allowed:?}");
            }
            assert_eq!(
                may(site, origin, Some(named)),
                origin == Some(named),
                "{site:?} {origin:?}"
            );
        }
        assert!(Sender { site: None, origin: Some("http://a"), host: None }.check(None).is_err());
    }

    #[test]
    fn refusal_says_what_would_help() {
        let sender = Sender { site: None, origin: Some("http://a:1"), host: Some("b") };
        assert!(sender.check(None).unwrap_err().ends_with("--allow-origin http://a:1"));
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        for right in ["application/json", "Application/JSON; charset=utf-8", " application/json "] {
            assert!(is_json(Some(right)), "{right}");
        }
        for wrong in ["text/plain", "application/jsonp", "", "text/plain; application/json"] {
            assert!(!is_json(Some(wrong)), "{wrong}");
        }
        assert!(!is_json(None));
    }
}
