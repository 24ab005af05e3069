//! Recording to disk, and reading what was recorded.
//!
//! ```text
//! slot -> recorder -> segments and indexes in a folder -> store -> playback
//!                            cleaner deletes the oldest         -> export
//!                            on-segment hands them to a command
//! events -> journal -> files beside the segments
//! ```
//! A segment is a file of about a minute of the stream, byte for byte as layout
//! B on the wire, with an index beside it that can always be rebuilt from it.
//! A reader opens the files itself and shares nothing with the recorder but
//! the list of segments. This room knows neither HTTP nor cameras.

mod cleaner;
mod export;
mod follow;
mod handover;
mod journal;
mod maintenance;
mod playback;
mod recorder;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod time;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

pub(crate) use export::{Export, Format, PlannedFrame, TooManyFrames};
pub(crate) use handover::Handover;
pub(crate) use playback::{Cursor, StoredFrame};
pub(crate) use status::{State, Status};
pub(crate) use store::index_record::IndexRecord;
pub(crate) use store::segment::Segment;
pub(crate) use store::{Span, Store, Totals, Waiting};
pub(crate) use time::{LAST, Micros, SECOND, micros, rfc3339};

use crate::capture::Capture;
use crate::config::RecordConfig;
use crate::events::{Closer, Filter, Source, Subscription};
use crate::shutdown::{self, Trigger};
use crate::threads;
use journal::Journal;
use recorder::Gate;

/// The recording of one camera: switches it on and off, says how it goes, and
/// gives access to what was recorded.
#[derive(Clone)]
pub(crate) struct Recording(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    /// Wakes the recorder; `None` after the stop.
    wakeup: Mutex<Option<Sender<()>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Ends the handing over; `None` after the stop.
    trigger: Mutex<Option<Trigger>>,
    journal: Mutex<Option<JournalThread>>,
}

/// The thread that writes events, and what ends it: it also waits for a disk that is
/// away.
struct JournalThread {
    thread: JoinHandle<()>,
    closer: Closer,
    stop: Sender<()>,
}

/// What the handle and the threads share.
struct Shared {
    config: RecordConfig,
    capture: Capture,
    store: Arc<Store>,
    journal: Journal,
    source: Source,
    stats: status::Stats,
    handover: Mutex<Handover>,
    is_wanted: AtomicBool,
    /// Whether it does not wait for motion.
    is_always: AtomicBool,
}

impl Shared {
    fn new(config: RecordConfig, capture: Capture, source: Source) -> Arc<Self> {
        Arc::new(Self {
            is_wanted: AtomicBool::new(!config.is_of_others),
            is_always: AtomicBool::new(config.on_motion.is_none()),
            config,
            capture,
            store: Arc::default(),
            journal: Journal::default(),
            stats: status::Stats::new(source.clone()),
            source,
            handover: Mutex::default(),
        })
    }

    fn is_wanted(&self) -> bool {
        self.is_wanted.load(SeqCst)
    }

    fn is_always(&self) -> bool {
        self.is_always.load(SeqCst)
    }
}

impl Recording {
    /// Starts to record. If it cannot, that is a state and no error, because
    /// the camera works without its recording.
    pub(crate) fn start(config: RecordConfig, capture: Capture, source: Source) -> Self {
        let shared = Shared::new(config, capture, source);
        let (wakeup, woken) = bounded(1);
        // One batch waits at most: the recorder keeps the next one itself.
        let (written, to_sync) = bounded(1);
        let (events_written, events_to_sync) = bounded(1);
        let gate = Gate::new(shared.config.on_motion, &shared.source);
        // Before the recorder, whose first events belong to the recording.
        let journal = start_journal(&shared, events_written);
        let (recording, keeping) = (Arc::clone(&shared), Arc::clone(&shared));
        let (trigger, stop) = shutdown::channel();
        let handing = Arc::clone(&shared);
        let on_segment = shared.config.on_segment.clone().map(|command| {
            threads::spawn("on-segment", move || handover::run(&handing, &command, &stop))
        });
        let started = [
            threads::spawn("recorder", move || recorder::run(&recording, &woken, &written, gate)),
            threads::spawn("cleaner", move || {
                let (store, config) = (&keeping.store, &keeping.config);
                let run = || maintenance::run(store, config, &to_sync, &events_to_sync);
                // A panic, which is logged, costs one round. Without the next
                // ones the recording would fill the disk.
                while catch_unwind(AssertUnwindSafe(run)).is_err() {}
            }),
        ];
        let mut threads = Vec::new();
        for thread in started.into_iter().chain(on_segment) {
            match thread {
                Ok(thread) => threads.push(thread),
                Err(e) => {
                    let cause = format!("no thread for the recording: {e}");
                    log::error!("{cause}");
                    shared.stats.fail(cause);
                }
            }
        }
        let wakeup = Mutex::new(Some(wakeup));
        let (trigger, journal) = (Mutex::new(Some(trigger)), Mutex::new(journal));
        Self(Arc::new(Handle { shared, wakeup, threads: Mutex::new(threads), trigger, journal }))
    }

    /// Shows a recording that others write. A folder that is not there is a state and
    /// no error.
    pub(crate) fn follow(dir: PathBuf, capture: Capture, source: Source) -> Self {
        let shared = Shared::new(RecordConfig::of_others(dir), capture, source);
        let (trigger, stop) = shutdown::channel();
        let following = Arc::clone(&shared);
        let thread = threads::spawn("recording", move || follow::run(&following, &stop));
        if let Err(e) = &thread {
            log::error!("no thread for the recording: {e}");
        }
        Self(Arc::new(Handle {
            shared,
            wakeup: Mutex::default(),
            threads: Mutex::new(thread.into_iter().collect()),
            trigger: Mutex::new(Some(trigger)),
            journal: Mutex::default(),
        }))
    }

    /// Whether others write it, so that it cannot be switched.
    pub(crate) fn is_of_others(&self) -> bool {
        self.0.shared.config.is_of_others
    }

    /// Switches recording on or off, and returns before the recorder has done
    /// it. With `is_always` it does not wait for motion.
    pub(crate) fn switch(&self, on: bool, is_always: bool) {
        self.0.shared.is_wanted.store(on, SeqCst);
        self.0.shared.is_always.store(is_always, SeqCst);
        if let Some(wakeup) = &*self.0.wakeup.lock() {
            // A full channel holds a wakeup that the recorder has yet to take.
            let _ = wakeup.try_send(());
        }
    }

    /// Whether recording is switched on, whether or not it works.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.shared.is_wanted()
    }

    /// Whether it records, when it is on, whether or not something moves.
    pub(crate) fn is_always(&self) -> bool {
        self.0.shared.is_always()
    }

    pub(crate) fn status(&self) -> Status {
        self.0.shared.stats.status()
    }

    /// How the handing over of segments goes; `None` where none is asked for.
    pub(crate) fn handover(&self) -> Option<Handover> {
        let Shared { config, handover, .. } = &*self.0.shared;
        config.on_segment.is_some().then(|| handover.lock().clone())
    }

    pub(crate) fn config(&self) -> &RecordConfig {
        &self.0.shared.config
    }

    /// What was recorded.
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.0.shared.store
    }

    /// The events of this camera that are on disk.
    pub(crate) fn journal(&self) -> &Journal {
        &self.0.shared.journal
    }

    /// Returns when recorder and cleaner are gone. The slot must be closed before, as
    /// the recorder waits on it.
    pub(crate) fn stop(&self) {
        drop(self.0.wakeup.lock().take());
        drop(self.0.trigger.lock().take());
        let threads = std::mem::take(&mut *self.0.threads.lock());
        for thread in threads {
            let name = thread.thread().name().unwrap_or("recording").to_owned();
            if thread.join().is_err() {
                log::error!("the {name} thread panicked");
            }
        }
    }

    /// Writes the last events and returns when that thread is gone too. After whatever
    /// causes events of this camera has ended.
    pub(crate) fn stop_journal(&self) {
        let Some(JournalThread { thread, closer, stop }) = self.0.journal.lock().take() else {
            return;
        };
        closer.close();
        drop(stop);
        if thread.join().is_err() {
            log::error!("the events thread panicked");
        }
    }
}

/// Starts the thread `events`.
fn start_journal(shared: &Arc<Shared>, to_sync: Sender<Arc<File>>) -> Option<JournalThread> {
    let source = &shared.source;
    let filter = Filter::camera(source.camera());
    let subscription: Subscription = source.events().subscribe(filter, journal::N_WAITING);
    let closer = subscription.closer();
    let (stop, stopped) = bounded(0);
    let shared = Arc::clone(shared);
    let run = move || {
        journal::run(&journal::Task {
            config: &shared.config,
            store: &shared.store,
            journal: &shared.journal,
            events: shared.source.events(),
            subscription: &subscription,
            to_sync: &to_sync,
            stop: &stopped,
        });
    };
    match threads::spawn("events", run) {
        Ok(thread) => Some(JournalThread { thread, closer, stop }),
        Err(e) => {
            log::error!("no thread to keep the events: {e}");
            None
        }
    }
}
