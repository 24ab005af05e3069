//! A recording to one viewer, at the pace at which it was taken times a speed;
//! then live, when it has caught up.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use super::options::{Play, StreamOptions};
use super::{CHECK_EVERY, REPEAT_AFTER};
use crate::cameras::Camera;
use crate::frame::{
    DELIMITER, HEADERS_END, LINE_END, NEXT_PART, PART_START, UP_TO_TIMESTAMP, holds_delimiter,
};
use crate::http::recorded::{nothing, recording, timestamp};
use crate::http::reply::Reply;
use crate::http::time::Period;
use crate::http::transport::StreamSocket;
use crate::http::viewer::Layout;
use crate::http::viewers::Seat;
use crate::rate::Pace;
use crate::recording::{Cursor, IndexRecord, Micros, StoredFrame};
use crate::shutdown::Shutdown;
use crate::variants::Past;

/// A frame that is later than this is skipped, as a live one would be.
const LATE: Duration = Duration::from_millis(150);
/// Most pictures a second when a recording is played faster than it was taken.
/// More cannot be seen, and would take bandwidth from the live viewers.
const FAST_FPS: f64 = 30.0;

/// Where a viewer begins in a recording.
pub(super) struct Found {
    cursor: Cursor,
    first: StoredFrame,
    /// The last moment to show; `None`: go on with what is recorded later.
    to: Option<Micros>,
}

/// Finds the first frame to show.
///
/// # Errors
/// The reply where there is none.
pub(super) fn find(camera: &Camera, play: &Play) -> Result<Found, Reply> {
    let recording = recording(camera)?;
    let period = Period { from: Some(play.from), to: play.to };
    let (from, to) = period.resolve(SystemTime::now())?;
    // Without `to` there is no last moment: the playback goes on with what is recorded
    // meanwhile.
    let to = play.to.map(|_| to);
    let mut cursor =
        recording.store().seek(from).ok_or_else(|| nothing(recording, "from then on"))?;
    let first = cursor.next().filter(|first| to.is_none_or(|to| first.record.captured <= to));
    let first = first.ok_or_else(|| nothing(recording, "in this time"))?;
    Ok(Found { cursor, first, to })
}

/// What one viewer of a recording needs.
pub(super) struct Playback<'a> {
    pub(super) socket: &'a StreamSocket,
    pub(super) options: &'a StreamOptions,
    pub(super) seat: &'a Seat,
    pub(super) write_timeout: Duration,
    pub(super) stop: &'a Shutdown,
}

/// How a playback ended.
pub(super) enum End {
    /// All was shown, or the program stops.
    Over,
    /// It has caught up: the last frame was taken then.
    Live(Micros),
}

impl Playback<'_> {
    /// Serves the viewer up to the end of what it asked for, or of what is
    /// recorded.
    ///
    /// # Errors
    /// Why the viewer could not be written to.
    pub(super) fn run(&self, found: Found, mut change: Option<&mut Past>) -> io::Result<End> {
        let Found { mut cursor, first, to } = found;
        let mut clock =
            Clock::new(self.options.play.map_or(1.0, |play| play.speed), self.options.fps);
        let (mut entry, mut part, mut n_head, mut n_skipped) = (first, Vec::new(), 0, 0);
        loop {
            let captured = entry.record.captured;
            let due = clock.due(captured, entry.is_after_gap, Instant::now());
            // What the viewer did not want is not counted as skipped: at a high speed
            // that is most frames.
            if clock.is_wanted(due) && clock.is_late(due, Instant::now()) {
                n_skipped += 1;
            } else if clock.is_wanted(due) {
                if self.wait(due, &part, n_head)? {
                    return Ok(End::Over);
                }
                if cursor.read(&entry.record, &mut part)
                    && let Some(n) = changed(&mut part, &entry.record, change.as_deref_mut())
                {
                    n_head = n;
                    let n_bytes = self.write(&part, n_head)?;
                    self.seat.viewer.played(n_bytes, std::mem::take(&mut n_skipped));
                    clock.sent(due);
                } else {
                    // It may hold half of a damaged frame now, which must not be sent
                    // again.
                    part.clear();
                }
            }
            entry = match cursor.next() {
                Some(next) if to.is_none_or(|to| next.record.captured <= to) => next,
                // Caught up with the recorder. The time says which frame was shown
                // last, as the slot may still hold the same one.
                None if to.is_none() => return Ok(End::Live(captured)),
                _ => return Ok(End::Over),
            };
        }
    }

    /// Waits until a frame is due. A viewer that waits long gets the last one
    /// again. `true`: the program stops.
    fn wait(&self, due: Instant, part: &[u8], n_head: usize) -> io::Result<bool> {
        let mut repeat_at = Instant::now() + REPEAT_AFTER;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(self.stop.is_ordered());
            }
            if self.stop.wait_for(left.min(CHECK_EVERY)) {
                return Ok(true);
            }
            // A viewer that has left during a long pause would keep its seat until the
            // next write.
            self.socket.check_peer()?;
            if !part.is_empty() && Instant::now() >= repeat_at {
                self.seat.viewer.repeated(self.write(part, n_head)?);
                repeat_at = Instant::now() + REPEAT_AFTER;
            }
        }
    }

    /// Writes a part as it is on disk, from its delimiter to the end of line
    /// behind its JPEG, and returns how many bytes: 0 for a picture that this
    /// layout cannot carry.
    fn write(&self, part: &[u8], n_head: usize) -> io::Result<usize> {
        let (body, behind) = match self.options.info.layout {
            // ffmpeg splits a part without a length there.
            Layout::Advance if holds_delimiter(&part[n_head..]) => return Ok(0),
            Layout::Advance => (&part[n_head..], NEXT_PART),
            Layout::Full => (&part[DELIMITER.len()..], DELIMITER),
        };
        self.socket.write(body, behind, self.write_timeout)?;
        Ok(body.len() + behind.len())
    }
}

/// Changes the picture in a part, if that is wished. Returns the length of the part's
/// head, or `None` for a damaged picture.
#[inline(never)]
fn changed(part: &mut Vec<u8>, record: &IndexRecord, change: Option<&mut Past>) -> Option<usize> {
    let Some(change) = change else { return Some(usize::from(record.n_head)) };
    let mut jpeg = Vec::new();
    if !change.change(record.jpeg(part), &mut jpeg) {
        return None;
    }
    let timestamp = timestamp(record.captured);
    let head =
        format!("{PART_START}{}{UP_TO_TIMESTAMP}{timestamp}{HEADERS_END}", jpeg.len()).into_bytes();
    part.clear();
    [&*head, &jpeg, LINE_END].iter().for_each(|bytes| part.extend_from_slice(bytes));
    Some(head.len())
}

/// When each frame is due at a viewer.
struct Clock {
    speed: f64,
    /// A frame's time in the recording and at the viewer.
    origin: Option<(Micros, Instant)>,
    last: Micros,
    /// From the last frame to this one, at the viewer.
    interval: Duration,
    pace: Pace,
    /// How much too early a frame may be for the pace.
    tolerance: Duration,
}

impl Clock {
    fn new(speed: f64, fps: Option<f64>) -> Self {
        let fps = fps.or((speed > 1.0).then_some(FAST_FPS));
        Self {
            speed,
            origin: None,
            last: 0,
            interval: Duration::ZERO,
            pace: Pace::new(fps),
            tolerance: Duration::from_secs_f64(fps.map_or(0.0, |fps| 0.25 / fps)),
        }
    }

    /// When the frame that was taken then is due. Gaps take no time.
    fn due(&mut self, captured: Micros, is_after_gap: bool, now: Instant) -> Instant {
        let origin = self.origin.filter(|(first, _)| !is_after_gap && captured >= *first);
        let (first, begun) = *self.origin.insert(origin.unwrap_or((captured, now)));
        let since =
            |then: Micros| Duration::from_micros(captured.saturating_sub(then)).div_f64(self.speed);
        self.interval = if origin.is_some() { since(self.last) } else { Duration::ZERO };
        self.last = captured;
        begun + since(first)
    }

    /// Whether the viewer wants a frame at that moment.
    fn is_wanted(&self, due: Instant) -> bool {
        self.pace.wait(due).is_none_or(|early| early <= self.tolerance)
    }

    /// Whether others are due already. The only one for a while is not late.
    fn is_late(&self, due: Instant, now: Instant) -> bool {
        now.saturating_duration_since(due) > LATE.max(self.interval)
    }

    fn sent(&mut self, due: Instant) {
        self.pace.sent(due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::SECOND;

    const FRAME: Micros = SECOND / 30;

    /// Which of `n` frames are sent, and when the last one is.
    fn sent(speed: f64, fps: Option<f64>, n: u64) -> (Vec<u64>, Duration) {
        let start = Instant::now();
        let mut clock = Clock::new(speed, fps);
        let mut places = Vec::new();
        let mut last = start;
        for i in 0..n {
            // Cameras are not exact.
            let due = clock.due(SECOND + i * FRAME + i * 7919 % 3000, false, start);
            if clock.is_wanted(due) {
                places.push(i);
                clock.sent(due);
                last = due;
            }
        }
        (places, last - start)
    }

    #[test]
    fn at_the_pace_of_the_camera_every_frame_is_sent() {
        let (places, took) = sent(1.0, None, 300);
        assert_eq!(places.len(), 300);
        assert!((9.8..10.1).contains(&took.as_secs_f64()), "{took:?}");
        assert_eq!(sent(0.5, None, 300).0.len(), 300);
        assert_eq!(sent(1.0, Some(30.0), 300).0.len(), 300);
    }

    #[test]
    fn fast_and_limited_viewers_get_a_choice_of_frames() {
        for (speed, fps, due) in [(4.0, None, 75), (1.0, Some(10.0), 100), (2.0, Some(5.0), 25)] {
            let n = sent(speed, fps, 300).0.len();
            assert!(n.abs_diff(due) <= due / 10, "{n} at {speed}, {fps:?}");
        }
    }

    #[test]
    fn gaps_take_no_time_and_what_is_late_is_left_out() {
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        let mut clock = Clock::new(2.0, None);
        assert_eq!(clock.due(SECOND, false, start), start);
        assert_eq!(clock.due(2 * SECOND, false, ms(1)), ms(500));
        assert_eq!(clock.due(900 * SECOND, true, ms(510)), ms(510));
        assert_eq!(clock.due(901 * SECOND, false, ms(520)), ms(1010));
        // The clock was set back, in the middle of a segment that lies.
        assert_eq!(clock.due(5 * SECOND, false, ms(1020)), ms(1020));
        clock.due(5 * SECOND + FRAME, false, ms(1020));
        assert!(!clock.is_late(ms(0), ms(150)));
        assert!(clock.is_late(ms(0), ms(151)));
        clock.due(9 * SECOND, false, ms(1020));
        assert!(!clock.is_late(ms(0), ms(1500)));
    }
}
