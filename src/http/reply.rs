//! Replies, written by hand: the HTTP library's own may choose chunked transfer
//! or keep a connection open, which streams and the guard cannot have.

use std::borrow::Cow;

use serde::Serialize;

use super::transport::Method;
use crate::frame::{AGE, STATUS, TIMESTAMP};

/// Status codes with the reason phrase of RFC 9110.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Code {
    Ok,
    NoContent,
    PartialContent,
    MovedPermanently,
    NotModified,
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
    HeadTooLarge,
    Unavailable,
}

impl Code {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::PartialContent => "206 Partial Content",
            Self::MovedPermanently => "301 Moved Permanently",
            Self::NotModified => "304 Not Modified",
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
            // RFC 6585 5.
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
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
            // Scripts of any page may then read pictures, and an <img> of any
            // page show them, even where the page asks for isolation.
            Some(origin) => {
                let head = head
                    .with("Access-Control-Allow-Origin", origin)
                    .with("Access-Control-Expose-Headers", &[TIMESTAMP, AGE, STATUS].join(", "))
                    .with(CORP, "cross-origin");
                if origin == "*" { head } else { head.with("Vary", "Origin") }
            }
        }
    }

    /// Adds a header. The value is not checked: what comes from a client must be.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.extend(name.bytes().chain(*b": ").chain(value.bytes()).chain(*b"\r\n"));
        self
    }

    /// For pictures, which are true only at this moment. No proxy may compress
    /// them either: a JPEG gets no smaller, and a small board no faster.
    pub(super) fn picture_of_now(self) -> Self {
        self.with("Cache-Control", PICTURE_OF_NOW).with("Pragma", "no-cache")
    }

    /// The finished head, with the blank line.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend(b"\r\n");
        self.0
    }
}

const PICTURE_OF_NOW: &str = "no-store, no-cache, must-revalidate, max-age=0, no-transform";
/// As [`Head::picture_of_now`], for what is recorded and may still change.
pub(super) const RECORDED_PICTURES: &str = "no-store, no-transform";
/// For what will never change: a cache asks for it once (RFC 8246). A shared cache
/// keeps it only where no password is asked for, as it is not `public`.
pub(super) const IMMUTABLE: &str = "max-age=31536000, immutable, no-transform";
const CORP: &str = "Cross-Origin-Resource-Policy";

/// A whole short reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
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

    /// A state as JSON.
    pub(super) fn json(code: Code, value: &impl Serialize) -> Self {
        // Fails only for maps whose keys are no text, which no state here has.
        Self::new(code, "application/json", serde_json::to_vec(value).unwrap_or_default())
    }

    /// 400: what was wrong, and what would be right.
    pub(super) fn bad_request(text: &str) -> Self {
        Self::text(Code::BadRequest, text)
    }

    /// 503, and when to try again, in seconds.
    pub(super) fn unavailable(text: &str) -> Self {
        Self::text(Code::Unavailable, text).with("Retry-After", "2")
    }

    /// 503 to who came too late: neither a seat nor a worker was missing.
    pub(super) fn stopping() -> Self {
        Self::unavailable("the program stops")
    }

    /// The sentence of a 503.
    pub(super) fn why_unavailable(&self) -> Option<&str> {
        let is_it = self.code == Code::Unavailable;
        is_it.then(|| std::str::from_utf8(&self.body).unwrap_or_default().trim_end())
    }

    /// Adds a header. The value is not checked: what comes from a client must be.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The head as bytes.
    pub(super) fn head(&self, allow_origin: Option<&str>) -> Vec<u8> {
        let mut head = Head::new(self.code, allow_origin);
        if self.code != Code::NoContent {
            head = head
                .with("Content-Type", self.content_type)
                .with("Content-Length", &self.body.len().to_string());
        }
        // A state that a proxy kept would be wrong in a second, and a 503 or 401 of it
        // lock people out.
        if !self.headers.iter().any(|(name, _)| *name == "Cache-Control") {
            head = head.with("Cache-Control", "no-store");
        }
        // An error text repeats what was asked, and must not be run as a page or a
        // script.
        head = head.with("X-Content-Type-Options", "nosniff");
        for (name, value) in &self.headers {
            head = head.with(name, value);
        }
        head.finish()
    }

    /// What follows the head: nothing after a HEAD. A 204 has no body whatever it
    /// answers (RFC 9110 15.3.5).
    pub(super) fn body(&self, method: Method) -> &[u8] {
        let has_body = method != Method::Head && self.code != Code::NoContent;
        if has_body { &self.body } else { &[] }
    }
}
