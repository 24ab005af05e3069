//! The events of a camera beside its recording: lines of JSON in a few files, which
//! survive a restart.
//!
//! The thread `events` writes each event as it comes and never syncs, so that a slow
//! disk holds up at most one write; the thread `cleaner` syncs. It writes also while
//! the recording is switched off, and in its own files where another program records
//! to the same folder.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use parking_lot::Mutex;

use super::store::Store;
use super::store::folder::Folder;
use crate::back_off::BackOff;
use crate::config::RecordConfig;
use crate::events::{Event, Events, Filter, Subscription};
use crate::log_limit::LogReasons;
use writer::{Limits, Writer};

/// The longest pause after an error, as of the recorder.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often to hand over a file that the other thread had no time to sync.
const SYNC_AGAIN: Duration = Duration::from_secs(1);
/// How many events wait at most while the disk is away.
pub(super) const N_WAITING: usize = 512;

/// The events on disk, for readers.
#[derive(Default)]
pub(crate) struct Journal {
    folder: Mutex<Option<Arc<Folder>>>,
    n_lost: AtomicU64,
}

impl Journal {
    /// How many events are not on disk since the start of the program, as the disk was
    /// away or full for too long.
    pub(crate) fn n_lost(&self) -> u64 {
        self.n_lost.load(Relaxed)
    }

    /// The newest `n_most` events on disk that pass, in order. A file that cannot be
    /// read is left out.
    pub(crate) fn read(&self, filter: &Filter, n_most: usize) -> VecDeque<Event> {
        let folder = self.folder.lock().clone();
        folder.map_or_else(VecDeque::new, |folder| reader::read(&folder, filter, n_most))
    }
}

/// What the thread works on.
pub(super) struct Task<'a> {
    pub(super) config: &'a RecordConfig,
    pub(super) store: &'a Store,
    pub(super) journal: &'a Journal,
    pub(super) events: &'a Events,
    pub(super) subscription: &'a Subscription,
    /// Files to sync go here.
    pub(super) to_sync: &'a Sender<Arc<File>>,
    /// Disconnected at the stop, when an event that cannot be written is given up.
    pub(super) stop: &'a Receiver<()>,
}

/// Runs until the subscription is closed.
pub(super) fn run(task: &Task<'_>) {
    let mut log = LogReasons::default();
    let mut back_off = BackOff::up_to(LONGEST_PAUSE);
    let mut writer: Option<Writer> = None;
    let mut unsynced: Option<Arc<File>> = None;
    // Opened before the first event, so that the events of earlier starts can be read.
    let mut event: Option<Arc<Event>> = None;
    loop {
        let begun = Instant::now();
        if let Err(e) = task.write(&mut writer, event.as_deref()) {
            let shown = task.config.path();
            let line = format!("events are not kept in {}: {e}; trying again", shown.display());
            log.warn(&e.to_string(), &line);
            writer = None;
            task.count_lost(0, &mut log);
            let pause = back_off.after(begun.elapsed());
            if task.stop.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
                let n_waiting = task.subscription.queue().len() + usize::from(event.is_some());
                task.count_lost(n_waiting as u64, &mut log);
                return;
            }
            continue;
        }
        if event.take().is_some() {
            task.count_lost(0, &mut log);
            unsynced = writer.as_ref().map(|writer| Arc::clone(&writer.file));
        }
        unsynced = unsynced.and_then(|file| task.hand_over(file));
        let timeout = if unsynced.is_some() { SYNC_AGAIN } else { Duration::MAX };
        match task.subscription.queue().recv_timeout(timeout) {
            Ok(next) => event = Some(next),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // The other thread has ended before this one.
                let _ = writer.map(|writer| writer.file.sync_data());
                return;
            }
        }
    }
}

impl Task<'_> {
    /// Writes an event, or only opens the files.
    fn write(&self, writer: &mut Option<Writer>, event: Option<&Event>) -> std::io::Result<()> {
        writer.take_if(|writer| writer.is_deleted());
        let writer = match writer {
            Some(writer) => writer,
            None => {
                let folder = Arc::new(Folder::open(&self.config.dir, &self.config.name)?);
                let (opened, last_id) = Writer::open(&folder, Limits::new(self.config))?;
                *self.journal.folder.lock() = Some(folder);
                self.events.raise_id(last_id);
                writer.insert(opened)
            }
        };
        let Some(event) = event else { return Ok(()) };
        writer.append(&event.json)?;
        writer.clean(self.store.recorded_from());
        Ok(())
    }

    /// Counts what fell out of the queue, and `n_more`. The log says it once a time.
    fn count_lost(&self, n_more: u64, log: &mut LogReasons) {
        let n_lost = self.subscription.n_lost() + n_more;
        if self.journal.n_lost.swap(n_lost, Relaxed) != n_lost {
            let what = "events are lost, as they cannot be kept";
            log.warn(what, &format!("{n_lost} {what} in {}", self.config.path().display()));
        }
    }

    /// Asks for a sync without waiting. Returns the file if the other thread is busy.
    fn hand_over(&self, file: Arc<File>) -> Option<Arc<File>> {
        match self.to_sync.try_send(file) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => None,
            Err(TrySendError::Full(file)) => Some(file),
        }
    }
}
