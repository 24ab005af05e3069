//! When the program ends by itself: `--exit-on-lost`, `--exit-on-device-error`
//! and `--exit-on-no-viewers`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never, tick};

use crate::config::ExitConfig;

/// Why the program ends by itself.
#[derive(Debug, PartialEq)]
pub(super) enum Exit {
    /// A camera is lost: a failure, and its text.
    Lost(String),
    /// Nobody has watched for this time, which is as good as an order to stop.
    Unwatched(Duration),
}

/// What has been seen of the cameras and the viewers so far.
pub(super) struct Exits {
    config: ExitConfig,
    /// Since when each camera is lost that is lost now.
    lost_since: HashMap<String, Instant>,
    started: Instant,
}

impl Exits {
    /// A message of the channel means: look. Without an option there is none.
    pub(super) fn watch(config: ExitConfig) -> (Self, Receiver<Instant>) {
        const OFTEN: Duration = Duration::from_millis(100);
        let ExitConfig { on_lost, on_device_error, on_no_viewers } = config;
        let limits = [on_lost, on_no_viewers, on_device_error.then_some(Duration::ZERO)];
        // Exact to a tenth of the shortest time, and to a second.
        let pause = limits.into_iter().flatten().min().map(|limit| limit / 10);
        let looks = |pause: Duration| tick(pause.clamp(OFTEN, Duration::from_secs(1)));
        let new = Self { config, lost_since: HashMap::new(), started: Instant::now() };
        (new, pause.map_or_else(never, looks))
    }

    /// Takes the names and causes of the cameras that are lost now, and when
    /// somebody last watched. Returns why the program has to end, if it has to.
    pub(super) fn look(
        &mut self,
        now: Instant,
        lost: Vec<(String, String)>,
        watched: Option<Instant>,
    ) -> Option<Exit> {
        let exit = self.look_at_cameras(now, lost);
        let unwatched = now.saturating_duration_since(watched.unwrap_or(self.started));
        let is_over = self.config.on_no_viewers.is_some_and(|limit| unwatched >= limit);
        exit.or(is_over.then_some(Exit::Unwatched(unwatched)))
    }

    fn look_at_cameras(&mut self, now: Instant, lost: Vec<(String, String)>) -> Option<Exit> {
        let mut before = std::mem::take(&mut self.lost_since);
        let mut why = None;
        for (name, cause) in lost {
            let since = before.remove(&name).unwrap_or(now);
            // Not by the time in the status, which is that of the wall clock.
            let time = now.saturating_duration_since(since);
            if self.config.on_device_error {
                let text = format!("camera {name} is lost (--exit-on-device-error): {cause}");
                why.get_or_insert(Exit::Lost(text));
            } else if let Some(limit) = self.config.on_lost.filter(|limit| time >= *limit) {
                let text = format!("camera {name} has been lost for {limit:?} (--exit-on-lost)");
                why.get_or_insert(Exit::Lost(format!("{text}: {cause}")));
            }
            self.lost_since.insert(name, since);
        }
        why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: ExitConfig =
        ExitConfig { on_lost: None, on_device_error: false, on_no_viewers: None };
    const TEN: Option<Duration> = Some(Duration::from_secs(10));

    fn lost(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "gone".to_owned())).collect()
    }

    #[test]
    fn camera_that_comes_back_begins_from_nothing() {
        let (mut exits, _) = Exits::watch(ExitConfig { on_lost: TEN, ..NONE });
        let start = Instant::now();
        let mut look = |s, names: &[&str]| {
            exits.look(start + Duration::from_secs(s), lost(names), Some(start))
        };
        assert_eq!(look(0, &["a"]), None);
        assert_eq!(look(9, &["b"]), None);
        assert_eq!(look(18, &["a", "b"]), None);
        let why = "camera b has been lost for 10s (--exit-on-lost): gone";
        assert_eq!(look(19, &["a", "b"]), Some(Exit::Lost(why.into())));
    }

    #[test]
    fn first_loss_ends_where_that_is_asked_for() {
        let config = ExitConfig { on_lost: TEN, on_device_error: true, ..NONE };
        let (mut exits, _) = Exits::watch(config);
        assert_eq!(exits.look(Instant::now(), lost(&[]), None), None);
        let why = "camera a is lost (--exit-on-device-error): gone";
        let seen = exits.look(Instant::now(), lost(&["a"]), None);
        assert_eq!(seen, Some(Exit::Lost(why.into())));
    }

    #[test]
    fn time_without_viewers_begins_with_the_start_and_with_the_last_viewer() {
        let (mut exits, _) = Exits::watch(ExitConfig { on_no_viewers: TEN, ..NONE });
        let at = |s| exits.started + Duration::from_secs(s);
        let (nine, ten, nineteen, twenty) = (at(9), at(10), at(19), at(20));
        let over = Some(Exit::Unwatched(Duration::from_secs(10)));
        assert_eq!(exits.look(nine, lost(&["a"]), None), None);
        assert_eq!(exits.look(ten, lost(&[]), None), over);
        assert_eq!(exits.look(nineteen, lost(&[]), Some(ten)), None);
        assert_eq!(exits.look(twenty, lost(&[]), Some(ten)), over);
    }
}
