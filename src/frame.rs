//! A frame: one JPEG, with the bytes that surround it on the wire.
//!
//! Capture builds each [`Frame`] once. Viewers, snapshots and recordings use slices of
//! it, so nothing is copied or formatted per viewer. The layouts are multipart parts
//! (RFC 2046) as MJPEG clients expect them:
//!
//! ```text
//! [Content-Type, Content-Length, X-Timestamp, blank line][JPEG][CRLF --frame CRLF][Content-Type, blank line]
//!  full    = from the first header to the end of the delimiter
//!  advance = from the JPEG to the end
//! ```

use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

/// The strings of the wire. `concat!` accepts macros but no constants, so a macro
/// lets the program spell each of them only once.
macro_rules! wire {
    (boundary) => {
        "frame"
    };
    (delimiter) => {
        concat!("--", wire!(boundary), "\r\n")
    };
    (jpeg_type) => {
        "image/jpeg"
    };
    (type_line) => {
        concat!("Content-Type: ", wire!(jpeg_type), "\r\n")
    };
    (timestamp) => {
        "X-Timestamp"
    };
}

/// The Content-Type of a stream. `boundary` is the last parameter, and its value
/// has neither quotes nor dashes: Gecko, ffmpeg, `ZoneMinder` and aiohttp each
/// fail on some other form, and all accept this one.
pub(crate) const STREAM_TYPE: &str =
    concat!("multipart/x-mixed-replace; boundary=", wire!(boundary));
/// The Content-Type of one picture.
pub(crate) const JPEG_TYPE: &str = wire!(jpeg_type);
/// The name of the header that says when a picture was taken, in seconds since
/// 1970 with six decimals.
pub(crate) const TIMESTAMP: &str = wire!(timestamp);

/// The name of the header that says why a snapshot has no picture: `lost; CAUSE`.
pub(crate) const STATUS: &str = "X-Mjpegd-Status";
/// What stands in it before the cause.
pub(crate) const LOST: &str = "lost; ";
/// The name of the header by which a daemon knows its own camera's pictures.
pub(crate) const INSTANCE: &str = "X-Mjpegd-Instance";
/// The header with the age of a live snapshot, in milliseconds. `Age` has whole
/// seconds only, and proxies write their own.
pub(crate) const AGE: &str = "X-Frame-Age-Ms";

/// The delimiter line that opens every stream body.
pub(crate) const DELIMITER: &[u8] = wire!(delimiter).as_bytes();
/// The headers of a part without a length, with the blank line.
pub(crate) const SHORT_HEADERS: &[u8] = concat!(wire!(type_line), "\r\n").as_bytes();
/// The end of line behind a JPEG. It belongs to the delimiter (RFC 2046 5.1.1).
pub(crate) const LINE_END: &[u8] = b"\r\n";
/// The delimiter line and the short headers of the part behind it, without the
/// [`LINE_END`] that precedes a delimiter.
pub(crate) const NEXT_PART: &[u8] = concat!(wire!(delimiter), wire!(type_line), "\r\n").as_bytes();

/// The headers of a part up to the value of its length...
pub(crate) const UP_TO_LENGTH: &str = concat!(wire!(type_line), "Content-Length: ");
/// ...from there to the value of its time...
pub(crate) const UP_TO_TIMESTAMP: &str = concat!("\r\n", wire!(timestamp), ": ");
/// ...and the end of that line, with the blank line.
pub(crate) const HEADERS_END: &str = "\r\n\r\n";
/// The start of a part in the full layout: the delimiter line before it, and its
/// headers up to the value of the length.
pub(crate) const PART_START: &str = concat!(wire!(delimiter), wire!(type_line), "Content-Length: ");

/// What follows each JPEG: [`LINE_END`], then [`NEXT_PART`]. Chromium and WebKit
/// paint a picture only when the headers of the next part arrive (Chromium bug
/// 527446), so these headers follow the JPEG at once.
const END_AND_NEXT_PART: &[u8] =
    concat!("\r\n", wire!(delimiter), wire!(type_line), "\r\n").as_bytes();
const N_DELIMITER_BYTES: usize = END_AND_NEXT_PART.len() - SHORT_HEADERS.len();

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

/// One moment on two clocks: when a frame was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timestamp {
    /// The wall clock, for X-Timestamp.
    pub(crate) wall: SystemTime,
    /// The same moment on the monotonic clock, for ages: the wall clock may be set.
    pub(crate) monotonic: Instant,
}

impl Timestamp {
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }
}

/// What is known about a frame besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meta {
    /// The sequence number: from 1, one more for each frame, over all openings of the
    /// camera.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Whether this is a status picture, which says why the camera is lost.
    pub(crate) is_status: bool,
}

/// One immutable JPEG with its wire bytes around it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) meta: Meta,
    bytes: Vec<u8>,
    start: usize,
    jpeg_start: usize,
    jpeg_end: usize,
    holds_delimiter: OnceLock<bool>,
}

impl Frame {
    /// The full layout: headers with length and time, JPEG, delimiter.
    pub(crate) fn full(&self) -> &[u8] {
        &self.bytes[self.start..self.jpeg_end + N_DELIMITER_BYTES]
    }

    /// The advance layout: JPEG, delimiter, the next part's headers.
    pub(crate) fn advance(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..]
    }

    /// JPEG and delimiter, for a part with headers of its own for one viewer.
    pub(crate) fn jpeg_and_delimiter(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..self.jpeg_end + N_DELIMITER_BYTES]
    }

    /// The JPEG alone, from SOI to EOI.
    pub(crate) fn jpeg(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..self.jpeg_end]
    }

    /// As the function [`holds_delimiter`]. Computed on first use, because only the
    /// advance layout needs it.
    pub(crate) fn holds_delimiter(&self) -> bool {
        *self.holds_delimiter.get_or_init(|| holds_delimiter(self.jpeg()))
    }

    /// `seconds.microseconds` since 1970, as in X-Timestamp.
    pub(crate) fn timestamp(&self) -> String {
        let t = since_epoch(self.meta.at.wall);
        format!("{}.{:06}", t.as_secs(), t.subsec_micros())
    }
}

/// Whether a JPEG holds CRLF and two dashes. ffmpeg splits a part without
/// Content-Length there, so the advance layout leaves such a frame out (about one
/// in 4 GiB).
pub(crate) fn holds_delimiter(jpeg: &[u8]) -> bool {
    memchr::memmem::find(jpeg, b"\r\n--").is_some()
}

/// Time since 1970; zero before it, where a board without a clock may be.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A JPEG that a driver fills in. It has room for the part header before the JPEG, so the
/// driver's bytes are copied only once.
#[derive(Debug)]
pub(crate) struct FrameBuf {
    bytes: Vec<u8>,
    /// Where the JPEG begins.
    start: usize,
    is_walked: bool,
}

impl FrameBuf {
    pub(crate) fn new() -> Self {
        Self::reusing(Vec::new())
    }

    fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.resize(FRONT, 0);
        Self { bytes, start: FRONT, is_walked: false }
    }

    /// Appends bytes to the JPEG.
    pub(crate) fn extend(&mut self, jpeg: &[u8]) {
        self.bytes.extend_from_slice(jpeg);
        self.is_walked = false;
    }

    /// Records that a walk over the markers of this JPEG found EOI at its very end,
    /// so that later checks do not read its scan again. Adding or removing bytes
    /// clears this.
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

/// Reuses the buffers of frames that have no other holder. New memory for each frame
/// would cost a page fault for each of its pages.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    frames: Vec<Arc<Frame>>,
    /// A buffer that was filled and not published.
    unused: Option<FrameBuf>,
}

impl FramePool {
    /// One in the slot, one being written to viewers, one being filled, and one spare for
    /// a late viewer. Further late viewers only cost page faults.
    const MAX_FRAMES: usize = 4;

    /// Returns an empty buffer, a used one if possible.
    pub(crate) fn take(&mut self) -> FrameBuf {
        if let Some(buf) = self.unused.take() {
            return FrameBuf::reusing(buf.bytes);
        }
        // `get_mut` succeeds only if the pool is the only holder: no viewer is still
        // sending these bytes.
        let free = self.frames.iter_mut().position(|f| Arc::get_mut(f).is_some());
        match free.map(|i| Arc::try_unwrap(self.frames.swap_remove(i))) {
            Some(Ok(frame)) => FrameBuf::reusing(frame.bytes),
            _ => FrameBuf::new(),
        }
    }

    /// Takes back a buffer whose frame is not published.
    pub(crate) fn put_back(&mut self, buf: FrameBuf) {
        self.unused = Some(buf);
    }

    /// Keeps a published frame, to reuse its buffer once the pool is its only holder.
    pub(crate) fn keep(&mut self, frame: &Arc<Frame>) {
        // A frame that falls out of the pool is freed by its last holder.
        if self.frames.len() == Self::MAX_FRAMES {
            self.frames.swap_remove(0);
        }
        self.frames.push(Arc::clone(frame));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(jpeg: &[u8]) -> Frame {
        let mut buf = FrameBuf::new();
        buf.extend(jpeg);
        buf.finish(Meta {
            seq: 1,
            at: Timestamp {
                wall: SystemTime::UNIX_EPOCH + Duration::new(1_795_197_222, 490_963_000),
                monotonic: Instant::now(),
            },
            width: 1,
            height: 1,
            is_status: false,
        })
    }

    #[test]
    fn both_layouts_are_slices_of_one_buffer() {
        let f = frame(b"JPEG");
        assert_eq!(
            f.full(),
            b"Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Timestamp: 1795197222.490963\r\n\r\nJPEG\r\n--frame\r\n"
        );
        assert_eq!(f.advance(), b"JPEG\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n");
        assert_eq!(f.jpeg_and_delimiter(), b"JPEG\r\n--frame\r\n");
        assert_eq!(f.jpeg(), b"JPEG");
    }

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
    fn delimiter_inside_a_jpeg_is_found() {
        assert!(frame(b"abc\r\n--def").holds_delimiter());
        assert!(!frame(b"abc\r\n-def\r\n").holds_delimiter());
    }

    #[test]
    fn buffer_is_reused_only_when_the_pool_is_the_only_holder() {
        let mut pool = FramePool::default();
        let mut buf = pool.take();
        buf.extend(&[7; 1000]);
        let held = Arc::new(buf.finish(frame(b"").meta));
        pool.keep(&held);
        assert_eq!(pool.take().bytes.capacity(), FrameBuf::new().bytes.capacity());
        drop(held);
        let again = pool.take();
        assert!(again.bytes.capacity() >= 1000);
        assert!(again.jpeg().is_empty());
        pool.put_back(again);
        let again = pool.take();
        assert!(again.bytes.capacity() >= 1000);
        assert!(again.jpeg().is_empty());
    }

    #[test]
    fn pool_forgets_what_is_held_for_long() {
        let mut pool = FramePool::default();
        let held: Vec<_> = (0..10).map(|_| Arc::new(frame(b"x"))).collect();
        held.iter().for_each(|f| pool.keep(f));
        assert_eq!(pool.frames.len(), FramePool::MAX_FRAMES);
    }
}
