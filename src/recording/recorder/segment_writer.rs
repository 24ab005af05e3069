//! Appends frames to one segment and its index.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sync::SegmentFiles;
use crate::frame::{Frame, LINE_END};
use crate::recording::store::folder::Folder;
use crate::recording::store::index_record::{IndexRecord, MAGIC};
use crate::recording::store::index_tail::IndexTail;
use crate::recording::store::part;
use crate::recording::store::segment::{Segment, patience};
use crate::recording::time::{Micros, SECOND, micros};

/// A segment normally ends after this time: the cleaner deletes whole segments, so
/// they should be short.
const LENGTH: Micros = 60 * SECOND;
/// A segment with fewer frames than this goes on after [`LENGTH`]: a time-lapse
/// would otherwise make two files for every few frames.
const N_FEW: u64 = 60;
/// A segment ends after this time in any case.
const LONGEST: Micros = 3600 * SECOND;
/// Bounds the memory of a scan, which holds the records of one segment.
const MAX_FRAMES: u64 = 1 << 14;
/// Bounds the memory of an index tail, in records.
const MAX_TAIL: usize = 1 << 10;
/// If the wall clock and the monotonic clock differ by more than this from one frame
/// to the next, the wall clock was set. Ordinary drift is a thousandth of it.
const STEP: Micros = SECOND;

/// The segment that grows.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    pub(crate) files: Arc<SegmentFiles>,
    pub(crate) segment: Segment,
    pub(crate) tail: Arc<IndexTail>,
    /// How long it may get, where that was asked for.
    pub(crate) length: Option<Micros>,
    /// When its last frame was taken, on the wall clock and the monotonic one.
    last: (Micros, Instant),
}

impl SegmentWriter {
    /// Creates a segment with one frame in it. After an error no file is left
    /// behind, unless it cannot be removed.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn begin(folder: &Arc<Folder>, id: u64, frame: &Frame) -> io::Result<Self> {
        let record = record(frame, 0);
        let segment = Segment::begin(id, &record);
        let data = folder.create(&segment.name())?;
        let made = folder.create(&segment.index_name()).and_then(|index| {
            let files = Arc::new(SegmentFiles::new(folder, data, index));
            (&files.index).write_all(&MAGIC)?;
            let last = (record.captured, frame.meta.at.monotonic);
            let mut writer = Self { files, segment, tail: Arc::default(), length: None, last };
            writer.append(frame)?;
            Ok(writer)
        });
        if made.is_err() {
            let _ = folder.remove(&segment.name());
            let _ = folder.remove(&segment.index_name());
        }
        made
    }

    /// Appends a frame by one write. After an error the segment holds whole
    /// frames only, unless it cannot be cut.
    ///
    /// # Errors
    /// What the system says of this write or of the last sync.
    pub(crate) fn append(&mut self, frame: &Frame) -> io::Result<()> {
        let record = record(frame, self.segment.n_bytes);
        self.files.take_error().map_or(Ok(()), Err)?;
        if let Err(e) = write_all_vectored(&self.files.data, &mut part::slices(frame)) {
            let _ = self.files.data.set_len(self.segment.n_bytes);
            return Err(e);
        }
        // INVARIANT: the frame is written before its record, so that a reader
        // that finds the record finds the frame.
        let n_tail = self.tail.push(record);
        self.segment.n_bytes = record.end();
        self.files.set_written(record.end());
        self.segment.n_frames += 1;
        self.segment.end = record.captured;
        self.last = (record.captured, frame.meta.at.monotonic);
        if n_tail < MAX_TAIL { Ok(()) } else { self.flush() }
    }

    /// Writes the tail to the index. Call it before each sync and at the end.
    /// After an error the index holds whole records only, unless it cannot be
    /// cut.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut index = &self.files.index;
        if let Err(e) = index.write_all(&self.tail.bytes()) {
            let _ = index.set_len((self.tail.n_written() + 1) * IndexRecord::N_BYTES as u64);
            return Err(e);
        }
        self.tail.clear_written();
        Ok(())
    }

    /// Whether no frame came for so long that the segment should end without the next
    /// one: nobody else can have it before.
    pub(crate) fn is_stale(&self) -> bool {
        let usual = self.segment.interval().map_or(0, |interval| 3 * interval);
        let limit = usual.max(self.length.unwrap_or(LENGTH));
        self.last.1.elapsed() > Duration::from_micros(limit)
    }

    /// The time from the last frame to this one.
    pub(crate) fn since_last(&self, frame: &Frame) -> Duration {
        frame.meta.at.monotonic.saturating_duration_since(self.last.1)
    }

    /// Whether this frame must begin a new segment. `interval` is the time between
    /// the two frames before it, `max_bytes` the largest size of a segment.
    pub(crate) fn is_over(
        &self,
        frame: &Frame,
        interval: Option<Duration>,
        max_bytes: u64,
    ) -> bool {
        let captured = micros(frame.meta.at.wall);
        // The clock was set back. The frames of one segment must be in the order of
        // their times, since playback searches them by time.
        let Some(since_last) = captured.checked_sub(self.last.0) else { return true };
        let in_micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        let is_step = since_last.abs_diff(in_micros(self.since_last(frame))) > STEP;
        let has_gap = since_last > patience(interval.map(in_micros));
        let age = captured.saturating_sub(self.segment.start);
        let (length, n_few) = self.length.map_or((LENGTH, N_FEW), |length| (length, 1));
        let is_long = age >= LONGEST || age >= length && self.segment.n_frames >= n_few;
        let is_large = self.segment.n_bytes + frame.full().len() as u64 > max_bytes
            || self.segment.n_frames >= MAX_FRAMES;
        is_step || has_gap || is_long || is_large
    }
}

fn record(frame: &Frame, offset: u64) -> IndexRecord {
    let (n_part, n_jpeg) = (frame.full().len(), frame.jpeg().len());
    // On disk a part begins with the delimiter line, on the wire it ends with one. Both
    // are equally long, so the length of the wire part is that of the part on disk.
    let n_head = n_part - n_jpeg - LINE_END.len();
    IndexRecord {
        offset,
        captured: micros(frame.meta.at.wall),
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
