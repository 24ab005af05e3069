//! The capture thread: `run` (loop, back off) around `run_once` (open, capture
//! until an error).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Instant, SystemTime};

use super::filter::Filter;
use super::judge::Judge;
use super::normalize::normalize;
use super::stats::Repair;
use super::take_still::StillTaker;
use super::transform::Transform;
use super::{Setup, Shared, State, status_picture};
use crate::back_off::BackOff;
use crate::camera::{Cause, Driver, Error};
use crate::events::{Kind, seconds};
use crate::frame::{self, FrameBuf, FramePool, Meta, Timestamp};
use crate::jpeg::{self, MARK_AT, status_cause, status_mark};
use crate::log_limit::{LogLimit, LogReasons};
use crate::panics;

/// What the thread keeps from one opening of the camera to the next.
pub(super) struct Thread<'a> {
    pub(super) shared: &'a Shared,
    pub(super) setup: Arc<Setup>,
    pool: FramePool,
    seq: u64,
    /// Width and height of the last frame, used for the status picture.
    size: (u16, u16),
    bad_frames: LogReasons,
    cut_frames: LogLimit,
    judge: Judge,
    filter: Filter,
    pub(super) stills: StillTaker,
    transform: Transform,
    announced: Announced,
}

/// What the last event said of the camera. Not the state, which is also changed by
/// each try to open it.
enum Announced {
    Off,
    On,
    Lost(Instant),
}

/// Runs until there is no reader any more or the program stops.
pub(super) fn run(shared: &Shared) {
    let setup = shared.setup();
    let mut thread = Thread {
        shared,
        filter: Filter::new(&setup.config),
        transform: Transform::new(&setup.config),
        setup,
        pool: FramePool::default(),
        seq: shared.slot.last_seq(),
        size: (640, 480),
        bad_frames: LogReasons::default(),
        cut_frames: LogLimit::default(),
        judge: Judge::new(),
        stills: StillTaker::default(),
        announced: Announced::Off,
    };
    let (mut back_off, mut losses) = (BackOff::new(), LogReasons::default());
    loop {
        let begun = Instant::now();
        // A panic in a driver is a bug, in this program or in a library, but the
        // camera may work again once it is reopened.
        let end = catch_unwind(AssertUnwindSafe(|| thread.run_once())).unwrap_or_else(|panic| {
            Err(Error::lost(Cause::Io, format!("the driver panicked: {}", panics::text(&*panic))))
        });
        // Who waits for a large picture hears soon that there is none.
        shared.stills.answer(None);
        match end {
            Ok(()) | Err(Error::Stopped) => thread.stills.forget_pause(),
            // Viewers keep the last picture for the moment that this takes. A source
            // that changes again and again has to wait as one that is lost.
            Err(Error::Reopen(why)) => {
                log::info!("{}: {why}; opening again", thread.label());
                if begun.elapsed() < BackOff::LONGEST {
                    thread.setup.stop.wait_for(back_off.after(begun.elapsed()));
                }
            }
            Err(error) => {
                let wait = back_off.after(begun.elapsed());
                let (label, why) = (thread.label(), error.to_string());
                let says = format!("{label} lost: {why}; trying again while somebody watches");
                losses.warn(&why, &says);
                thread.stills.forget_pause();
                // The picture is drawn and sent to viewers here. Whatever panics there,
                // which is logged, must not end this thread: nobody would start it again.
                let _ = catch_unwind(AssertUnwindSafe(|| thread.show(&error)));
                thread.setup.stop.wait_for(wait);
            }
        }
        if thread.try_end() {
            return;
        }
        if thread.take_new_setup() {
            back_off = BackOff::new();
        }
    }
}

impl Thread<'_> {
    /// Opens the camera and publishes its frames, until an error, a new setup,
    /// the end of the last reader, or the order to stop.
    fn run_once(&mut self) -> Result<(), Error> {
        let shared = self.shared;
        let setup = Arc::clone(&self.setup);
        let mut driver = (setup.open)()?;
        let mode = driver.mode();
        if mode.device.is_some() {
            log::info!("{} opened: {mode}", self.label());
        }
        shared.stats.opened(mode);
        self.judge = Judge::new();
        self.filter = Filter::new(&setup.config);
        self.transform = Transform::new(&setup.config);
        while !setup.stop.is_ordered() && !shared.life.lock().is_idle() {
            if shared.stills.is_wanted() {
                self.take_still(&mut *driver)?;
            }
            match self.next(&mut *driver) {
                Ok(()) => {}
                Err(Error::BadFrame(why)) => {
                    shared.stats.dropped(why);
                    let line = format!("{}: a picture was dropped: {why}", self.label());
                    self.bad_frames.warn(&why.to_string(), &line);
                    if let Some(lost) = self.judge.bad(why) {
                        return Err(lost);
                    }
                }
                Err(Error::NotYet) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Captures one frame and publishes it.
    fn next(&mut self, driver: &mut dyn Driver) -> Result<(), Error> {
        if self.shared.n_wanting.load(SeqCst) == 0 && driver.skip_frame(&self.setup.stop)? {
            // The frame in the slot is no longer the newest one.
            self.shared.slot.clear();
            self.count(driver, Instant::now(), None);
            self.judge.good(true);
            self.set_live();
            self.end_pause();
            return Ok(());
        }
        if self.filter.skips_next() {
            return self.skip(driver);
        }
        let mut buf = self.pool.take();
        let timestamp = driver.next_frame(&mut buf, &self.setup.stop)?;
        self.filter.taken();
        // Not of a file: somebody who keeps such a picture wants to see it.
        if driver.may_relay()
            && let Some(cause) = status_cause(buf.jpeg())
        {
            // A picture that another daemon drew, since its camera is lost, is no picture.
            return Err(Error::lost(Cause::Upstream, frame::upstream_loss(&cause)));
        }
        if buf.jpeg().len() < self.setup.config.min_frame_bytes {
            return Err(Error::BadFrame(jpeg::Error::TooSmall));
        }
        let takes_cut = self.setup.config.allow_truncated || self.judge.takes_cut();
        let info = normalize(&mut buf, takes_cut).map_err(Error::BadFrame)?;
        // Browsers turn the picture of a phone, so this is the size that they show.
        self.size =
            self.transform(&mut buf, &info, timestamp.wall)?.unwrap_or_else(|| info.shown_size());
        self.count(driver, timestamp.monotonic, Some(self.size));
        self.judge.good(info.has_end);
        if !info.has_end {
            self.count_truncated();
        }
        if self.filter.is_repeat(buf.jpeg(), || self.shared.slot.latest()) {
            self.shared.stats.same();
            self.pool.put_back(buf);
        } else {
            let is_status = buf.is_status();
            self.publish(buf, timestamp, is_status);
        }
        self.set_live();
        self.end_pause();
        Ok(())
    }

    /// Waits for a picture that `--every` leaves out, without encoding it where
    /// the driver would have to.
    fn skip(&mut self, driver: &mut dyn Driver) -> Result<(), Error> {
        if !driver.skip_frame(&self.setup.stop)? {
            let mut buf = self.pool.take();
            let skipped = driver.next_frame(&mut buf, &self.setup.stop);
            self.pool.put_back(buf);
            skipped?;
        }
        self.filter.skipped();
        Ok(())
    }

    /// Turns the picture, and returns its size if it changed.
    fn transform(
        &mut self,
        buf: &mut FrameBuf,
        info: &jpeg::Info,
        at: SystemTime,
    ) -> Result<Option<(u16, u16)>, Error> {
        let turn = *self.setup.turn.lock();
        let label = &self.setup.asked.label;
        let turned = self.transform.apply(buf, (info, at), turn, &mut self.pool, label);
        turned.map_err(Error::BadFrame)
    }

    fn count_truncated(&mut self) {
        self.shared.stats.repaired(Repair::Truncated, 1);
        let label = self.label();
        self.cut_frames.warn(&format!("{label}: pictures that lack their end are shown"));
    }

    pub(super) fn label(&self) -> &str {
        &self.setup.asked.label
    }

    /// Logs that the camera went on or off.
    fn log(&self, what: &str) {
        log::log!(
            self.setup.role.log_level(),
            "{} {what}: {}",
            self.label(),
            self.setup.asked.source
        );
    }

    /// Counts a picture; `size` is known unless it was skipped.
    fn count(&self, driver: &mut dyn Driver, at: Instant, size: Option<(u16, u16)>) {
        self.shared.stats.stale(driver.take_n_stale());
        self.shared.stats.repaired(Repair::Length, driver.take_n_wrong_lengths());
        self.shared.stats.captured(at, size);
    }

    fn set_live(&mut self) {
        if self.shared.stats.set_state(State::Live, None) != State::Live {
            self.log("on");
        }
        let source = &self.shared.source;
        match self.announced {
            Announced::On => return,
            Announced::Off => {
                source.emit(Kind::CameraOn, &[("source", self.setup.asked.source.clone().into())]);
            }
            Announced::Lost(since) => {
                source.emit(Kind::CameraBack, &[("lost_s", seconds(since.elapsed()))]);
            }
        }
        self.announced = Announced::On;
    }

    /// Shows the error in the status, and to the viewers as a status picture.
    fn show(&mut self, error: &Error) {
        let stats = &self.shared.stats;
        stats.lost(error);
        stats.set_state(State::Lost, Some(error.to_string()));
        // Once, and not at each try.
        if !matches!(self.announced, Announced::Lost(_)) {
            let cause = [("cause", error.to_string().into())];
            self.shared.source.emit(Kind::CameraLost, &cause);
            self.announced = Announced::Lost(Instant::now());
        }
        let mut buf = self.pool.take();
        let picture = status_picture::draw(self.size, &error.to_string(), stats.since());
        match picture.encode(status_picture::QUALITY, &mut buf) {
            Ok(()) => {
                buf.insert(MARK_AT, &status_mark(&error.to_string()));
                self.publish(buf, Timestamp::now(), true);
            }
            Err(e) => log::error!("cannot draw the status picture: {e}"),
        }
    }

    fn publish(&mut self, buf: FrameBuf, at: Timestamp, is_status: bool) {
        self.seq += 1;
        let (width, height) = self.size;
        let meta = Meta { seq: self.seq, at, width, height, is_status };
        let frame = Arc::new(buf.finish(meta));
        self.pool.keep(&frame);
        self.shared.slot.publish(&frame);
    }

    /// Takes the new setup, if the setup in use was replaced by another one.
    fn take_new_setup(&mut self) -> bool {
        let setup = self.shared.setup();
        if Arc::ptr_eq(&setup, &self.setup) {
            return false;
        }
        self.setup = setup;
        // The frame in the slot belongs to the camera before.
        self.shared.slot.clear();
        self.shared.stats.forget_mode();
        self.shared.stats.set_state(State::Starting, None);
        true
    }

    /// Decides whether the thread ends; if so, the next reader starts another.
    fn try_end(&self) -> bool {
        // The lock is held throughout: a reader that comes now either keeps this
        // thread running, or finds `is_running` false and starts a new one.
        let mut life = self.shared.life.lock();
        let ends = life.is_closed || life.is_idle();
        if ends {
            self.shared.slot.clear();
            self.shared.stats.set_state(State::Idle, None);
            life.is_running = false;
        }
        drop(life);
        if ends {
            self.log("off");
            if !matches!(self.announced, Announced::Off) {
                self.shared.source.emit(Kind::CameraOff, &[]);
            }
        }
        ends
    }
}
