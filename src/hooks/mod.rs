//! Who gets events: commands of `--on`, and the server of `--webhook`.
//!
//! Each has a thread and a bounded queue of its own, so that one that hangs holds up
//! neither the others nor whoever caused the event.

mod command;
mod signature;
mod webhook;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::config::HooksConfig;
use crate::events::{Events, Kind};
use crate::shutdown::Shutdown;
use crate::threads;
use command::Hook;
use webhook::Webhook;

/// How many events wait at most; then the oldest is lost.
const N_WAITING: usize = 64;

/// The hooks of this daemon.
pub(crate) struct Hooks {
    events: Events,
    stop: Shutdown,
    plan: Arc<Mutex<Plan>>,
    webhook: Mutex<Option<Arc<Webhook>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What is done at each event. Replaced when the configuration changes; what runs then
/// goes on to its end.
#[derive(Default)]
struct Plan {
    /// In the order in which they were given.
    commands: Vec<Arc<Hook>>,
    /// What became of the events for commands that are no longer there.
    removed: Counts,
    limit: Duration,
    /// The types that have a thread. It stays when they have no commands any more.
    running: Vec<Kind>,
}

/// What became of the events for one hook, since the start of the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    /// The command ended well, or the server took the message.
    pub(crate) n_done: u64,
    /// The command failed, or the server refused the message.
    pub(crate) n_failed: u64,
    /// The command ran for too long. Of a webhook: tries that failed and came again.
    pub(crate) n_late: u64,
    /// Events that were lost, as too many waited.
    pub(crate) n_lost: u64,
    /// Why the last one failed; `None` once one was done.
    pub(crate) error: Option<String>,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.n_done += other.n_done;
        self.n_failed += other.n_failed;
        self.n_late += other.n_late;
        self.n_lost += other.n_lost;
    }
}

/// A hook and how it goes.
pub(crate) struct Report {
    /// The type of the events; `None` for the webhook, which gets all.
    pub(crate) kind: Option<Kind>,
    /// What is done, without secrets.
    pub(crate) action: String,
    pub(crate) counts: Counts,
}

impl Hooks {
    /// Starts the threads, one for each type of event that has commands.
    pub(crate) fn start(config: HooksConfig, events: &Events, stop: &Shutdown) -> Self {
        let hooks = Self {
            events: events.clone(),
            stop: stop.clone(),
            plan: Arc::default(),
            webhook: Mutex::default(),
            threads: Mutex::default(),
        };
        hooks.change(config);
        hooks
    }

    /// Changes the hooks to those of a new configuration. One that stays the same keeps
    /// its figures, and events that wait are for the new ones.
    pub(crate) fn change(&self, config: HooksConfig) {
        let HooksConfig { commands, limit, webhook } = config;
        for kind in self.change_commands(commands, limit) {
            let subscription = command::subscribe(&self.events, kind);
            let (plan, stop) = (Arc::clone(&self.plan), self.stop.clone());
            self.start_thread("hook", move || command::run(kind, &plan, &subscription, &stop));
        }
        let mut present = self.webhook.lock();
        match &*present {
            Some(present) => present.change(webhook),
            None if webhook.is_some() => {
                let hook = Arc::new(Webhook::new(webhook));
                let (running, subscription) = (Arc::clone(&hook), webhook::subscribe(&self.events));
                let stop = self.stop.clone();
                self.start_thread("webhook", move || running.run(&subscription, &stop));
                *present = Some(hook);
            }
            None => {}
        }
    }

    /// Returns the types of events that have no thread yet.
    fn change_commands(&self, commands: Vec<(Kind, String)>, limit: Duration) -> Vec<Kind> {
        let mut plan = self.plan.lock();
        let mut before = std::mem::take(&mut plan.commands);
        plan.limit = limit;
        let mut new = Vec::new();
        for (kind, line) in commands {
            if !plan.running.contains(&kind) {
                plan.running.push(kind);
                new.push(kind);
            }
            let same = before.iter().position(|hook| hook.is(kind, &line));
            let hook = same.map(|at| before.remove(at));
            plan.commands.push(hook.unwrap_or_else(|| Arc::new(Hook::new(kind, line))));
        }
        before.iter().for_each(|hook| plan.removed.add(&hook.report().counts));
        new
    }

    /// All hooks, and how they go.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let mut all: Vec<_> = self.plan.lock().commands.iter().map(|hook| hook.report()).collect();
        all.extend(self.webhook.lock().as_ref().and_then(|webhook| webhook.report()));
        all
    }

    /// What became of the events for all hooks that there ever were, so that the figures
    /// never fall.
    pub(crate) fn totals(&self) -> Counts {
        let plan = self.plan.lock();
        let mut totals = plan.removed.clone();
        plan.commands.iter().for_each(|hook| totals.add(&hook.report().counts));
        self.webhook.lock().iter().for_each(|webhook| totals.add(&webhook.counts()));
        totals
    }

    /// Returns when the threads have ended, and with them all commands. The order to
    /// stop must have been given.
    pub(crate) fn stop(&self) {
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            if thread.join().is_err() {
                log::error!("a thread of the hooks panicked");
            }
        }
    }

    fn start_thread(&self, name: &str, run: impl FnOnce() + Send + 'static) {
        match threads::spawn(name, run) {
            Ok(thread) => self.threads.lock().push(thread),
            Err(e) => log::error!("no thread for a hook, which is not run: {e}"),
        }
    }
}

impl Plan {
    /// The commands of a type.
    fn commands(&self, kind: Kind) -> Vec<Arc<Hook>> {
        self.commands.iter().filter(|hook| hook.kind == kind).cloned().collect()
    }
}
