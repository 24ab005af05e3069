//! Text as pixels, in a font of strokes: any size, anti-aliased, from 7 kB of data.
//!
//! ```text
//! letter -> strokes on a grid of units -> fitted to pixels -> coverage of each pixel
//!    glyph                                 fit                 pen
//! ```
//!
//! A font of outlines would need a parser and a rasterizer, together ten times as large.

mod face;
mod fit;
mod glyph;
mod pen;

pub(crate) use face::Face;
