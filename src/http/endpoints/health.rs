//! `/healthz`: that the program answers; with `cameras=1` whether its cameras do.
//! It needs no login.

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// With `cameras=1` it is 503 and the causes while a camera is lost.
///
/// # Errors
/// None.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let lost = request.query().is_on("cameras").then(|| context.why_lost()).flatten();
    let reply = lost.unwrap_or_else(|| Reply::text(Code::Ok, "ok"));
    // Of no camera, as the log would name the first one, whichever is lost.
    context.write(&request.connection, None, &reply);
    Ok(())
}
