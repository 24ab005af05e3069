//! Events that the broker has not acknowledged: they are sent again, over the next connection.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::events::Event;

/// How many there are at most; then the next ones wait in the queue, which is bounded too.
const N_MAX: usize = 64;

/// The events, in the order in which they were sent, each with the number of its packet.
#[derive(Default)]
pub(super) struct Unacknowledged {
    events: VecDeque<(u16, Arc<Event>)>,
    last_id: u16,
}

impl Unacknowledged {
    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= N_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Keeps an event and returns the number of its packet, which no other one here has.
    pub(super) fn add(&mut self, event: Arc<Event>) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            // 0 is no number (2.3.1).
            let id = self.last_id;
            if id != 0 && self.events.iter().all(|(other, _)| *other != id) {
                self.events.push_back((id, event));
                return id;
            }
        }
    }

    pub(super) fn acknowledge(&mut self, id: u16) {
        self.events.retain(|(other, _)| *other != id);
    }

    /// All of them, to be sent again.
    pub(super) fn all(&self) -> impl Iterator<Item = &(u16, Arc<Event>)> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Events, Filter, Kind};

    #[test]
    fn numbers_are_unique_and_never_zero() {
        let events = Events::default();
        events.emit("a", Kind::CameraOn, &[]);
        let event = events.recent(&Filter::default()).pop().unwrap();
        let mut all = Unacknowledged::default();
        assert_eq!(all.add(Arc::clone(&event)), 1);
        for n in 2..=u16::MAX {
            assert_eq!(all.add(Arc::clone(&event)), n);
            all.acknowledge(n);
        }
        // 0 is none, and 1 is still in use.
        assert_eq!(all.add(Arc::clone(&event)), 2);
        assert_eq!(all.all().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
        (all.len()..N_MAX).for_each(|_| assert!(!all.is_full() && all.add(event.clone()) > 2));
        assert!(all.is_full());
    }
}
