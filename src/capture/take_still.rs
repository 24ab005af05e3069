//! How the capture thread takes a large picture between two of the stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Setup;
use super::normalize::normalize;
use super::run::Thread;
use super::transform::Transform;
use crate::camera::{Driver, Error, Still};
use crate::frame::{Frame, FrameBuf, FramePool, Meta};
use crate::log_limit::LogReasons;

/// How long a camera that could not is left alone: each try stops the stream.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// How many pictures may come damaged.
const MAX_TRIES: u32 = 3;

/// What the thread remembers of large pictures.
#[derive(Default)]
pub(super) struct StillTaker {
    /// When the stream stopped, until its next picture.
    paused_since: Option<Instant>,
    failed_at: Option<Instant>,
    log: LogReasons,
}

impl StillTaker {
    /// The stream will not go on as it was, so there is no end of the pause.
    pub(super) fn forget_pause(&mut self) {
        self.paused_since = None;
    }
}

impl Thread<'_> {
    /// Takes a picture for all who wait for one, or tells them that there is none.
    ///
    /// # Errors
    /// The camera is lost.
    pub(super) fn take_still(&mut self, driver: &mut dyn Driver) -> Result<(), Error> {
        if self.stills.failed_at.is_some_and(|at| at.elapsed() < AFTER_FAILURE) {
            self.shared.stills.answer(None);
            return Ok(());
        }
        let begun = Instant::now();
        let mut n_tries = 0;
        let taken = loop {
            n_tries += 1;
            match self.try_still(driver) {
                Err(Error::BadFrame(why)) => {
                    self.shared.stats.dropped(why);
                    if n_tries == MAX_TRIES {
                        break Err(why.to_string());
                    }
                }
                end => break end?,
            }
        };
        self.stills.paused_since = taken.is_ok().then_some(begun);
        let frame = self.count_still(taken);
        self.shared.stills.answer(frame);
        Ok(())
    }

    /// Takes a picture, or says why the camera cannot.
    fn try_still(&self, driver: &mut dyn Driver) -> Result<Result<Frame, String>, Error> {
        // All memory for it goes with it: that of the stream is for small pictures.
        let (mut buf, mut pool) = (FrameBuf::new(), FramePool::default());
        let at = match driver.still(&mut buf, &self.setup.stop)? {
            Still::Unable(why) => return Ok(Err(why)),
            Still::Taken(at) => at,
        };
        let Setup { config, turn, asked, .. } = &*self.setup;
        let info = normalize(&mut buf, config.allow_truncated).map_err(Error::BadFrame)?;
        let (taken, turn) = ((&info, at.wall), *turn.lock());
        let turned = Transform::new(config).apply(&mut buf, taken, turn, &mut pool, &asked.label);
        let size = turned.map_err(Error::BadFrame)?;
        let (width, height) = size.unwrap_or_else(|| info.shown_size());
        Ok(Ok(buf.finish(Meta { seq: 0, at, width, height, is_status: false })))
    }

    fn count_still(&mut self, taken: Result<Frame, String>) -> Option<Arc<Frame>> {
        self.stills.failed_at = taken.is_err().then(Instant::now);
        match taken {
            Ok(frame) => {
                self.shared.stats.stills(|counts| counts.n_taken += 1);
                Some(Arc::new(frame))
            }
            Err(why) => {
                self.shared.stats.stills(|counts| counts.n_failed += 1);
                let label = self.setup.asked.label.as_str();
                let line = format!(
                    "{label}: no snapshot in --snapshot-resolution: {why}; it is one of the stream"
                );
                self.stills.log.warn(&why, &line);
                None
            }
        }
    }

    /// Notes that the stream goes on.
    pub(super) fn end_pause(&mut self) {
        let Some(since) = self.stills.paused_since.take() else { return };
        let pause = since.elapsed();
        let mut n_taken = 0;
        self.shared.stats.stills(|counts| {
            counts.last_pause = Some(pause);
            n_taken = counts.n_taken;
        });
        // A time-lapse takes thousands; the status has the pause of the last one.
        let level = if n_taken == 1 { log::Level::Info } else { log::Level::Debug };
        let ms = pause.as_millis();
        log::log!(level, "{}: a snapshot stopped the stream for {ms} ms", self.label());
    }
}
