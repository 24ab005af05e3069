//! A subscriber's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::Events;
use super::event::Event;
use super::filter::Filter;

/// The end where events go in.
pub(super) struct Subscriber {
    pub(super) id: u64,
    filter: Filter,
    tx: Sender<Arc<Event>>,
    /// The other end, to take the oldest out when the queue is full.
    rx: Receiver<Arc<Event>>,
    n_lost: Arc<AtomicU64>,
}

/// The end where they come out. Dropping it ends the subscription.
pub(crate) struct Subscription {
    events: Events,
    id: u64,
    rx: Receiver<Arc<Event>>,
    n_lost: Arc<AtomicU64>,
}

/// Ends a subscription that another thread waits for.
pub(crate) struct Closer(Events, u64);

pub(super) fn new(
    events: &Events,
    id: u64,
    filter: Filter,
    n_waiting: usize,
) -> (Subscriber, Subscription) {
    let (tx, rx) = bounded(n_waiting);
    let n_lost = Arc::<AtomicU64>::default();
    let subscriber = Subscriber { id, filter, tx, rx: rx.clone(), n_lost: Arc::clone(&n_lost) };
    (subscriber, Subscription { events: events.clone(), id, rx, n_lost })
}

impl Subscriber {
    /// Puts an event into the queue, without waiting.
    pub(super) fn offer(&self, event: &Arc<Event>) {
        if !self.filter.passes(event) {
            return;
        }
        // Whoever emits holds the lock, so there is no other sender, and one place is
        // free after one was taken out.
        if let Err(TrySendError::Full(event)) = self.tx.try_send(Arc::clone(event)) {
            if self.rx.try_recv().is_ok() {
                self.n_lost.fetch_add(1, Relaxed);
            }
            let _ = self.tx.try_send(event);
        }
    }
}

impl Subscription {
    /// The queue. It is disconnected after the subscription was closed and the queue is
    /// empty.
    pub(crate) fn queue(&self) -> &Receiver<Arc<Event>> {
        &self.rx
    }

    /// How many events were lost, as the queue was full.
    pub(crate) fn n_lost(&self) -> u64 {
        self.n_lost.load(Relaxed)
    }

    pub(crate) fn closer(&self) -> Closer {
        Closer(self.events.clone(), self.id)
    }
}

impl Closer {
    pub(crate) fn close(&self) {
        self.0.unsubscribe(self.1);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.unsubscribe(self.id);
    }
}
