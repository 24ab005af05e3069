//! `/healthz`: that the program answers; with `cameras=1` whether its cameras do.
//! It needs no login.

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// # Errors
/// With `cameras=1`: 503 and the causes while a camera is lost.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    if request.query().is_on("cameras") {
        let lost = context.cameras.lost();
        let causes: Vec<_> =
            lost.iter().map(|(name, cause)| format!("camera {name} is lost: {cause}")).collect();
        if !causes.is_empty() {
            // In one line, as the log repeats the text of a 503.
            return Err(Reply::unavailable(&causes.join("; ")));
        }
    }
    context.send(request, &Reply::text(Code::Ok, "ok"));
    Ok(())
}
