//! Encodes the scan of a baseline JPEG: it takes pixels, transforms and quantizes them,
//! and writes Huffman-coded bytes. The caller reads tables and sampling from the header
//! that it puts before the scan.
//!
//! ```text
//! line of pixels -> samples of an MCU row -> pairs of blocks -> bits -> bytes
//!     convert, kernels  samples              simd, transform  huffman   bits
//! ```
//!
//! The transform is that of libjpeg, in the shape that libjpeg-turbo gave it;
//! both are the work of the Independent JPEG Group, of Thomas G. Lane, D. R.
//! Commander, MIYASAKA Masaru and others.

mod bits;
mod blocks;
mod convert;
mod divisors;
mod huffman;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod kernels;
mod samples;
mod scan;
mod simd;
mod tables;
#[cfg(test)]
mod tests;
mod transform;

pub use samples::{Line, McuRow, Order, Range};
pub use scan::Scan;
pub use simd::Simd;
pub use tables::Tables;
