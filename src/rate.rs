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

    /// Whether there is no limit.
    pub(crate) fn is_free(&self) -> bool {
        self.interval.is_none()
    }

    /// How much too early a frame may be taken, of a source that gives one every `step`.
    /// Half a step, so that the frame nearest to the moment when it is due is sent: a camera
    /// of 10 a second is due at 5 a second just when a picture arrives, and jitter would
    /// decide between this one and the one before.
    pub(crate) fn early(&self, step: Option<Duration>) -> Duration {
        let steps = self.interval.zip(step);
        steps.map_or(Duration::ZERO, |(interval, step)| step.min(interval) / 2)
    }

    /// How long to wait for a better frame than one that was taken at `taken`; `None` if
    /// that one is to be sent.
    pub(crate) fn wait_for_better(&self, taken: Instant, early: Duration) -> Option<Duration> {
        self.wait(taken + early).map(|wait| wait + 2 * early)
    }

    /// Records that a frame was sent, which was taken at `now`. The next one is due one
    /// interval after this one was due, not after it was sent, which keeps the average rate.
    /// After a longer delay the schedule starts at `now`, so that no burst follows.
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

    /// When those frames are taken that are sent at `fps`, of a camera that gives one every
    /// `step_us` with jitter of up to a fifth of that, and pauses from 20 s to 23 s.
    fn sent(fps: f64, step_us: u64) -> Vec<f64> {
        let (start, mut pace) = (Instant::now(), Pace::new(Some(fps)));
        let early = pace.early(Some(Duration::from_micros(step_us)));
        let (mut sent, mut random) = (Vec::new(), 1_u64);
        for n in 0..60_000_000 / step_us {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let taken = Duration::from_micros(n * step_us + (random >> 33) % (step_us / 5));
            let is_pause = (20..23).contains(&taken.as_secs());
            if !is_pause && pace.wait_for_better(start + taken, early).is_none() {
                pace.sent(start + taken);
                sent.push(taken.as_secs_f64());
            }
        }
        sent
    }

    #[test]
    fn every_second_frame_of_a_camera_with_jitter_is_sent() {
        for (fps, step_us) in [(5.0, 100_000), (15.0, 33_333), (30.0, 33_333), (2.0, 33_333)] {
            let sent = sent(fps, step_us);
            let steps = sent.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step < 3.0);
            let (jitter, mut steps) = (step_us as f64 / 4e6, steps.skip(1));
            assert!(steps.all(|step| (step - 1.0 / fps).abs() < jitter), "{fps}: {sent:?}");
        }
    }

    #[test]
    fn mean_rate_is_kept_at_every_ratio_and_no_burst_follows_a_pause() {
        for (fps, step_us) in [(20.0, 33_333), (7.0, 100_000), (24.0, 40_000), (9.9, 100_000)] {
            let sent = sent(fps, step_us);
            let mean = sent.len() as f64 / 57.0;
            assert!((mean / fps - 1.0).abs() < 0.01, "{mean} of {fps}");
            // In any second at most one more than the rate, and one for where it begins.
            for first in &sent {
                let n = sent.iter().filter(|at| (*first..first + 1.0).contains(*at)).count();
                assert!(n as f64 <= fps + 2.0, "{n} of {fps} at {first}");
            }
        }
        // A camera that is slower than that, or of an unknown rate, gives all or those due.
        assert_eq!(sent(5.0, 1_000_000).len(), 57);
        assert_eq!(Pace::new(Some(5.0)).early(None), Duration::ZERO);
        // Behind a pause the measured step is long.
        let step = Some(Duration::from_secs(10));
        assert_eq!(Pace::new(Some(5.0)).early(step), Duration::from_millis(100));
        assert_eq!(Pace::new(None).early(Some(Duration::from_secs(1))), Duration::ZERO);
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
