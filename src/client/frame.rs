//! One frame of a stream.

use std::time::{Duration, SystemTime};

use crate::frame::FrameBuf;
use crate::jpeg;

/// One JPEG of a stream, with what is known about it. It owns its memory and
/// can be kept for any time.
#[derive(Debug)]
pub struct Frame {
    pub(super) buf: FrameBuf,
    pub(super) number: u64,
    pub(super) n_skipped: u64,
    pub(super) captured: Option<SystemTime>,
    pub(super) received: SystemTime,
    pub(super) n_dropped: Option<u64>,
}

impl Frame {
    /// The bytes of the JPEG as the server sent them, from its first marker
    /// (SOI) on.
    #[must_use]
    pub fn jpeg(&self) -> &[u8] {
        self.buf.jpeg()
    }

    /// Width and height in pixels as a browser shows the picture, which turns it if
    /// its EXIF says so; `None` if the JPEG is damaged. Reads its headers at each
    /// call.
    #[must_use]
    pub fn size(&self) -> Option<(u16, u16)> {
        // Not kept from the reading: most callers decode the frame and learn the size
        // there.
        jpeg::check(self.jpeg()).ok().map(|info| info.shown_size())
    }

    /// The number of this frame: 1 for the first frame that this client
    /// received. Lost connections do not reset it, and skipped frames count.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many frames came after the one returned before this, and were
    /// replaced by a newer one. Always 0 in [`Frames`](super::Frames).
    #[must_use]
    pub fn n_skipped(&self) -> u64 {
        self.n_skipped
    }

    /// Why this is no picture of the camera: an mjpegd that has lost its camera draws
    /// pictures instead, and says so in a comment of the JPEG.
    #[must_use]
    pub fn lost_camera(&self) -> Option<String> {
        jpeg::status_cause(self.jpeg())
    }

    /// When the camera took it, by the server's clock; `None` if the server
    /// does not send it (`X-Timestamp`).
    #[must_use]
    pub fn captured(&self) -> Option<SystemTime> {
        self.captured
    }

    /// When its last byte was read, by the clock of this machine.
    #[must_use]
    pub fn received(&self) -> SystemTime {
        self.received
    }

    /// The time from [`Frame::captured`] to [`Frame::received`]. It is as exact
    /// as the two clocks agree, and never negative.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.captured.map(|at| self.received.duration_since(at).unwrap_or_default())
    }

    /// How many frames the server has dropped on this connection because the
    /// client was slow. `None` if the server does not send it
    /// (`X-UStreamer-Dropped`; mjpegd and uStreamer do with `?extra_headers=1`).
    #[must_use]
    pub fn n_dropped_by_server(&self) -> Option<u64> {
        self.n_dropped
    }
}
