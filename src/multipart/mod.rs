//! Reads anybody's MJPEG stream: multipart parts in every dialect that
//! servers speak, in pieces of any size.
//!
//! The form is that of RFC 2046, which few servers keep to: lengths are left
//! out or wrong, lines end with LF, the boundary has dashes in the header or
//! none on the wire. So a length is believed only if a JPEG ends there, and a
//! delimiter only if it is a line of its own. The layouts that the daemon
//! itself writes are in `frame`.

mod boundary;
mod bytes;
mod error;
mod parser;
mod part;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use error::Error;
pub(crate) use parser::{Next, Parser};
pub(crate) use part::Part;

use crate::frame::FrameBuf;

/// The first two bytes of a JPEG.
const SOI: &[u8] = &[0xFF, 0xD8];
/// The last two.
const EOI: &[u8] = &[0xFF, 0xD9];

/// Where the bytes of a part go.
pub(crate) trait Body {
    fn bytes(&self) -> &[u8];
    fn add(&mut self, bytes: &[u8]);
    fn truncate(&mut self, len: usize);
    /// As [`FrameBuf::mark_walked`].
    fn mark_walked(&mut self) {}
}

impl Body for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn add(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }
}

impl Body for FrameBuf {
    fn bytes(&self) -> &[u8] {
        self.jpeg()
    }

    fn add(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn mark_walked(&mut self) {
        self.mark_walked();
    }
}
