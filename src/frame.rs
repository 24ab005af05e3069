//! One picture, with the bytes that stand around it on the wire.
//!
//! Capture builds a [`Frame`] once; viewers, snapshots and recordings only
//! take slices of it. The layouts are those of RFC 2046 multipart parts as
//! MJPEG clients expect them:
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

/// The delimiter line that opens every stream body.
pub(crate) const DELIMITER: &[u8] = b"--frame\r\n";
/// The headers of a part without a length, with the blank line.
pub(crate) const SHORT_HEADERS: &[u8] = b"Content-Type: image/jpeg\r\n\r\n";
/// What follows each JPEG: the end of its part, then the headers of the next
/// one, which Chromium and WebKit wait for before they paint this one
/// (Chromium bug 527446).
const TAIL: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";
const N_DELIMITER_BYTES: usize = TAIL.len() - SHORT_HEADERS.len();

/// Room for the longest part header: 26 bytes of type, 16 + 20 of length,
/// 13 + 20 + 1 + 6 of time, 4 line ends.
const HEAD_ROOM: usize = 128;
/// Room for the Huffman tables that some cameras leave out (420 bytes): the
/// few bytes before them are moved into it, not the picture behind them.
const TABLE_ROOM: usize = 432;
/// Where a JPEG begins in its buffer.
const FRONT: usize = HEAD_ROOM + TABLE_ROOM;

/// How much more a file is let give that is longer than it said.
const READ_BYTES: usize = 64 << 10;

/// When a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    /// On the clock of the world, for X-Timestamp.
    pub(crate) captured: SystemTime,
    /// The same moment on the clock that never steps, for ages.
    pub(crate) taken: Instant,
}

impl Taken {
    pub(crate) fn now() -> Self {
        Self { captured: SystemTime::now(), taken: Instant::now() }
    }
}

/// What is known of a picture besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meta {
    /// Counts up by one a picture, over all openings of the camera, from 1.
    pub(crate) seq: u64,
    pub(crate) at: Taken,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// A picture of ours that says why the camera shows nothing.
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
    /// Layout B: headers with length and time, JPEG, delimiter.
    pub(crate) fn full(&self) -> &[u8] {
        &self.bytes[self.start..self.jpeg_end + N_DELIMITER_BYTES]
    }

    /// Layout A: JPEG, delimiter, the next part's headers.
    pub(crate) fn advance(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..]
    }

    /// JPEG and delimiter, for a part whose headers are made for one viewer.
    pub(crate) fn jpeg_and_delimiter(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..self.jpeg_end + N_DELIMITER_BYTES]
    }

    /// The JPEG alone, from SOI to EOI.
    pub(crate) fn jpeg(&self) -> &[u8] {
        &self.bytes[self.jpeg_start..self.jpeg_end]
    }

    /// Whether the JPEG holds CRLF and two dashes: ffmpeg splits a part
    /// without Content-Length there, so layout A leaves such a frame out
    /// (about one in 4 GiB). Found on first use, since only A asks.
    pub(crate) fn holds_delimiter(&self) -> bool {
        *self.holds_delimiter.get_or_init(|| memchr::memmem::find(self.jpeg(), b"\r\n--").is_some())
    }

    /// `seconds.microseconds` since 1970, as in X-Timestamp.
    pub(crate) fn timestamp(&self) -> String {
        let t = since_epoch(self.meta.at.captured);
        format!("{}.{:06}", t.as_secs(), t.subsec_micros())
    }
}

/// Time since 1970; zero before it, where a board without a clock may be.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A JPEG being put together by a camera driver, with room before it for the
/// part header, so that the driver's bytes are copied once.
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

    /// Notes that the markers of this JPEG were gone over, and EOI is the last
    /// of its bytes: its scan need not be looked at again. Adding or dropping
    /// bytes ends that.
    pub(crate) fn mark_walked(&mut self) {
        self.is_walked = true;
    }

    pub(crate) fn is_walked(&self) -> bool {
        self.is_walked
    }

    /// Appends what a file has, but stops above `limit` bytes of JPEG, read straight
    /// into the buffer: by two system calls if the file is `n_expected` long,
    /// where the standard library would feel its way in growing pieces.
    ///
    /// Gives back how long the JPEG is now.
    ///
    /// # Errors
    /// What the file says; what it gave before stays in the buffer.
    pub(crate) fn extend_from(
        &mut self,
        file: impl AsFd,
        n_expected: usize,
        limit: usize,
    ) -> io::Result<usize> {
        self.is_walked = false;
        self.bytes.reserve(n_expected.min(limit) + 1 + TAIL.len());
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

    /// What was put in so far.
    pub(crate) fn jpeg(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Keeps the first `len` bytes of the JPEG.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.is_walked &= len >= self.jpeg().len();
        self.bytes.truncate(self.start + len);
    }

    /// Takes the bytes in `range` out of the JPEG, by moving what is before.
    pub(crate) fn cut(&mut self, range: Range<usize>) {
        let start = self.start;
        self.bytes.copy_within(start..start + range.start, start + range.len());
        self.start += range.len();
    }

    /// Puts at most [`TABLE_ROOM`] bytes in at `at`, beside as many as were cut
    /// out, by moving what is before.
    pub(crate) fn insert(&mut self, at: usize, piece: &[u8]) {
        let (old, new) = (self.start, self.start - piece.len());
        self.bytes.copy_within(old..old + at, new);
        self.bytes[new + at..old + at].copy_from_slice(piece);
        self.start = new;
    }

    /// Writes the part header before the JPEG and the delimiter behind it.
    pub(crate) fn finish(mut self, meta: Meta) -> Frame {
        let t = since_epoch(meta.at.captured);
        let head = format!(
            "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}.{:06}\r\n\r\n",
            self.jpeg().len(),
            t.as_secs(),
            t.subsec_micros()
        );
        let (jpeg_start, jpeg_end) = (self.start, self.bytes.len());
        let start = jpeg_start - head.len();
        self.bytes[start..jpeg_start].copy_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(TAIL);
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

/// Hands out the buffers of frames that nobody holds any more: fresh memory
/// for each frame would cost page faults on every byte of it.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    frames: Vec<Arc<Frame>>,
}

impl FramePool {
    /// One in the slot, one being written by viewers, one being filled, one
    /// spare for a viewer that is late. More late ones only cost page faults.
    const MAX_FRAMES: usize = 4;

    /// A buffer, an old one if there is one.
    pub(crate) fn take(&mut self) -> FrameBuf {
        let free = self.frames.iter_mut().position(|f| Arc::get_mut(f).is_some());
        match free.map(|i| Arc::try_unwrap(self.frames.swap_remove(i))) {
            Some(Ok(frame)) => FrameBuf::reusing(frame.bytes),
            _ => FrameBuf::new(),
        }
    }

    /// Remembers a published frame until its buffer is free.
    pub(crate) fn keep(&mut self, frame: &Arc<Frame>) {
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
            at: Taken {
                captured: SystemTime::UNIX_EPOCH + Duration::new(1_795_197_222, 490_963_000),
                taken: Instant::now(),
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
        let captured = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 / 2);
        let at = Taken { captured, taken: Instant::now() };
        let whole = buf.finish(Meta { at, ..frame(b"").meta });
        assert!(whole.full().starts_with(b"Content-Type: image/jpeg\r\nContent-Length: 433\r\n"));
    }

    #[test]
    fn pieces_go_in_and_out_in_front() {
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
    fn buffer_is_used_again_only_when_nobody_holds_the_frame() {
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
    }

    #[test]
    fn pool_forgets_what_is_held_for_long() {
        let mut pool = FramePool::default();
        let held: Vec<_> = (0..10).map(|_| Arc::new(frame(b"x"))).collect();
        held.iter().for_each(|f| pool.keep(f));
        assert_eq!(pool.frames.len(), FramePool::MAX_FRAMES);
    }
}
