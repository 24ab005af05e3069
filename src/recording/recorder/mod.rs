//! The thread that writes: `run` (loop, back off) around `run_once` (open the
//! folder, write until an error). It is one more reader of the slot: what it
//! cannot write in time it misses, and capture never waits for it.

pub(super) mod segment_writer;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use segment_writer::{SegmentFiles, SegmentWriter};

use super::Shared;
use super::status::State;
use super::store::folder::Folder;

use crate::capture::Reader;
use crate::frame::Frame;
use crate::log_limit::LogLimit;
use crate::panics::text;
use crate::rate::Pace;
use crate::slot::Newer;

/// How soon a recording that failed is tried again: at first, and at last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How often an order to stop is looked for while no frame comes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A recording has at least so many segments when it is full, so that deleting
/// one does not take much.
const N_SEGMENTS: u64 = 8;

/// Segments for the disk to keep, for the cleaner.
pub(super) type Written = Vec<Arc<SegmentFiles>>;

/// Why a recording cannot go on.
struct Error {
    doing: String,
    error: io::Error,
}

/// Runs until the other end of `orders` is dropped or the slot is closed.
pub(super) fn run(shared: &Shared, orders: &Receiver<()>, written: &Sender<Written>) {
    let mut faults = LogLimit::default();
    let mut wait = FIRST_WAIT;
    loop {
        if !shared.is_wanted() {
            shared.stats.set(State::Off);
            match orders.recv() {
                Ok(()) => continue,
                Err(_) => return,
            }
        }
        let begun = Instant::now();
        // A panic is a bug of ours; what is on disk is whole, or mended when
        // the folder is opened anew.
        let once = || run_once(shared, orders, written);
        let end = catch_unwind(AssertUnwindSafe(once)).unwrap_or_else(|panic| {
            shared.store.finish();
            let error = io::Error::other(format!("the recorder panicked: {}", text(&*panic)));
            Err(Error { doing: "record".into(), error })
        });
        let error = match end {
            Ok(End::Over) => return,
            Ok(End::Told) => continue,
            Err(error) => error,
        };
        let cause = format!("cannot {}: {}", error.doing, error.error);
        faults.warn(&format!("not recording: {cause}; trying again"));
        shared.stats.fail(cause);
        if begun.elapsed() > LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        if orders.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Why a recording is not to go on.
enum End {
    /// It was switched off.
    Told,
    /// No frame comes any more.
    Over,
}

/// Records until it is told to stop or cannot go on.
fn run_once(
    shared: &Shared,
    orders: &Receiver<()>,
    written: &Sender<Written>,
) -> Result<End, Error> {
    shared.stats.set(State::Starting);
    let path = shared.config.path();
    let shown = path.display();
    let failed = |doing: String| move |error| Error { doing, error };
    let folder = Folder::open(&shared.config.dir, &shared.config.name)
        .map_err(failed(format!("open {shown}")))?;
    let folder = Arc::new(folder);
    let locked = folder.lock();
    shared
        .store
        .load(Arc::clone(&folder), locked.is_ok())
        .map_err(failed(format!("read {shown}")))?;
    locked.map_err(failed(format!("have {shown} alone, as another program records there")))?;
    let _alone = FolderLock(Arc::clone(&folder));
    let mut session = Session {
        shared,
        folder,
        written,
        writer: None,
        ended: Written::new(),
        usual: None,
        synced: Instant::now(),
        is_behind: false,
    };
    let end = session.record(&shared.capture.read(), orders);
    session.finish();
    end.map_err(failed(format!("write to {shown}")))
}

/// A folder that is locked, until this is dropped: by a panic too, where others
/// still hold the folder.
struct FolderLock(Arc<Folder>);

impl Drop for FolderLock {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// One stretch of recording without a error.
struct Session<'a> {
    shared: &'a Shared,
    folder: Arc<Folder>,
    written: &'a Sender<Written>,
    writer: Option<SegmentWriter>,
    /// Segments that have ended since the disk was told.
    ended: Written,
    /// The time between the last two frames.
    usual: Option<Duration>,
    /// When the disk was told last, and whether something came since.
    synced: Instant,
    is_behind: bool,
}

impl Session<'_> {
    fn record(&mut self, reader: &Reader, orders: &Receiver<()>) -> io::Result<End> {
        let mut pace = Pace::new(self.shared.config.fps);
        let mut seen = 0;
        while self.shared.is_wanted() {
            if let Some(wait) = pace.wait(Instant::now()) {
                let order = reader.rest(|| orders.recv_timeout(wait));
                if order == Err(RecvTimeoutError::Disconnected) {
                    return Ok(End::Over);
                }
                continue;
            }
            match reader.wait_newer(seen, LOOK_EVERY) {
                // Why the camera shows nothing is no picture of it.
                Newer::Frame { frame, .. } if frame.meta.is_status => seen = frame.meta.seq,
                Newer::Frame { frame, skipped, .. } => {
                    // What was not wanted was not missed.
                    let skipped = if self.shared.config.fps.is_some() { 0 } else { skipped };
                    seen = frame.meta.seq;
                    self.write(&frame)?;
                    self.shared.stats.written(frame.full().len(), skipped);
                    pace.sent(Instant::now());
                }
                // Perhaps no more comes: what there is shall be safe.
                Newer::Timeout if self.is_behind => self.keep()?,
                Newer::Timeout => {}
                Newer::Closed => return Ok(End::Over),
            }
        }
        Ok(End::Told)
    }

    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let max_bytes = self.shared.config.max_bytes / N_SEGMENTS;
        let (usual, store) = (self.usual, &self.shared.store);
        self.usual = self.writer.as_ref().map(|writer| writer.interval(frame)).or(usual);
        let is_over = |writer: &SegmentWriter| writer.is_over(frame, usual, max_bytes);
        let writer = match self.writer.take_if(|writer| is_over(writer)) {
            Some(ended) => {
                ended.flush()?;
                self.ended.push(ended.files);
                None
            }
            None => self.writer.as_mut(),
        };
        let writer = match writer {
            Some(writer) => {
                writer.append(frame)?;
                writer
            }
            None => self.writer.insert(SegmentWriter::begin(&self.folder, store.next_id(), frame)?),
        };
        store.put(writer.segment, &writer.tail);
        self.is_behind = true;
        if self.synced.elapsed() >= self.shared.config.sync { self.keep() } else { Ok(()) }
    }

    /// Has the disk told to keep what was written so far.
    fn keep(&mut self) -> io::Result<()> {
        let Some(writer) = &self.writer else { return Ok(()) };
        self.synced = Instant::now();
        writer.flush()?;
        self.ended.push(Arc::clone(&writer.files));
        self.is_behind = false;
        if let Err(full) = self.written.try_send(std::mem::take(&mut self.ended)) {
            // It has to do with the last ones still.
            self.ended = full.into_inner();
            self.ended.pop();
            self.is_behind = true;
        }
        Ok(())
    }

    /// Leaves nothing for the cleaner to wait for.
    fn finish(&mut self) {
        if let Some(writer) = self.writer.take() {
            // Where it fails, as on a full disk, the next start makes up for it.
            let _ = writer.flush();
            self.ended.push(writer.files);
        }
        let _ = self.written.send(std::mem::take(&mut self.ended));
        self.shared.store.finish();
    }
}
