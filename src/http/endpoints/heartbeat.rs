//! `/heartbeat`: a reply that goes on as long as a stream. A browser says nothing to
//! a page whose `<img>` gets no pictures any more, so the page reads this beside it.

use std::borrow::Cow;

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::viewer::Beating;

/// The keys that are taken of one request. The page of several cameras has three streams.
const MOST: usize = 8;

/// Finds the viewers that have chosen a `key`, of which there may be several. The head is
/// of a reply with a byte for each about every second, `.` for that of the first key, `/`
/// for that of the second and so on, which ends with the first of their streams.
///
/// # Errors
/// 404 where this process has no such viewer, as behind a balancer that has sent the
/// stream elsewhere; 503 where too many connections are open.
pub(in crate::http) fn open(
    context: &Context,
    request: &Request,
) -> Result<(Vec<u8>, Vec<Beating>), Reply> {
    let keys: Vec<_> = request.query().texts("key").take(MOST).collect();
    if keys.is_empty() || keys.iter().any(|key| key.is_empty()) {
        return Err(Reply::bad_request("key: use that of a stream"));
    }
    if !context.connections.has_room(context.config.limits.max_connections) {
        return Err(Reply::unavailable("too many connections to keep one more open"));
    }
    let find = |(key, byte): (&Cow<'_, str>, u8)| Some((context.viewers.find(key)?, byte));
    let viewers: Vec<_> = keys.iter().zip(b'.'..).filter_map(find).collect();
    if viewers.is_empty() {
        return Err(Reply::text(Code::NotFound, "no viewer of this server has that key"));
    }
    let head = context
        .head(Code::Ok)
        .with("Content-Type", "text/plain; charset=utf-8")
        .with("Cache-Control", "no-store, no-transform")
        .with("X-Accel-Buffering", "no");
    Ok((head.finish(), viewers))
}
