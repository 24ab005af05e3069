//! Recording to disk, and reading what was recorded.
//!
//! ```text
//! slot -> recorder -> segments and indexes in a folder -> store -> cursor
//!                     cleaner deletes the oldest
//! ```
//! A segment is a file of about a minute, byte for byte as the stream for
//! programs, with an index beside it that can always be made anew. Whoever
//! reads opens the files himself and shares nothing with the recorder but the
//! list of segments. It knows neither HTTP nor cameras.

mod cleaner;
mod export;
mod playback;
mod recorder;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod time;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

pub(crate) use export::{Export, Format, PlannedFrame, TooManyFrames};
pub(crate) use playback::{Cursor, StoredFrame};
pub(crate) use status::{State, Status};
pub(crate) use store::part::END;
pub(crate) use store::segment::Segment;
pub(crate) use store::{Span, Store, Totals};
pub(crate) use time::{LAST, Micros, SECOND, micros, rfc3339};

use crate::capture::Capture;
use crate::config::RecordConfig;

/// The handle: switches recording on and off, tells of it, reads from it.
#[derive(Clone)]
pub(crate) struct Recording(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    /// Wakes the recorder; `None` once stopped.
    orders: Mutex<Option<Sender<()>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the handle and the threads share.
struct Shared {
    config: RecordConfig,
    capture: Capture,
    store: Arc<Store>,
    stats: status::Stats,
    is_wanted: AtomicBool,
}

impl Shared {
    fn is_wanted(&self) -> bool {
        self.is_wanted.load(SeqCst)
    }
}

impl Recording {
    /// Records from now on. What keeps it from that is a state.
    pub(crate) fn start(config: RecordConfig, capture: Capture) -> Self {
        let shared = Arc::new(Shared {
            config,
            capture,
            store: Arc::default(),
            stats: status::Stats::new(),
            is_wanted: AtomicBool::new(true),
        });
        let (orders, hearing) = bounded(1);
        let (written, to_keep) = bounded(1);
        let (recording, cleaning) = (Arc::clone(&shared), Arc::clone(&shared));
        let started = [
            thread::Builder::new()
                .name("recorder".into())
                .spawn(move || recorder::run(&recording, &hearing, &written)),
            thread::Builder::new().name("cleaner".into()).spawn(move || {
                let run = || cleaner::run(&cleaning.store, &cleaning.config, &to_keep);
                // A panic, which is logged, is to cost a look, not the bounds.
                while catch_unwind(AssertUnwindSafe(run)).is_err() {}
            }),
        ];
        let mut threads = Vec::new();
        for thread in started {
            match thread {
                Ok(thread) => threads.push(thread),
                Err(e) => {
                    let cause = format!("no thread for the recording: {e}");
                    log::error!("{cause}");
                    shared.stats.fail(cause);
                }
            }
        }
        let orders = Mutex::new(Some(orders));
        Self(Arc::new(Handle { shared, orders, threads: Mutex::new(threads) }))
    }

    /// Switches recording on or off. Does not wait until it is.
    pub(crate) fn switch(&self, on: bool) {
        self.0.shared.is_wanted.store(on, SeqCst);
        if let Some(orders) = &*self.0.orders.lock() {
            // A place that is taken holds an order that was not heard yet.
            let _ = orders.try_send(());
        }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.0.shared.is_wanted()
    }

    pub(crate) fn status(&self) -> Status {
        self.0.shared.stats.status()
    }

    pub(crate) fn config(&self) -> &RecordConfig {
        &self.0.shared.config
    }

    /// What was recorded.
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.0.shared.store
    }

    /// Returns when the threads are gone. The slot must have been closed.
    pub(crate) fn stop(&self) {
        drop(self.0.orders.lock().take());
        let threads = std::mem::take(&mut *self.0.threads.lock());
        for thread in threads {
            let name = thread.thread().name().unwrap_or("recording").to_owned();
            if thread.join().is_err() {
                log::error!("the {name} thread panicked");
            }
        }
    }
}
