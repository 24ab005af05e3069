//! Puts a text over a picture.

use super::idct;
use super::orientation::{Orientation, Turn};
use super::placement::Placement;
use super::shrink::dequantized;
use crate::blocks::{Pair, ZIGZAG};
use crate::divisors::Divisors;
use crate::picture::{Block, Picture};
use crate::simd::Simd;

/// A drawn text: `luma` and `alpha` are `width * height` values, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Pixels to the left of it.
    pub x: usize,
    /// Pixels above it.
    pub y: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// How bright it is.
    pub luma: &'a [u8],
    /// 0 leaves the pixel, 255 replaces it. Colour goes towards grey by the same share.
    pub alpha: &'a [u8],
}

/// The level of grey in a component of colour.
const NO_COLOUR: i32 = 128;

/// What the pixels of a sample do to it.
#[derive(Clone, Copy, Default)]
struct Share {
    /// Sum of alpha, and of alpha times luma.
    alpha: i32,
    luma: i32,
}

impl Stamp<'_> {
    /// What covers the pixels of a rectangle.
    fn share(&self, across: std::ops::Range<usize>, down: std::ops::Range<usize>) -> Share {
        let inside = |range: &std::ops::Range<usize>, from: usize, n: usize| {
            range.start.max(from).saturating_sub(from)..range.end.min(from + n).saturating_sub(from)
        };
        let mut share = Share::default();
        for y in inside(&down, self.y, self.height) {
            for x in inside(&across, self.x, self.width) {
                let at = y * self.width + x;
                let alpha = self.alpha.get(at).copied().map_or(0, i32::from);
                share.alpha += alpha;
                share.luma += alpha * self.luma.get(at).copied().map_or(0, i32::from);
            }
        }
        share
    }
}

/// A picture, and how it is changed.
pub(super) struct Stamping<'a> {
    pub(super) picture: &'a mut Picture,
    pub(super) placement: &'a Placement,
    pub(super) turn: &'a Turn,
    pub(super) simd: Simd,
}

impl Stamping<'_> {
    pub(super) fn put(&mut self, stamp: &Stamp<'_>) {
        let of = &self.placement.components[..self.placement.n_components];
        let most = of.iter().fold((1, 1), |most, placed| {
            (most.0.max(placed.factors.0), most.1.max(placed.factors.1))
        });
        let placement = self.placement;
        for (component, placed) in placement.components[..placement.n_components].iter().enumerate()
        {
            let (fx, fy) = placed.factors;
            let divisors = self.turn.divisors(&self.picture.components[component].divisors);
            let blocks = |from: usize, n: usize, factor: usize, most: usize, n_blocks: usize| {
                let block = 8 * most;
                (from * factor / block)..((from + n) * factor).div_ceil(block).min(n_blocks)
            };
            for y in blocks(stamp.y, stamp.height, fy, most.1, placed.n_blocks.1) {
                for x in blocks(stamp.x, stamp.width, fx, most.0, placed.n_blocks.0) {
                    let mut n_pixels = 1;
                    let shares = std::array::from_fn(|i| {
                        let (sample_x, sample_y) = (8 * x + i % 8, 8 * y + i / 8);
                        let across = sample_x * most.0 / fx..(sample_x + 1) * most.0 / fx;
                        let down = sample_y * most.1 / fy..(sample_y + 1) * most.1 / fy;
                        n_pixels = (across.len() * down.len()).max(1);
                        stamp.share(across, down)
                    });
                    if shares.iter().any(|share: &Share| share.alpha > 0) {
                        let place = placed.at(x, y);
                        self.block(component, place, &divisors, &shares, n_pixels as i32);
                    }
                }
            }
        }
    }

    /// Changes a block by what covers each of its samples.
    fn block(
        &mut self,
        component: usize,
        place: usize,
        divisors: &[u16; 64],
        shares: &[Share; 64],
        n_pixels: i32,
    ) {
        let is_light = self.picture.is_light(component);
        let Some(block) = self.picture.components[component].blocks.get(place).copied() else {
            return;
        };
        let as_it_is = Turn::new(Orientation::IDENTITY);
        let turn = if block.is_oriented { &as_it_is } else { self.turn };
        let mut turned = [0; 64];
        let non_zero = turn.ac(&block, self.picture.values(&block), &mut turned) | 1;
        turned[0] = block.dc;
        let before = idct::whole(&dequantized(&turned, non_zero, divisors));
        // Side by side with a block that nobody looks at.
        let mut samples = [0; 2 * 64];
        for (i, (before, share)) in before.into_iter().zip(shares).enumerate() {
            let (before, whole) = (i32::from(before), 255 * n_pixels);
            let towards = if is_light { share.luma } else { share.alpha * NO_COLOUR };
            let after = before * (whole - share.alpha) + towards;
            samples[i / 8 * 16 + i % 8] = ((after + whole / 2) / whole).clamp(0, 255) as u8;
        }
        let mut pair = Pair::ZERO;
        self.simd.pair(&samples, 16, &Divisors::new(&[1; 64]), &mut pair);
        let new = self.quantized(&pair, divisors);
        if let Some(place) = self.picture.components[component].blocks.get_mut(place) {
            *place = new;
        }
    }

    /// The first block of a pair, divided by the divisors; its values are appended.
    fn quantized(&mut self, pair: &Pair, divisors: &[u16; 64]) -> Block {
        let divided = |k: usize| {
            let (y, x) = (usize::from(ZIGZAG[k] / 8), usize::from(ZIGZAG[k] % 8));
            let (value, divisor) = (i32::from(pair.values[y][x]), i32::from(divisors[k]));
            let size = (value.abs() + divisor / 2) / divisor;
            (if value < 0 { -size } else { size }) as i16
        };
        self.picture.make_room(64);
        let start = self.picture.n_values;
        let mut block =
            Block { non_zero: 0, start: start as u32, dc: divided(0), is_oriented: true };
        for k in 1..64 {
            let value = divided(k);
            if value != 0 {
                block.non_zero |= 1 << k;
                self.picture.values[self.picture.n_values] = value;
                self.picture.n_values += 1;
            }
        }
        block
    }
}
