//! Writes to a viewer from the thread that publishes, as far as that needs no
//! wait: a viewer that keeps up costs no thread its sleep.

use std::sync::Arc;

use super::connection::AtOnce;
use super::route::Layout;
use super::viewers::Viewer;
use crate::frame::Frame;
use crate::slot::Sink;

/// The viewer's end in the slot.
pub(super) struct Direct {
    pub(super) socket: AtOnce,
    pub(super) layout: Layout,
    pub(super) viewer: Arc<Viewer>,
}

impl Sink for Direct {
    fn try_send(&self, frame: &Frame, skipped: u64) -> Option<usize> {
        let Some(part) = part(self.layout, frame) else {
            self.viewer.skipped(skipped + 1);
            return None;
        };
        let n_taken = self.socket.write(part);
        if n_taken < part.len() {
            return Some(n_taken);
        }
        self.viewer.sent(n_taken, skipped, frame.meta.at.monotonic);
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
