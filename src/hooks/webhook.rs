//! `--webhook URL`: sends each event as a POST, in order, again until it is taken.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use parking_lot::Mutex;

use super::signature::sign;
use super::{Counts, Report};
use crate::back_off::BackOff;
use crate::config::WebhookConfig;
use crate::events::{Event, Events, Filter, Subscription};
use crate::fetch::{Error, Poster};
use crate::log_limit::LogReasons;
use crate::shutdown::Shutdown;

/// How many events wait at most while the server is away; then the oldest is lost.
const N_WAITING: usize = 256;
/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A server that answers each try with an error does so because of the message: then
/// the others get their turn.
const MAX_ANSWERS: u32 = 8;

/// The header that GitHub's webhooks have, which libraries check.
const SIGNATURE: &str = "X-Hub-Signature-256";

pub(super) struct Webhook {
    /// `None`: there is none any more.
    config: Mutex<Option<WebhookConfig>>,
    counts: Mutex<Counts>,
    /// A message means: the configuration has changed.
    changes: (Sender<()>, Receiver<()>),
}

/// What one try gave.
enum Try {
    Taken,
    /// Nobody answered, or the answer says that it may be taken later.
    Later(String, Answered),
    /// It will never be taken.
    Refused(String),
    Stopped,
}

type Answered = bool;

pub(super) fn subscribe(events: &Events) -> Subscription {
    events.subscribe(Filter::default(), N_WAITING)
}

impl Webhook {
    pub(super) fn new(config: Option<WebhookConfig>) -> Self {
        Self { config: Mutex::new(config), counts: Mutex::default(), changes: bounded(1) }
    }

    /// From now on events go there, also the one that is tried again.
    pub(super) fn change(&self, config: Option<WebhookConfig>) {
        let mut present = self.config.lock();
        if *present != config {
            *present = config;
            // A full channel holds a message that the thread has yet to take.
            let _ = self.changes.0.try_send(());
        }
    }

    /// Sends events until the order to stop.
    pub(super) fn run(&self, subscription: &Subscription, stop: &Shutdown) {
        let mut log = LogReasons::default();
        // Made again at each change only: it keeps what was learnt of the server.
        let mut target: Option<Target> = None;
        loop {
            let event = select! {
                recv(stop.channel()) -> _ => return,
                recv(self.changes.1) -> _ => continue,
                recv(subscription.queue()) -> event => event,
            };
            let Ok(event) = event else { return };
            self.deliver(&mut target, &event, stop, &mut log);
            self.counts.lock().n_lost = subscription.n_lost();
        }
    }

    fn deliver(
        &self,
        target: &mut Option<Target>,
        event: &Event,
        stop: &Shutdown,
        log: &mut LogReasons,
    ) {
        let mut back_off = BackOff::up_to(LONGEST_PAUSE);
        let mut n_answers = 0;
        loop {
            let Some(config) = self.config.lock().clone() else { return };
            if target.as_ref().is_none_or(|target| target.config != config) {
                *target = Some(Target::new(config, stop));
                (back_off, n_answers) = (BackOff::up_to(LONGEST_PAUSE), 0);
            }
            let Some(to) = &target else { return };
            let (why, is_over) = match to.send(event) {
                Try::Taken => {
                    let mut counts = self.counts.lock();
                    counts.n_done += 1;
                    counts.error = None;
                    return;
                }
                Try::Stopped => return,
                Try::Refused(why) => (why, true),
                Try::Later(why, is_answer) => {
                    n_answers += u32::from(is_answer);
                    (why, n_answers == MAX_ANSWERS)
                }
            };
            let (url, what) = (&to.config.url, if is_over { "given up" } else { "trying again" });
            log.warn(&why, &format!("the webhook {url} failed, {what}: {why}"));
            let mut counts = self.counts.lock();
            *(if is_over { &mut counts.n_failed } else { &mut counts.n_late }) += 1;
            counts.error = Some(why);
            drop(counts);
            if is_over {
                return;
            }
            select! {
                recv(stop.channel()) -> _ => return,
                recv(self.changes.1) -> _ => {}
                default(back_off.after(Duration::ZERO)) => {}
            }
        }
    }

    /// `None`: there is none any more.
    pub(super) fn report(&self) -> Option<Report> {
        let action = self.config.lock().as_ref()?.url.to_string();
        Some(Report { kind: None, action, counts: self.counts() })
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }
}

/// Where messages go.
struct Target {
    config: WebhookConfig,
    poster: Poster,
}

impl Target {
    fn new(config: WebhookConfig, stop: &Shutdown) -> Self {
        Self { poster: Poster::new(config.url.clone(), stop.clone()), config }
    }

    fn send(&self, event: &Event) -> Try {
        let body = event.json.as_bytes();
        let signature = self.config.key.as_ref().map(|key| sign(key, body));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(signature.as_deref().map(|signature| (SIGNATURE, signature)));
        match self.poster.post(&headers, body, Instant::now() + TIMEOUT) {
            Ok(200..=299) => Try::Taken,
            // Too early, too many, and faults of the server.
            Ok(status @ (408 | 425 | 429 | 500..)) => {
                Try::Later(format!("the server answered {status}"), true)
            }
            Ok(status) => Try::Refused(format!("the server answered {status}")),
            Err(Error::Stopped) => Try::Stopped,
            Err(Error::Failed(_, why)) => Try::Later(why, false),
        }
    }
}
