//! `/recordings`: the spans that were recorded without a gap, the gaps, and the
//! segments on disk, as JSON.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;

use crate::frame::since_epoch;
use crate::http::context::Context;
use crate::http::recorded::{recording, report};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::stretch;
use crate::recording::{Micros, SECOND, Segment, Span};

/// The reply. Serialized from structs, as a tree of JSON values would take some
/// megabytes for a recording with many gaps.
#[derive(Serialize)]
struct List {
    now: f64,
    recording: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Motion>,
    spans: Vec<Stretch>,
    gaps: Vec<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<File>>,
}

/// A span, or what a file holds.
#[derive(Serialize)]
struct Stretch {
    start: f64,
    end: f64,
    frames: u64,
    bytes: u64,
}

/// A motion, and from when to when its download is.
#[derive(Serialize)]
struct Motion {
    begin: f64,
    end: Option<f64>,
    from: f64,
    to: f64,
}

#[derive(Serialize)]
struct Gap {
    start: f64,
    end: f64,
}

#[derive(Serialize)]
struct File {
    name: String,
    #[serde(flatten)]
    holds: Stretch,
}

/// Lists what reaches into the period of the query.
///
/// # Errors
/// 400 for a period that cannot be, 404 where nothing can be recorded.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let recording = recording(&request.camera)?;
    let query = request.query();
    let now = SystemTime::now();
    let event = stretch::of_event(context, request)?;
    let (from, to) = match &event {
        Some(stretch) => (stretch.from, stretch.to),
        None => query.period()?.resolve(now)?,
    };
    let has_segments = query.is_on("segments");
    // Whatever touches the period, whole: a page draws spans that begin before its left
    // edge.
    let is_in = |start: Micros, end: Micros| end >= from && start <= to;
    let mut spans = recording.store().spans();
    // Before anything is made of them. A recording with many gaps has many thousands,
    // and a page asks for the newest one every few seconds.
    spans.retain(|span| is_in(span.start, span.end));
    // Gaps follow from the spans and are listed all the same, for scripts that look for
    // what is missing.
    let gap = |pair: &[Span]| Gap { start: seconds(pair[0].end), end: seconds(pair[1].start) };
    let list = List {
        now: since_epoch(now).as_secs_f64(),
        recording: report(recording),
        event: event.map(|stretch| Motion {
            begin: seconds(stretch.begin),
            end: stretch.end.map(seconds),
            from: seconds(stretch.from),
            to: seconds(stretch.to),
        }),
        gaps: spans.windows(2).map(gap).collect(),
        spans: spans.iter().map(|s| stretch((s.start, s.end), s.n_frames, s.n_bytes)).collect(),
        segments: has_segments.then(|| {
            let segments = recording.store().segments().0.into_iter();
            segments.filter(|segment| is_in(segment.start, segment.end)).map(file).collect()
        }),
    };
    context.send(request, &Reply::json(Code::Ok, &list));
    Ok(())
}

fn file(segment: Segment) -> File {
    let holds = stretch((segment.start, segment.end), segment.n_frames, segment.n_bytes);
    File { name: segment.name(), holds }
}

fn stretch((start, end): (Micros, Micros), frames: u64, bytes: u64) -> Stretch {
    Stretch { start: seconds(start), end: seconds(end), frames, bytes }
}

/// Exact to the microsecond: 53 bits hold them until the year 2255.
fn seconds(at: Micros) -> f64 {
    at as f64 / SECOND as f64
}
