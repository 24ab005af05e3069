//! A span of a recording as one file for other programs: AVI, zip, or the
//! JPEGs one after the other.
//!
//! HTTP announces the length of a file before its first byte, so the caller
//! goes over the frames of the span twice: first it gives their times and
//! lengths, then their bytes. If a segment is deleted or damaged in between,
//! the export fills the place of its frames, so that the file is valid and has
//! the announced length. This room knows neither HTTP nor the disk.
//!
//! Memory is bounded, however long the span is: a zip keeps 16 bytes of each of
//! at most 16,384 frames, an AVI the index of at most 131,072 frames.

mod avi;
mod mjpeg;
mod pace;
#[cfg(test)]
mod tests;
mod zip;

use std::io::{self, Write};

/// The kind of file that an export makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Avi,
    Zip,
    Mjpeg,
}

impl Format {
    pub(crate) const ALL: [Self; 3] = [Self::Avi, Self::Zip, Self::Mjpeg];

    /// Its name in an address, and the extension of its files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avi => "avi",
            Self::Zip => "zip",
            Self::Mjpeg => "mjpeg",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Avi => "video/x-msvideo",
            Self::Zip => "application/zip",
            Self::Mjpeg => "video/x-motion-jpeg",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// A file of this kind, without frames.
    pub(crate) fn export(self) -> Box<dyn Export> {
        match self {
            Self::Avi => Box::new(avi::Avi::new(avi::Limits::STANDARD)),
            Self::Zip => Box::new(zip::Zip::default()),
            Self::Mjpeg => Box::new(mjpeg::Mjpeg::default()),
        }
    }
}

/// A frame in the first pass, before its bytes are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PlannedFrame {
    /// Microseconds since 1970.
    pub(crate) captured: u64,
    pub(crate) n_jpeg: u32,
    /// There is a gap, or a step of the clock, between the previous frame and this one.
    pub(crate) is_after_gap: bool,
}

/// A file in two passes: first `plan` for each frame, then `n_bytes`; after that
/// `begin`, `frame` or `missing` for each frame in the same order, and `finish`.
/// The second pass writes exactly `n_bytes` bytes, whichever frames it gets.
pub(crate) trait Export {
    /// Adds a frame to the plan.
    ///
    /// # Errors
    /// The format cannot hold this frame as well.
    fn plan(&mut self, frame: &PlannedFrame) -> Result<(), TooManyFrames>;

    /// The length of the file, for Content-Length. Complete after the last `plan`.
    fn n_bytes(&self) -> u64;

    /// Writes what stands before the frames. Width and height are those of the
    /// first frame.
    fn begin(&mut self, size: (u16, u16), out: &mut dyn Write) -> io::Result<()>;

    /// Writes a frame, if it fits into what was planned.
    fn frame(&mut self, captured: u64, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()>;

    /// Leaves out a frame that was planned.
    fn missing(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes what stands behind the frames, and fills the place of planned
    /// frames that were not given.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The span has more frames than its format can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TooManyFrames {
    pub(crate) max: u64,
}

/// Writes a byte `n` times.
fn fill(byte: u8, mut n: u64, out: &mut dyn Write) -> io::Result<()> {
    let block = [byte; 4096];
    while n > 0 {
        let piece = block.len().min(usize::try_from(n).unwrap_or(usize::MAX));
        out.write_all(&block[..piece])?;
        n -= piece as u64;
    }
    Ok(())
}
