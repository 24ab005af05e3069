//! The thread `recorder`: `run` (loop, back off) around `run_once` (open the
//! folder, write until an error). It is one more reader of the slot: it skips
//! frames that it cannot write in time, and capture never waits for it.

pub(super) mod segment_writer;
mod sync;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use serde_json::Value;

use segment_writer::SegmentWriter;
use sync::SegmentFiles;

use super::Shared;
use super::status::State;
use super::store::folder::Folder;
use super::store::segment::Segment;
use super::time::{Micros, SECOND};
use crate::back_off::BackOff;
use crate::capture::Reader;
use crate::events::Kind;
use crate::frame::Frame;
use crate::log_limit::LogReasons;
use crate::panics::text;
use crate::rate::Pace;
use crate::slot::Newer;

/// The longest pause after errors. Longer than that of a camera, because opening a
/// folder reads the index of all that is in it.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often the recorder checks whether it was switched off, and whether a sync is
/// due, while no frame comes.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// A full recording has at least this many segments, so that the cleaner
/// deletes an eighth of it at most at once.
const N_SEGMENTS: u64 = 8;

/// The most ended segments that wait for a sync of more than [`MAX_SYNC`]: at a minute
/// each, a quarter of an hour of frames that a power cut would take.
const MAX_UNSYNCED: usize = 16;
/// A disk that spins up or erases a block takes seconds; one that takes longer hangs.
const MAX_SYNC: Duration = Duration::from_secs(30);
/// How long to wait for the sync thread after an error.
const MAX_HANDOVER: Duration = Duration::from_secs(2);

/// Segments to sync.
pub(super) type Written = Vec<Arc<SegmentFiles>>;

/// Why a recording cannot go on.
struct Error {
    /// What it tried, as in "cannot ...".
    action: String,
    source: io::Error,
}

/// Runs until the other end of `wakeup` is dropped or the slot is closed.
pub(super) fn run(shared: &Shared, wakeup: &Receiver<()>, written: &Sender<Written>) {
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
        let once = || run_once(shared, wakeup, written);
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

/// Why a recording ended without an error.
enum End {
    SwitchedOff,
    /// No frame will come any more.
    Closed,
}

/// Records until it is switched off or an error occurs.
fn run_once(
    shared: &Shared,
    wakeup: &Receiver<()>,
    written: &Sender<Written>,
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
    let mut session = Session {
        shared,
        folder,
        written,
        writer: None,
        to_sync: Written::new(),
        interval: None,
        synced: Instant::now(),
        handed_over: Instant::now(),
        is_behind: false,
    };
    let end = session.record(&shared.capture.read(), wakeup);
    session.finish(end.is_ok());
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

/// The time from opening the folder to the end or the first error.
struct Session<'a> {
    shared: &'a Shared,
    folder: Arc<Folder>,
    written: &'a Sender<Written>,
    writer: Option<SegmentWriter>,
    /// Segments that ended since the last sync.
    to_sync: Written,
    /// The time between the last two frames; `None` before the second one.
    interval: Option<Duration>,
    /// When the last sync was requested, and whether frames came since.
    synced: Instant,
    is_behind: bool,
    /// When the sync thread last took a request.
    handed_over: Instant,
}

impl Session<'_> {
    fn record(&mut self, reader: &Reader, wakeup: &Receiver<()>) -> io::Result<End> {
        let mut pace = Pace::new(self.shared.config.fps);
        let mut seen = 0;
        while self.shared.is_wanted() {
            if let Some(pause) = pace.wait(Instant::now()) {
                let woken = reader.pause(|| wakeup.recv_timeout(pause));
                if woken == Err(RecvTimeoutError::Disconnected) {
                    return Ok(End::Closed);
                }
                continue;
            }
            match reader.wait_newer(seen, CHECK_EVERY) {
                // A status picture says why the camera shows nothing. It does not come
                // from the camera, so it is not recorded.
                Newer::Frame { frame, .. } if frame.meta.is_status => seen = frame.meta.seq,
                Newer::Frame { frame, skipped, .. } => {
                    // With `--record-fps`, frames are left out on purpose.
                    let skipped = if self.shared.config.fps.is_some() { 0 } else { skipped };
                    seen = frame.meta.seq;
                    self.write(&frame)?;
                    self.shared.stats.count_frame(frame.full().len(), skipped);
                    pace.sent(Instant::now());
                }
                // A camera that stalls must not keep its last frames unsynced.
                Newer::Timeout if self.is_behind => self.request_sync()?,
                Newer::Timeout => self.end_if_stale()?,
                Newer::Closed => return Ok(End::Closed),
            }
        }
        Ok(End::SwitchedOff)
    }

    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let max_bytes = self.shared.config.max_bytes / N_SEGMENTS;
        let (interval, store) = (self.interval, &self.shared.store);
        // Whether this frame comes after a gap is judged by the interval before it, not
        // by the one that it ends. Without a writer there is no last frame to measure
        // from, so the old interval stays: the camera's rate is most likely the same.
        self.interval = self.writer.as_ref().map(|writer| writer.since_last(frame)).or(interval);
        let is_over = |writer: &SegmentWriter| writer.is_over(frame, interval, max_bytes);
        let writer = match self.writer.take_if(|writer| is_over(writer)) {
            Some(ended) => {
                ended.flush()?;
                self.emit(&ended.segment);
                self.to_sync.push(ended.files);
                None
            }
            None => self.writer.as_mut(),
        };
        let writer = match writer {
            Some(writer) => {
                writer.append(frame)?;
                writer
            }
            None => {
                let mut writer = SegmentWriter::begin(&self.folder, store.next_id(), frame)?;
                let length = self.shared.config.segment;
                writer.length = length.and_then(|length| length.as_micros().try_into().ok());
                self.writer.insert(writer)
            }
        };
        store.put(writer.segment, &writer.tail);
        self.is_behind = true;
        let is_due = self.synced.elapsed() >= self.shared.config.sync;
        if is_due { self.request_sync() } else { Ok(()) }
    }

    /// Ends the segment of a camera that has stalled, so that it can be handed over.
    fn end_if_stale(&mut self) -> io::Result<()> {
        if let Some(ended) = self.writer.take_if(|writer| writer.is_stale(Instant::now())) {
            ended.flush()?;
            self.to_sync.push(ended.files);
            self.shared.store.finish();
        }
        Ok(())
    }

    /// Asks the sync thread to sync what was written so far, without waiting for
    /// the disk.
    fn request_sync(&mut self) -> io::Result<()> {
        let Some(writer) = &self.writer else { return Ok(()) };
        self.synced = Instant::now();
        writer.flush()?;
        self.to_sync.push(Arc::clone(&writer.files));
        self.is_behind = false;
        match self.written.try_send(std::mem::take(&mut self.to_sync)) {
            Ok(()) => self.handed_over = self.synced,
            // The channel is full: the disk is slower than the requests. The ended
            // segments stay in the list. The growing segment is removed again, because
            // the next request adds it.
            Err(full) => {
                self.to_sync = full.into_inner();
                self.to_sync.pop();
                self.is_behind = true;
            }
        }
        check_unsynced(self.to_sync.len(), self.handed_over.elapsed())
    }

    /// A segment is finished.
    fn emit(&self, segment: &Segment) {
        let seconds = |at: Micros| Value::from(at as f64 / SECOND as f64);
        let data = [
            ("segment", segment.name().into()),
            ("start", seconds(segment.start)),
            ("end", seconds(segment.end)),
            ("frames", segment.n_frames.into()),
            ("bytes", segment.n_bytes.into()),
        ];
        self.shared.source.emit(Kind::SegmentFinished, &data);
    }

    /// Ends the segment and requests its sync. Waits for the disk, but for a moment
    /// only after an error, which is reported afterwards.
    fn finish(&mut self, is_good: bool) {
        if let Some(writer) = self.writer.take() {
            // If the index cannot be written, as on a full disk, the next start
            // completes it from the segment.
            let _ = writer.flush();
            self.emit(&writer.segment);
            self.to_sync.push(writer.files);
        }
        let to_sync = std::mem::take(&mut self.to_sync);
        // What is not handed over is written by the kernel within its own time.
        let _ = if is_good {
            self.written.send(to_sync).is_ok()
        } else {
            self.written.send_timeout(to_sync, MAX_HANDOVER).is_ok()
        };
        self.shared.store.finish();
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
