//! `/events`: what happened, as JSON, from memory and from disk.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::events::Filter;
use crate::frame::since_epoch;
use crate::http::context::Context;
use crate::http::event_filter;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

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
    let lines: Vec<_> = found.into_values().skip(n_left_out).collect();
    let text = format!(
        "{{\"now\":{},\"more\":{},\"events\":[{}]}}",
        since_epoch(now).as_secs_f64(),
        n_left_out > 0,
        lines.join(",\n")
    );
    context.send(request, &Reply::new(Code::Ok, "application/json", text.into_bytes()));
    Ok(())
}

/// The newest events that pass, by number. Some are both in memory and on disk.
fn find(context: &Context, filter: &Filter, n_most: usize) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let is_wanted = |name: &str| filter.camera.as_ref().is_none_or(|wanted| wanted == name);
    let all = context.cameras.all();
    for recording in
        all.iter().filter(|c| is_wanted(&c.name)).filter_map(|camera| camera.recording.as_ref())
    {
        let events = recording.journal().read(filter, n_most);
        found.extend(events.into_iter().map(|event| (event.id, event.json)));
    }
    let recent = context.cameras.events().recent(filter);
    found.extend(recent.into_iter().map(|event| (event.id, event.json.clone())));
    while found.len() > n_most {
        found.pop_first();
    }
    found
}
