//! When a frame was taken.

use std::time::{Duration, Instant, SystemTime};

/// One moment on two clocks: when a frame was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timestamp {
    /// The wall clock, for X-Timestamp.
    pub(crate) wall: SystemTime,
    /// The same moment on the monotonic clock, for ages: the wall clock may be set.
    pub(crate) monotonic: Instant,
}

impl Timestamp {
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }
}

/// Time since 1970; zero before it, where a board without a clock may be.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
