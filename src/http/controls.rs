//! The camera's controls: what there are, and new values for them.

use serde_json::{Map, Value, json};
use tiny_http::Method;

use super::change;
use super::connection::Connection;
use super::reply::{Code, Reply};

/// Answers GET with all controls, POST with what became of each.
pub(super) fn reply(client: &mut Connection) -> Reply {
    if *client.method() != Method::Post {
        return Reply::new(
            Code::Ok,
            "application/json",
            json!({"controls": []}).to_string().into_bytes(),
        );
    }
    match change::body(client).and_then(|body| parse(&body)) {
        Ok(_) => Reply::text(Code::NotFound, "this camera has no controls"),
        Err(reply) => reply,
    }
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    serde_json::from_slice(body).map_err(|e| {
        let right = "send names and values, such as {\"brightness\": 40}";
        Reply::text(Code::BadRequest, &format!("{right}: {e}"))
    })
}
