//! The luma of a picture at an eighth of its size, of its DC coefficients alone.

use crate::decode::{JpegReader, Selection};
use crate::error::TranscodeError;

/// Reads DC coefficients. Keeps its memory from picture to picture.
pub struct DcReader {
    reader: JpegReader,
    values: Vec<i16>,
}

/// The DC coefficients of luma, dequantized: a picture of a value a block.
#[derive(Clone, Copy, Debug)]
pub struct DcPicture<'a> {
    /// Blocks across.
    pub width: usize,
    /// Blocks down.
    pub height: usize,
    /// Row by row, eight times the mean of the block's samples, less 1024.
    pub values: &'a [i16],
}

impl DcReader {
    /// Without memory yet.
    #[expect(clippy::new_without_default, reason = "as the transcoder")]
    pub fn new() -> Self {
        Self { reader: JpegReader::new(), values: Vec::new() }
    }

    /// Reads a whole JPEG, from SOI to EOI.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(&mut self, jpeg: &[u8]) -> Result<DcPicture<'_>, TranscodeError> {
        self.reader.read(jpeg, Selection { colours: false, ac: false })?;
        let luma = &self.reader.picture.components[0];
        let ((width, height), divisor) = (luma.n_blocks, i32::from(luma.divisors[0]));
        self.values.clear();
        for row in luma.blocks.chunks(luma.stride.max(1)).take(height) {
            // A picture has no DC beyond 2047.
            let level = |dc: i16| (i32::from(dc) * divisor).clamp(-2048, 2047);
            let levels = row.iter().take(width).map(|block| level(block.dc));
            self.values.extend(levels.map(|level| i16::try_from(level).unwrap_or_default()));
        }
        Ok(DcPicture { width, height, values: &self.values })
    }
}
