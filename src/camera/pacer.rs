//! Sets the frame rate of cameras without a device that would set it.

use std::time::{Duration, Instant};

use super::Error;
use crate::shutdown::Shutdown;

/// The longest sleep: capture must check this often whether the camera is still
/// wanted, even at one frame an hour.
const SLICE: Duration = Duration::from_secs(1);

/// Waits until the next frame is due.
#[derive(Debug)]
pub(crate) struct Pacer {
    fps: f64,
    due: Instant,
}

impl Pacer {
    /// `fps` is in frames a second. The first frame is due at once.
    pub(crate) fn new(fps: f64) -> Self {
        Self { fps, due: Instant::now() }
    }

    /// For a camera that took a frame just now: the next is due an interval later.
    pub(crate) fn after_one(fps: f64) -> Self {
        Self { fps, due: Instant::now() + Duration::from_secs_f64(1.0 / fps) }
    }

    pub(crate) fn fps(&self) -> f64 {
        self.fps
    }

    /// Sleeps until the next frame is due, but at most for a second.
    ///
    /// # Errors
    /// [`Error::NotYet`] if the frame is not due yet, [`Error::Stopped`] if `stop`
    /// was ordered.
    pub(crate) fn wait(&mut self, stop: &Shutdown) -> Result<(), Error> {
        let now = Instant::now();
        let wait = self.due.saturating_duration_since(now);
        if stop.wait_for(wait.min(SLICE)) {
            return Err(Error::Stopped);
        }
        // `due` changes only once the frame is due, so the next call continues this wait.
        if wait > SLICE {
            return Err(Error::NotYet);
        }
        self.due = next_due(self.due, now, Duration::from_secs_f64(1.0 / self.fps));
        Ok(())
    }
}

/// One interval after `due`, so that the rate does not drift. After a longer delay
/// (a suspended board) the missed frames are not made up for.
fn next_due(due: Instant, now: Instant, interval: Duration) -> Instant {
    if now.saturating_duration_since(due) > interval { now + interval } else { due + interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn rhythm_does_not_drift_and_does_not_catch_up() {
        let start = Instant::now();
        let late = start + SECOND / 10;
        assert_eq!(next_due(start, late, SECOND), start + SECOND);
        let long_after = start + 60 * SECOND;
        assert_eq!(next_due(start, long_after, SECOND), long_after + SECOND);
    }

    #[test]
    fn wait_ends_at_the_order_to_stop() {
        let (trigger, stop) = shutdown::channel();
        let mut pacer = Pacer::new(0.001);
        assert_eq!(pacer.wait(&stop), Ok(()));
        drop(trigger);
        assert_eq!(pacer.wait(&stop), Err(Error::Stopped));
    }
}
