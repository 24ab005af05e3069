//! Goes through a recording frame by frame, from segment to segment.

use std::io;
use std::sync::Arc;

use super::StoredFrame;
use super::segment_reader::SegmentReader;
use crate::recording::store::Store;
use crate::recording::store::index_record::IndexRecord;
use crate::recording::store::segment::Segment;
use crate::recording::time::Micros;

/// A position in a recording. Each reader has its own.
#[derive(Debug)]
pub(crate) struct Cursor {
    store: Arc<Store>,
    open: Option<SegmentReader>,
    /// The number of the next frame in the open segment.
    next: u64,
    is_after_gap: bool,
    /// When the last returned frame was taken, and its segment.
    last: Micros,
    last_in: Option<u64>,
}

impl Cursor {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, open: None, next: 0, is_after_gap: false, last: 0, last_in: None }
    }

    /// Opens a segment, or the first one behind it that can be opened.
    pub(crate) fn enter(
        &mut self,
        segment: Segment,
        find: impl FnOnce(&SegmentReader) -> io::Result<u64>,
    ) {
        let opened = self.store.open(segment).and_then(|file| Ok((find(&file)?, file)));
        match opened {
            Ok((place, file)) => {
                self.next = place;
                self.open = Some(file);
            }
            Err(e) => {
                // It was deleted in between, or is damaged: that is a gap.
                log::debug!("{}: {e}", segment.name());
                self.is_after_gap = true;
                self.open = None;
                self.next = 0;
                if let Some(next) = self.store.after(segment.id) {
                    self.enter_from_start(next);
                }
            }
        }
    }

    fn enter_from_start(&mut self, first: Segment) {
        let mut candidate = Some(first);
        // A loop and no recursion, because thousands of segments may be gone.
        while let Some(segment) = candidate {
            match self.store.open(segment) {
                Ok(file) => {
                    self.open = Some(file);
                    self.next = 0;
                    return;
                }
                Err(e) => log::debug!("{}: {e}", segment.name()),
            }
            self.is_after_gap = true;
            candidate = self.store.after(segment.id);
        }
    }

    /// The next frame. `None`: there is none yet.
    pub(crate) fn next(&mut self) -> Option<StoredFrame> {
        loop {
            let open = self.open.as_mut()?;
            let id = open.segment.id;
            // INVARIANT: this look-up comes before the index is read. If there
            // is a segment behind this one, this one grows no more, so the end
            // of its index is the end of the segment.
            let after = self.store.after(id);
            match open.record(self.next) {
                Ok(Some(record)) => {
                    self.next += 1;
                    let is_behind_hole =
                        self.last_in == Some(id) && open.has_hole(self.last, record.captured);
                    let is_after_gap = std::mem::take(&mut self.is_after_gap) || is_behind_hole;
                    (self.last, self.last_in) = (record.captured, Some(id));
                    return Some(StoredFrame { record, segment: id, is_after_gap });
                }
                Ok(None) => {
                    // The segment may have grown since it was opened, so that its end
                    // is the last returned frame and not the one known then.
                    let (before, after) = (open.segment, after?);
                    let before = Segment { end: self.last.max(before.start), ..before };
                    self.is_after_gap |= self.next == 0 || before.has_gap_before(&after);
                    self.enter_from_start(after);
                    // No later segment could be opened.
                    if self.open.as_ref().is_none_or(|open| open.segment.id == id) {
                        return None;
                    }
                }
                Err(e) => {
                    log::debug!("{}: {e}", open.segment.name());
                    self.rebuild_or_skip();
                }
            }
        }
    }

    /// Reads the part of the last returned frame. `false`: it is damaged, and the
    /// caller should skip it.
    pub(crate) fn read(&mut self, record: &IndexRecord, part: &mut Vec<u8>) -> bool {
        let Some(open) = &self.open else { return false };
        match open.read(record, part) {
            Ok(true) => true,
            Ok(false) | Err(_) => {
                self.recheck_index();
                false
            }
        }
    }

    /// Whether the last returned frame is whole, judged by both its ends.
    pub(crate) fn is_sound(&mut self, record: &IndexRecord) -> bool {
        let is_sound =
            self.open.as_ref().is_some_and(|open| open.is_sound(record).unwrap_or(false));
        if !is_sound {
            self.recheck_index();
        }
        is_sound
    }

    /// Rebuilds the index after a damaged frame, as the index may be the wrong part.
    fn recheck_index(&mut self) {
        // The numbers of frames change with the index, their times do not.
        let last = self.last;
        if let Some(open) = &mut self.open
            && open.rebuild_index()
        {
            self.next = open.find(last).unwrap_or(0);
        }
    }

    /// Rebuilds an index that cannot be read here, or goes on to the next
    /// segment.
    fn rebuild_or_skip(&mut self) {
        let (next, last) = (self.next, self.last);
        let Some(open) = &mut self.open else { return };
        if open.rebuild_index() {
            self.next = if next == 0 { 0 } else { open.find(last + 1).unwrap_or(0) };
            return;
        }
        self.is_after_gap = true;
        match self.store.after(open.segment.id) {
            Some(after) => {
                self.open = None;
                self.enter_from_start(after);
            }
            None => self.open = None,
        }
    }

    pub(crate) fn is_in(&self, segment: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.segment.id == segment)
    }

    /// The name of the segment that the last returned frame is in.
    pub(crate) fn segment_name(&self) -> Option<String> {
        self.open.as_ref().map(|open| open.segment.name())
    }

    /// Moves by `n` frames from the next one, backwards if `n` is negative.
    pub(crate) fn step(&mut self, n: i64) {
        for _ in 0..n {
            if self.next().is_none() {
                return;
            }
        }
        for _ in n..0 {
            self.step_back();
        }
    }

    fn step_back(&mut self) {
        if self.next > 0 {
            self.next -= 1;
            return;
        }
        let Some(open) = &self.open else { return };
        if let Some(before) = self.store.before(open.segment.id) {
            self.enter(before, |file| Ok(file.segment.n_frames.saturating_sub(1)));
        }
    }
}
