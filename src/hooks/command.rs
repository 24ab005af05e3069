//! `--on EVENT=COMMAND`: runs commands, those of one type of event one after another.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::select;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Counts, N_WAITING, Plan, Report};
use crate::command::{self, Outcome};
use crate::events::{Event, Events, Filter, Kind, Subscription};
use crate::log_limit::{LogBudget, LogReasons};
use crate::shutdown::Shutdown;
use crate::url::mask_command;

/// One `--on`.
pub(super) struct Hook {
    pub(super) kind: Kind,
    command: String,
    /// For what the command writes to standard error.
    stderr_log: Arc<Mutex<LogBudget>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: Counts,
    log: LogReasons,
}

pub(super) fn subscribe(events: &Events, kind: Kind) -> Subscription {
    events.subscribe(Filter { kinds: vec![kind], ..Filter::default() }, N_WAITING)
}

/// Runs all commands of one type for each event, until the order to stop.
pub(super) fn run(kind: Kind, plan: &Mutex<Plan>, subscription: &Subscription, stop: &Shutdown) {
    loop {
        let event = select! {
            recv(stop.channel()) -> _ => return,
            recv(subscription.queue()) -> event => event,
        };
        let Ok(event) = event else { return };
        let (hooks, limit) = {
            let plan = plan.lock();
            (plan.commands(kind), plan.limit)
        };
        for hook in hooks {
            hook.state.lock().counts.n_lost = subscription.n_lost();
            // Also between two commands: `select` takes any of those that are ready.
            if stop.is_ordered() {
                return;
            }
            hook.run(&event, limit, stop);
        }
    }
}

impl Hook {
    pub(super) fn new(kind: Kind, command: String) -> Self {
        Self { kind, command, stderr_log: Arc::default(), state: Mutex::default() }
    }

    pub(super) fn is(&self, kind: Kind, command: &str) -> bool {
        self.kind == kind && self.command == command
    }

    fn run(&self, event: &Event, limit: Duration, stop: &Shutdown) {
        let label = format!("the hook of {}", self.kind.name());
        let outcome =
            command::run(&self.command, &label, &variables(event), limit, stop, &self.stderr_log);
        let mut state = self.state.lock();
        let why = match outcome {
            Outcome::Done => {
                state.counts.n_done += 1;
                state.counts.error = None;
                return;
            }
            Outcome::Stopped => return,
            Outcome::TimedOut => {
                state.counts.n_late += 1;
                format!("it ran for more than {limit:?} and was ended (--on-timeout)")
            }
            Outcome::Failed(why) => {
                state.counts.n_failed += 1;
                why
            }
        };
        let passed = state.log.pass(&why, std::time::Instant::now());
        state.counts.error = Some(why.clone());
        drop(state);
        passed.warn(&format!("{label} failed: {why}"));
    }

    pub(super) fn report(&self) -> Report {
        let counts = self.state.lock().counts.clone();
        Report { kind: Some(self.kind), action: mask_command(&self.command), counts }
    }
}

/// The environment variables of a command, beside those of this program.
fn variables(event: &Event) -> Vec<(String, String)> {
    let named = [
        ("MJPEGD_EVENT", event.kind.name().to_owned()),
        ("MJPEGD_CAMERA", event.camera.clone()),
        ("MJPEGD_TIME", format!("{}.{:06}", event.at / 1_000_000, event.at % 1_000_000)),
        ("MJPEGD_ID", event.id.to_string()),
        ("MJPEGD_JSON", event.json.clone()),
    ];
    let figure = |(name, value): (String, Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // The system takes no zero byte, and a line end could surprise a script.
        let text = text.chars().filter(|c| !c.is_control()).collect();
        (format!("MJPEGD_EVENT_{}", name.to_ascii_uppercase()), text)
    };
    let named = named.map(|(name, value)| (name.to_owned(), value));
    named.into_iter().chain(event.data().into_iter().map(figure)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;

    #[test]
    fn figures_are_variables() {
        let events = Events::default();
        let data = [("cause", "a\0b\nc".into()), ("lost_s", 1.5.into())];
        events.emit("front", Kind::CameraLost, &data);
        let event = events.recent(&Filter::default()).pop().unwrap();
        let variables = variables(&event);
        let value = |name: &str| variables.iter().find(|(n, _)| n == name).map(|(_, v)| &**v);
        assert_eq!(value("MJPEGD_EVENT"), Some("camera-lost"));
        assert_eq!(value("MJPEGD_CAMERA"), Some("front"));
        assert_eq!(value("MJPEGD_EVENT_CAUSE"), Some("abc"));
        assert_eq!(value("MJPEGD_EVENT_LOST_S"), Some("1.5"));
        assert_eq!(value("MJPEGD_ID"), Some(&*event.id.to_string()));
        assert_eq!(value("MJPEGD_JSON"), Some(&*event.json));
        assert!(value("MJPEGD_TIME").unwrap().parse::<f64>().unwrap() > 1.7e9);
    }
}
