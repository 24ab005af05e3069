//! `/snapshot`: one picture. Live, it was taken after the client asked, or is as
//! old as the client allows; with `at`, it is one of the recording.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::capture::Capture;
use crate::frame::{Frame, JPEG_TYPE, TIMESTAMP};
use crate::http::context::Context;
use crate::http::recorded::{nothing, recording};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::time::When;
use crate::recording::{SECOND, rfc3339};
use crate::slot::Newer;

/// OctoPrint gives up after 5 seconds, so the answer comes before.
const PATIENCE: Duration = Duration::from_secs(4);
/// Most frames of a step, which goes frame by frame.
const MAX_STEP: i64 = 1000;

/// # Errors
/// 503 and the cause where the camera gives no picture in time, 404 where none
/// was recorded, 400 for a value that cannot be.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    if let Some(at) = request.query().moment("at")? {
        return recorded(context, request, at);
    }
    // Milliseconds.
    let max_delay = request.query().number("max_delay", 0..=u32::MAX)?.unwrap_or(0);
    let max_delay = Duration::from_millis(max_delay.into());
    let frame = take(&request.camera.capture, request.asked, max_delay)?;
    send(context, request, frame.jpeg(), &frame.timestamp());
    Ok(())
}

/// Waits for a picture that was taken at most `max_delay` before `asked`.
///
/// # Errors
/// 503, and why there is none.
fn take(capture: &Capture, asked: Instant, max_delay: Duration) -> Result<Arc<Frame>, Reply> {
    let reader = capture.read();
    let oldest = asked.checked_sub(max_delay).unwrap_or(asked);
    let mut seen = 0;
    loop {
        let left = (asked + PATIENCE).saturating_duration_since(Instant::now());
        match reader.wait_newer(seen, left) {
            Newer::Frame { frame, .. } if frame.meta.is_status => {
                // The cause is gone if the camera came back at this moment.
                let cause = reader.cause().unwrap_or_else(|| "the camera was lost".into());
                return Err(Reply::unavailable(&format!("no picture: {cause}")));
            }
            Newer::Frame { frame, .. } if frame.meta.at.monotonic >= oldest => return Ok(frame),
            Newer::Frame { frame, .. } => seen = frame.meta.seq,
            Newer::Timeout => {
                let why = reader.cause().unwrap_or_else(|| {
                    format!("the camera gave no new one within {} s", PATIENCE.as_secs())
                });
                return Err(Reply::unavailable(&format!("no picture: {why}")));
            }
            Newer::Closed => {
                return Err(Reply::unavailable(
                    "no picture: the camera was removed, or the program stops",
                ));
            }
        }
    }
}

/// The picture that was the newest at that moment, or one that is `step` frames
/// before or behind it.
fn recorded(context: &Context, request: &Request, at: When) -> Result<(), Reply> {
    let step = request.query().number("step", -MAX_STEP..=MAX_STEP)?.unwrap_or(0);
    let recording = recording(&request.camera)?;
    let at = at.resolve(SystemTime::now());
    let none = || nothing(recording, &format!("at {}", rfc3339(at)));
    let mut cursor = recording.store().seek_shown(at).ok_or_else(none)?;
    cursor.step(step);
    let mut part = Vec::new();
    loop {
        let record = cursor.next().ok_or_else(none)?.record;
        // The next one stands in for a damaged one.
        if cursor.read(&record, &mut part) {
            let jpeg = record.jpeg(&part);
            let (seconds, micros) = (record.captured / SECOND, record.captured % SECOND);
            send(context, request, jpeg, &format!("{seconds}.{micros:06}"));
            return Ok(());
        }
    }
}

fn send(context: &Context, request: &Request, jpeg: &[u8], timestamp: &str) {
    let head = context
        .head(Code::Ok)
        .with("Content-Type", JPEG_TYPE)
        .with("Content-Length", &jpeg.len().to_string())
        .with(TIMESTAMP, timestamp)
        .never_stored();
    request.send(&head.finish(), jpeg);
}
