//! What an answer of another server holds: parts, JPEGs one after the other,
//! or one JPEG; and reading them.

mod body;
mod reader;
mod repeat;

use body::Body;
pub(crate) use body::Next;
pub(crate) use reader::Reader;
pub(crate) use repeat::Repeat;
