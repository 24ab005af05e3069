//! An incremental parser for multipart MJPEG streams in the dialects of all servers.
//! Its input comes in pieces of any size.
//!
//! The format is RFC 2046, but few servers follow it: lengths are missing or wrong,
//! lines end with LF, the boundary has dashes in the header or none on the wire. So
//! the parser accepts a length only if a JPEG ends there, and a delimiter only on a
//! line of its own. The layouts that this program writes are in `frame`.

mod boundary;
mod bytes;
mod error;
mod parser;
mod part;
mod search;

pub(crate) use error::Error;
pub(crate) use parser::{Next, Parser};
pub(crate) use part::Part;

use crate::frame::FrameBuf;

/// The buffer that takes the bytes of a part.
pub(crate) trait PartBuf {
    fn bytes(&self) -> &[u8];
    fn add(&mut self, bytes: &[u8]);
    fn truncate(&mut self, len: usize);
    /// As [`FrameBuf::mark_walked`].
    fn mark_walked(&mut self) {}
}

impl PartBuf for Vec<u8> {
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

impl PartBuf for FrameBuf {
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
