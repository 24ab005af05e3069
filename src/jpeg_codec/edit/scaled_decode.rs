//! Decodes a picture at a smaller size, into the samples that the encoder takes.

use super::Scale;
use super::idct;
use super::layout::Layout;
use super::orientation::BlockTransform;
use super::sampling::{Repetition, Sampling};
use super::scan_writer::block;
use crate::blocks::ZIGZAG;
use crate::picture::{Block, Picture};
use crate::samples::McuRow;
use crate::tables::Tables;

/// No picture has dequantized coefficients beyond this. Damaged ones are clamped, so that
/// the transform cannot overflow.
const MAX_COEFFICIENT: i32 = 8191;

/// What is decoded, and how.
pub(super) struct ScaledDecoder<'a> {
    pub(super) picture: &'a Picture,
    pub(super) layout: &'a Layout,
    pub(super) turn: &'a BlockTransform,
    pub(super) scale: Scale,
    pub(super) sampling: &'a Sampling,
    /// By component, as the coefficients are turned, in zigzag order.
    pub(super) divisors: [[u16; 64]; 3],
}

impl ScaledDecoder<'_> {
    /// Fills the samples of a row of MCUs of the smaller picture, whose size is given.
    pub(super) fn row(&self, nth: usize, size: (usize, usize), tables: &Tables, row: &mut McuRow) {
        for component in 0..self.layout.n_components {
            let (factors, repeated) = match component {
                0 => (tables.luma, (1, 1)),
                _ => ((1, 1), self.sampling.repeated),
            };
            let n_lines = 8 * factors.1;
            let (plane, stride) = row.plane_mut(component);
            self.component(component, nth * n_lines, n_lines, repeated, plane, stride);
            // Samples outside of the picture repeat the last one, which compresses best.
            let (across, down) = if component == 0 { (1, 1) } else { tables.luma };
            let n_left = size.1.div_ceil(down).saturating_sub(nth * n_lines).clamp(1, n_lines);
            let width = size.0.div_ceil(across).clamp(1, stride);
            for line in plane.chunks_exact_mut(stride).take(n_left) {
                let last = line[width - 1];
                line[width..].fill(last);
            }
            let last = (n_left - 1) * stride;
            for y in n_left..n_lines {
                plane.copy_within(last..last + stride, y * stride);
            }
        }
    }

    /// Decodes the blocks of some lines, which begin with line `top`.
    fn component(
        &self,
        component: usize,
        top: usize,
        n_lines: usize,
        repeated: Repetition,
        plane: &mut [u8],
        stride: usize,
    ) {
        let side = self.scale.block_side();
        let (width, height) = (side * repeated.0, side * repeated.1);
        let n_blocks = self.layout.components[component].n_blocks;
        for (i, lines) in plane.chunks_mut(height * stride).take(n_lines / height).enumerate() {
            let y = top / height + i;
            for x in 0..n_blocks.0.min(stride / width) {
                if y >= n_blocks.1 {
                    return;
                }
                let c = self.low(component, (x, y));
                let lines = &mut lines[x * width..];
                match self.scale {
                    Scale::Full | Scale::Half => put(idct::half(&c), lines, stride, repeated),
                    Scale::Quarter => put(idct::quarter(&c), lines, stride, repeated),
                    Scale::Eighth => put(idct::eighth(&c), lines, stride, repeated),
                }
            }
        }
    }

    /// The lowest frequencies of a block, four by four in rows, dequantized.
    #[inline(always)]
    fn low(&self, component: usize, place: (usize, usize)) -> idct::LowFrequencies {
        // The last place takes all others.
        let mut low = [0; 17];
        if let Some(block) = block(self.picture, self.layout, component, place) {
            let divisors = &self.divisors[component];
            low[0] = dequantized(block.dc, divisors[0]);
            let block = Block { non_zero: block.non_zero & self.scale.lowest(), ..*block };
            self.turn.each_ac(&block, self.picture.values(&block), |k, value| {
                low[usize::from(LOW[k]).min(16)] = dequantized(value, divisors[k]);
            });
        }
        low
    }
}

/// Writes the samples of a block, each of them repeated.
#[inline(always)]
fn put<const N: usize>(
    samples: [[u8; N]; N],
    lines: &mut [u8],
    stride: usize,
    (across, down): Repetition,
) {
    for (samples, lines) in samples.iter().zip(lines.chunks_mut(stride * down)) {
        for line in lines.chunks_mut(stride) {
            if across == 1
                && let Some(place) = line.first_chunk_mut()
            {
                *place = *samples;
            } else {
                let places = line.chunks_exact_mut(across).zip(samples);
                places.for_each(|(place, sample)| place.fill(*sample));
            }
        }
    }
}

/// The place in rows of four of each frequency, in zigzag order; 16 for the higher ones.
static LOW: [u8; 64] = {
    let mut low = [16; 64];
    let mut k = 0;
    while k < 64 {
        let (y, x) = (ZIGZAG[k] / 8, ZIGZAG[k] % 8);
        if y < 4 && x < 4 {
            low[k] = 4 * y + x;
        }
        k += 1;
    }
    low
};

/// A coefficient times its divisor.
#[inline(always)]
pub(super) fn dequantized(value: i16, divisor: u16) -> i32 {
    (i32::from(value) * i32::from(divisor)).clamp(-MAX_COEFFICIENT, MAX_COEFFICIENT)
}
