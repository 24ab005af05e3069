//! Who is told of events: commands of `--on`, and the server of `--webhook`.
//!
//! Each has a thread and a bounded queue of its own, so that one that hangs holds up
//! neither the others nor whoever caused the event.

mod command;
mod signature;
mod webhook;

use std::sync::Arc;
use std::thread::JoinHandle;

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
    commands: Vec<Arc<Hook>>,
    webhook: Option<Arc<Webhook>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
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
        let HooksConfig { commands, limit, webhook } = config;
        let commands: Vec<_> =
            commands.into_iter().map(|(kind, line)| Arc::new(Hook::new(kind, line))).collect();
        let mut threads = Vec::new();
        for kind in Kind::ALL {
            let of_kind: Vec<_> =
                commands.iter().filter(|hook| hook.kind == kind).cloned().collect();
            if !of_kind.is_empty() {
                let subscription = command::subscribe(events, kind);
                let stop = stop.clone();
                start_thread("hook", &mut threads, move || {
                    command::run(&of_kind, &subscription, limit, &stop);
                });
            }
        }
        let webhook = webhook.map(|config| {
            let (webhook, stop) = (Arc::new(Webhook::new(config)), stop.clone());
            let (running, subscription) = (Arc::clone(&webhook), webhook::subscribe(events));
            start_thread("webhook", &mut threads, move || running.run(&subscription, &stop));
            webhook
        });
        Self { commands, webhook, threads: Mutex::new(threads) }
    }

    /// All hooks, and how they go.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let commands = self.commands.iter().map(|hook| hook.report());
        commands.chain(self.webhook.iter().map(|webhook| webhook.report())).collect()
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
}

fn start_thread(
    name: &str,
    threads: &mut Vec<JoinHandle<()>>,
    run: impl FnOnce() + Send + 'static,
) {
    match threads::spawn(name, run) {
        Ok(thread) => threads.push(thread),
        Err(e) => log::error!("no thread for a hook, which is not run: {e}"),
    }
}
