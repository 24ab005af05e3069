//! What the detector sees at this moment and saw in the last minute, for people who look.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use mjpegd_motion_detector::{Activity, Detector, View};

use crate::frame::since_epoch;

/// For how long looks are kept.
const KEPT: Duration = Duration::from_secs(90);
/// For how long the grid is made after somebody has asked for it.
const WANTED: Duration = Duration::from_secs(3);

/// One picture that was looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Seconds since 1970.
    pub(crate) at: f64,
    /// The share of the picture that differs from what is usual.
    pub(crate) changed: f32,
    /// The share that things cover that move.
    pub(crate) moving: f32,
}

#[derive(Default)]
pub(super) struct Live {
    looks: VecDeque<Look>,
    /// When somebody asked for the grid.
    asked: Option<Instant>,
    view: Option<View>,
}

impl Live {
    pub(super) fn take(&mut self, detector: &Detector, activity: Option<&Activity>) {
        let at = since_epoch(SystemTime::now()).as_secs_f64();
        let moving = activity.map_or(0.0, |activity| activity.area);
        // A clock that was set back leaves looks of the future.
        let is_kept = |look: &Look| (at - KEPT.as_secs_f64()..=at).contains(&look.at);
        while self.looks.front().is_some_and(|look| !is_kept(look)) {
            self.looks.pop_front();
        }
        self.looks.push_back(Look { at, changed: detector.changed(), moving });
        self.asked = self.asked.filter(|asked| asked.elapsed() < WANTED);
        self.view = self.asked.map(|_| detector.view());
    }

    /// The looks after a time, and the grid for those who want it. It is there with the next
    /// picture, as it is made only while somebody asks.
    pub(super) fn since(&mut self, from: f64, wants_view: bool) -> (Vec<Look>, Option<View>) {
        let view = self.view.clone().filter(|_| wants_view);
        self.asked = if wants_view { Some(Instant::now()) } else { self.asked };
        (self.looks.iter().filter(|look| look.at > from).copied().collect(), view)
    }
}

#[cfg(test)]
mod tests {
    use mjpegd_motion_detector::{Grid, Settings};

    use super::*;

    #[test]
    fn grid_is_made_only_for_those_who_ask() {
        let settings = Settings { sensitivity: 50, min_size: 0.0, zones: vec![], masks: vec![] };
        let (mut live, mut detector) = (Live::default(), Detector::new(settings));
        let mut grid = Grid::default();
        grid.average((8, 4), &[0; 32]);
        let mut look = |live: &mut Live| {
            let activity = detector.look(&grid);
            live.take(&detector, activity.as_ref());
        };
        look(&mut live);
        let (looks, view) = live.since(0.0, true);
        assert_eq!((looks.len(), looks[0].changed, view), (1, 0.0, None));
        // However long ago that was.
        live.asked = Some(Instant::now() + WANTED);
        look(&mut live);
        let (looks, view) = live.since(looks[0].at, true);
        assert_eq!((looks.len(), view.unwrap().cells), (1, "0".repeat(32)));
        assert_eq!(live.since(0.0, false).1, None);
        live.asked = Some(Instant::now() + WANTED);
        look(&mut live);
        assert!(live.view.is_some(), "between two questions");
        live.asked = Instant::now().checked_sub(WANTED);
        look(&mut live);
        assert!(live.view.is_none(), "nobody has asked again");
        // The clock is set back by an hour.
        live.looks.iter_mut().for_each(|look| look.at += 3600.0);
        look(&mut live);
        assert_eq!(live.looks.len(), 1);
    }
}
