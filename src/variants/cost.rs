//! What variants cost: pictures and processor time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

/// Counters of one variant, or of all of a camera since the start.
#[derive(Default)]
pub(super) struct Cost {
    n_made: AtomicU64,
    n_passed: AtomicU64,
    n_damaged: AtomicU64,
    n_skipped: AtomicU64,
    cpu_ns: AtomicU64,
    passed_why: Mutex<Option<&'static str>>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// Pictures that were changed.
    pub(crate) n_made: u64,
    /// Pictures that were passed on as they are.
    pub(crate) n_passed: u64,
    pub(crate) n_damaged: u64,
    /// Pictures that came and went while one was being changed.
    pub(crate) n_skipped: u64,
    pub(crate) cpu: Duration,
    /// Why a picture was passed on as it is.
    pub(crate) passed_why: Option<&'static str>,
}

/// The counters of a variant together with those of its camera.
#[derive(Clone)]
pub(super) struct Costs(pub(super) Vec<Arc<Cost>>);

/// What became of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Made,
    /// It is as it was, for this reason.
    Passed(&'static str),
    /// There is none.
    Damaged,
}

impl Cost {
    pub(super) fn figures(&self) -> Figures {
        Figures {
            n_made: self.n_made.load(Relaxed),
            n_passed: self.n_passed.load(Relaxed),
            n_damaged: self.n_damaged.load(Relaxed),
            n_skipped: self.n_skipped.load(Relaxed),
            cpu: Duration::from_nanos(self.cpu_ns.load(Relaxed)),
            passed_why: *self.passed_why.lock(),
        }
    }
}

impl Costs {
    /// Counts a picture and the processor time that `change` takes of this thread.
    pub(super) fn count(&self, change: impl FnOnce() -> Outcome) -> Outcome {
        let before = cpu_time();
        let outcome = change();
        let took = cpu_time().saturating_sub(before);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        for cost in &self.0 {
            cost.cpu_ns.fetch_add(took, Relaxed);
            let counter = match outcome {
                Outcome::Made => &cost.n_made,
                Outcome::Passed(why) => {
                    *cost.passed_why.lock() = Some(why);
                    &cost.n_passed
                }
                Outcome::Damaged => &cost.n_damaged,
            };
            counter.fetch_add(1, Relaxed);
        }
        outcome
    }

    pub(super) fn skipped(&self, n: u64) {
        for cost in &self.0 {
            cost.n_skipped.fetch_add(n, Relaxed);
        }
    }
}

/// The processor time of this thread.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
