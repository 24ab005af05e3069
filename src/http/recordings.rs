//! What was recorded, as lists: spans as JSON, frames as CSV, one picture; and
//! the switch.

use std::fmt::Write;
use std::io;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};
use tiny_http::Method;

use super::connection::Connection;
use super::reply::{Code, Head, Reply, TIMEOUT};
use super::times::{Period, When};
use crate::cameras::Camera;
use crate::frame::{JPEG_TYPE, TIMESTAMP, since_epoch};
use crate::recording::{Micros, Recording, SECOND, Segment, Span, rfc3339};

/// Rows that are sent at once.
const BATCH_BYTES: usize = 16 << 10;
/// A step goes frame by frame.
pub(super) const MAX_STEP: i64 = 1000;

/// A camera's recording.
///
/// # Errors
/// The reply where nothing is recorded.
pub(super) fn of(unit: &Camera) -> Result<&Recording, Reply> {
    unit.recording.as_ref().ok_or_else(|| {
        Reply::text(Code::NotFound, "nothing is recorded here; start mjpegd with --record DIR")
    })
}

/// The reply where a recording has nothing for a request.
pub(super) fn nothing(recording: &Recording, what: &str) -> Reply {
    let spans = recording.store().spans();
    let text = match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => format!(
            "nothing was recorded {what}; there is something from {} to {}, see /recordings",
            rfc3339(first.start),
            rfc3339(last.end)
        ),
        _ => "nothing was recorded yet".to_owned(),
    };
    Reply::text(Code::NotFound, &text)
}

/// Switches recording on or off, and tells how it goes.
pub(super) fn switch(recording: &Recording, on: bool) -> Reply {
    recording.switch(on);
    json_reply(&report(recording))
}

/// How it goes, for `/status` and `/recordings`. Times are Unix seconds.
pub(super) fn report(recording: &Recording) -> Value {
    let status = recording.status();
    let totals = recording.store().totals();
    let config = recording.config();
    json!({
        "on": recording.is_wanted(),
        "state": status.state.name(),
        "cause": status.cause,
        "since": since_epoch(status.since).as_secs_f64(),
        "fps": (status.fps * 1000.0).round() / 1000.0,
        "written": status.n_frames,
        "written_bytes": status.n_bytes,
        "skipped": status.n_skipped,
        "failures": status.n_failures,
        "frames": totals.n_frames,
        "segments": totals.n_segments,
        "bytes": totals.n_bytes,
        "max_bytes": config.max_bytes,
        "max_age_s": config.max_age.map(|age| age.as_secs_f64()),
    })
}

/// What `/recordings` tells. Written as it is: a tree of values of a recording
/// with many gaps would be some megabytes.
#[derive(Serialize)]
struct List {
    now: f64,
    recording: Value,
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

/// `/recordings`: spans without a gap, as far as they reach into a period, and
/// the gaps between them.
///
/// # Errors
/// The reply to a period that cannot be.
pub(super) fn list(
    recording: &Recording,
    period: Period,
    has_segments: bool,
) -> Result<Reply, Reply> {
    let now = SystemTime::now();
    let (from, to) = period.resolve(now)?;
    let is_in = |start: Micros, end: Micros| end >= from && start <= to;
    let mut spans = recording.store().spans();
    spans.retain(|span| is_in(span.start, span.end));
    let gap = |pair: &[Span]| Gap { start: seconds(pair[0].end), end: seconds(pair[1].start) };
    let list = List {
        now: since_epoch(now).as_secs_f64(),
        recording: report(recording),
        gaps: spans.windows(2).map(gap).collect(),
        spans: spans.iter().map(|s| stretch((s.start, s.end), s.n_frames, s.n_bytes)).collect(),
        segments: has_segments.then(|| {
            let segments = recording.store().segments().0.into_iter();
            segments.filter(|segment| is_in(segment.start, segment.end)).map(file).collect()
        }),
    };
    // Fails only for maps whose keys are no text.
    let text = serde_json::to_vec(&list).unwrap_or_default();
    Ok(Reply::new(Code::Ok, "application/json", text))
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

fn json_reply(value: &Value) -> Reply {
    Reply::new(Code::Ok, "application/json", value.to_string().into_bytes())
}

/// `/recordings/frames.csv`: a row a frame, made while it is sent.
///
/// # Errors
/// The reply where there is nothing to list.
pub(super) fn frames_csv(
    recording: &Recording,
    period: Period,
    client: &Connection,
    allow_origin: Option<&str>,
) -> Result<(), Reply> {
    let (from, to) = period.resolve(SystemTime::now())?;
    let mut cursor =
        recording.store().seek(from).ok_or_else(|| nothing(recording, "in this time"))?;
    let mut entry = cursor.next().filter(|entry| entry.record.captured <= to);
    if entry.is_none() {
        return Err(nothing(recording, "in this time"));
    }
    let mut rows = Head::new(Code::Ok, allow_origin)
        .with("Content-Type", "text/csv; charset=utf-8; header=present")
        .with("Cache-Control", "no-store")
        .finish();
    let mut text = String::from("time,seq,jpeg_bytes,segment,offset,gap\r\n");
    let is_head = *client.method() == Method::Head;
    let (mut name, mut named) = (String::new(), None);
    let mut send = |text: &mut String| -> io::Result<()> {
        rows.extend_from_slice(text.as_bytes());
        text.clear();
        client.write(&std::mem::take(&mut rows), &[], TIMEOUT)
    };
    if is_head {
        text.clear();
        entry = None;
    }
    while let Some(found) = entry {
        let record = found.record;
        if named != Some(found.segment) {
            name = cursor.segment_name().unwrap_or_default();
            named = Some(found.segment);
        }
        let _ = write!(
            text,
            "{},{},{},{name},{},{}\r\n",
            rfc3339(record.captured),
            record.seq,
            record.n_jpeg(),
            record.offset,
            u8::from(found.is_after_gap)
        );
        if text.len() >= BATCH_BYTES && send(&mut text).is_err() {
            return Ok(());
        }
        entry = cursor.next().filter(|entry| entry.record.captured <= to);
    }
    if let Err(e) = send(&mut text) {
        log::debug!("{}: list not taken: {e}", client.peer());
    }
    Ok(())
}

/// `/snapshot?at=`: the picture that was the newest then, or one so many
/// frames before or behind it.
///
/// # Errors
/// The reply where there was none.
pub(super) fn picture(
    recording: &Recording,
    (at, step): (When, i64),
    client: &Connection,
    allow_origin: Option<&str>,
) -> Result<(), Reply> {
    let at = at.resolve(SystemTime::now());
    let none = || nothing(recording, &format!("at {}", rfc3339(at)));
    let mut cursor = recording.store().seek_shown(at).ok_or_else(none)?;
    cursor.step(step);
    let mut part = Vec::new();
    loop {
        let record = cursor.next().ok_or_else(none)?.record;
        // A damaged one is passed over.
        if cursor.read(&record, &mut part) {
            let jpeg = record.jpeg(&part);
            let t = (record.captured / SECOND, record.captured % SECOND);
            let head = Head::new(Code::Ok, allow_origin)
                .with("Content-Type", JPEG_TYPE)
                .with("Content-Length", &jpeg.len().to_string())
                .with(TIMESTAMP, &format!("{}.{:06}", t.0, t.1))
                .never_stored()
                .finish();
            let body = if *client.method() == Method::Head { &[][..] } else { jpeg };
            if let Err(e) = client.write(&head, body, TIMEOUT) {
                log::debug!("{}: picture not taken: {e}", client.peer());
            }
            return Ok(());
        }
    }
}
