//! Appends frames to one segment and its index.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::frame::Frame;
use crate::recording::store::folder::Folder;
use crate::recording::store::index_record::{IndexRecord, MAGIC};
use crate::recording::store::index_tail::IndexTail;
use crate::recording::store::part;
use crate::recording::store::segment::{Segment, patience};
use crate::recording::time::{Micros, SECOND, micros};

/// How long a segment is to be...
const LENGTH: Micros = 60 * SECOND;
/// ...unless it has fewer frames than this by then, as in a time-lapse...
const N_FEW: u64 = 60;
/// ...and how long at most.
const LONGEST: Micros = 3600 * SECOND;
/// Bounds what a scan of one segment holds in memory.
const MAX_FRAMES: u64 = 1 << 14;
/// Bounds what the tail of an index holds in memory.
const MAX_TAIL: usize = 1 << 10;
/// Between the two clocks, over the time of one frame, this is a step of the
/// clock of the world: a drift is a thousandth of it.
const STEP: Micros = SECOND;

/// The two files of a segment that is being written.
#[derive(Debug)]
pub(crate) struct SegmentFiles {
    folder: Arc<Folder>,
    data: File,
    index: File,
    /// How long the first is to be at least.
    n_bytes: AtomicU64,
    /// Whether the disk keeps their names.
    is_listed: AtomicBool,
    /// Why the disk did not keep what was written.
    fault: Mutex<Option<io::Error>>,
}

impl SegmentFiles {
    /// Has the disk keep what was written so far, against a power cut. Where
    /// that fails, or others took the segment away or cut it, the next frame
    /// tells.
    pub(crate) fn sync(&self) {
        // Not the index, which is made anew if it gets lost.
        let kept = self.data.sync_data();
        if !self.is_listed.swap(true, SeqCst) {
            // Some file systems cannot, and keep names all the same.
            let _ = self.folder.sync();
        }
        let n_bytes = self.n_bytes.load(SeqCst);
        let has = |file: &File, n| file.metadata().is_ok_and(|m| m.nlink() > 0 && m.len() >= n);
        if let Err(e) = kept {
            *self.fault.lock() = Some(e);
        } else if !has(&self.data, n_bytes) || !has(&self.index, 0) {
            *self.fault.lock() = Some(io::Error::other("the segment was taken away, or cut"));
        }
    }
}

/// The segment that grows.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    pub(crate) files: Arc<SegmentFiles>,
    pub(crate) segment: Segment,
    pub(crate) tail: Arc<IndexTail>,
    /// When its last frame was taken, on both clocks.
    last: (Micros, Instant),
}

impl SegmentWriter {
    /// Makes a segment with one frame in it. An error leaves no file behind,
    /// if the system lets it be removed.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn begin(folder: &Arc<Folder>, id: u64, frame: &Frame) -> io::Result<Self> {
        let record = record(frame, 0);
        let segment = Segment::begin(id, &record);
        let data = folder.create(&segment.name())?;
        let made = folder.create(&segment.index_name()).and_then(|index| {
            let files = Arc::new(SegmentFiles {
                folder: Arc::clone(folder),
                data,
                index,
                n_bytes: AtomicU64::new(0),
                is_listed: AtomicBool::new(false),
                fault: Mutex::default(),
            });
            (&files.index).write_all(&MAGIC)?;
            let last = (record.captured, frame.meta.at.taken);
            let mut writer = Self { files, segment, tail: Arc::default(), last };
            writer.append(frame)?;
            Ok(writer)
        });
        if made.is_err() {
            let _ = folder.remove(&segment.name());
            let _ = folder.remove(&segment.index_name());
        }
        made
    }

    /// Appends a frame by one write. An error leaves whole frames only, if the
    /// system lets the rest be cut off.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn append(&mut self, frame: &Frame) -> io::Result<()> {
        let record = record(frame, self.segment.n_bytes);
        let fault = self.files.fault.lock().take();
        fault.map_or(Ok(()), Err)?;
        if let Err(e) = write_all_vectored(&self.files.data, &mut part::slices(frame)) {
            let _ = self.files.data.set_len(self.segment.n_bytes);
            return Err(e);
        }
        // INVARIANT: the frame before its record, so that a reader who finds
        // the record finds the frame.
        let n_tail = self.tail.push(record);
        self.segment.n_bytes = record.end();
        self.files.n_bytes.store(record.end(), SeqCst);
        self.segment.n_frames += 1;
        self.segment.end = record.captured;
        self.last = (record.captured, frame.meta.at.taken);
        if n_tail < MAX_TAIL { Ok(()) } else { self.flush() }
    }

    /// Brings the index up to the frames. To be called now and then, and at
    /// the end. An error leaves whole records only, as [`SegmentWriter::append`] does
    /// with frames.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut index = &self.files.index;
        if let Err(e) = index.write_all(&self.tail.bytes()) {
            let _ = index.set_len((self.tail.n_written() + 1) * IndexRecord::N_BYTES as u64);
            return Err(e);
        }
        self.tail.written();
        Ok(())
    }

    /// The time from the last frame to this one.
    pub(crate) fn interval(&self, frame: &Frame) -> Duration {
        frame.meta.at.taken.saturating_duration_since(self.last.1)
    }

    /// Whether this frame is to begin a segment of its own. `usual` is the
    /// time between the two frames before, `max_bytes` what a segment may have.
    pub(crate) fn is_over(&self, frame: &Frame, usual: Option<Duration>, max_bytes: u64) -> bool {
        let captured = micros(frame.meta.at.captured);
        let Some(since_last) = captured.checked_sub(self.last.0) else { return true };
        let in_micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        let is_step = since_last.abs_diff(in_micros(self.interval(frame))) > STEP;
        let has_gap = since_last > patience(usual.map(in_micros));
        let age = captured.saturating_sub(self.segment.start);
        let is_long = age >= LONGEST || age >= LENGTH && self.segment.n_frames >= N_FEW;
        let is_large = self.segment.n_bytes + frame.full().len() as u64 > max_bytes
            || self.segment.n_frames >= MAX_FRAMES;
        is_step || has_gap || is_long || is_large
    }
}

fn record(frame: &Frame, offset: u64) -> IndexRecord {
    let (n_part, n_jpeg) = (frame.full().len(), frame.jpeg().len());
    // Behind the JPEG stand an end of line and the delimiter, which counts as
    // the beginning of the next part here.
    let n_head = n_part - n_jpeg - part::END.len();
    IndexRecord {
        offset,
        captured: micros(frame.meta.at.captured),
        seq: frame.meta.seq,
        length: u32::try_from(n_part).unwrap_or(u32::MAX),
        n_head: u16::try_from(n_head).unwrap_or(u16::MAX),
    }
}

fn write_all_vectored(mut file: &File, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut slices, n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
