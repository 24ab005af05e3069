//! The luma of a picture at an eighth of its size, of its DC coefficients alone.

use crate::decode::{Reader, Wanted};
use crate::error::TranscodeError;

/// Reads DC coefficients. Keeps its memory from picture to picture.
pub struct DcReader {
    reader: Reader,
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
        Self { reader: Reader::new(), values: Vec::new() }
    }

    /// Reads a whole JPEG, from SOI to EOI.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(&mut self, jpeg: &[u8]) -> Result<DcPicture<'_>, TranscodeError> {
        self.reader.read(jpeg, Wanted { colours: false, ac: false })?;
        let luma = &self.reader.picture.components[0];
        let ((width, height), divisor) = (luma.n_blocks, i32::from(luma.divisors[0]));
        self.values.clear();
        for row in luma.blocks.chunks(luma.stride.max(1)).take(height) {
            // A picture has no DC beyond 2047.
            let level = |dc: i16| (i32::from(dc) * divisor).clamp(-2048, 2047) as i16;
            self.values.extend(row.iter().take(width).map(|block| level(block.dc)));
        }
        Ok(DcPicture { width, height, values: &self.values })
    }
}
