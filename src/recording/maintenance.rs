//! The thread `cleaner`: it syncs what the recorder wrote and has the cleaner
//! delete what is out of bounds. Both may wait for a slow disk for seconds, and
//! the recorder would miss frames meanwhile.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, never, select};

use super::cleaner::Cleaner;
use super::recorder::Written;
use super::store::Store;
use super::time::micros;
use crate::config::RecordConfig;

/// How often ages are checked while nothing is recorded...
const IDLE_PERIOD: Duration = Duration::from_secs(10);
/// ...and bounds at most, where `--record-sync 0` sends a batch a frame.
const MIN_PERIOD: Duration = Duration::from_millis(500);

/// Runs until the other end of `written` is dropped. While it records, the
/// recorder sends at least once a second. `events` are files with events.
pub(super) fn run(
    store: &Store,
    config: &RecordConfig,
    written: &Receiver<Written>,
    events: &Receiver<Arc<File>>,
) {
    let (none, mut events) = (never(), events);
    let mut cleaner = Cleaner::default();
    let mut cleaned: Option<Instant> = None;
    loop {
        // Only an age can be exceeded while nothing is written.
        let timeout = if config.max_age.is_some() { IDLE_PERIOD } else { Duration::MAX };
        select! {
            recv(written) -> segments => match segments {
                Ok(segments) => segments.iter().for_each(|files| files.sync()),
                Err(_) => return,
            },
            recv(events) -> file => match file {
                // Whoever writes events notices a bad disk by its next write.
                Ok(file) => drop(file.sync_data()),
                Err(_) => events = &none,
            },
            default(timeout) => {}
        }
        if cleaned.is_none_or(|at| at.elapsed() >= MIN_PERIOD) {
            cleaner.clean(store, config, micros(SystemTime::now()), Instant::now());
            cleaned = Some(Instant::now());
        }
    }
}
