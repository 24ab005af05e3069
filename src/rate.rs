//! How many of something happen a second, of late.

use std::time::Instant;

/// Remembers the last few events.
#[derive(Debug)]
pub(crate) struct Rate {
    times: [Option<Instant>; Self::N],
    next: usize,
}

impl Rate {
    /// Half a second at 30 a second, a quarter of a minute at one.
    const N: usize = 16;

    pub(crate) fn new() -> Self {
        Self { times: [None; Self::N], next: 0 }
    }

    pub(crate) fn event(&mut self, now: Instant) {
        self.times[self.next] = Some(now);
        self.next = (self.next + 1) % Self::N;
    }

    /// Events a second. Falls towards 0 when none come any more.
    pub(crate) fn per_second(&self, now: Instant) -> f64 {
        let n = self.times.iter().flatten().count();
        let (Some(first), Some(last)) =
            (self.times.iter().flatten().min(), self.times.iter().flatten().max())
        else {
            return 0.0;
        };
        if n < 2 {
            return 0.0;
        }
        let n_intervals = f64::from(u8::try_from(n - 1).unwrap_or(u8::MAX));
        let interval = last.duration_since(*first).as_secs_f64() / n_intervals;
        let silence = now.saturating_duration_since(*last).as_secs_f64();
        // One missed event is still chance; from the second on it is a lull.
        if silence > 2.0 * interval { 1.0 / silence } else { 1.0 / interval }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: &[u64]) -> (Rate, Instant) {
        let start = Instant::now();
        let mut rate = Rate::new();
        ms.iter().for_each(|t| rate.event(start + Duration::from_millis(*t)));
        (rate, start)
    }

    #[test]
    fn steady_events_give_their_rate() {
        let times: Vec<u64> = (0..100).map(|i| i * 100).collect();
        let (rate, start) = at(&times);
        assert!((rate.per_second(start + Duration::from_millis(9950)) - 10.0).abs() < 0.01);
    }

    #[test]
    fn rate_falls_when_events_stop() {
        let (rate, start) = at(&[0, 100, 200]);
        assert!(rate.per_second(start + Duration::from_secs(10)) < 0.2);
    }

    #[test]
    fn one_event_is_no_rate() {
        let (rate, start) = at(&[0]);
        assert_eq!(rate.per_second(start), 0.0);
        assert_eq!(at(&[]).0.per_second(start), 0.0);
    }
}
