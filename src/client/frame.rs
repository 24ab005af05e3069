//! One picture, as it is given.

use std::time::{Duration, SystemTime};

use crate::frame::FrameBuf;
use crate::jpeg;

/// One picture. Its memory is its own: it can be kept.
#[derive(Debug)]
pub struct Frame {
    pub(super) picture: FrameBuf,
    pub(super) number: u64,
    pub(super) n_skipped: u64,
    pub(super) captured: Option<SystemTime>,
    pub(super) received: SystemTime,
    pub(super) n_dropped: Option<u64>,
}

impl Frame {
    /// The bytes of the JPEG, from SOI on, as the server sent them.
    #[must_use]
    pub fn jpeg(&self) -> &[u8] {
        self.picture.jpeg()
    }

    /// Width and height in pixels, if its headers tell; as it is shown, which
    /// is turned if its EXIF says so.
    #[must_use]
    pub fn size(&self) -> Option<(u16, u16)> {
        jpeg::check(self.jpeg()).ok().map(|info| info.shown_size())
    }

    /// Which picture of this client it is: the first one is 1. It counts on
    /// over lost connections, and over pictures that were skipped.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many came since the one that was given before it, and went unseen:
    /// always 0 in [`Frames`](super::Frames).
    #[must_use]
    pub fn n_skipped(&self) -> u64 {
        self.n_skipped
    }

    /// When it was taken, by the server's clock; `None`: the server does not
    /// say (`X-Timestamp`).
    #[must_use]
    pub fn captured(&self) -> Option<SystemTime> {
        self.captured
    }

    /// When its last byte was read, by the clock of this machine.
    #[must_use]
    pub fn received(&self) -> SystemTime {
        self.received
    }

    /// How old it was when its last byte was read, if the server says when it
    /// was taken. As good as both clocks agree; never negative.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.captured.map(|at| self.received.duration_since(at).unwrap_or_default())
    }

    /// How many pictures the server has left out for us in this connection, as
    /// we were slow, if it says so (`X-UStreamer-Dropped`, which mjpegd and
    /// uStreamer send when asked by `?extra_headers=1`).
    #[must_use]
    pub fn n_dropped_by_server(&self) -> Option<u64> {
        self.n_dropped
    }
}
