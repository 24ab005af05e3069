//! What happened, when, at which camera: the newest events in memory, and those who
//! want each as it comes.
//!
//! ```text
//! capture, recording, motion, viewers -> Events -> subscriptions: journal, hooks, streams
//! ```
//! Whoever causes an event holds an [`Events`] or a [`Source`] and emits it without
//! waiting: a subscriber has a queue of its own, and one that is too slow loses the
//! oldest. Nothing flows back. This room knows neither disks nor commands nor HTTP.

mod event;
mod filter;
mod kind;
mod subscription;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde_json::{Map, Value};

pub(crate) use event::{Event, Micros};
pub(crate) use filter::Filter;
pub(crate) use kind::Kind;
pub(crate) use subscription::{Closer, Subscription};

use crate::frame::since_epoch;
use subscription::Subscriber;

/// How many events of each type are kept in memory. A number for each type, so that
/// viewers who come and go do not push out what a camera saw.
const N_KEPT: usize = 256;

/// The events of this daemon, and the handle to emit them.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    last_id: u64,
    /// By type, in the order of [`Kind::ALL`].
    kept: [VecDeque<Arc<Event>>; Kind::ALL.len()],
    counts: [u64; Kind::ALL.len()],
    subscribers: Vec<Subscriber>,
    next_subscriber: u64,
}

/// The handle of a part that belongs to one camera.
#[derive(Clone, Default)]
pub(crate) struct Source {
    events: Events,
    camera: String,
}

/// A time for the figures of an event, exact to the millisecond.
pub(crate) fn seconds(time: Duration) -> Value {
    ((time.as_secs_f64() * 1000.0).round() / 1000.0).into()
}

impl Source {
    /// As [`Events::emit`], for this camera.
    pub(crate) fn emit(&self, kind: Kind, data: &[(&str, Value)]) {
        self.events.emit(&self.camera, kind, data);
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    pub(crate) fn camera(&self) -> &str {
        &self.camera
    }
}

impl Events {
    /// A handle for the parts of a camera.
    pub(crate) fn source(&self, camera: &str) -> Source {
        Source { events: self.clone(), camera: camera.to_owned() }
    }

    /// Something happened at a camera, just now. Never waits.
    pub(crate) fn emit(&self, camera: &str, kind: Kind, data: &[(&str, Value)]) {
        let data: Map<_, _> =
            data.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let data = Value::Object(data).to_string();
        let at = u64::try_from(since_epoch(SystemTime::now()).as_micros()).unwrap_or(u64::MAX);
        let old = {
            let mut state = self.0.lock();
            // The time is the number, so that numbers grow over a restart without a file
            // that keeps the last one.
            let id = at.max(state.last_id + 1);
            state.last_id = id;
            let event = Arc::new(Event::new(id, at, kind, camera, &data));
            state.counts[kind as usize] += 1;
            state.subscribers.iter().for_each(|subscriber| subscriber.offer(&event));
            let kept = &mut state.kept[kind as usize];
            kept.push_back(event);
            if kept.len() > N_KEPT { kept.pop_front() } else { None }
        };
        // Freed without the lock.
        drop(old);
    }

    /// Numbers are above this one from now on: it is on disk, from a time when the
    /// clock was ahead.
    pub(crate) fn raise_id(&self, above: u64) {
        let mut state = self.0.lock();
        state.last_id = state.last_id.max(above);
    }

    /// The events in memory that pass, in order.
    pub(crate) fn recent(&self, filter: &Filter) -> Vec<Arc<Event>> {
        self.0.lock().recent(filter, 0)
    }

    /// How many there were of each type since the start of the program.
    pub(crate) fn counts(&self) -> [(Kind, u64); Kind::ALL.len()] {
        let counts = self.0.lock().counts;
        Kind::ALL.map(|kind| (kind, counts[kind as usize]))
    }

    /// From now on each event that passes goes to this subscriber, which may be
    /// `n_waiting` behind.
    pub(crate) fn subscribe(&self, filter: Filter, n_waiting: usize) -> Subscription {
        self.subscribe_after(filter, n_waiting, u64::MAX).1
    }

    /// As [`Events::subscribe`]. Also returns the events in memory that came after the
    /// number `after`, so that nothing is missing between these and the next one.
    pub(crate) fn subscribe_after(
        &self,
        filter: Filter,
        n_waiting: usize,
        after: u64,
    ) -> (Vec<Arc<Event>>, Subscription) {
        let mut state = self.0.lock();
        let before = if after == u64::MAX { Vec::new() } else { state.recent(&filter, after + 1) };
        let id = state.next_subscriber;
        state.next_subscriber += 1;
        let (subscriber, subscription) = subscription::new(self, id, filter, n_waiting);
        state.subscribers.push(subscriber);
        (before, subscription)
    }

    /// Ends the subscription: it gives what waits in its queue, and then its end.
    fn unsubscribe(&self, id: u64) {
        let mut state = self.0.lock();
        let at = state.subscribers.iter().position(|subscriber| subscriber.id == id);
        let ended = at.map(|at| state.subscribers.swap_remove(at));
        drop(state);
        drop(ended);
    }
}

impl State {
    fn recent(&self, filter: &Filter, first: u64) -> Vec<Arc<Event>> {
        let all = self.kept.iter().flatten();
        let mut found: Vec<_> =
            all.filter(|event| event.id >= first && filter.passes(event)).cloned().collect();
        found.sort_unstable_by_key(|event| event.id);
        found
    }
}

#[cfg(test)]
mod tests;
