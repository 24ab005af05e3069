//! What is being written: the segment that grows, and what waits to be synced.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use serde_json::Value;

use super::segment_writer::SegmentWriter;
use super::{Written, check_unsynced};
use crate::events::Kind;
use crate::frame::Frame;
use crate::recording::Shared;
use crate::recording::store::folder::Folder;
use crate::recording::store::segment::Segment;
use crate::recording::time::{Micros, SECOND};

/// A full recording has at least this many segments, so that the cleaner
/// deletes an eighth of it at most at once.
const N_SEGMENTS: u64 = 8;
/// How long to wait for the sync thread after an error.
const MAX_HANDOVER: Duration = Duration::from_secs(2);

pub(super) struct Output<'a> {
    shared: &'a Shared,
    folder: Arc<Folder>,
    written: &'a Sender<Written>,
    writer: Option<SegmentWriter>,
    /// Segments that ended since the last sync.
    to_sync: Written,
    /// The time between the last two frames; `None` before the second one.
    interval: Option<Duration>,
    /// When the last sync was requested, and whether there is something to sync since.
    synced: Instant,
    is_behind: bool,
    /// When the sync thread last took a request.
    handed_over: Instant,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        folder: Arc<Folder>,
        written: &'a Sender<Written>,
    ) -> Self {
        Self {
            shared,
            folder,
            written,
            writer: None,
            to_sync: Written::new(),
            interval: None,
            synced: Instant::now(),
            handed_over: Instant::now(),
            is_behind: false,
        }
    }

    /// Whether no frame came for so long that the segment should end.
    pub(super) fn is_stale(&self) -> bool {
        self.writer.as_ref().is_some_and(SegmentWriter::is_stale)
    }

    /// # Errors
    /// What the system says.
    pub(super) fn write(&mut self, frame: &Frame, n_skipped: u64) -> io::Result<()> {
        let max_bytes = self.shared.config.max_bytes / N_SEGMENTS;
        let interval = self.interval;
        // Whether this frame comes after a gap is judged by the interval before it, not
        // by the one that it ends. Without a writer there is no last frame to measure
        // from, so the old interval stays: the camera's rate is most likely the same.
        self.interval = self.writer.as_ref().map(|writer| writer.since_last(frame)).or(interval);
        if self.writer.as_ref().is_some_and(|writer| writer.is_over(frame, interval, max_bytes)) {
            self.end_segment()?;
        }
        let store = &self.shared.store;
        let writer = match &mut self.writer {
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
        self.shared.stats.count_frame(frame.full().len(), n_skipped);
        Ok(())
    }

    /// Ends the segment. The next frame begins another one.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn end_segment(&mut self) -> io::Result<()> {
        let Some(ended) = self.writer.take() else { return Ok(()) };
        ended.flush()?;
        self.emit(&ended.segment);
        self.to_sync.push(ended.files);
        self.is_behind = true;
        self.shared.store.finish();
        Ok(())
    }

    /// Asks for a sync of what was written, if it is time.
    ///
    /// # Errors
    /// What the system says, or the disk hangs.
    pub(super) fn sync_if_due(&mut self) -> io::Result<()> {
        let is_due = self.is_behind && self.synced.elapsed() >= self.shared.config.sync;
        if is_due { self.request_sync() } else { Ok(()) }
    }

    /// Asks the sync thread to sync what was written so far, without waiting for
    /// the disk.
    fn request_sync(&mut self) -> io::Result<()> {
        self.synced = Instant::now();
        if let Some(writer) = &self.writer {
            writer.flush()?;
            self.to_sync.push(Arc::clone(&writer.files));
        }
        self.is_behind = false;
        match self.written.try_send(std::mem::take(&mut self.to_sync)) {
            Ok(()) => self.handed_over = self.synced,
            // The channel is full: the disk is slower than the requests. The ended
            // segments stay in the list. The growing segment is removed again, because
            // the next request adds it.
            Err(full) => {
                self.to_sync = full.into_inner();
                if self.writer.is_some() {
                    self.to_sync.pop();
                }
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
    pub(super) fn finish(&mut self, is_good: bool) {
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
