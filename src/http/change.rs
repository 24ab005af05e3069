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
use super::sender::{Sender, Trust};

/// Settings are small.
const MAX_BODY: usize = 64 << 10;
/// How long a body may take: it holds a worker meanwhile.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The reply to a POST that may not be; `None`: it may, as far as its head
/// tells.
pub(super) fn refusal(client: &Connection, methods: Methods, trust: Trust) -> Option<Reply> {
    if let Err(why) = Sender::of(client).check(trust) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
