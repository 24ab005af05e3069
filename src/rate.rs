//! Rates: measures how often something happened, and limits how often it may happen.

use std::time::{Duration, Instant};

/// Measures a rate over the last few events.
#[derive(Debug)]
pub(crate) struct Rate {
    times: [Option<Instant>; Self::N],
    next: usize,
}

impl Rate {
    /// The number of events that are remembered. They span half a second at 30 events a
    /// second, and 16 s at one a second: short enough to follow a change.
    const N: usize = 16;

    pub(crate) fn new() -> Self {
        Self { times: [None; Self::N], next: 0 }
    }

    /// Counts an event.
    pub(crate) fn event(&mut self, now: Instant) {
        self.times[self.next] = Some(now);
        self.next = (self.next + 1) % Self::N;
    }

    /// Events a second. Falls towards 0 once events stop.
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
        // A single late event is jitter. From two missing intervals on, the rate falls
        // with the silence.
        if silence > 2.0 * interval { 1.0 / silence } else { 1.0 / interval }
    }
}

/// Says when the next frame may be sent to a reader that wants a lower rate.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Option<Duration>,
    due: Option<Instant>,
}

impl Pace {
    /// `fps` is in frames a second; `None` sets no limit.
    pub(crate) fn new(fps: Option<f64>) -> Self {
        Self { interval: fps.map(|fps| Duration::from_secs_f64(1.0 / fps)), due: None }
    }

    /// How long to wait before the next frame; `None` if it may be sent now.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.due.and_then(|due| due.checked_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Records that a frame was sent. The next one is due one interval after this one was
    /// due, not after it was sent, which keeps the average rate. After a longer delay the
    /// schedule starts at `now`, so that no burst follows.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.due = self.interval.map(|interval| {
            let due = self.due.unwrap_or(now) + interval;
            if due < now { now + interval } else { due }
        });
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn pace_is_met_on_average_without_bursts() {
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        let mut pace = Pace::new(Some(10.0));
        assert_eq!(pace.wait(start), None);
        pace.sent(start);
        assert_eq!(pace.wait(start), Some(Duration::from_millis(100)));
        pace.sent(ms(130));
        assert_eq!(pace.due, Some(ms(200)));
        pace.sent(ms(900));
        assert_eq!(pace.due, Some(ms(1000)));
        let mut free = Pace::new(None);
        free.sent(start);
        assert_eq!(free.wait(start), None);
    }
}
