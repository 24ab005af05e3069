//! Whether a camera that is on gets on. Pure logic: it knows no clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::cameras::CameraProgress;

/// Beyond the time after which a driver itself gives a silent source up.
const MARGIN: Duration = Duration::from_secs(60);

/// What was seen of each camera: its count, and since when it has been the same.
#[derive(Default)]
pub(super) struct Progress(HashMap<String, (u64, Instant)>);

impl Progress {
    /// The first camera whose thread hangs: it is on, and neither gave a picture nor lost
    /// its source for longer than any driver waits.
    pub(super) fn look(&mut self, now: Instant, all: Vec<CameraProgress>) -> Option<String> {
        let mut before = std::mem::take(&mut self.0);
        let mut fault = None;
        for CameraProgress { name, count, patience } in all.into_iter().filter(|c| c.count > 0) {
            let known = before.remove(&name).filter(|(n, _)| *n == count);
            let since = known.map_or(now, |(_, since)| since);
            let silent = now.saturating_duration_since(since);
            if silent > patience + MARGIN {
                fault.get_or_insert(format!("camera {name} has hung for {silent:.0?}"));
            }
            self.0.insert(name, (count, since));
        }
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_hangs_whose_count_stands_still_longer_than_its_driver_waits() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        let mut look = |s, count| {
            let camera =
                CameraProgress { name: "a".into(), count, patience: Duration::from_secs(100) };
            progress.look(start + Duration::from_secs(s), vec![camera])
        };
        assert_eq!(look(0, 5), None);
        assert_eq!(look(160, 5), None);
        assert_eq!(look(161, 5), Some("camera a has hung for 161s".into()));
        assert_eq!(look(162, 6), None, "it gets on");
        assert_eq!(look(300, 0), None, "it is off");
        assert_eq!(look(900, 6), None, "it is on again");
    }
}
