//! The buffer in which a frame is built.

use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::OnceLock;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use super::timestamp::since_epoch;
use super::wire::{END_AND_NEXT_PART, HEADERS_END, UP_TO_LENGTH, UP_TO_TIMESTAMP};
use super::{Frame, Meta};

/// Room for the longest part header: 26 bytes of type, 16 + 20 of length,
/// 13 + 20 + 1 + 6 of time, 4 line ends.
const HEAD_ROOM: usize = 128;
/// Room for the Huffman tables that some cameras omit (420 bytes). The tables are
/// inserted by moving the few bytes before them to the front, which is cheaper than
/// moving the whole picture to the back.
const TABLE_ROOM: usize = 432;
/// Where a JPEG begins in its buffer.
const FRONT: usize = HEAD_ROOM + TABLE_ROOM;

/// The step by which the buffer grows for a file that is longer than expected.
const READ_BYTES: usize = 64 << 10;

/// A JPEG that a driver fills in. It has room for the part header before the JPEG, so the
/// driver's bytes are copied only once.
#[derive(Debug)]
pub(crate) struct FrameBuf {
    bytes: Vec<u8>,
    /// Where the JPEG begins.
    start: usize,
    is_walked: bool,
    is_status: bool,
}

impl FrameBuf {
    pub(crate) fn new() -> Self {
        Self::reusing(Vec::new())
    }

    /// An empty buffer with room for a JPEG of this many bytes.
    pub(crate) fn with_capacity(n_bytes: usize) -> Self {
        Self::reusing(Vec::with_capacity(FRONT + n_bytes + END_AND_NEXT_PART.len()))
    }

    /// As [`Self::new`], in the memory of a frame that is not needed any more.
    pub(super) fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        // The front is filled in last, when the length and the missing tables are known.
        bytes.resize(FRONT, 0);
        Self { bytes, start: FRONT, is_walked: false, is_status: false }
    }

    /// Empty again, in its own memory.
    pub(super) fn emptied(self) -> Self {
        Self::reusing(self.bytes)
    }

    /// Appends bytes to the JPEG.
    pub(crate) fn extend(&mut self, jpeg: &[u8]) {
        self.bytes.extend_from_slice(jpeg);
        self.is_walked = false;
    }

    /// Lets `change` overwrite bytes of the JPEG, but none of its markers.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut [u8])) {
        change(&mut self.bytes[self.start..]);
    }

    /// Lets `write` append the bytes of the JPEG.
    pub(crate) fn extend_with<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.is_walked = false;
        write(&mut self.bytes)
    }

    /// Records that this is a status picture, where a camera is another one's slot.
    pub(crate) fn mark_status(&mut self) {
        self.is_status = true;
    }

    pub(crate) fn is_status(&self) -> bool {
        self.is_status
    }

    /// Records that a walk over the markers of this JPEG found EOI at its very end,
    /// so that later checks do not read its scan again. Adding bytes or cutting off the
    /// end clears this. [`Self::cut`] and [`Self::insert`] do not: they change segments
    /// before the scan, and the end stays where it is.
    pub(crate) fn mark_walked(&mut self) {
        self.is_walked = true;
    }

    pub(crate) fn is_walked(&self) -> bool {
        self.is_walked
    }

    /// Appends the contents of a file, and returns the length of the JPEG. Stops once it
    /// exceeds `limit` bytes.
    ///
    /// Reads straight into the buffer, with two system calls if the file is `n_expected`
    /// bytes long. `Read::read_to_end` would need several, and grow the buffer in steps.
    ///
    /// # Errors
    /// The error of a read; the bytes before it stay in the buffer.
    pub(crate) fn extend_from(
        &mut self,
        file: impl AsFd,
        n_expected: usize,
        limit: usize,
    ) -> io::Result<usize> {
        self.is_walked = false;
        // One byte more than expected, so that the read which finds the end of the file
        // does not grow the buffer; and room for what `finish` appends.
        self.bytes.reserve(n_expected.min(limit) + 1 + END_AND_NEXT_PART.len());
        while self.jpeg().len() <= limit {
            if self.bytes.len() == self.bytes.capacity() {
                self.bytes.reserve(READ_BYTES);
            }
            match rustix::io::read(&file, spare_capacity(&mut self.bytes)) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(self.jpeg().len())
    }

    /// The JPEG so far.
    pub(crate) fn jpeg(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Keeps the first `len` bytes of the JPEG.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.is_walked &= len >= self.jpeg().len();
        self.bytes.truncate(self.start + len);
    }

    /// Removes the bytes in `range` from the JPEG, by moving the bytes before them.
    pub(crate) fn cut(&mut self, range: Range<usize>) {
        let start = self.start;
        self.bytes.copy_within(start..start + range.start, start + range.len());
        self.start += range.len();
    }

    /// Inserts bytes at `at` by moving the bytes before them. There is room for
    /// [`TABLE_ROOM`] bytes, and for as many more as [`Self::cut`] removed.
    pub(crate) fn insert(&mut self, at: usize, piece: &[u8]) {
        let (old, new) = (self.start, self.start - piece.len());
        self.bytes.copy_within(old..old + at, new);
        self.bytes[new + at..old + at].copy_from_slice(piece);
        self.start = new;
    }

    /// Writes the part header before the JPEG and the delimiter after it.
    pub(crate) fn finish(mut self, meta: Meta) -> Frame {
        let t = since_epoch(meta.at.wall);
        // Once a frame and not once a viewer. The same bytes go into recordings.
        let head = format!(
            "{UP_TO_LENGTH}{}{UP_TO_TIMESTAMP}{}.{:06}{HEADERS_END}",
            self.jpeg().len(),
            t.as_secs(),
            t.subsec_micros()
        );
        let (jpeg_start, jpeg_end) = (self.start, self.bytes.len());
        // The header's length varies with the numbers in it, so the header is placed by
        // its end: it must touch the JPEG.
        let start = jpeg_start - head.len();
        self.bytes[start..jpeg_start].copy_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(END_AND_NEXT_PART);
        let holds_delimiter = OnceLock::new();
        Frame { meta, bytes: self.bytes, start, jpeg_start, jpeg_end, holds_delimiter }
    }
}

impl Write for FrameBuf {
    fn write(&mut self, jpeg: &[u8]) -> io::Result<usize> {
        self.extend(jpeg);
        Ok(jpeg.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use super::*;
    use crate::frame::{Timestamp, tests::frame};

    #[test]
    fn head_room_holds_the_longest_header_beside_tables() {
        let mut buf = FrameBuf::new();
        buf.extend(b"x");
        buf.insert(0, &[7; TABLE_ROOM]);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 / 2);
        let at = Timestamp { wall, monotonic: Instant::now() };
        let whole = buf.finish(Meta { at, ..frame(b"").meta });
        assert!(whole.full().starts_with(b"Content-Type: image/jpeg\r\nContent-Length: 433\r\n"));
    }

    #[test]
    fn pieces_are_inserted_and_cut_by_moving_the_front() {
        let mut buf = FrameBuf::new();
        buf.extend(b"abcdef");
        buf.insert(2, b"XYZ");
        assert_eq!(buf.jpeg(), b"abXYZcdef");
        buf.cut(1..4);
        assert_eq!(buf.jpeg(), b"aZcdef");
        buf.truncate(3);
        assert_eq!(buf.jpeg(), b"aZc");
    }

    #[test]
    fn mark_of_a_walk_stays_until_the_end_changes() {
        let mut buf = FrameBuf::new();
        let mut is_walked_after = |change: fn(&mut FrameBuf)| {
            buf.extend(b"abcdef");
            buf.mark_walked();
            change(&mut buf);
            buf.is_walked()
        };
        assert!(is_walked_after(|buf| buf.insert(2, b"x")) && is_walked_after(|buf| buf.cut(1..2)));
        assert!(is_walked_after(|buf| buf.truncate(buf.jpeg().len())));
        assert!(
            !is_walked_after(|buf| buf.truncate(3)) && !is_walked_after(|buf| buf.extend(b"x"))
        );
    }
}
