//! Writes to a viewer from the thread that publishes, as far as that needs no
//! wait. A viewer that keeps up then costs no thread a wake-up.

use std::sync::Arc;

use crate::frame::Frame;
use crate::http::transport::NonBlocking;
use crate::http::viewer::{Layout, Viewer};
use crate::slot::Sink;

/// The viewer's end in the slot.
pub(super) struct Delivery {
    pub(super) socket: NonBlocking,
    pub(super) viewer: Arc<Viewer>,
}

impl Sink for Delivery {
    fn try_send(&self, frame: &Frame, skipped: u64) -> Option<usize> {
        let Some(part) = part(self.viewer.info.layout, frame) else {
            self.viewer.skipped(skipped + 1);
            return None;
        };
        let n_sent = self.socket.write(part);
        if n_sent < part.len() {
            return Some(n_sent);
        }
        self.viewer.sent(n_sent, skipped, frame.meta.at.monotonic);
        None
    }
}

/// The bytes of a part; `None` for a picture that the layout cannot carry.
pub(super) fn part(layout: Layout, frame: &Frame) -> Option<&[u8]> {
    match layout {
        Layout::Advance if frame.holds_delimiter() => None,
        Layout::Advance => Some(frame.advance()),
        Layout::Full => Some(frame.full()),
    }
}
