//! The segments of a recording: their list, their names and files, and which
//! one holds a moment. In memory it keeps 48 bytes a segment, none a frame.

pub(super) mod folder;
mod handed;
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
use std::time::SystemTime;

use parking_lot::Mutex;

use super::time::Micros;
use crate::frame::since_epoch;
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
    /// Whether no other program writes to the folder.
    is_own: bool,
    /// The last segment that was handed over, see [`handed`].
    handed: u64,
    /// Those that were deleted before, since the start of the program.
    n_lost: u64,
}

/// What `--on-segment` has not got yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) n_segments: usize,
    pub(crate) n_bytes: u64,
    /// Deleted before it could be handed over, since the start of the program.
    pub(crate) n_lost: u64,
}

impl Table {
    fn growing_id(&self) -> Option<u64> {
        self.growing.as_ref().map(|(id, _)| *id)
    }
}

/// A file that was not changed for this number of seconds is whole, most likely.
const STILL: u64 = 10;

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
        let handed = handed::read(&folder);
        let mut table = self.0.lock();
        let handed = handed.max(table.handed);
        let above = segments.last_key_value().map_or(1, |(id, _)| id + 1);
        // A deleted segment must not give its number to a new one, because
        // readers that have it open would take the new one for it, and it would count
        // as handed over.
        let next_id = table.next_id.max(above).max(handed + 1);
        let (is_own, n_lost) = (may_repair, table.n_lost);
        let folder = Some(folder);
        *table = Table { folder, segments, growing: None, next_id, is_own, handed, n_lost };
        Ok(())
    }

    /// Opens the folder that others write to again, and changes the list to what is there.
    /// `known` has a mark of each file that was there before, which changes with the file.
    ///
    /// # Errors
    /// What the system says of the folder; the list stays as it is.
    pub(crate) fn look_again(
        &self,
        folder: Folder,
        known: &mut BTreeMap<u64, u64>,
    ) -> io::Result<()> {
        let (folder, mut present) = (Arc::new(folder), BTreeMap::new());
        folder.each_name(|name| {
            if let Some((named, id)) = Segment::parse(name, Segment::DATA) {
                present.insert(id, named);
            }
        })?;
        self.0.lock().folder = Some(Arc::clone(&folder));
        known.retain(|id, _| present.contains_key(id));
        self.0.lock().segments.retain(|id, _| present.contains_key(id));
        // The newest first, as people look at those.
        for (id, named) in present.into_iter().rev() {
            let bare = Segment { id, named, start: 0, end: 0, n_frames: 0, n_bytes: 0 };
            let Ok((changed, mark)) = folder.stamp(&bare.name()) else { continue };
            if known.get(&id) == Some(&mark) {
                continue;
            }
            // Made once, from the whole file. Not of one that still grows.
            let is_done = changed + STILL < since_epoch(SystemTime::now()).as_secs();
            if is_done {
                index::make_if_missing(&folder, &bare);
            }
            match recover::inspect(&folder, bare, false, false) {
                Ok(Some(segment)) => drop(self.0.lock().segments.insert(id, segment)),
                Ok(None) => drop(self.0.lock().segments.remove(&id)),
                Err(e) => log::debug!("{} is left out: {e}", bare.name()),
            }
            known.insert(id, mark);
        }
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

    /// The first finished segment that was not handed over, with its folder. `None` while
    /// another program writes there: what grows is then unknown.
    pub(crate) fn next_to_hand_over(&self) -> Option<(Arc<Folder>, Segment)> {
        let table = self.0.lock();
        let folder = table.folder.clone().filter(|_| table.is_own)?;
        let (id, segment) = table.segments.range(table.handed + 1..).next()?;
        (table.growing_id() != Some(*id)).then_some((folder, *segment))
    }

    /// Notes that all segments up to this one were handed over.
    ///
    /// # Errors
    /// What the system says. It is then known until the program ends.
    pub(crate) fn set_handed(&self, folder: &Folder, id: u64) -> io::Result<()> {
        self.0.lock().handed = id;
        handed::write(folder, id)
    }

    pub(crate) fn handed(&self) -> u64 {
        self.0.lock().handed
    }

    pub(crate) fn count_lost(&self) {
        self.0.lock().n_lost += 1;
    }

    pub(crate) fn waiting(&self) -> Waiting {
        let table = self.0.lock();
        let growing = table.growing_id();
        let mut waiting = Waiting { n_lost: table.n_lost, ..Waiting::default() };
        for (id, segment) in table.segments.range(table.handed + 1..) {
            if Some(*id) != growing {
                waiting.n_segments += 1;
                waiting.n_bytes += segment.n_disk_bytes();
            }
        }
        waiting
    }

    /// Whether a segment will never change.
    pub(crate) fn is_finished(&self, id: u64) -> bool {
        let table = self.0.lock();
        table.is_own && table.growing_id() != Some(id)
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
