//! How long to wait before a lost camera is tried again.

use std::time::Duration;

/// Doubles from try to try, so that a camera that is plugged in again is seen
/// soon, and one that is away for the night costs nothing.
#[derive(Debug)]
pub(crate) struct BackOff {
    next: Duration,
}

impl BackOff {
    const FIRST: Duration = Duration::from_millis(250);
    /// Still short enough for somebody who stands there and waits.
    pub(crate) const LONGEST: Duration = Duration::from_secs(4);

    pub(crate) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// The wait after a session that lasted `session`. One that lasted longer
    /// than any wait was a working camera: begin anew.
    pub(crate) fn after(&mut self, session: Duration) -> Duration {
        if session > Self::LONGEST {
            self.next = Self::FIRST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(Self::LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_success() {
        let mut back_off = BackOff::new();
        let waits: Vec<_> = (0..7).map(|_| back_off.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(back_off.after(Duration::from_secs(5)), BackOff::FIRST);
    }
}
