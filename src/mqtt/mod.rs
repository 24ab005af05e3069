//! The MQTT broker of `--mqtt`: a thread publishes events, the states of the cameras and
//! pictures there. It is a neighbour of the hooks: it has a bounded queue of events, and
//! nobody waits for it.
//!
//! | file | holds |
//! | --- | --- |
//! | `packet` | the packets of MQTT 3.1.1 |
//! | `session` | one connection to the broker |
//! | `unacknowledged` | events that the broker has not acknowledged |
//! | `topics` | names and contents of what is published |
//! | `known` | what the broker knows of the cameras |
//! | `pictures` | pictures that are due |
//! | `publisher` | what is published over one connection |
//! | `report` | how it goes, for people; also without this feature |
//! | `run` | the thread: one connection after another |

mod known;
mod packet;
mod pictures;
mod publisher;
mod report;
mod run;
mod session;
#[cfg(test)]
pub(crate) mod tests;
mod topics;
mod unacknowledged;

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::cameras::Cameras;
use crate::config::MqttConfig;
use crate::events::{Events, Filter, Subscription};
use crate::shutdown::{self, Shutdown, Trigger};
use crate::threads;
pub(crate) use report::{CountViewers, Report};
use topics::Topics;

/// How many events wait at most while the broker is away; then the oldest is lost.
const N_WAITING: usize = 256;

/// The publisher of this daemon.
pub(crate) struct Mqtt {
    shared: Arc<Shared>,
    stop: Shutdown,
    trigger: Mutex<Option<Trigger>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    config: MqttConfig,
    topics: Topics,
    subscription: Subscription,
    status: Mutex<Status>,
}

/// How it goes, and what was counted since the start of the program.
#[derive(Clone, Default)]
struct Status {
    is_connected: bool,
    n_published: u64,
    n_failures: u64,
    n_unacknowledged: usize,
    error: Option<String>,
}

impl Mqtt {
    /// Events are kept from now on. `None` without a configuration.
    pub(crate) fn new(config: Option<MqttConfig>, events: &Events) -> Option<Arc<Self>> {
        let config = config?;
        let (trigger, stop) = shutdown::channel();
        let shared = Shared {
            topics: Topics::new(&config),
            config,
            subscription: events.subscribe(Filter::default(), N_WAITING),
            status: Mutex::default(),
        };
        Some(Arc::new(Self {
            shared: Arc::new(shared),
            stop,
            trigger: Mutex::new(Some(trigger)),
            thread: Mutex::default(),
        }))
    }

    /// Starts to publish. If there is no thread for it, that is a state and no error.
    pub(crate) fn start(&self, cameras: Cameras, n_viewers: CountViewers) {
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        match threads::spawn("mqtt", move || run::run(&shared, &cameras, &*n_viewers, &stop)) {
            Ok(thread) => *self.thread.lock() = Some(thread),
            Err(e) => {
                let cause = format!("no thread for MQTT: {e}");
                log::error!("{cause}");
                self.shared.status.lock().error = Some(cause);
            }
        }
    }

    pub(crate) fn report(&self) -> Report {
        let Shared { config, subscription, status, .. } = &*self.shared;
        let status = status.lock().clone();
        Report {
            broker: config.url.to_string(),
            prefix: config.prefix.clone(),
            is_connected: status.is_connected,
            n_published: status.n_published,
            n_waiting: subscription.queue().len() + status.n_unacknowledged,
            n_lost: subscription.n_lost(),
            n_failures: status.n_failures,
            error: status.error,
        }
    }

    /// Orders the thread to send what waits, within a second, and to end. The cameras have
    /// been stopped, so that their last events are among it.
    pub(crate) fn close(&self) {
        let trigger = self.trigger.lock().take();
        drop(trigger);
    }

    /// Returns when the thread has ended. Call [`Mqtt::close`] before.
    pub(crate) fn stop(&self) {
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread of MQTT panicked");
        }
    }
}
