//! A codec for baseline JPEGs. It encodes raw pixels, and it changes JPEGs by their
//! coefficients without decoding them.
//!
//! Pixels are encoded to the scan of a JPEG; the caller reads tables and sampling from
//! the header that it puts before the scan:
//!
//! ```text
//! line of pixels -> samples of an MCU row -> pairs of blocks -> bits -> bytes
//!     convert, kernels  samples              simd, transform  huffman   bits
//! ```
//!
//! JPEGs are read to coefficients, and written from there, or decoded at a smaller size
//! and encoded again:
//!
//! ```text
//! JPEG -> blocks, as they are kept -> turned, requantized, stamped -> bits -> JPEG
//!   decode   picture                \    edit          huffman, bits
//!                                    -> samples of an MCU row -> ...
//! ```
//!
//! The transforms are those of libjpeg, in the shape that libjpeg-turbo gave them;
//! both are the work of the Independent JPEG Group, of Thomas G. Lane, D. R.
//! Commander, MIYASAKA Masaru and others.

mod annex_k;
#[doc(hidden)]
pub mod bare;
mod bits;
mod blocks;
mod convert;
mod dc;
mod decode;
mod divisors;
mod edit;
mod error;
mod huffman;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod kernels;
mod picture;
mod samples;
mod scan;
mod simd;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transcode_tests;
mod transform;

pub use dc::{DcPicture, DcReader};
pub use edit::{Edit, Orientation, Scale, Stamp, Transcoder};
pub use error::TranscodeError;
pub use samples::{Line, McuRow, Order, Range};
pub use scan::Scan;
pub use simd::Simd;
pub use tables::Tables;
