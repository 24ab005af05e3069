//! Reads what was recorded. A reader opens the files of a segment itself, so
//! that it never holds up the recorder or another reader.

mod cursor;
mod segment_reader;

use std::io;
use std::sync::Arc;

pub(crate) use cursor::Cursor;
use segment_reader::SegmentReader;

use super::store::Store;
use super::store::index_record::IndexRecord;
use super::store::segment::Segment;
use super::time::Micros;

impl Store {
    /// Opens a segment.
    ///
    /// # Errors
    /// What the system says; `NotFound` when it was deleted.
    pub(super) fn open(&self, segment: Segment) -> io::Result<SegmentReader> {
        let located = self.locate(segment).ok_or(io::ErrorKind::NotFound)?;
        let (folder, segment, tail) = located;
        SegmentReader::open(folder, segment, tail)
    }

    /// A cursor whose first frame is the first one taken at this moment or
    /// later. `None`: there is none.
    pub(crate) fn seek(self: &Arc<Self>, at: Micros) -> Option<Cursor> {
        let segment = self.starting_at(at)?;
        let mut cursor = Cursor::new(Arc::clone(self));
        cursor.enter(segment, |file| file.find(at));
        Some(cursor)
    }

    /// A cursor whose first frame is the one that was the newest at this moment.
    /// `None`: there was none, or only one from before a gap.
    pub(crate) fn seek_shown(self: &Arc<Self>, at: Micros) -> Option<Cursor> {
        let segment = self.latest_until(at)?;
        if at > segment.end + segment.patience() {
            return None;
        }
        let mut cursor = Cursor::new(Arc::clone(self));
        cursor.enter(segment, |file| Ok(file.find(at + 1)?.saturating_sub(1)));
        // If the segment was deleted in between, the cursor is in a later one,
        // whose frames were not shown at this moment.
        cursor.is_in(segment.id).then_some(cursor)
    }

    /// Opens a segment by the name of its file, as a client gave it.
    pub(crate) fn segment_file(&self, name: &str) -> Option<SegmentReader> {
        let (_, id) = Segment::parse(name, Segment::DATA)?;
        let segment = self.get(id).filter(|segment| segment.name() == name)?;
        self.open(segment).ok()
    }
}

/// A frame of a recording, found but not read yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StoredFrame {
    pub(crate) record: IndexRecord,
    /// The number of its segment.
    pub(crate) segment: u64,
    /// There is a gap, or a step of the clock, between it and the one before.
    pub(crate) is_after_gap: bool,
}
