//! Reads the pictures in an answer of another server: multipart parts, JPEGs one after
//! the other, or a single JPEG.

mod body;
mod reader;
mod repeat;

use body::Body;
pub(crate) use body::Next;
pub(crate) use reader::Reader;
pub(crate) use repeat::Repeat;
