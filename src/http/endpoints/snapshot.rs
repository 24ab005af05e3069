//! `/snapshot`: one picture. Live, it was taken after the client asked, or is as
//! old as the client allows, or is the newest where no newer one can come in
//! time; with `at`, it is one of the recording.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::capture::Reader;
use crate::config::LostSnapshot;
use crate::frame::{AGE, Frame, INSTANCE, LOST, STATUS, TIMESTAMP};
use crate::http::context::Context;
use crate::http::recorded::{self, recording};
use crate::http::reply::{IMMUTABLE, Reply};
use crate::http::request::Request;
use crate::http::time::When;
use crate::http::ustreamer::monotonic;
use crate::http::variant;
use crate::instance;
use crate::jpeg::status_cause;
use crate::recording::{Micros, SECOND, micros};
use crate::slot::Newer;

/// How long a new picture is waited for where an older one could be sent:
/// OctoPrint gives up after 5 seconds, so the answer comes before.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long where there is none at all: a camera that is woken by this request
/// may need longer than OctoPrint waits. A client that gives up earlier loses
/// nothing by it, and Home Assistant waits 10 seconds.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(9);
/// A picture is late by this much before it counts as not coming.
const JITTER: Duration = Duration::from_millis(500);
/// Letters of a cause in a header; the text has all of it.
const MAX_CAUSE: usize = 300;
/// A moment this long ago has the picture that it will always have. A recorder that is
/// behind is so by seconds.
const SETTLED: Micros = 60 * SECOND;
/// Most frames of a step, which goes frame by frame.
const MAX_STEP: i64 = 1000;

/// # Errors
/// 503 and the cause where the camera gives no picture in time, 404 where none
/// was recorded, 400 for a value that cannot be.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    if let Some(at) = request.query().moment("at")? {
        return answer_recorded(context, request, at);
    }
    // Milliseconds.
    let max_delay = request.query().number("max_delay", 0..=u32::MAX)?.unwrap_or(0);
    let max_delay = Duration::from_millis(max_delay.into());
    let may_be_large = request.query().number("full", 0..=1)? != Some(0);
    let lost = context.config.lost_snapshot;
    let wish = request.query().wish()?;
    let may_be_large = may_be_large && wish.is_none();
    // The place is held until the picture is there, so that nobody else gets it.
    let place = variant::enter(&request.camera, wish)?;
    let reader = variant::read(&request.camera, place.as_ref());
    let frame = take(&reader, (request.asked, max_delay), may_be_large, lost)?;
    drop((reader, place));
    let age = frame.meta.at.monotonic.elapsed().as_millis().to_string();
    let (timestamp, own) = (frame.timestamp(), instance::text(&request.camera.name));
    let mut headers = vec![(TIMESTAMP, timestamp), (AGE, age), (INSTANCE, own)];
    if let Some(cause) = frame.meta.is_status.then(|| status_cause(frame.jpeg())).flatten() {
        headers.push((STATUS, status(&cause)));
    }
    headers.extend(of_ustreamer(&frame));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let caching = caching(max_delay, frame.meta.at.monotonic.elapsed(), frame.meta.is_status);
    context.send_picture(request, frame.jpeg(), caching.as_deref(), &headers);
    Ok(())
}

/// For how long a cache may send a picture of this age to clients that accept one of
/// `max_delay`. Whole seconds, as Cache-Control has them.
fn caching(max_delay: Duration, age: Duration, is_status: bool) -> Option<String> {
    let seconds = max_delay.saturating_sub(age).as_secs();
    (seconds > 0 && !is_status).then(|| format!("max-age={seconds}, no-transform"))
}

/// uStreamer's headers, those that have a meaning here, of its versions 4 and 6.
/// Driver and program have one time for a picture, so that it begins and ends
/// there.
fn of_ustreamer(frame: &Frame) -> [(&'static str, String); 7] {
    let grabbed = monotonic(frame.meta.at.monotonic);
    [
        ("X-UStreamer-Online", (!frame.meta.is_status).to_string()),
        ("X-UStreamer-Width", frame.meta.width.to_string()),
        ("X-UStreamer-Height", frame.meta.height.to_string()),
        ("X-UStreamer-Grab-Timestamp", grabbed.clone()),
        ("X-UStreamer-Grab-Begin-Timestamp", grabbed.clone()),
        ("X-UStreamer-Grab-End-Timestamp", grabbed),
        ("X-UStreamer-Send-Timestamp", monotonic(Instant::now())),
    ]
}

/// Waits for a picture that was taken at most `max_delay` before `asked`. If none
/// can come in time, it is the newest that there is. One of `--snapshot-resolution`
/// goes before one of the stream.
///
/// # Errors
/// 503, and why there is none.
fn take(
    reader: &Reader,
    (asked, max_delay): (Instant, Duration),
    may_be_large: bool,
    of_lost: LostSnapshot,
) -> Result<Arc<Frame>, Reply> {
    let oldest = asked.checked_sub(max_delay).unwrap_or(asked);
    let large = || reader.still(oldest, asked + PATIENCE);
    if let Some(frame) = may_be_large.then(large).flatten() {
        return Ok(frame);
    }
    // The newest that is too old.
    let mut held: Option<Arc<Frame>> = None;
    loop {
        let until = asked + patience(held.as_deref(), reader.interval(), asked);
        let left = until.saturating_duration_since(Instant::now());
        let seen = held.as_ref().map_or(0, |frame| frame.meta.seq);
        match reader.wait_newer(seen, left) {
            Newer::Frame { frame, .. }
                if frame.meta.is_status && of_lost == LostSnapshot::Picture =>
            {
                return Ok(frame);
            }
            Newer::Frame { frame, .. } if frame.meta.is_status => {
                // The cause is gone if the camera came back at this moment, and a variant is
                // not lost itself.
                let cause = reader.cause().or_else(|| status_cause(frame.jpeg()));
                let cause = cause.unwrap_or_else(|| "the camera was lost".into());
                return Err(lost(&cause));
            }
            Newer::Frame { frame, .. } if frame.meta.at.monotonic >= oldest => return Ok(frame),
            Newer::Frame { frame, .. } => held = Some(frame),
            Newer::Timeout => {
                return match (held, reader.cause()) {
                    (_, Some(cause)) => Err(lost(&cause)),
                    (Some(frame), None) => Ok(frame),
                    (None, None) => Err(Reply::unavailable(&format!(
                        "no picture: the camera gave none within {} s",
                        PATIENCE_WITHOUT.as_secs()
                    ))),
                };
            }
            Newer::Closed => {
                return Err(Reply::unavailable(
                    "no picture: the camera was removed, or the program stops",
                ));
            }
        }
    }
}

/// 503 with the cause, once for people and once for a daemon that relays this.
fn lost(cause: &str) -> Reply {
    Reply::unavailable(&format!("no picture: {cause}")).with(STATUS, status(cause))
}

/// A cause as a header has it.
fn status(cause: &str) -> String {
    // A cause may hold what another server or a command said.
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let plain: String =
        cause.chars().take(MAX_CAUSE).map(|c| if is_plain(c) { c } else { '?' }).collect();
    format!("{LOST}{plain}")
}

/// How long after `asked` a newer picture than `held` is waited for: not at all
/// where the next one is due too late anyway.
fn patience(held: Option<&Frame>, interval: Option<Duration>, asked: Instant) -> Duration {
    let Some(held) = held else { return PATIENCE_WITHOUT };
    let due = interval.and_then(|interval| held.meta.at.monotonic.checked_add(interval));
    match due {
        Some(due) if due > asked + PATIENCE => Duration::ZERO,
        // One that is overdue comes when it comes.
        Some(due) if due + JITTER > asked => (due + JITTER - asked).min(PATIENCE),
        _ => PATIENCE,
    }
}

/// The picture that was the newest at that moment, or one that is `step` frames
/// before or behind it.
fn answer_recorded(context: &Context, request: &Request, at: When) -> Result<(), Reply> {
    let step = request.query().number("step", -MAX_STEP..=MAX_STEP)?.unwrap_or(0);
    let (recording, now) = (recording(&request.camera)?, SystemTime::now());
    let wish = request.query().wish()?;
    let moment = at.resolve(now);
    let picture = recorded::picture(recording, moment, step)?;
    let changed = match wish {
        Some(wish) => Some(variant::change_once(&request.camera, wish, picture.jpeg())?),
        None => None,
    };
    let jpeg = changed.as_deref().unwrap_or(picture.jpeg());
    let timestamp = picture.timestamp();
    // Not where a picture could still come that is newer at that moment, or that is as
    // many steps behind it as were asked for.
    let is_settled = moment + SETTLED <= micros(now) && picture.is_finished(recording);
    if !matches!(at, When::At(_)) || step > 0 || !is_settled {
        context.send_picture(request, jpeg, None, &[(TIMESTAMP, &timestamp)]);
        return Ok(());
    }
    let tag = format!("\"{timestamp}-{}\"", jpeg.len());
    if request.has(&tag) {
        context.send_not_modified(request, &tag, IMMUTABLE);
    } else {
        let headers = [(TIMESTAMP, &*timestamp), ("ETag", &tag)];
        context.send_picture(request, jpeg, Some(IMMUTABLE), &headers);
    }
    Ok(())
}
