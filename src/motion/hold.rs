//! From pictures in which something moves to motion that begins and ends.

use std::time::{Duration, Instant};

use mjpegd_motion_detector::Activity;

/// Whether something moves. Motion that stops for less than a time goes on.
pub(super) struct Hold {
    time: Duration,
    moving: Option<Moving>,
}

struct Moving {
    since: Instant,
    last: Instant,
    area: f32,
}

/// What a picture changes.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    Begin(Activity),
    /// It lasted for so long; the largest share of the picture that moved at once.
    End(Duration, f32),
}

impl Hold {
    pub(super) fn new(time: Duration) -> Self {
        Self { time, moving: None }
    }

    pub(super) fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Takes what moves at this moment; `None`: nothing, or no picture came.
    pub(super) fn update(&mut self, now: Instant, activity: Option<Activity>) -> Option<Change> {
        match (&mut self.moving, activity) {
            (Some(moving), Some(activity)) => {
                moving.last = now;
                moving.area = moving.area.max(activity.area);
                None
            }
            (None, Some(activity)) => {
                self.moving = Some(Moving { since: now, last: now, area: activity.area });
                Some(Change::Begin(activity))
            }
            (Some(moving), None) if now.duration_since(moving.last) >= self.time => self.end(),
            (_, None) => None,
        }
    }

    /// Ends it at once.
    pub(super) fn end(&mut self) -> Option<Change> {
        let moving = self.moving.take()?;
        Some(Change::End(moving.last - moving.since, moving.area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pauses_are_part_of_a_motion() {
        let (mut hold, start) = (Hold::new(Duration::from_secs(5)), Instant::now());
        let some = |area| Some(Activity { x: 0.0, y: 0.0, width: 1.0, height: 1.0, area });
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(hold.update(at(0), None), None);
        assert_eq!(hold.update(at(1), some(0.2)), some(0.2).map(Change::Begin));
        assert_eq!(hold.update(at(4), None), None);
        assert_eq!(hold.update(at(5), some(0.5)), None);
        assert_eq!(hold.update(at(9), None), None);
        assert!(hold.is_moving());
        let due = Change::End(Duration::from_secs(4), 0.5);
        assert_eq!(hold.update(at(10), None), Some(due));
        assert_eq!(hold.update(at(11), None), None);
        assert_eq!(hold.end(), None);
    }
}
