//! The frame rate of an exported video. A video has a single rate, while the frames
//! of a recording come at any pace.

/// The mean pace of frames, without gaps.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<u64>,
    n_intervals: u64,
    total_us: u64,
}

/// `frames` frames in `seconds` seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    pub(super) frames: u32,
    pub(super) seconds: u32,
}

/// The largest number in a rate. Players multiply these numbers by frame numbers
/// and by a million, and must not overflow 64 bits.
const LARGEST: u32 = 1_000_000;

impl Pace {
    pub(super) fn add(&mut self, captured: u64, is_after_gap: bool) {
        // Where the clock was set back, the time between two frames is not known.
        let interval = self.last.and_then(|last| captured.checked_sub(last));
        if let Some(interval) = interval.filter(|_| !is_after_gap) {
            self.n_intervals += 1;
            self.total_us += interval;
        }
        self.last = Some(captured);
    }

    /// The rate, within about a millionth of the mean: 4 ms in an hour. A single
    /// frame lasts a second.
    pub(super) fn rate(&self) -> Rate {
        if self.n_intervals == 0 || self.total_us == 0 {
            return Rate { frames: 1, seconds: 1 };
        }
        nearest(self.n_intervals.saturating_mul(1_000_000), self.total_us)
    }
}

/// The fraction nearest to `numerator / denominator` whose two numbers are at most
/// [`LARGEST`]: the last such convergent of the continued fraction. Dividing both
/// numbers by a constant would lose far more precision.
fn nearest(mut numerator: u64, mut denominator: u64) -> Rate {
    let (mut before, mut last) = ((0, 1), (1, 0));
    while denominator > 0 {
        let whole = numerator / denominator;
        let term = |last: u32, before: u32| {
            let next = whole.saturating_mul(last.into()).saturating_add(before.into());
            u32::try_from(next).ok().filter(|next| *next <= LARGEST)
        };
        let (Some(frames), Some(seconds)) = (term(last.0, before.0), term(last.1, before.1)) else {
            break;
        };
        (before, last) = (last, (frames, seconds));
        (numerator, denominator) = (denominator, numerator % denominator);
    }
    match last {
        // Faster or slower than any video: the nearest rate that can be written.
        (_, 0) => Rate { frames: LARGEST, seconds: 1 },
        (0, _) => Rate { frames: 1, seconds: LARGEST },
        (frames, seconds) => Rate { frames, seconds },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(times: &[(u64, bool)]) -> (u32, u32) {
        let mut pace = Pace::default();
        for (captured, is_after_gap) in times {
            pace.add(*captured, *is_after_gap);
        }
        (pace.rate().frames, pace.rate().seconds)
    }

    #[test]
    fn rate_is_the_mean_and_gaps_do_not_count() {
        let t = 1_795_260_515_000_000;
        let at = |us: u64| (t + us, false);
        assert_eq!(rate(&[at(0), at(50_000), at(200_000)]), (10, 1));
        assert_eq!(rate(&[at(0), at(100_000), (t + 3_600_000_000, true)]), (10, 1));
        assert_eq!(rate(&[at(0), at(10_000_000)]), (1, 10));
        assert_eq!(rate(&[at(500_000), (t, true), at(200_000)]), (5, 1), "the clock was set back");
        assert_eq!(rate(&[at(5), at(0), at(200_000)]), (5, 1));
    }

    #[test]
    fn rate_of_odd_times_is_close() {
        for (n, us) in [(107_900, 3_601_234_567), (1_000_000, 33_366_700_001), (3, 9_999_999)] {
            let rate = nearest(n * 1_000_000, us);
            let meant = n as f64 * 1e6 / us as f64;
            let is = f64::from(rate.frames) / f64::from(rate.seconds);
            assert!((is / meant - 1.0).abs() < 2e-6, "{rate:?} for {meant}");
        }
    }

    #[test]
    fn rate_of_nothing_and_of_absurd_times_is_some_rate() {
        assert_eq!(rate(&[]), (1, 1));
        assert_eq!(rate(&[(7, false)]), (1, 1));
        assert_eq!(rate(&[(7, false), (7, false)]), (1, 1));
        assert_eq!(nearest(u64::MAX, 1), Rate { frames: LARGEST, seconds: 1 });
        assert_eq!(nearest(1, u64::MAX), Rate { frames: 1, seconds: LARGEST });
    }
}
