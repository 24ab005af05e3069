//! The replies to requests that no endpoint sees.

use std::net::IpAddr;

use crate::http::access::{ForwardedHeaders, Origin, OriginPolicy};
use crate::http::context::Context;
use crate::http::lanes::Lane;
use crate::http::reply::{Code, Reply};
use crate::http::routes::{Endpoint, Methods};
use crate::http::transport::{Connection, Cut, Method};

/// The largest body of a POST. Controls are small.
const MAX_BODY: usize = 64 << 10;

/// The largest body that is ignored where none has a meaning.
const MAX_IGNORED_BODY: usize = 1024;

/// The reply to a request that goes no further, by its head alone.
pub(super) fn find(
    connection: &Connection,
    endpoint: &Endpoint,
    context: &Context,
    has_password: bool,
) -> Option<Reply> {
    let max_head_bytes = context.config.limits.max_head_bytes;
    // The guard cuts such a connection, unless the whole head arrived between
    // two of its looks.
    if connection.n_head_bytes() as u64 > max_head_bytes {
        context.connections.counts().cut(Cut::HeadSize);
        let text = format!("the head of the request has more than {max_head_bytes} bytes");
        return Some(Reply::text(Code::HeadTooLarge, &text));
    }
    if connection.target().is_empty() {
        return Some(Reply::bad_request("the request names no address; the page is at /"));
    }
    let methods = endpoint.methods;
    let method = connection.method();
    // Before the login, as browsers send a preflight without a password (Fetch
    // standard, CORS-preflight fetch).
    if method == Method::Options {
        return Some(options(connection, methods, context.allow_origin().is_some()));
    }
    if !methods.takes(method) {
        let text = format!("use one of {}", methods.allow);
        return Some(Reply::text(Code::MethodNotAllowed, &text).with("Allow", methods.allow));
    }
    if methods.changing == Some(method) {
        let policy = OriginPolicy { allow_origin: context.allow_origin(), has_password };
        if let Err(why) = origin(connection, context).check(method == Method::Get, policy) {
            log::debug!("{}: refused, as {why}", connection.peer());
            return Some(Reply::text(Code::Forbidden, &why));
        }
    }
    match method {
        Method::Post if methods.has_body => body(connection),
        // mjpg-streamer gives a stream whatever is posted to it.
        Method::Post if methods.changing.is_none() && has_small_body(connection) => None,
        Method::Post if connection.has_body() => {
            Some(Reply::bad_request("a POST takes no body here"))
        }
        // A body of a GET has no meaning (RFC 9110 9.3.1), and programs on the way
        // disagree about it, which is how requests are smuggled.
        _ if connection.has_body() => Some(Reply::bad_request("a GET takes no body here")),
        _ => None,
    }
}

/// Whether a body is short enough to be received with the head, and thrown away.
fn has_small_body(connection: &Connection) -> bool {
    connection.body_length().is_some_and(|length| length <= MAX_IGNORED_BODY)
}

/// For whom a trusted proxy asks.
pub(super) fn client(connection: &Connection, context: &Context) -> Option<IpAddr> {
    let is_trusted = |address| context.config.trusted_proxies.trusts(Some(address));
    forwarded(connection, context)?.client(is_trusted)
}

/// What a proxy says of its client; `None`: it is not trusted.
fn forwarded<'a>(connection: &'a Connection, context: &Context) -> Option<ForwardedHeaders<'a>> {
    let is_trusted = context.config.trusted_proxies.trusts(connection.proxy_address());
    is_trusted.then(|| ForwardedHeaders {
        x_for: connection.headers("X-Forwarded-For"),
        x_host: connection.headers("X-Forwarded-Host"),
        x_proto: connection.headers("X-Forwarded-Proto"),
        forwarded: connection.headers("Forwarded"),
    })
}

/// What a request says of the page that sent it.
fn origin<'a>(connection: &'a Connection, context: &Context) -> Origin<'a> {
    let proxy = forwarded(connection, context);
    let host = proxy.as_ref().and_then(ForwardedHeaders::host);
    Origin {
        site: connection.header("Sec-Fetch-Site"),
        origin: connection.header("Origin"),
        referer: connection.header("Referer"),
        host: host.or_else(|| connection.header("Host")),
        is_https: proxy.is_some_and(|proxy| proxy.is_https()),
        is_browser: is_browser(|name| connection.header(name)),
    }
}

/// Whether a browser sends the request, by headers that no page can take away
/// from it. One is enough, as people also change what their browser says.
fn is_browser<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> bool {
    let is_of_browsers =
        |agent: &str| ["Mozilla/", "Opera/"].iter().any(|of| agent.starts_with(of));
    header("User-Agent").is_some_and(is_of_browsers)
        // Node's `fetch` sends a star.
        || header("Accept-Language").is_some_and(|languages| languages != "*")
        || ["DNT", "Sec-GPC", "Upgrade-Insecure-Requests"]
            .into_iter()
            .any(|name| header(name).is_some())
}

fn options(connection: &Connection, methods: Methods, may_others_read: bool) -> Reply {
    let asked = connection.header("Access-Control-Request-Headers");
    let reply = Reply::text(Code::NoContent, "")
        .with("Allow", methods.allow)
        .with("Access-Control-Allow-Methods", methods.allow)
        .with("Access-Control-Allow-Headers", asked_headers(asked));
    // Chromium asks so before a page of the Internet reads from a house's network.
    match connection.header("Access-Control-Request-Private-Network") {
        Some("true") if may_others_read => {
            reply.with("Access-Control-Allow-Private-Network", "true")
        }
        _ => reply,
    }
}

/// Header names that a preflight asks for, to be echoed. Only if they are
/// nothing but names, so that no client can write headers of its own.
fn asked_headers(asked: Option<&str>) -> String {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_, ".contains(&b);
    asked.filter(|names| names.bytes().all(is_name)).unwrap_or("").to_owned()
}

fn body(connection: &Connection) -> Option<Reply> {
    let (code, why) = match connection.body_length() {
        // Chunks have no length that could be checked before the body is read.
        None => (Code::LengthRequired, "send a JSON body with its Content-Length, not chunked"),
        Some(length) if length > MAX_BODY => (Code::ContentTooLarge, "send at most 64 KiB"),
        Some(_) if !is_json(connection.header("Content-Type")) => {
            // Also a protection: a form of another site can send text/plain without a
            // preflight, but not this type.
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

/// `has_login`: the client sent one.
pub(super) fn unauthorized(has_login: bool) -> Reply {
    let why = if has_login { "user or password is wrong" } else { "user and password are needed" };
    Reply::text(Code::Unauthorized, why)
        .with("WWW-Authenticate", "Basic realm=\"mjpegd\", charset=\"UTF-8\"")
}

pub(super) fn throttled() -> Reply {
    let text = "too many wrong passwords from this address; try again in a moment";
    Reply::text(Code::TooManyRequests, text).with("Retry-After", "2")
}

/// Why a lane that is full refuses a request.
pub(super) fn full(lane: Lane) -> &'static str {
    match lane {
        Lane::Short => "too many requests at once",
        Lane::Viewer => "too many viewers at once",
        Lane::Snapshot => "too many snapshots at once",
        Lane::Download => "too many downloads at once",
        Lane::Control => "too many changes at once",
        Lane::Login => "too many passwords to check; try again",
        Lane::Events => "too many streams of events at once",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_what_no_page_can_take_away() {
        let is = |name: &str, value: &'static str| {
            is_browser(|asked: &'static str| (asked == name).then_some(value))
        };
        assert!(is("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101"));
        assert!(is("Accept-Language", "en-GB,en;q=0.9"));
        assert!(is("Accept-Language", ""));
        assert!(is("Upgrade-Insecure-Requests", "1"));
        assert!(!is("User-Agent", "curl/7.88.1") && !is("User-Agent", "python-requests/2.34"));
        // Node.
        assert!(!is("Accept-Language", "*") && !is("Sec-Fetch-Mode", "cors"));
        // Programs keep the cookie of a stream too.
        assert!(!is("Accept", "*/*") && !is("Cookie", "stream_client=0/0000000000000001"));
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
