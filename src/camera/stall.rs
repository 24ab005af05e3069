//! How long a source may send no picture before it is considered dead.
//!
//! One picture in ten seconds, or in a minute, is no fault. So the time follows
//! the pace that `--fps` sets, and the pace of the pictures that came. For a
//! source that never sent one it gets longer with each try.

use std::time::{Duration, Instant};

/// The time of a source whose pace is known, if no other was given.
pub(super) const DEFAULT: Duration = Duration::from_secs(5);
/// A source is dead after this many of its intervals without a picture.
const N_INTERVALS: u32 = 3;
/// The time after the first picture, when nothing is known of the pace. Few
/// sources are slower than one picture a minute.
const AFTER_FIRST: Duration = Duration::from_secs(90);
/// The time for the very first picture: some sources send none before they take
/// the next one.
const FOR_FIRST: Duration = Duration::from_secs(15);
/// The longest such time, after tries without a picture.
const MAX_FOR_FIRST: Duration = Duration::from_secs(120);
/// The longest time in any case, so that a dead source is noticed.
pub(crate) const MAX: Duration = Duration::from_secs(600);
/// The slowest pace is remembered for this time, or up to twice as long.
const MEMORY: Duration = Duration::from_secs(600);

/// What is known of the pace of a source, over all its openings.
#[derive(Clone, Debug)]
pub(super) struct Stall {
    timeout: Duration,
    /// Whether `--stall-timeout` was given.
    is_set: bool,
    /// The interval that `--fps` sets.
    requested: Option<Duration>,
    /// The longest intervals of the current and of the last span of memory.
    longest: [Duration; 2],
    span_began: Instant,
    /// The last picture of this opening.
    last: Option<Instant>,
    /// How often a source that never gave a picture was tried.
    n_in_vain: u32,
    has_given: bool,
}

impl Stall {
    /// `timeout` is that of `--stall-timeout`, if it was given.
    pub(super) fn new(timeout: Option<Duration>, fps: Option<f64>) -> Self {
        let requested = fps.and_then(|fps| Duration::try_from_secs_f64(1.0 / fps).ok());
        Self {
            timeout: timeout.unwrap_or(DEFAULT),
            is_set: timeout.is_some(),
            requested,
            longest: [Duration::ZERO; 2],
            span_began: Instant::now(),
            last: None,
            n_in_vain: 0,
            has_given: false,
        }
    }

    /// Notes that the source is opened or asked again: the time to its next
    /// picture says nothing of its pace.
    pub(super) fn opened(&mut self) {
        self.last = None;
    }

    /// Notes that a picture came.
    pub(super) fn picture(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            if now.saturating_duration_since(self.span_began) >= MEMORY {
                (self.longest, self.span_began) = ([Duration::ZERO, self.longest[0]], now);
            }
            let interval = now.saturating_duration_since(last);
            self.longest[0] = self.longest[0].max(interval);
        }
        self.has_given = true;
    }

    /// Notes that no picture came in time.
    pub(super) fn stalled(&mut self) {
        // Eight doublings are longer than the longest time; more would overflow the factor.
        self.n_in_vain = (self.n_in_vain + 1).min(8);
    }

    /// How long a source may be silent where the pace does not matter: a server
    /// before its headers, or within a picture.
    pub(super) fn silence(&self) -> Duration {
        self.timeout
    }

    /// How long to wait for the next picture.
    pub(super) fn patience(&self) -> Duration {
        let seen = self.longest[0].max(self.longest[1]);
        let paced = (seen.max(self.requested.unwrap_or_default()) * N_INTERVALS).min(MAX);
        let unknown = match self.last {
            _ if self.is_set => Duration::ZERO,
            // A source that worked before and is silent now hangs rather than
            // being slow.
            None if self.has_given => Duration::ZERO,
            None => (FOR_FIRST * 2_u32.pow(self.n_in_vain)).min(MAX_FOR_FIRST),
            Some(_) if seen.is_zero() => AFTER_FIRST,
            Some(_) => Duration::ZERO,
        };
        self.timeout.max(paced).max(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn stall(is_set: bool, requested: Option<Duration>) -> (Stall, Instant) {
        let now = Instant::now();
        let stall = Stall {
            timeout: S(5),
            is_set,
            requested,
            longest: [Duration::ZERO; 2],
            span_began: now,
            last: None,
            n_in_vain: 0,
            has_given: false,
        };
        (stall, now)
    }

    #[test]
    fn patience_follows_the_pace_that_was_seen() {
        let (mut stall, begun) = stall(false, None);
        assert_eq!(stall.patience(), FOR_FIRST);
        stall.picture(begun);
        assert_eq!(stall.patience(), AFTER_FIRST, "the pace is not known");
        stall.picture(begun + S(8));
        assert_eq!(stall.patience(), S(24));
        stall.picture(begun + S(9));
        assert_eq!(stall.patience(), S(24), "it is irregular");
        stall.opened();
        assert_eq!(stall.patience(), S(24), "it is the same source");
        for n in 0..2000 {
            stall.picture(begun + S(10 + n));
        }
        assert_eq!(stall.patience(), S(5), "long ago");
    }

    #[test]
    fn fast_source_is_given_the_timeout() {
        let (mut stall, begun) = stall(false, None);
        for n in 0..5 {
            stall.picture(begun + Duration::from_millis(40 * n));
        }
        assert_eq!(stall.patience(), S(5));
    }

    #[test]
    fn pace_that_was_typed_counts() {
        assert_eq!(stall(false, Some(S(10))).0.patience(), S(30));
        assert_eq!(stall(true, Some(S(60))).0.patience(), S(180));
        assert_eq!(stall(true, Some(S(1000))).0.patience(), MAX);
    }

    #[test]
    fn timeout_that_was_typed_is_kept_until_a_slow_pace_is_seen() {
        let (mut stall, begun) = stall(true, None);
        stall.picture(begun);
        assert_eq!(stall.patience(), S(5));
        stall.stalled();
        stall.opened();
        stall.stalled();
        assert_eq!(stall.patience(), S(5));
        stall.picture(begun);
        stall.picture(begun + S(4));
        assert_eq!(stall.patience(), S(12));
    }

    #[test]
    fn first_picture_is_waited_for_longer_each_time() {
        let (mut stall, begun) = stall(false, None);
        let mut waits = Vec::new();
        for _ in 0..7 {
            waits.push(stall.patience().as_secs());
            stall.stalled();
            stall.opened();
        }
        assert_eq!(waits, [15, 30, 60, 120, 120, 120, 120]);
        stall.picture(begun);
        stall.opened();
        assert_eq!(stall.patience(), S(5));
    }
}
