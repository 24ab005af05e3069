//! What the accept thread of a listener tells the guard of the same listener.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How the accept thread of one listener gets on.
#[derive(Default)]
pub(super) struct Intake {
    n_ever_claimed: AtomicU64,
    /// How often it began or ended a wait: odd while it waits, and then no
    /// request is unclaimed.
    n_waits: AtomicU64,
}

impl Intake {
    pub(super) fn count_claim(&self) {
        self.n_ever_claimed.fetch_add(1, Relaxed);
    }

    /// How many connections ever sent a request.
    pub(super) fn n_ever_claimed(&self) -> u64 {
        self.n_ever_claimed.load(Relaxed)
    }

    /// Runs `wait`, during which no request is unclaimed.
    pub(super) fn while_waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.n_waits.fetch_add(1, Relaxed);
        let result = wait();
        self.n_waits.fetch_add(1, Relaxed);
        result
    }

    /// Whether all requests that came were claimed at some time since the last
    /// look. `n_waits` keeps the count of that look.
    pub(super) fn was_waiting(&self, n_waits: &mut u64) -> bool {
        let before = std::mem::replace(n_waits, self.n_waits.load(Relaxed));
        *n_waits != before || *n_waits % 2 == 1
    }
}
