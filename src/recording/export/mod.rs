//! A span of a recording as one file for other programs: AVI, zip, or the
//! JPEGs one after the other.
//!
//! No HTTP and no disk here: the caller goes over the frames of the span twice.
//! The first time it tells their times and lengths, so that the length of the
//! file is known before its first byte; the second time it hands over their
//! bytes. What it cannot hand over then, as a segment was deleted or damaged
//! meanwhile, is made up for: the file is as long as was announced, and sound.
//! Memory: bounded, however many frames there are. A zip keeps 11 bytes or so
//! of each of 16,384 frames, of more in a file that the caller lends; an AVI
//! the index of at most 131,072 frames.

mod avi;
mod mjpeg;
mod pace;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::File;
use std::io::{self, Write};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Avi,
    Zip,
    Mjpeg,
}

impl Format {
    pub(crate) const ALL: [Self; 3] = [Self::Avi, Self::Zip, Self::Mjpeg];

    /// Its name in an address, and the ending of its files.
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

/// A frame, before it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Planned {
    /// Microseconds since 1970.
    pub(crate) captured: u64,
    pub(crate) n_jpeg: u32,
    /// There is a gap, or a step of the clock, between it and the one before.
    pub(crate) is_after_gap: bool,
}

/// A file in two passes: `plan` each frame, ask for `n_bytes`; then `begin`,
/// `frame` or `missing` for each in the same order, and `finish`. Between them
/// these write `n_bytes` bytes, whichever frames they get.
pub(crate) trait Export {
    /// # Errors
    /// The format holds no more frames than it has now.
    fn plan(&mut self, frame: &Planned) -> Result<(), TooMany>;

    /// The length of the file.
    fn n_bytes(&self) -> u64;

    /// How large a file of its own it needs while it is written, 0: none. To
    /// be asked when all is planned.
    fn n_scratch_bytes(&self) -> u64 {
        0
    }

    /// Gets that file, before it begins.
    fn take_scratch(&mut self, _: File) {}

    /// Writes what stands before the frames. Width and height are those of the
    /// first frame.
    fn begin(&mut self, size: (u16, u16), out: &mut dyn Write) -> io::Result<()>;

    /// Writes a frame, if it fits into what was planned.
    fn frame(&mut self, captured: u64, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()>;

    /// Leaves out a frame that was planned.
    fn missing(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes what stands behind the frames, and fills the place of those that
    /// never came.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The format holds so many frames and no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TooMany(pub(crate) u64);

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
