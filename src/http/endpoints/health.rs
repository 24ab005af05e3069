//! `/healthz`: that the program answers. It needs no login.

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    context.send(request, &Reply::text(Code::Ok, "ok"));
    Ok(())
}
