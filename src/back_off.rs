//! How long to wait before opening a lost camera, or the folder of a recording, again.

use std::time::Duration;

/// A wait that doubles with each try: a camera that is plugged in again is found soon,
/// and a camera that is off for a night costs almost no CPU time.
#[derive(Debug)]
pub(crate) struct BackOff {
    next: Duration,
    longest: Duration,
}

impl BackOff {
    /// Short, so that a camera which only lost its connection is back almost at once.
    const FIRST: Duration = Duration::from_millis(250);
    /// Short enough for a person who has plugged the camera in and waits for a picture.
    pub(crate) const LONGEST: Duration = Duration::from_secs(4);

    pub(crate) fn new() -> Self {
        Self::up_to(Self::LONGEST)
    }

    /// With a longest wait of its own.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { next: Self::FIRST, longest }
    }

    /// The wait after a session of this length. After a session longer than any wait the
    /// camera worked, so the waits start from the shortest again.
    pub(crate) fn after(&mut self, session: Duration) -> Duration {
        if session > self.longest {
            self.next = Self::FIRST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_after_success() {
        let mut back_off = BackOff::new();
        let waits: Vec<_> = (0..7).map(|_| back_off.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(back_off.after(Duration::from_secs(5)), BackOff::FIRST);
        let mut longer = BackOff::up_to(Duration::from_secs(15));
        let waits: Vec<_> =
            (0..7).map(|_| longer.after(Duration::from_secs(5)).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000]);
    }
}
