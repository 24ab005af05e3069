//! A driver whose device is another camera's slot.

use std::time::Duration;

use super::changer::Changer;
use super::cost::Outcome;
use crate::camera::{Driver, Error};
use crate::capture::Reader;
use crate::frame::{Frame, FrameBuf, Timestamp};
use crate::jpeg;
use crate::mode::Mode;
use crate::shutdown::Shutdown;
use crate::slot::Newer;

/// The longest wait for a picture, since capture looks between two waits whether
/// pictures are still wanted.
const SLICE: Duration = Duration::from_millis(100);

/// A camera's pictures, changed.
pub(super) struct SlotDriver {
    source: Reader,
    changer: Changer,
    label: String,
    /// The sequence numbers of the last picture that was changed, and of the last one
    /// that came while nobody wanted any.
    last: u64,
    passed_over: u64,
    n_stale: u64,
    /// Why a picture was passed on as it is, which is logged once.
    logged: Option<&'static str>,
}

impl SlotDriver {
    pub(super) fn new(source: Reader, changer: Changer, label: String) -> Self {
        // The picture of this moment is as old as if nobody had wanted it.
        let passed_over = match source.wait_newer(0, Duration::ZERO) {
            Newer::Frame { frame, .. } => frame.meta.seq,
            Newer::Timeout | Newer::Closed => 0,
        };
        // A busy machine serves those first who watch the camera itself. An error
        // changes nothing but that.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        Self { source, changer, label, last: 0, passed_over, n_stale: 0, logged: None }
    }

    /// The next picture to change. A snapshot wants one that is newer than its request,
    /// so an older one is taken only where none comes soon.
    fn wait(&mut self, stop: &Shutdown) -> Result<std::sync::Arc<Frame>, Error> {
        let seen = self.last.max(self.passed_over);
        match self.source.wait_newer_served(seen, SLICE) {
            Newer::Frame { frame, skipped, .. } => {
                self.n_stale += skipped;
                Ok(frame)
            }
            Newer::Timeout => match self.source.wait_newer(self.last, Duration::ZERO) {
                Newer::Frame { frame, .. } => Ok(frame),
                Newer::Timeout | Newer::Closed => Err(Error::NotYet),
            },
            Newer::Closed => Err(closed(stop)),
        }
    }

    fn tell(&mut self, why: &'static str) {
        if self.logged != Some(why) {
            self.logged = Some(why);
            log::info!("{}: pictures are passed on as they are: {why}", self.label);
        }
    }
}

/// How much less a variant's thread counts than others on a busy processor.
const NICENESS: i32 = 5;

/// The camera was removed, or the program stops: then this variant is stopped too, in
/// a moment.
fn closed(stop: &Shutdown) -> Error {
    stop.wait_for(SLICE);
    Error::Stopped
}

impl Driver for SlotDriver {
    fn next_frame(&mut self, buf: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        let frame = self.wait(stop)?;
        self.last = frame.meta.seq;
        match buf.extend_with(|out| self.changer.change(frame.jpeg(), out)) {
            Outcome::Made => {}
            Outcome::Passed(why) => self.tell(why),
            Outcome::Damaged => return Err(Error::BadFrame(jpeg::Error::Damaged)),
        }
        buf.mark_walked();
        if frame.meta.is_status {
            buf.mark_status();
        }
        Ok(frame.meta.at)
    }

    fn skip_frame(&mut self, stop: &Shutdown) -> Result<bool, Error> {
        // A paused reader of the camera: one whose pictures have to be encoded rests too.
        let seen = self.last.max(self.passed_over);
        match self.source.pause(|| self.source.wait_newer_served(seen, SLICE)) {
            Newer::Frame { frame, .. } => {
                self.passed_over = frame.meta.seq;
                Ok(true)
            }
            Newer::Timeout => Err(Error::NotYet),
            Newer::Closed => Err(closed(stop)),
        }
    }

    fn mode(&self) -> Mode {
        // So that a snapshot knows at once when the next picture is due.
        Mode {
            fps: self.source.interval().map(|interval| 1.0 / interval.as_secs_f64()),
            ..Mode::default()
        }
    }

    fn take_n_stale(&mut self) -> u64 {
        let n = std::mem::take(&mut self.n_stale);
        self.changer.costs().skipped(n);
        n
    }
}
