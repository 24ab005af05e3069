//! JPEGs one after the other, as `--camera file:` and `ffmpeg -f mjpeg` read
//! them.

use std::io::{self, Write};

use super::{Export, PlannedFrame, TooManyFrames, fill};

/// Fills the place of missing frames. Decoders ignore any number of these bytes
/// before a marker (ITU-T T.81, B.1.1.2).
const FILL_BYTE: u8 = 0xFF;

/// A file of JPEGs while it is planned and written.
#[derive(Debug, Default)]
pub(super) struct Mjpeg {
    n_bytes: u64,
    /// Bytes written so far.
    at: u64,
}

impl Export for Mjpeg {
    fn plan(&mut self, frame: &PlannedFrame) -> Result<(), TooManyFrames> {
        self.n_bytes += u64::from(frame.n_jpeg);
        Ok(())
    }

    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn begin(&mut self, _: (u16, u16), _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn frame(&mut self, _: u64, jpeg: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let end = self.at + jpeg.len() as u64;
        // A frame that is longer than planned would break the announced length; its place is
        // filled at the end.
        if end <= self.n_bytes {
            out.write_all(jpeg)?;
            self.at = end;
        }
        Ok(())
    }

    fn missing(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        fill(FILL_BYTE, self.n_bytes - self.at, out)
    }
}
