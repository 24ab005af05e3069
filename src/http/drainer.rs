//! Empties the house before the program ends: no new viewers, and those who watch
//! are disconnected one after the other, so that they do not all come back to the
//! next server in one moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::transport::Connections;
use super::viewers::Viewers;
use crate::shutdown::Shutdown;

/// The shortest pause. With many viewers several are disconnected at once.
const TICK: Duration = Duration::from_millis(20);
/// How long viewers whose streams were ended may take to leave. More than a write
/// to one that keeps up; those that stall are cut when the program ends.
const LEAVING: Duration = Duration::from_secs(1);

/// Disconnects the viewers.
pub(crate) struct Drainer {
    viewers: Arc<Viewers>,
    connections: Arc<Connections>,
}

impl Drainer {
    pub(super) fn new(viewers: Arc<Viewers>, connections: Arc<Connections>) -> Self {
        Self { viewers, connections }
    }

    /// Lets nobody in from now on, and ends the streams one after the other within
    /// `time`. Returns when the last viewer has left, or at `stop`.
    pub(crate) fn run(&self, time: Duration, stop: &Shutdown) {
        self.viewers.close();
        let deadline = Instant::now() + time;
        let mut n_watching = self.connections.end_viewers(0);
        // By the seats, not by the streams that go on: who was ordered to leave has not left
        // before the seat is free.
        while self.viewers.seats().taken > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let (n, pause) = step(n_watching, left);
            n_watching = self.connections.end_viewers(n);
            let is_late = deadline.elapsed() > LEAVING;
            if is_late || stop.wait_for(pause) {
                return;
            }
        }
    }
}

/// How many streams to end now, and how long to wait then, so that the last of
/// `n_watching` ends within `left`.
fn step(n_watching: usize, left: Duration) -> (usize, Duration) {
    if left < TICK {
        return (n_watching, TICK);
    }
    let n_ticks = usize::try_from(left.as_millis() / TICK.as_millis()).unwrap_or(usize::MAX);
    let n = n_watching.div_ceil(n_ticks);
    let n_steps = u32::try_from(n_watching.div_ceil(n.max(1))).unwrap_or(u32::MAX);
    // Not one long sleep where viewers leave by themselves: the end should be seen.
    (n, (left / n_steps.max(1)).clamp(TICK, LEAVING))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drains a number of viewers in a model of time. Returns when each was ended.
    fn ends(n_viewers: usize, time: Duration) -> Vec<Duration> {
        let (mut now, mut ends) = (Duration::ZERO, Vec::new());
        while ends.len() < n_viewers {
            let (n, pause) = step(n_viewers - ends.len(), time.saturating_sub(now));
            ends.extend(std::iter::repeat_n(now, n.min(n_viewers - ends.len())));
            now += pause;
        }
        ends
    }

    #[test]
    fn streams_end_one_after_the_other_over_the_time() {
        let time = Duration::from_secs(10);
        let of_five = ends(5, time);
        assert_eq!(of_five[0], Duration::ZERO, "the first one need not wait");
        for pair in of_five.windows(2) {
            let gap = pair[1] - pair[0];
            assert!((1..=3).contains(&gap.as_secs()), "{of_five:?}");
        }
        for n in [1, 2, 50, 499, 500, 501, 10_000] {
            let all = ends(n, time);
            assert!(all[n - 1] <= time, "{n}: {:?}", all[n - 1]);
            let at_once = all.iter().filter(|at| **at == all[n / 2]).count();
            assert!(at_once <= n.div_ceil(400), "{n}: {at_once} at once");
        }
        assert!(ends(100, Duration::ZERO).iter().all(Duration::is_zero));
    }
}
