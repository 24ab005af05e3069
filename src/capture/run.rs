//! The capture thread: `run` (loop, back off) around `run_once` (open, work
//! until an error).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

use super::judge::Judge;
use super::stats::Mended;
use super::{Setup, Shared, State, status_picture};
use crate::back_off::BackOff;
use crate::camera::{Camera, Cause, Error};
use crate::frame::{FrameBuf, FramePool, Meta, Taken};
use crate::jpeg::{self, Fault, HUFFMAN_TABLES, Info};
use crate::log_limit::LogLimit;
use crate::panics;

/// What the thread keeps from one opening of the camera to the next.
struct Thread<'a> {
    shared: &'a Shared,
    setup: Arc<Setup>,
    pool: FramePool,
    seq: u64,
    /// Size of the last picture, which a status picture takes on.
    size: (u16, u16),
    bad_frames: LogLimit,
    cut_frames: LogLimit,
    judge: Judge,
}

/// Runs until nobody reads any more or the program stops.
pub(super) fn run(shared: &Shared) {
    let mut thread = Thread {
        shared,
        setup: shared.setup(),
        pool: FramePool::default(),
        seq: shared.slot.last_seq(),
        size: (640, 480),
        bad_frames: LogLimit::default(),
        cut_frames: LogLimit::default(),
        judge: Judge::new(),
    };
    let (mut back_off, mut faults) = (BackOff::new(), LogLimit::default());
    loop {
        let begun = Instant::now();
        // A driver's panic is a bug, of ours or of a library's; the camera may
        // still work when it is opened anew.
        let end = catch_unwind(AssertUnwindSafe(|| thread.run_once())).unwrap_or_else(|panic| {
            Err(Error::lost(Cause::Io, format!("the driver panicked: {}", panics::text(&*panic))))
        });
        if let Err(error) = end
            && error != Error::Stopped
        {
            let wait = back_off.after(begun.elapsed());
            let label = thread.label();
            faults.warn(&format!("{label} lost: {error}; trying again while somebody watches"));
            thread.show(&error);
            thread.setup.stop.wait_for(wait);
        }
        if thread.may_end() {
            return;
        }
        if thread.has_changed() {
            back_off = BackOff::new();
        }
    }
}

impl Thread<'_> {
    /// Opens the camera and publishes its pictures, until an error, or until
    /// nobody reads any more or the program stops.
    fn run_once(&mut self) -> Result<(), Error> {
        let shared = self.shared;
        let setup = Arc::clone(&self.setup);
        let mut camera = (setup.open)()?;
        let mode = camera.mode();
        if mode.device.is_some() {
            log::info!("{} opened: {mode}", self.label());
        }
        shared.stats.opened(mode);
        self.judge = Judge::new();
        while !setup.stop.is_ordered() && !shared.life.lock().is_idle() {
            match self.next(&mut *camera) {
                Ok(()) => {}
                Err(Error::BadFrame(fault)) => {
                    shared.stats.dropped(fault);
                    let label = self.label();
                    self.bad_frames.warn(&format!("{label}: a picture was dropped: {fault}"));
                    if let Some(lost) = self.judge.bad(fault) {
                        return Err(lost);
                    }
                }
                Err(Error::NotYet) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes one picture and publishes it.
    fn next(&mut self, camera: &mut dyn Camera) -> Result<(), Error> {
        if self.shared.n_wanting.load(SeqCst) == 0 && camera.pass_over(&self.setup.stop)? {
            // What lies in the slot is not the newest any more.
            self.shared.slot.clear();
            self.count(camera, Instant::now());
            self.judge.good(true);
            self.say_live();
            return Ok(());
        }
        let mut buf = self.pool.take();
        let taken = camera.next_frame(&mut buf, &self.setup.stop)?;
        let takes_cut = self.setup.config.allow_truncated || self.judge.takes_cut();
        let info = mend(&mut buf, takes_cut).map_err(Error::BadFrame)?;
        // As browsers show it: a phone's picture is turned by them.
        self.size = info.shown_size();
        self.count(camera, taken.taken);
        self.judge.good(info.has_end);
        if !info.has_end {
            self.tell_of_cut();
        }
        self.publish(buf, taken, false);
        self.say_live();
        Ok(())
    }

    fn tell_of_cut(&mut self) {
        self.shared.stats.mended(Mended::Truncated, 1);
        let label = self.label();
        self.cut_frames.warn(&format!("{label}: pictures without their end are shown"));
    }

    fn label(&self) -> &str {
        &self.setup.asked.label
    }

    fn count(&self, camera: &mut dyn Camera, at: Instant) {
        self.shared.stats.stale(camera.take_n_stale());
        self.shared.stats.mended(Mended::Length, camera.take_n_wrong_lengths());
        self.shared.stats.captured(at);
    }

    fn say_live(&self) {
        if self.shared.stats.set_state(State::Live, None) != State::Live {
            log::info!("{} on: {}", self.label(), self.setup.asked.source);
        }
    }

    /// Tells the viewers and the status why there is no picture.
    fn show(&mut self, error: &Error) {
        let stats = &self.shared.stats;
        stats.lost(error);
        stats.set_state(State::Lost, Some(error.to_string()));
        let mut buf = self.pool.take();
        let picture = status_picture::draw(self.size, &error.to_string(), stats.since());
        match picture.encode(status_picture::QUALITY, &mut buf) {
            Ok(()) => self.publish(buf, Taken::now(), true),
            Err(e) => log::error!("the status picture cannot be drawn: {e}"),
        }
    }

    fn publish(&mut self, buf: FrameBuf, at: Taken, is_status: bool) {
        self.seq += 1;
        let (width, height) = self.size;
        let meta = Meta { seq: self.seq, at, width, height, is_status };
        let frame = Arc::new(buf.finish(meta));
        self.pool.keep(&frame);
        self.shared.slot.publish(&frame);
    }

    /// Whether another setup has taken the place of the one in use.
    fn has_changed(&mut self) -> bool {
        let setup = self.shared.setup();
        if Arc::ptr_eq(&setup, &self.setup) {
            return false;
        }
        self.setup = setup;
        // What lies in the slot is of the camera before.
        self.shared.slot.clear();
        self.shared.stats.changed();
        self.shared.stats.set_state(State::Starting, None);
        true
    }

    /// Whether the thread is to end; from then on the next reader starts one.
    fn may_end(&self) -> bool {
        let mut life = self.shared.life.lock();
        let ends = life.is_closed || life.is_idle();
        if ends {
            self.shared.slot.clear();
            self.shared.stats.set_state(State::Idle, None);
            life.is_running = false;
        }
        drop(life);
        if ends {
            log::info!("{} off: {}", self.label(), self.setup.asked.source);
        }
        ends
    }
}

/// Leaves of a camera's bytes what every client can read: one SOI and one EOI,
/// no padding behind the picture, no second picture inside or behind it. One
/// without EOI gets it where `takes_cut`.
///
/// # Errors
/// Why these bytes cannot be shown.
pub(crate) fn mend(buf: &mut FrameBuf, takes_cut: bool) -> Result<Info, Fault> {
    buf.cut(0..jpeg::n_before(buf.jpeg()));
    let look = if buf.is_walked() { jpeg::check_whole } else { jpeg::check };
    let info = look(buf.jpeg())?;
    if !info.has_end && !takes_cut {
        return Err(Fault::Truncated);
    }
    buf.truncate(info.len);
    if !info.has_end {
        buf.extend(&jpeg::END);
    }
    // From behind, so that the places before stay as they are.
    if let Some(at) = info.lacks_tables_at {
        buf.insert(at, &HUFFMAN_TABLES);
    }
    for edit in info.edits.iter().rev() {
        buf.cut(edit.range.clone());
        buf.insert(edit.range.start, &edit.by);
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_thumbnail_are_taken_out() {
        let picture = include_bytes!("../camera/demo/1.jpg");
        let exif = [0xFF, 0xE1, 0, 8, b'E', b'x', 0xFF, 0xD8, 0xFF, 0xD9];
        let mut buf = FrameBuf::new();
        buf.extend(&[&picture[..2], &exif, &exif, &picture[2..], &[0; 9]].concat());
        mend(&mut buf, false).unwrap();
        assert_eq!(buf.jpeg(), picture);
    }

    #[test]
    fn missing_huffman_tables_are_put_in() {
        let picture = include_bytes!("../camera/demo/1.jpg");
        // The tables of the demo picture are its own: without them it is a
        // JPEG as a camera without tables would send it.
        let mut bare = picture.to_vec();
        while let Some(at) = memchr::memmem::find(&bare, &[0xFF, 0xC4]) {
            let len = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
            bare.drain(at..at + 2 + len);
        }
        let mut buf = FrameBuf::new();
        buf.extend(&bare);
        let info = mend(&mut buf, false).unwrap();
        assert_eq!((info.width, info.height), (640, 480));
        assert_eq!(buf.jpeg().len(), bare.len() + HUFFMAN_TABLES.len());
        assert_eq!(jpeg::check(buf.jpeg()).unwrap().lacks_tables_at, None);
        let sos = memchr::memmem::find(buf.jpeg(), &[0xFF, 0xDA]).unwrap();
        assert!(buf.jpeg()[..sos].ends_with(&HUFFMAN_TABLES));
        let mut again = FrameBuf::new();
        again.extend(buf.jpeg());
        mend(&mut again, false).unwrap();
        assert_eq!(again.jpeg(), buf.jpeg());
    }
}
