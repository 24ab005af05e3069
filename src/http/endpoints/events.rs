//! `/events`: what happened, as JSON, from memory and from disk.

use std::time::SystemTime;

use crate::events::{Event, Filter, Kind};
use crate::frame::since_epoch;
use crate::http::context::Context;
use crate::http::event_filter;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::stretch::find;

/// How many events a reply has, unless it is asked for fewer or more, and at most.
const N_USUAL: usize = 1000;
const N_MOST: usize = 10_000;

/// # Errors
/// 400 for a value that cannot be.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let (query, now) = (request.query(), SystemTime::now());
    let (from, to) = query.period()?.resolve(now)?;
    let n_most = query.number("limit", 1..=N_MOST)?.unwrap_or(N_USUAL);
    let filter = Filter { from, to, ..event_filter::filter(request)? };
    let found = find(context, &filter, n_most + 1);
    let n_left_out = found.len().saturating_sub(n_most);
    // Put together and not serialized: each event is a text of JSON already.
    let lines = found.into_values().skip(n_left_out);
    let lines: Vec<_> = lines.map(|line| with_link(context, request, line)).collect();
    let text = format!(
        "{{\"now\":{},\"more\":{},\"events\":[{}]}}",
        since_epoch(now).as_secs_f64(),
        n_left_out > 0,
        lines.join(",\n")
    );
    context.send(request, &Reply::new(Code::Ok, "application/json", text.into_bytes()));
    Ok(())
}

/// The line of an event. That of a motion also says where its stretch of the recording is.
fn with_link(context: &Context, request: &Request, line: String) -> String {
    let event = Event::parse(&line)
        .filter(|event| matches!(event.kind, Kind::MotionBegin | Kind::MotionEnd));
    let Some(event) = event else { return line };
    if context.cameras.find(&event.camera).is_none_or(|camera| camera.recording.is_none()) {
        return line;
    }
    // Relative to this address.
    let folder = if request.is_named { String::new() } else { event.camera + "/" };
    let whole = line.strip_suffix('}').unwrap_or(&line);
    format!("{whole},\"download\":\"{folder}download?event={}\"}}", event.id)
}
