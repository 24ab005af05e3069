//! `/output.json`: the controls of mjpg-streamer's HTTP output, which has none.

use serde_json::json;

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    context.send(request, &Reply::json(Code::Ok, &json!({ "controls": [] })));
    Ok(())
}
