//! `/record/start` and `/record/stop`: the switch of recording.

use crate::http::context::Context;
use crate::http::recorded::{recording, report};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// # Errors
/// 404 where nothing can be recorded.
pub(in crate::http) fn start(context: &Context, request: &mut Request) -> Result<(), Reply> {
    switch(context, request, true)
}

/// # Errors
/// As [`start`].
pub(in crate::http) fn stop(context: &Context, request: &mut Request) -> Result<(), Reply> {
    switch(context, request, false)
}

fn switch(context: &Context, request: &Request, on: bool) -> Result<(), Reply> {
    let recording = recording(&request.camera)?;
    if recording.is_of_others() {
        let text = "this camera shows a recording that others write; switch it there";
        return Err(Reply::text(Code::NotFound, text));
    }
    recording.switch(on);
    context.send(request, &Reply::json(Code::Ok, &report(recording)));
    Ok(())
}
