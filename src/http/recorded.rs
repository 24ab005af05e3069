//! What several addresses say of a camera's recording.

use serde_json::{Value, json};

use super::reply::{Code, Reply};
use crate::cameras::Camera;
use crate::frame::since_epoch;
use crate::recording::{Handover, Micros, Recording, SECOND, StoredFrame, rfc3339};

/// A recorded picture.
pub(super) struct Picture {
    frame: StoredFrame,
    /// Its bytes on disk.
    part: Vec<u8>,
}

impl Picture {
    pub(super) fn jpeg(&self) -> &[u8] {
        self.frame.record.jpeg(&self.part)
    }

    /// Whether its segment will never change.
    pub(super) fn is_finished(&self, recording: &Recording) -> bool {
        recording.store().is_finished(self.frame.segment)
    }

    /// As in X-Timestamp.
    pub(super) fn timestamp(&self) -> String {
        timestamp(self.frame.record.captured)
    }
}

/// A time as in X-Timestamp.
pub(super) fn timestamp(at: Micros) -> String {
    format!("{}.{:06}", at / SECOND, at % SECOND)
}

/// The picture that was the newest at that moment, or one that is `step` frames
/// before or behind it. The next one stands in for a damaged one.
///
/// # Errors
/// 404 where none was recorded.
pub(super) fn picture(recording: &Recording, at: Micros, step: i64) -> Result<Picture, Reply> {
    let none = || nothing(recording, &format!("at {}", rfc3339(at)));
    let mut cursor = recording.store().seek_shown(at).ok_or_else(none)?;
    cursor.step(step);
    let mut part = Vec::new();
    loop {
        let frame = cursor.next().ok_or_else(none)?;
        if cursor.read(&frame.record, &mut part) {
            return Ok(Picture { frame, part });
        }
    }
}

/// A camera's recording.
///
/// # Errors
/// 404 where nothing is recorded.
pub(super) fn recording(camera: &Camera) -> Result<&Recording, Reply> {
    camera.recording.as_ref().ok_or_else(|| {
        Reply::text(Code::NotFound, "nothing is recorded here; start mjpegd with --record DIR")
    })
}

/// 404: a recording has nothing for a request, and from when to when it has.
pub(super) fn nothing(recording: &Recording, what: &str) -> Reply {
    // Said in the same reply: whoever asks for a moment before the first one would try
    // others in turn.
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

/// How recording goes. Times are Unix seconds.
pub(super) fn report(recording: &Recording) -> Value {
    let status = recording.status();
    // From the store and not from the recorder, as it includes what earlier starts of
    // the program recorded.
    let totals = recording.store().totals();
    let config = recording.config();
    json!({
        "on": recording.is_wanted(),
        "mode": if recording.is_always() { "always" } else { "motion" },
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
        "events_lost": recording.journal().n_lost(),
        "on_segment": recording.handover().map(|handover| on_segment(recording, &handover)),
    })
}

/// How far the segments were handed over.
fn on_segment(recording: &Recording, handover: &Handover) -> Value {
    let waiting = recording.store().waiting();
    json!({
        "done": handover.n_done,
        "waiting": waiting.n_segments,
        "waiting_bytes": waiting.n_bytes,
        "lost": waiting.n_lost,
        "failures": handover.n_failures,
        "cause": handover.cause,
    })
}
