//! `/record/start` and `/record/stop`: the switch of recording.

use crate::http::context::Context;
use crate::http::recorded::{recording, report};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::recording::Recording;

/// # Errors
/// 404 where nothing can be recorded, 400 for motion where nobody looks for it.
pub(in crate::http) fn start(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let can_wait = switchable(request)?.config().on_motion.is_some();
    let asked = request.query().choice("on", &[("always", true), ("motion", false)])?;
    if asked == Some(false) && !can_wait {
        return Err(Reply::bad_request("on: for motion, start mjpegd with --record-on motion"));
    }
    switch(context, request, true, asked.unwrap_or(!can_wait))
}

/// # Errors
/// 404 where nothing can be recorded.
pub(in crate::http) fn stop(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let is_always = switchable(request)?.is_always();
    switch(context, request, false, is_always)
}

fn switchable(request: &Request) -> Result<&Recording, Reply> {
    let recording = recording(&request.camera)?;
    if recording.is_of_others() {
        let text = "this camera shows a recording that others write; switch it there";
        return Err(Reply::text(Code::NotFound, text));
    }
    Ok(recording)
}

fn switch(context: &Context, request: &Request, on: bool, is_always: bool) -> Result<(), Reply> {
    let recording = recording(&request.camera)?;
    recording.switch(on, is_always);
    context.send(request, &Reply::json(Code::Ok, &report(recording)));
    Ok(())
}
