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
    if request.query().is_on("cameras") {
        let lost = context.cameras.lost();
        let causes: Vec<_> =
            lost.iter().map(|(name, cause)| format!("camera {name} is lost: {cause}")).collect();
        if !causes.is_empty() {
            // In one line, as the log repeats the text of a 503.
            let reply = Reply::unavailable(&causes.join("; "));
            // Sent here, as the log would name the first camera, whichever is lost.
            context.write(&request.connection, None, &reply);
            return Ok(());
        }
    }
    context.send(request, &Reply::text(Code::Ok, "ok"));
    Ok(())
}
