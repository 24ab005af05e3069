//! What an answer of another server holds: parts, JPEGs one after the other,
//! or one JPEG.

mod body;
mod repeat;

pub(crate) use body::{Body, Next};
pub(crate) use repeat::Repeat;
