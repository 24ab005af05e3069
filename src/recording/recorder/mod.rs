//! The thread `recorder`: `run` (loop, back off) around `run_once` (open the
//! folder, write until an error). It is one more reader of the slot: it skips
//! frames that it cannot write in time, and capture never waits for it. With
//! `--record-on motion` it keeps the newest frames in memory until something moves.

mod before;
mod gate;
mod output;
pub(super) mod segment_writer;
mod session;
mod sync;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

pub(super) use gate::Gate;
use output::Output;
use session::{End, Session};
use sync::SegmentFiles;

use super::Shared;
use super::status::State;
use super::store::folder::Folder;
use crate::back_off::BackOff;
use crate::log_limit::LogReasons;
use crate::panics::text;

/// The longest pause after errors. Longer than that of a camera, because opening a
/// folder reads the index of all that is in it.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The most ended segments that wait for a sync of more than [`MAX_SYNC`]: at a minute
/// each, a quarter of an hour of frames that a power cut would take.
const MAX_UNSYNCED: usize = 16;
/// A disk that spins up or erases a block takes seconds; one that takes longer hangs.
const MAX_SYNC: Duration = Duration::from_secs(30);

/// Segments to sync.
pub(super) type Written = Vec<Arc<SegmentFiles>>;

/// Why a recording cannot go on.
struct Error {
    /// What it tried, as in "cannot ...".
    action: String,
    source: io::Error,
}

/// Runs until the other end of `wakeup` is dropped or the slot is closed.
pub(super) fn run(
    shared: &Shared,
    wakeup: &Receiver<()>,
    written: &Sender<Written>,
    mut gate: Gate,
) {
    let mut log = LogReasons::default();
    let mut back_off = BackOff::up_to(LONGEST_PAUSE);
    loop {
        if !shared.is_wanted() {
            shared.stats.set(State::Off);
            match wakeup.recv() {
                Ok(()) => continue,
                Err(_) => return,
            }
        }
        let begun = Instant::now();
        let once = || run_once(shared, wakeup, written, &mut gate);
        // A panic is a bug of this program. The frames on disk are whole, and
        // opening the folder again repairs what is half-written.
        let end = catch_unwind(AssertUnwindSafe(once)).unwrap_or_else(|panic| {
            shared.store.finish();
            let source = io::Error::other(format!("the recorder panicked: {}", text(&*panic)));
            Err(Error { action: "record".into(), source })
        });
        let error = match end {
            Ok(End::Closed) => {
                shared.stats.set(State::Off);
                return;
            }
            Ok(End::SwitchedOff) => continue,
            Err(error) => error,
        };
        let cause = format!("cannot {}: {}", error.action, error.source);
        log.warn(&cause, &format!("not recording: {cause}; trying again"));
        shared.stats.fail(cause);
        let pause = back_off.after(begun.elapsed());
        if wakeup.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// Records until it is switched off or an error occurs.
fn run_once(
    shared: &Shared,
    wakeup: &Receiver<()>,
    written: &Sender<Written>,
    gate: &mut Gate,
) -> Result<End, Error> {
    shared.stats.set(State::Starting);
    let path = shared.config.path();
    let shown = path.display();
    let failed = |action: String| move |source| Error { action, source };
    let folder = Folder::open(&shared.config.dir, &shared.config.name)
        .map_err(failed(format!("open {shown}")))?;
    let folder = Arc::new(folder);
    // The lock is checked only after loading: if another program records to this
    // folder, its recording can still be played.
    let locked = folder.lock();
    shared
        .store
        .load(Arc::clone(&folder), locked.is_ok())
        .map_err(failed(format!("read {shown}")))?;
    locked.map_err(failed(format!("have {shown} alone, as another program records there")))?;
    let _lock = FolderLock(Arc::clone(&folder));
    let mut session = Session::new(shared, Output::new(shared, folder, written));
    let end = session.record(&shared.capture.read(), wakeup, gate);
    session.output.finish(end.is_ok());
    end.map_err(failed(format!("write to {shown}")))
}

/// Unlocks the folder when it is dropped, also during a panic. Closing the folder
/// would not be enough: the lock lasts until the last reader closes it, too.
struct FolderLock(Arc<Folder>);

impl Drop for FolderLock {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// Whether the disk still syncs, judged by the ended segments that wait for it and by
/// the time since the last one did not. Either alone is normal: segments of a small
/// recording are short, and a segment of a slow camera is open for a minute.
fn check_unsynced(n_segments: usize, waited: Duration) -> io::Result<()> {
    if n_segments > MAX_UNSYNCED && waited > MAX_SYNC {
        let why = format!("the disk hangs: {n_segments} segments wait for it since {waited:.0?}");
        return Err(io::Error::other(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_that_hangs_is_an_error() {
        let long = MAX_SYNC + Duration::from_secs(1);
        assert!(check_unsynced(MAX_UNSYNCED, long).is_ok());
        assert!(check_unsynced(MAX_UNSYNCED + 1, MAX_SYNC).is_ok());
        let why = check_unsynced(MAX_UNSYNCED + 1, long).unwrap_err().to_string();
        assert_eq!(why, "the disk hangs: 17 segments wait for it since 31s");
    }
}
