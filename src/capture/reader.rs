//! What a viewer, a recorder or a variant holds while it reads a camera's frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::Shared;
use crate::frame::Frame;
use crate::rate::Pace;
use crate::slot::{Newer, Sink, Subscription};

/// A reader of frames. While there is one, the camera stays on.
pub(crate) struct Reader(pub(super) Arc<Shared>);

impl Reader {
    /// As [`crate::slot::FrameSlot::wait_newer`].
    pub(crate) fn wait_newer(&self, seen: u64, timeout: Duration) -> Newer {
        self.0.slot.wait_newer(seen, timeout)
    }

    /// How long no frame is wanted at this pace; `None`: one is wanted now.
    pub(crate) fn wait_at(&self, pace: &Pace) -> Option<Duration> {
        pace.wait(Instant::now() + self.early(pace))
    }

    /// As [`Self::wait_newer`], for the frame that is nearest to the moment when one is due.
    /// The newest frame may be nearly as old as the camera's interval is long, and the next
    /// one about to come.
    pub(crate) fn wait_newer_at(&self, pace: &Pace, seen: u64, timeout: Duration) -> Newer {
        let mut newer = self.wait_newer(seen, timeout);
        while let Newer::Frame { frame, .. } = &newer
            && let Some(wait) = pace.wait_for_better(frame.meta.at.monotonic, self.early(pace))
        {
            match self.wait_newer(frame.meta.seq, wait.min(timeout)) {
                // None comes, so it is the last of a series.
                Newer::Timeout => break,
                next => newer = next,
            }
        }
        newer
    }

    fn early(&self, pace: &Pace) -> Duration {
        if pace.is_free() { Duration::ZERO } else { pace.early(self.interval()) }
    }

    /// As [`crate::slot::FrameSlot::wait_newer_served`].
    pub(crate) fn wait_newer_served(&self, seen: u64, timeout: Duration) -> Newer {
        self.0.slot.wait_newer_served(seen, timeout)
    }

    /// As [`crate::slot::FrameSlot::subscribe`].
    pub(crate) fn subscribe(&self, sink: Box<dyn Sink>) -> Subscription<'_> {
        self.0.slot.subscribe(sink)
    }

    /// Runs `wait`, during which this reader needs no frame. While all readers
    /// pause, frames that would have to be encoded are skipped.
    pub(crate) fn pause<T>(&self, wait: impl FnOnce() -> T) -> T {
        let _pause = Pause::begin(&self.0.n_wanting);
        wait()
    }

    /// Waits for a picture of the size of `--snapshot-resolution` that was taken at
    /// `oldest` or later, for which the stream stops for a moment. `None`: there is no
    /// such option, or no such picture until `deadline`.
    pub(crate) fn still(&self, oldest: Instant, deadline: Instant) -> Option<Arc<Frame>> {
        let has_option = self.0.setup().asked.still_size.is_some();
        // A camera that is lost would let them wait for nothing.
        if !has_option || self.is_closed() || self.cause().is_some() {
            return None;
        }
        self.0.stills.wait(oldest, deadline)
    }

    /// Whether there will be no frame any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.slot.is_closed()
    }

    /// The recent time between two frames, or the one that the camera set itself
    /// to; `None` while neither is known.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.0.stats.interval()
    }

    /// Why there is no frame, if the camera is lost.
    pub(crate) fn cause(&self) -> Option<String> {
        self.0.stats.cause()
    }
}

/// Ends a pause when it is dropped, also during a panic: the drop of the reader
/// behind it would otherwise count the reader off a second time.
struct Pause<'a>(&'a AtomicUsize);

impl<'a> Pause<'a> {
    fn begin(n_wanting: &'a AtomicUsize) -> Self {
        n_wanting.fetch_sub(1, SeqCst);
        Self(n_wanting)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.n_wanting.fetch_sub(1, SeqCst);
        let mut life = self.0.life.lock();
        life.n_readers -= 1;
        // The idle timeout starts when the last reader leaves, not at its last frame.
        life.last_read = Instant::now();
    }
}
