//! What several addresses say in uStreamer's words.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A moment in seconds with six decimals on the kernel's monotonic clock, which
/// other programs of this machine can read too.
pub(super) fn monotonic(at: Instant) -> String {
    // A clock that runs since the start of the machine is never before zero.
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    let seconds = now.saturating_sub(at.elapsed());
    format!("{}.{:06}", seconds.as_secs(), seconds.subsec_micros())
}
