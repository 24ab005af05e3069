//! The order to stop, which ends every sleep early.

use std::convert::Infallible;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

/// Gives the order when it is dropped. Nothing is ever sent: closing a channel reaches
/// every receiver, however many there are.
#[derive(Debug)]
pub(crate) struct Trigger(
    #[expect(dead_code, reason = "dropped, never sent on")] Sender<Infallible>,
);

/// Receives the order. Cheap to clone; each thread has its own.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(Receiver<Infallible>);

/// Returns a trigger and its receiver.
pub(crate) fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = bounded(0);
    (Trigger(sender), Shutdown(receiver))
}

impl Shutdown {
    /// An order that never comes.
    #[cfg(feature = "mqtt")]
    pub(crate) fn never() -> Self {
        Self(crossbeam_channel::never())
    }

    /// Sleeps, and returns early with `true` when the order comes.
    pub(crate) fn wait_for(&self, duration: Duration) -> bool {
        self.0.recv_timeout(duration) == Err(RecvTimeoutError::Disconnected)
    }

    /// Is disconnected when the order comes; for waits for several things.
    pub(crate) fn channel(&self) -> &Receiver<Infallible> {
        &self.0
    }

    /// Whether the order was given. Does not block.
    pub(crate) fn is_ordered(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn sleep_ends_when_ordered() {
        let (trigger, shutdown) = channel();
        assert!(!shutdown.is_ordered());
        assert!(!shutdown.wait_for(Duration::from_millis(1)));
        let sleeper = {
            let shutdown = shutdown.clone();
            thread::spawn(move || shutdown.wait_for(Duration::from_secs(600)))
        };
        drop(trigger);
        assert!(sleeper.join().unwrap());
        assert!(shutdown.is_ordered());
    }
}
