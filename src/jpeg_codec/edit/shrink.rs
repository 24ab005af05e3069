//! Decodes a picture at a smaller size, into the samples that the encoder takes.

use super::Scale;
use super::idct;
use super::orientation::Turn;
use super::placement::Placement;
use super::write::block;
use crate::error::TranscodeError;
use crate::picture::{IN_ZIGZAG, Picture};
use crate::samples::McuRow;
use crate::tables::Tables;

/// Dequantized coefficients beyond this are of no picture; they are cut, so that the
/// transform cannot overflow.
const MAX_COEFFICIENT: i32 = 8191;

/// How the samples of a component go to their plane: each is repeated so often, across
/// and down.
type Repeated = (usize, usize);

/// The sampling of a picture that is encoded again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sampling {
    /// The factors of luma.
    pub(super) luma: (usize, usize),
    /// Of the colours.
    repeated: Repeated,
}

impl Sampling {
    /// As in the source, or the nearest that the encoder knows: it has 4:2:2 for 4:1:1.
    pub(super) fn new(placement: &Placement) -> Result<Self, TranscodeError> {
        const UNUSUAL: TranscodeError = TranscodeError::Unsupported("an unusual sampling");
        let [luma, cb, cr] = placement.components.map(|placed| placed.factors);
        if placement.n_components == 1 {
            return Ok(Self { luma: (1, 1), repeated: (1, 1) });
        }
        let of = |luma: usize, colour: usize| match (luma / colour, luma % colour) {
            (1, 0) => Ok((1, 1)),
            (2, 0) => Ok((2, 1)),
            (4, 0) => Ok((2, 2)),
            _ => Err(UNUSUAL),
        };
        if cb != cr {
            return Err(UNUSUAL);
        }
        let ((across, repeat_x), (down, repeat_y)) = (of(luma.0, cb.0)?, of(luma.1, cb.1)?);
        Ok(Self { luma: (across, down), repeated: (repeat_x, repeat_y) })
    }
}

/// What is decoded, and how.
pub(super) struct Shrink<'a> {
    pub(super) picture: &'a Picture,
    pub(super) placement: &'a Placement,
    pub(super) turn: &'a Turn,
    pub(super) scale: Scale,
    pub(super) sampling: &'a Sampling,
    /// By component, as the coefficients are turned, in zigzag order.
    pub(super) divisors: [[u16; 64]; 3],
}

impl Shrink<'_> {
    /// Fills the samples of a row of MCUs of the smaller picture, whose size is given.
    pub(super) fn row(&self, nth: usize, size: (usize, usize), tables: &Tables, row: &mut McuRow) {
        for component in 0..self.placement.n_components {
            let (factors, repeated) = match component {
                0 => (tables.luma, (1, 1)),
                _ => ((1, 1), self.sampling.repeated),
            };
            let n_lines = 8 * factors.1;
            let (plane, stride) = row.plane_mut(component);
            self.component(component, nth * n_lines, n_lines, repeated, plane, stride);
            // As many as are samples of the picture; the others continue the last one.
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
        repeated: Repeated,
        plane: &mut [u8],
        stride: usize,
    ) {
        let side = self.scale.block_side();
        let (width, height) = (side * repeated.0, side * repeated.1);
        let mut samples = [0; 16];
        let n_blocks = self.placement.components[component].n_blocks;
        for (i, lines) in plane.chunks_mut(height * stride).take(n_lines / height).enumerate() {
            let y = top / height + i;
            if y >= n_blocks.1 {
                return;
            }
            for x in 0..n_blocks.0.min(stride.div_ceil(width)) {
                self.block(component, (x, y), &mut samples);
                for (line_y, line) in lines.chunks_exact_mut(stride).enumerate() {
                    let of = &samples[line_y / repeated.1 * side..][..side];
                    for (i, place) in line[x * width..].iter_mut().take(width).enumerate() {
                        *place = of[i / repeated.0];
                    }
                }
            }
        }
    }

    fn block(&self, component: usize, place: (usize, usize), samples: &mut [u8; 16]) {
        let Some(block) = block(self.picture, self.placement, component, place) else { return };
        let divisors = &self.divisors[component];
        let mut turned = [0; 64];
        let non_zero = self.turn.ac(block, self.picture.values(block), &mut turned) | 1;
        turned[0] = block.dc;
        let at = |y: usize, x: usize| {
            let k = usize::from(IN_ZIGZAG[8 * y + x]) & 63;
            let value = i32::from(turned[k]) * i32::from(divisors[k]);
            if non_zero >> k & 1 == 0 { 0 } else { value.clamp(-MAX_COEFFICIENT, MAX_COEFFICIENT) }
        };
        match self.scale {
            Scale::Full | Scale::Half => {
                let coefficients = std::array::from_fn(|i| at(i / 4, i % 4));
                *samples = idct::half(&coefficients);
            }
            Scale::Quarter => {
                let low = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
                samples[..4].copy_from_slice(&idct::quarter(low));
            }
            Scale::Eighth => samples[0] = idct::eighth(at(0, 0)),
        }
    }
}

/// All coefficients of a block in rows, dequantized.
pub(super) fn dequantized(turned: &[i16; 64], non_zero: u64, divisors: &[u16; 64]) -> [i32; 64] {
    std::array::from_fn(|place| {
        let k = usize::from(IN_ZIGZAG[place]) & 63;
        let value = i32::from(turned[k]) * i32::from(divisors[k]);
        if non_zero >> k & 1 == 0 { 0 } else { value.clamp(-MAX_COEFFICIENT, MAX_COEFFICIENT) }
    })
}
