//! How long a source may give no picture before it is taken for dead.
//!
//! A picture in ten seconds, or a minute, is no fault. So the time follows the
//! pace: of what `--fps` says, of the pictures that came; and of a source that
//! never gave one it is longer after each try.

use std::time::{Duration, Instant};

use crate::config::DeviceConfig;

/// So many intervals without a picture are no chance.
const N_INTERVALS: u32 = 3;
/// After the first picture nothing is known of the pace. Slower than one a
/// minute are few.
const AFTER_FIRST: Duration = Duration::from_secs(90);
/// For the very first picture: some send none before the next is taken.
const FOR_FIRST: Duration = Duration::from_secs(15);
/// The same after tries that led to nothing.
const MAX_FOR_FIRST: Duration = Duration::from_secs(120);
/// In the end a source that fell silent must be seen.
pub(super) const MAX: Duration = Duration::from_secs(600);
/// So long the slowest pace that was seen is remembered, or twice as long.
const MEMORY: Duration = Duration::from_secs(600);

/// What is known of the pace of a source, over all its openings.
#[derive(Clone, Debug)]
pub(super) struct Stall {
    timeout: Duration,
    /// Whether somebody asked for this timeout.
    is_set: bool,
    /// Between two pictures, as `--fps` says.
    typed: Option<Duration>,
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
    pub(super) fn new(device: &DeviceConfig, fps: Option<f64>) -> Self {
        let typed = fps.and_then(|fps| Duration::try_from_secs_f64(1.0 / fps).ok());
        Self {
            timeout: device.stall_timeout,
            is_set: device.is_stall_timeout_set,
            typed,
            longest: [Duration::ZERO; 2],
            span_began: Instant::now(),
            last: None,
            n_in_vain: 0,
            has_given: false,
        }
    }

    /// The source is opened, or asked again: its next picture says nothing of
    /// its pace.
    pub(super) fn opened(&mut self) {
        self.last = None;
    }

    /// A picture came.
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

    /// No picture came in time.
    pub(super) fn stalled(&mut self) {
        self.n_in_vain = (self.n_in_vain + 1).min(8);
    }

    /// How long a source may be silent that is to say something: a server before
    /// the head of its answer, or in the midst of a picture.
    pub(super) fn silence(&self) -> Duration {
        self.timeout
    }

    /// How long to wait for the next picture.
    pub(super) fn patience(&self) -> Duration {
        let seen = self.longest[0].max(self.longest[1]);
        let paced = (seen.max(self.typed.unwrap_or_default()) * N_INTERVALS).min(MAX);
        let unknown = match self.last {
            _ if self.is_set => Duration::ZERO,
            // One that worked and is silent now rather hangs than is slow.
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

    fn stall(is_set: bool, typed: Option<Duration>) -> (Stall, Instant) {
        let now = Instant::now();
        let stall = Stall {
            timeout: S(5),
            is_set,
            typed,
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
