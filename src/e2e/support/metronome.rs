//! How late this machine is at the moment, so that a test can tell a daemon
//! that is slow from a machine that is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that wants to run every few milliseconds and notes the longest
/// time that it had to wait.
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

    /// The longest wait so far.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.worst_us.load(Relaxed))
    }

    /// `limit` on an idle machine; on this one as much more as a chain of
    /// threads can be late that each wait as long as ours did.
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
