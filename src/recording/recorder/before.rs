//! The newest pictures in memory while nothing is recorded, for the time before a motion.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::LATEST;
use crate::config::OnMotion;
use crate::frame::Frame;

/// Frames in order. They are the ones that viewers get, so none is copied.
pub(super) struct Before {
    frames: VecDeque<Arc<Frame>>,
    n_bytes: u64,
    time: Duration,
    max_bytes: u64,
    /// Whether the log says that the bytes and not the time are the limit.
    is_logged: bool,
}

impl Before {
    pub(super) fn new(config: Option<OnMotion>) -> Self {
        Self {
            frames: VecDeque::new(),
            n_bytes: 0,
            time: config.map_or(Duration::ZERO, |config| config.before),
            max_bytes: config.map_or(0, |config| config.max_bytes),
            is_logged: false,
        }
    }

    /// Whether frames are kept at all.
    pub(super) fn is_kept(&self) -> bool {
        !self.time.is_zero()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Adds the newest frame, and drops those that are too old or too many.
    pub(super) fn keep(&mut self, frame: Arc<Frame>, camera: &str) {
        let newest = frame.meta.at.monotonic;
        self.push(frame);
        // A motion may be noticed as late.
        self.prune(newest.checked_sub(LATEST).unwrap_or(newest));
        let mut held = self.time;
        while self.n_bytes > self.max_bytes
            && let Some(oldest) = self.pop()
        {
            held = newest.saturating_duration_since(oldest.meta.at.monotonic);
        }
        if held < self.time && !std::mem::replace(&mut self.is_logged, true) {
            log::warn!(
                "camera {camera}: --record-before-size holds {held:.1?} before a motion, and not \
                 {:?} (--record-before)",
                self.time
            );
        }
    }

    /// Adds a frame that will be written soon.
    pub(super) fn push(&mut self, frame: Arc<Frame>) {
        self.n_bytes += frame.n_memory() as u64;
        self.frames.push_back(frame);
    }

    /// Drops the frames that are too old for a motion that begins at this moment.
    pub(super) fn prune(&mut self, now: Instant) {
        let age = |frame: &Frame| now.saturating_duration_since(frame.meta.at.monotonic);
        while self.frames.front().is_some_and(|oldest| age(oldest) > self.time) {
            self.pop();
        }
    }

    /// Takes the oldest frame out.
    pub(super) fn pop(&mut self) -> Option<Arc<Frame>> {
        let frame = self.frames.pop_front()?;
        self.n_bytes -= frame.n_memory() as u64;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameBuf, Meta, Timestamp};

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(seq: u64, start: Instant, n_bytes: usize) -> Arc<Frame> {
        let mut buf = FrameBuf::with_capacity(n_bytes);
        buf.extend(&vec![7; n_bytes]);
        let monotonic = start + SECOND * u32::try_from(seq).unwrap();
        let at = Timestamp { monotonic, ..Timestamp::now() };
        Arc::new(buf.finish(Meta { seq, at, width: 1, height: 1, is_status: false }))
    }

    fn kept(before: &mut Before) -> Vec<u64> {
        std::iter::from_fn(|| before.pop()).map(|frame| frame.meta.seq).collect()
    }

    fn filled(time: Duration, max_bytes: u64) -> (Before, Instant) {
        let config = OnMotion { before: time, max_bytes, after: SECOND };
        let (mut before, start) = (Before::new(Some(config)), Instant::now());
        (0..10).for_each(|seq| before.keep(frame(seq, start, 10_000), "camera"));
        (before, start)
    }

    #[test]
    fn newest_frames_are_kept_by_time() {
        let (mut before, start) = filled(3 * SECOND, 1 << 20);
        assert!(!before.is_logged);
        // When motion begins some time after the last frame.
        before.prune(start + 11 * SECOND);
        assert_eq!(kept(&mut before), [8, 9]);
        assert!(before.is_empty() && before.n_bytes == 0);
        // One that began before the last frame.
        let (mut before, start) = filled(3 * SECOND, 1 << 20);
        before.prune(start + 8 * SECOND);
        assert_eq!(kept(&mut before), [5, 6, 7, 8, 9]);
        // Those that wait to be written are not dropped for their age.
        let (mut before, _) = filled(3 * SECOND, 1 << 20);
        (10..20).for_each(|seq| before.push(frame(seq, Instant::now(), 10_000)));
        assert_eq!(kept(&mut before), (5..20).collect::<Vec<_>>());
    }

    #[test]
    fn memory_is_bounded_whatever_the_time_and_the_log_says_so() {
        let (mut before, _) = filled(9 * SECOND, 35_000);
        assert!(before.is_logged && before.n_bytes <= 35_000);
        assert_eq!(kept(&mut before), [7, 8, 9]);
        // Not one frame fits.
        let (before, _) = filled(9 * SECOND, 5_000);
        assert!(before.is_empty());
    }
}
