//! Reads the pictures in an answer of another server: multipart parts, JPEGs one after
//! the other, or a single JPEG.

mod form;
mod reader;
mod repeat;

use form::Form;
pub(crate) use form::Next;
pub(crate) use reader::PictureReader;
pub(crate) use repeat::Repeat;
