//! The segments that are there: finds the one for a moment and hands out
//! readers. What it holds in memory is one line a segment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::cursor::Cursor;
use super::folder::Folder;
use super::moment::Micros;
use super::record::Record;
use super::recover;
use super::segment::Segment;
use super::source::SegmentFile;
use super::tail::Tail;

/// Shared by the recorder, which appends, the cleaner, which removes, and
/// everybody who reads. Its lock is held for look-ups only, never over I/O.
#[derive(Debug, Default)]
pub(crate) struct Library(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    folder: Option<Arc<Folder>>,
    segments: BTreeMap<u64, Segment>,
    /// The segment that grows, with what its index does not hold yet.
    growing: Option<(u64, Arc<Tail>)>,
    /// Above every number that was ever seen, so that none is used twice.
    next_id: u64,
}

impl Table {
    fn growing_id(&self) -> Option<u64> {
        self.growing.as_ref().map(|(id, _)| *id)
    }
}

/// A stretch of time without a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: Micros,
    pub(crate) end: Micros,
    pub(crate) n_frames: u64,
    pub(crate) n_bytes: u64,
}

/// A whole recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) n_segments: usize,
    pub(crate) n_frames: u64,
    /// On disk, with the indexes.
    pub(crate) n_bytes: u64,
}

impl Library {
    /// Takes in what a folder holds.
    ///
    /// # Errors
    /// What the system says; what was known before stays.
    pub(super) fn load(&self, folder: Arc<Folder>, may_repair: bool) -> io::Result<()> {
        let segments = recover::survey(&folder, may_repair)?;
        let mut table = self.0.lock();
        let above = segments.last_key_value().map_or(1, |(id, _)| id + 1);
        let next_id = table.next_id.max(above);
        *table = Table { folder: Some(folder), segments, growing: None, next_id };
        Ok(())
    }

    /// The number for a new segment.
    pub(super) fn next_id(&self) -> u64 {
        let mut table = self.0.lock();
        let id = table.next_id;
        table.next_id += 1;
        id
    }

    /// A segment has grown; it is the last one.
    pub(super) fn put(&self, segment: Segment, tail: &Arc<Tail>) {
        let mut table = self.0.lock();
        if table.growing_id() != Some(segment.id) {
            table.growing = Some((segment.id, Arc::clone(tail)));
        }
        table.segments.insert(segment.id, segment);
    }

    /// No segment grows any more.
    pub(super) fn finish(&self) {
        self.0.lock().growing = None;
    }

    /// Forgets a segment that is being deleted.
    pub(super) fn forget(&self, id: u64) {
        self.0.lock().segments.remove(&id);
    }

    /// All segments in order, and which of them grows.
    pub(crate) fn segments(&self) -> (Vec<Segment>, Option<u64>) {
        let table = self.0.lock();
        (table.segments.values().copied().collect(), table.growing_id())
    }

    /// What there is altogether.
    pub(crate) fn totals(&self) -> Totals {
        let table = self.0.lock();
        let mut totals = Totals { n_segments: table.segments.len(), n_frames: 0, n_bytes: 0 };
        for segment in table.segments.values() {
            totals.n_bytes += segment.n_disk_bytes();
            totals.n_frames += segment.n_frames;
        }
        totals
    }

    pub(super) fn folder(&self) -> Option<Arc<Folder>> {
        self.0.lock().folder.clone()
    }

    /// The stretches without a gap, in order.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut before: Option<Segment> = None;
        for segment in self.segments().0 {
            let goes_on = before.is_some_and(|before| !before.has_gap_before(&segment));
            match spans.last_mut().filter(|_| goes_on) {
                Some(span) => {
                    span.end = segment.end;
                    span.n_frames += segment.n_frames;
                    span.n_bytes += segment.n_bytes;
                }
                None => spans.push(Span {
                    start: segment.start,
                    end: segment.end,
                    n_frames: segment.n_frames,
                    n_bytes: segment.n_bytes,
                }),
            }
            before = Some(segment);
        }
        spans
    }

    /// The segment behind another one.
    pub(super) fn after(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.range(id + 1..).next().map(|(_, segment)| *segment)
    }

    pub(super) fn before(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.range(..id).next_back().map(|(_, segment)| *segment)
    }

    /// The segment of this number, as it is now.
    pub(super) fn get(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.get(&id).copied()
    }

    /// The segment to play from this moment on: the one that holds it, else
    /// the next in time. Where the clock was set back, the one written last.
    fn from(&self, at: Micros) -> Option<Segment> {
        let table = self.0.lock();
        let holding = |s: &&Segment| (s.start..=s.end).contains(&at);
        let holds = table.segments.values().rev().find(holding);
        let later = || table.segments.values().filter(|s| s.start >= at).min_by_key(|s| s.start);
        holds.or_else(later).copied()
    }

    /// The last segment that begins at this moment or before it.
    fn until(&self, at: Micros) -> Option<Segment> {
        let table = self.0.lock();
        let holding = |s: &&Segment| (s.start..=s.end).contains(&at);
        let holds = table.segments.values().rev().find(holding);
        let earlier = || table.segments.values().filter(|s| s.start <= at).max_by_key(|s| s.start);
        holds.or_else(earlier).copied()
    }

    /// Opens a segment.
    ///
    /// # Errors
    /// `NotFound` when it was deleted; what else the system says.
    pub(super) fn open(&self, segment: Segment) -> io::Result<SegmentFile> {
        let (folder, segment, tail) = {
            let table = self.0.lock();
            // As it is now: it may have grown, or stopped to.
            let segment = table.segments.get(&segment.id).copied().unwrap_or(segment);
            let tail = table.growing.as_ref().filter(|(id, _)| *id == segment.id);
            (table.folder.clone(), segment, tail.map(|(_, tail)| Arc::clone(tail)))
        };
        let folder = folder.ok_or(io::ErrorKind::NotFound)?;
        SegmentFile::open(folder, segment, tail)
    }

    /// A reader whose first frame is the first one taken at this moment or
    /// later. `None`: there is none.
    pub(crate) fn seek(self: &Arc<Self>, at: Micros) -> Option<Cursor> {
        let segment = self.from(at)?;
        let mut cursor = Cursor::new(Arc::clone(self));
        cursor.enter(segment, |file| file.find(at));
        Some(cursor)
    }

    /// A reader whose first frame is the one that was the newest at this
    /// moment. `None`: there was none, or only one from before a gap.
    pub(crate) fn seek_shown(self: &Arc<Self>, at: Micros) -> Option<Cursor> {
        let segment = self.until(at)?;
        if at > segment.end + segment.patience() {
            return None;
        }
        let mut cursor = Cursor::new(Arc::clone(self));
        cursor.enter(segment, |file| Ok(file.find(at + 1)?.saturating_sub(1)));
        // What was deleted in this moment is not replaced by what came later.
        cursor.is_in(segment.id).then_some(cursor)
    }

    /// A file of so many bytes beside the segments, gone when it is closed.
    ///
    /// # Errors
    /// What the system says, with the folder.
    pub(crate) fn scratch(&self, n_bytes: u64) -> io::Result<File> {
        let folder = self.folder().ok_or(io::ErrorKind::NotFound)?;
        let told =
            |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", folder.path().display()));
        folder.scratch(n_bytes).map_err(told)
    }

    /// Opens a segment's file by the name that a client gave.
    pub(crate) fn segment_file(&self, name: &str) -> Option<SegmentFile> {
        let (_, id) = Segment::parse(name, Segment::DATA)?;
        let segment = self.get(id).filter(|segment| segment.name() == name)?;
        self.open(segment).ok()
    }
}

/// A frame of a recording, on its way to a reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) record: Record,
    /// The number of its segment.
    pub(crate) segment: u64,
    /// There is a gap, or a step of the clock, between it and the one before.
    pub(crate) is_after_gap: bool,
}
