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

mod buf;
mod pool;
mod timestamp;
mod wire;

use std::sync::OnceLock;

pub(crate) use buf::FrameBuf;
pub(crate) use pool::FramePool;
pub(crate) use timestamp::{Timestamp, since_epoch};
use wire::N_DELIMITER_BYTES;
pub(crate) use wire::STATUS_UP_TO_CAUSE;
pub(crate) use wire::{
    AGE, DELIMITER, HEADERS_END, INSTANCE, JPEG_TYPE, LINE_END, LOST, NEXT_PART, PART_START,
    SHORT_HEADERS, STATUS, STREAM_TYPE, TIMESTAMP, UP_TO_LENGTH, UP_TO_TIMESTAMP, upstream_loss,
};

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

    /// How much memory it takes, with what its buffer has in reserve.
    #[cfg(feature = "daemon")]
    pub(crate) fn n_memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// As the function [`holds_delimiter`]. Computed on first use, because only the
    /// advance layout needs it.
    pub(crate) fn holds_delimiter(&self) -> bool {
        // A `OnceLock` and not a field of the builder: most streams have no viewer of this
        // layout.
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
    // Four bytes and not the whole delimiter: ffmpeg takes these for the end, whatever
    // follows.
    memchr::memmem::find(jpeg, b"\r\n--").is_some()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use super::*;

    pub(super) fn frame(jpeg: &[u8]) -> Frame {
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
    fn delimiter_inside_a_jpeg_is_found() {
        assert!(frame(b"abc\r\n--def").holds_delimiter());
        assert!(!frame(b"abc\r\n-def\r\n").holds_delimiter());
    }
}
