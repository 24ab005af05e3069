//! One segment that is open for reading. It can be read to its end even when it
//! is deleted meanwhile.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::recording::store::folder::Folder;
use crate::recording::store::index::{self, Index};
use crate::recording::store::index_record::IndexRecord;
use crate::recording::store::index_tail::IndexTail;
use crate::recording::store::part::{HEAD_ROOM, Head, is_closed, is_whole};
use crate::recording::store::scan::read_at_most;
use crate::recording::store::segment::Segment;
use crate::recording::time::Micros;

/// An open segment.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    folder: Arc<Folder>,
    /// The segment as it was when it was opened.
    pub(crate) segment: Segment,
    pub(crate) data: File,
    index: Index,
}

impl SegmentReader {
    /// Opens the files of a segment; of the one that grows with its `tail`.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(
        folder: Arc<Folder>,
        segment: Segment,
        tail: Option<Arc<IndexTail>>,
    ) -> io::Result<Self> {
        let data = folder.read(&segment.name())?;
        let index = index::open(&folder, &segment, &data, tail)?;
        Ok(Self { folder, segment, data, index })
    }

    /// The record number `place`; `None` behind the last one.
    ///
    /// # Errors
    /// As [`Index::get`].
    pub(crate) fn record(&self, place: u64) -> io::Result<Option<IndexRecord>> {
        self.index.get(place)
    }

    /// The number of the first frame that was taken at this moment or later.
    ///
    /// # Errors
    /// As [`Index::get`].
    pub(crate) fn find(&self, at: Micros) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.segment.n_frames);
        while low < high {
            let middle = low.midpoint(high);
            match self.index.get(middle)? {
                Some(record) if record.captured < at => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Whether frames are missing between two frames of these times. The recorder
    /// leaves no gap inside a segment, but frames may be damaged.
    pub(crate) fn has_hole(&self, before: Micros, after: Micros) -> bool {
        // If it had one frame when it was opened, its pace is unknown.
        let is_paced = self.segment.interval().is_some();
        is_paced && after.saturating_sub(before) > 2 * self.segment.patience()
    }

    /// Reads a part. `false`: the bytes at its place are no whole part.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn read(&self, record: &IndexRecord, part: &mut Vec<u8>) -> io::Result<bool> {
        // Checked first, so that a wrong index cannot make it allocate memory.
        if !self.is_sound(record)? {
            return Ok(false);
        }
        // The file may change between the check and the read, so the bytes
        // that were read are checked again.
        part.resize(record.length as usize, 0);
        let n = read_at_most(&self.data, part, record.offset)?;
        Ok(n == part.len()
            && is_whole(part)
            && Head::parse(part).is_some_and(|head| head.n_head == record.n_head))
    }

    /// Whether a whole part is at its place, judged by its head and its last
    /// four bytes.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn is_sound(&self, record: &IndexRecord) -> io::Result<bool> {
        let mut start = [0; HEAD_ROOM];
        let n = read_at_most(&self.data, &mut start, record.offset)?;
        let Some(head) = Head::parse(&start[..n]) else { return Ok(false) };
        let mut end = [0; 4];
        let read = self.data.read_exact_at(&mut end, record.end() - 4);
        let is_same = head.n_head == record.n_head && head.n_part() == record.length;
        Ok(is_same && read.is_ok() && is_closed(&start[head.n_head.into()..n], &end))
    }

    /// Rebuilds the index after it turned out to be wrong. `false`: it cannot be
    /// wrong, because it was rebuilt already or the segment is still being
    /// written; then the frames are damaged.
    pub(crate) fn rebuild_index(&mut self) -> bool {
        if !matches!(self.index, Index::File(_)) {
            return false;
        }
        match index::rebuild(&self.folder, &self.segment, &self.data) {
            Ok(records) => {
                self.segment.n_frames = records.len() as u64;
                self.index = Index::Memory(records);
                true
            }
            Err(e) => {
                log::warn!("{}: {e}", self.segment.name());
                false
            }
        }
    }
}
