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
        let lines: Vec<_> =
            lost.iter().map(|(name, cause)| format!("camera {name} is lost: {cause}")).collect();
        if !lines.is_empty() {
            return Err(Reply::unavailable(&lines.join("\n")));
        }
    }
    context.send(request, &Reply::text(Code::Ok, "ok"));
    Ok(())
}
