//! The head of a request: what the rest of `http` may ask of it.

use tiny_http::Request;

/// The methods that some address takes. All others are refused alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::http) enum Method {
    Get,
    Head,
    Post,
    Options,
    Other,
}

impl Method {
    /// As it stands in a request line; of all others a dash.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Options => "OPTIONS",
            Self::Other => "-",
        }
    }

    /// Methods are case-sensitive (RFC 9110 9.1).
    pub(super) fn from_request(request: &Request) -> Self {
        match request.method() {
            tiny_http::Method::Get => Self::Get,
            tiny_http::Method::Head => Self::Head,
            tiny_http::Method::Post => Self::Post,
            tiny_http::Method::Options => Self::Options,
            _ => Self::Other,
        }
    }
}

/// The bytes of a head, as far as they are still known: `tiny_http` drops the
/// blanks around values, and says `HTTP/1.1` for every version.
pub(super) fn n_bytes(request: &Request) -> usize {
    // Counted from the parts, because the library keeps no copy of the bytes.
    let first = request.method().as_str().len() + request.url().len() + " HTTP/1.1\r\n".len() + 1;
    let lines = request.headers().iter();
    let line = |h: &tiny_http::Header| {
        h.field.as_str().as_str().len() + h.value.as_str().len() + ": \r\n".len()
    };
    first + lines.map(line).sum::<usize>() + "\r\n".len()
}
