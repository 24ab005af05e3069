//! The segments of a recording: their list, their names and files, and which
//! one holds a moment. In memory it keeps 48 bytes a segment, none a frame.

pub(super) mod folder;
pub(super) mod index;
pub(super) mod index_record;
pub(super) mod index_tail;
pub(super) mod part;
mod recover;
pub(super) mod scan;
pub(super) mod segment;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::time::Micros;
use folder::Folder;
use index_tail::IndexTail;
use segment::Segment;

/// The list of segments, shared by the recorder, which appends, the cleaner,
/// which removes, and all readers. Its lock is held for look-ups only, never
/// over I/O.
#[derive(Debug, Default)]
pub(crate) struct Store(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    folder: Option<Arc<Folder>>,
    segments: BTreeMap<u64, Segment>,
    /// The segment that grows, with the records that its index lacks.
    growing: Option<(u64, Arc<IndexTail>)>,
    /// Above every number that was seen so far, so that none is used twice.
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

/// The size of a whole recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) n_segments: usize,
    pub(crate) n_frames: u64,
    /// On disk, with the indexes.
    pub(crate) n_bytes: u64,
}

impl Store {
    /// Loads the segments of a folder, in place of the ones known before.
    ///
    /// # Errors
    /// What the system says; the segments known before stay.
    pub(crate) fn load(&self, folder: Arc<Folder>, may_repair: bool) -> io::Result<()> {
        let segments = recover::recover(&folder, may_repair)?;
        let mut table = self.0.lock();
        let above = segments.last_key_value().map_or(1, |(id, _)| id + 1);
        // A deleted segment must not give its number to a new one, because
        // readers that have it open would take the new one for it.
        let next_id = table.next_id.max(above);
        *table = Table { folder: Some(folder), segments, growing: None, next_id };
        Ok(())
    }

    /// The number for a new segment.
    pub(crate) fn next_id(&self) -> u64 {
        let mut table = self.0.lock();
        let id = table.next_id;
        table.next_id += 1;
        id
    }

    /// Adds the last segment, or updates it when it has grown.
    pub(crate) fn put(&self, segment: Segment, tail: &Arc<IndexTail>) {
        let mut table = self.0.lock();
        if table.growing_id() != Some(segment.id) {
            table.growing = Some((segment.id, Arc::clone(tail)));
        }
        table.segments.insert(segment.id, segment);
    }

    /// Marks all segments as complete.
    pub(crate) fn finish(&self) {
        self.0.lock().growing = None;
    }

    /// Removes a segment from the list, when it is deleted.
    pub(crate) fn forget(&self, id: u64) {
        self.0.lock().segments.remove(&id);
    }

    /// All segments in order, and which of them grows.
    pub(crate) fn segments(&self) -> (Vec<Segment>, Option<u64>) {
        let table = self.0.lock();
        // A copy, because callers delete and read files, and no lock is held meanwhile. Ten
        // thousand segments are half a megabyte.
        (table.segments.values().copied().collect(), table.growing_id())
    }

    /// When the first picture was taken that is still there.
    pub(crate) fn recorded_from(&self) -> Option<Micros> {
        self.0.lock().segments.values().map(|segment| segment.start).min()
    }

    /// The size of the recording.
    pub(crate) fn totals(&self) -> Totals {
        let table = self.0.lock();
        let mut totals = Totals { n_segments: table.segments.len(), n_frames: 0, n_bytes: 0 };
        for segment in table.segments.values() {
            totals.n_bytes += segment.n_disk_bytes();
            totals.n_frames += segment.n_frames;
        }
        totals
    }

    pub(crate) fn folder(&self) -> Option<Arc<Folder>> {
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
    pub(crate) fn after(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.range(id + 1..).next().map(|(_, segment)| *segment)
    }

    pub(crate) fn before(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.range(..id).next_back().map(|(_, segment)| *segment)
    }

    /// The segment of this number, as it is now.
    pub(crate) fn get(&self, id: u64) -> Option<Segment> {
        self.0.lock().segments.get(&id).copied()
    }

    /// The segment to play from this moment on: the one that holds it, else the
    /// next in time. If the clock was set back, several may hold it; then the
    /// one written last.
    pub(super) fn starting_at(&self, at: Micros) -> Option<Segment> {
        let table = self.0.lock();
        let holding = |s: &&Segment| (s.start..=s.end).contains(&at);
        let holds = table.segments.values().rev().find(holding);
        let later = || table.segments.values().filter(|s| s.start >= at).min_by_key(|s| s.start);
        holds.or_else(later).copied()
    }

    /// The last segment that begins at this moment or before it.
    pub(super) fn latest_until(&self, at: Micros) -> Option<Segment> {
        let table = self.0.lock();
        let holding = |s: &&Segment| (s.start..=s.end).contains(&at);
        let holds = table.segments.values().rev().find(holding);
        let earlier = || table.segments.values().filter(|s| s.start <= at).max_by_key(|s| s.start);
        holds.or_else(earlier).copied()
    }

    /// What a reader needs to open a segment: the folder, the segment as it is
    /// now, and its tail while it grows. `None` before the first load.
    pub(crate) fn locate(
        &self,
        segment: Segment,
    ) -> Option<(Arc<Folder>, Segment, Option<Arc<IndexTail>>)> {
        let table = self.0.lock();
        let segment = table.segments.get(&segment.id).copied().unwrap_or(segment);
        let tail = table.growing.as_ref().filter(|(id, _)| *id == segment.id);
        Some((table.folder.clone()?, segment, tail.map(|(_, tail)| Arc::clone(tail))))
    }
}
