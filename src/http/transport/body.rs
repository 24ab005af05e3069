//! What a request announces behind its head.

use tiny_http::Request;

/// Up to this `tiny_http` receives a body before it hands out the request.
const READ_AHEAD: usize = 1024;
/// A body up to this is received and thrown away when it was refused: a client
/// that sends it reads the reply only after that.
pub(super) const MAX_UNREAD_BODY: usize = 1 << 20;

/// Whether a request is more than a head.
pub(super) fn has_body(request: &Request) -> bool {
    let is_chunked = request.headers().iter().any(|h| h.field.equiv("Transfer-Encoding"));
    is_chunked || request.body_length().is_some_and(|length| length > 0)
}

/// Whether the body of a request still has to be read from the socket, and is
/// small enough to be.
pub(super) fn is_coming(request: &Request) -> bool {
    let length = request.body_length().unwrap_or(0);
    let has = |name: &'static str| request.headers().iter().any(|h| h.field.equiv(name));
    (length > READ_AHEAD || has("Expect") || has("Transfer-Encoding")) && length <= MAX_UNREAD_BODY
}
