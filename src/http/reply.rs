//! Short replies, written by hand: tiny_http's own would choose chunked
//! transfer or a kept connection for itself.

use std::borrow::Cow;
use std::time::Duration;

use tiny_http::Method;

use super::connection::Connection;

/// How long a client may take to receive a short reply.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Status codes with the reason phrase of RFC 9110.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Code {
    Ok,
    NoContent,
    PartialContent,
    MovedPermanently,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    LengthRequired,
    ContentTooLarge,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    TooManyRequests,
    Unavailable,
}

impl Code {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::PartialContent => "206 Partial Content",
            Self::MovedPermanently => "301 Moved Permanently",
            Self::BadRequest => "400 Bad Request",
            Self::Unauthorized => "401 Unauthorized",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::LengthRequired => "411 Length Required",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::UnsupportedMediaType => "415 Unsupported Media Type",
            Self::RangeNotSatisfiable => "416 Range Not Satisfiable",
            Self::TooManyRequests => "429 Too Many Requests",
            Self::Unavailable => "503 Service Unavailable",
        }
    }
}

/// The head of a reply, line by line.
pub(super) struct Head(Vec<u8>);

impl Head {
    /// Status line and what stands in every reply.
    pub(super) fn new(code: Code, allow_origin: Option<&str>) -> Self {
        let line = format!("HTTP/1.1 {}\r\n", code.line());
        let head = Self(line.into_bytes()).with("Connection", "close");
        match allow_origin {
            None => head,
            // Any page's script may read then, and an <img> of any page
            // embed, even where the page asks for isolation.
            Some("*") => head.with("Access-Control-Allow-Origin", "*").with(CORP, "cross-origin"),
            Some(origin) => head
                .with("Access-Control-Allow-Origin", origin)
                .with("Vary", "Origin")
                .with(CORP, "cross-origin"),
        }
    }

    /// Adds a header. The value must not come from a client.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.extend(name.bytes().chain(*b": ").chain(value.bytes()).chain(*b"\r\n"));
        self
    }

    /// For what is true only now: pictures and states.
    pub(super) fn never_stored(self) -> Self {
        self.with("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0")
            .with("Pragma", "no-cache")
    }

    /// The finished head, with the blank line.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend(b"\r\n");
        self.0
    }
}

const CORP: &str = "Cross-Origin-Resource-Policy";

/// A whole short reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    code: Code,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Cow<'static, [u8]>,
}

impl Reply {
    pub(super) fn new(
        code: Code,
        content_type: &'static str,
        body: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        Self { code, content_type, headers: Vec::new(), body: body.into() }
    }

    /// A sentence for people.
    pub(super) fn text(code: Code, text: &str) -> Self {
        Self::new(code, "text/plain; charset=utf-8", format!("{text}\n").into_bytes())
    }

    /// 503 and when to come again, in seconds.
    pub(super) fn unavailable(text: &str) -> Self {
        Self::text(Code::Unavailable, text).with("Retry-After", "2")
    }

    /// Adds a header. The value must not come from a client.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends the reply, to a HEAD without the body.
    pub(super) fn send(&self, client: &Connection, allow_origin: Option<&str>) {
        let mut head = Head::new(self.code, allow_origin);
        if self.code != Code::NoContent {
            head = head
                .with("Content-Type", self.content_type)
                .with("Content-Length", &self.body.len().to_string());
        }
        if !self.headers.iter().any(|(name, _)| *name == "Cache-Control") {
            head = head.with("Cache-Control", "no-store");
        }
        head = head.with("X-Content-Type-Options", "nosniff");
        for (name, value) in &self.headers {
            head = head.with(name, value);
        }
        let mut whole = head.finish();
        // A 204 has no body whatever it is asked by (RFC 9110 15.3.5).
        if *client.method() != Method::Head && self.code != Code::NoContent {
            // One write: one packet for most replies.
            whole.extend_from_slice(&self.body);
        }
        if let Err(e) = client.write(&whole, &[], TIMEOUT) {
            log::debug!("{}: reply not taken: {e}", client.peer());
        }
    }
}
