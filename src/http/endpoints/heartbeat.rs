//! `/heartbeat`: a reply that goes on as long as a stream. A browser says nothing to
//! a page whose `<img>` gets no pictures any more, so the page reads this beside it.

use std::sync::Arc;

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::viewer::Viewer;

/// Finds the viewer that has chosen `key`. The head is of a reply with a byte about
/// each second, which ends with the viewer's stream.
///
/// # Errors
/// 404 where this process has no such viewer, as behind a balancer that has sent the
/// stream elsewhere; 503 where too many connections are open.
pub(in crate::http) fn open(
    context: &Context,
    request: &Request,
) -> Result<(Vec<u8>, Arc<Viewer>), Reply> {
    let key = request.query().text("key").filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Reply::bad_request("key: use that of a stream"))?;
    if !context.connections.has_room(context.config.limits.max_connections) {
        return Err(Reply::unavailable("too many connections to keep one more open"));
    }
    let Some(viewer) = context.viewers.find(&key) else {
        return Err(Reply::text(Code::NotFound, "no viewer of this server has that key"));
    };
    let head = context
        .head(Code::Ok)
        .with("Content-Type", "text/plain; charset=utf-8")
        .with("Cache-Control", "no-store, no-transform")
        .with("X-Accel-Buffering", "no");
    Ok((head.finish(), viewer))
}
