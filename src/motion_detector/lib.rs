//! Finds what moves in small grey pictures, such as the means of the blocks of a JPEG,
//! which are a picture of an eighth of its size. Their means over a grid of some
//! thousand cells are compared with a background that is learnt.
//!
//! ```text
//! blocks -> grid -> expected -> background -> blobs -> tracks -> activity
//! ```
//! A thing that moves is a blob of connected cells that hides the texture behind it or has
//! an edge, in which something changes from picture to picture, and which leaves a track.
//! Light is none of these: a step of brightness or exposure changes all cells alike, a lamp
//! or the sun changes some of them in place or softly, flicker changes rows or columns, and
//! a shadow leaves the texture as it is.

mod around;
mod background;
mod blob;
mod blobs;
mod carve;
mod chance;
mod detector;
mod expected;
mod grid;
mod noise;
mod shade;
mod snow;
#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
mod tests;
mod texture;
mod track;
mod tracks;
mod zones;

pub use detector::{Activity, Detector, Settings, View};
pub use grid::Grid;
pub use zones::Polygon;
