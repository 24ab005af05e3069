//! Measures scheduling delays of this machine, so that a test can tell a slow
//! daemon from a busy machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that sleeps for a few milliseconds at a time and records its
/// longest delay.
pub(crate) struct Metronome {
    worst_us: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Metronome {
    pub(crate) fn start() -> Self {
        let (worst_us, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (worst, over) = (Arc::clone(&worst_us), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut last = Instant::now();
            while !over.load(Relaxed) {
                thread::sleep(Duration::from_millis(5));
                let waited = u64::try_from(last.elapsed().as_micros()).unwrap();
                worst.fetch_max(waited, Relaxed);
                last = Instant::now();
            }
        });
        Self { worst_us, is_over, thread: Some(thread) }
    }

    /// The longest delay so far.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.worst_us.load(Relaxed))
    }

    /// `limit`, plus the delay of a chain of threads that are each as late as
    /// this one was.
    pub(crate) fn allow(&self, limit: Duration) -> Duration {
        limit + 20 * self.worst()
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
