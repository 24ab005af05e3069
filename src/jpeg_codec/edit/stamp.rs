//! Puts a text over a picture.

use super::idct;
use super::layout::Layout;
use super::orientation::BlockTransform;
use super::scaled_decode::dequantized;
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
struct Coverage {
    /// Sum of alpha, and of alpha times luma.
    alpha: i32,
    luma: i32,
}

/// How many pixels a block of a component covers, across and down.
type BlockSize = (usize, usize);

impl Stamp<'_> {
    /// What covers the samples of a block.
    fn shares(&self, (x, y): (usize, usize), (across, down): BlockSize) -> [Coverage; 64] {
        let mut shares = [Coverage::default(); 64];
        let columns: [_; MAX_COVERED] = std::array::from_fn(|x| x * 8 / across);
        let from = self.x.max(x * across);
        let to = (self.x + self.width).min((x + 1) * across);
        for row in self.y.max(y * down)..(self.y + self.height).min((y + 1) * down) {
            let start = (row - self.y) * self.width;
            let inside = start + from - self.x..start + to.max(from) - self.x;
            let alpha = self.alpha.get(inside.clone()).unwrap_or_default();
            let luma = self.luma.get(inside).unwrap_or_default();
            let line = (row - y * down) * 8 / down * 8;
            for (i, (alpha, luma)) in alpha.iter().zip(luma).enumerate() {
                let column = columns[(from - x * across + i) % MAX_COVERED];
                let share = &mut shares[(line + column) % 64];
                share.alpha += i32::from(*alpha);
                share.luma += i32::from(*alpha) * i32::from(*luma);
            }
        }
        shares
    }
}

/// A block of a component with the least factor beside one with the largest, 4.
const MAX_COVERED: usize = 32;

/// A picture, and how it is changed.
pub(super) struct Stamper<'a> {
    pub(super) picture: &'a mut Picture,
    pub(super) layout: &'a Layout,
    pub(super) turn: &'a BlockTransform,
    /// Turns nothing.
    pub(super) as_it_is: &'a BlockTransform,
    /// Divide nothing.
    pub(super) ones: &'a Divisors,
    pub(super) simd: Simd,
}

impl Stamper<'_> {
    pub(super) fn put(&mut self, stamp: &Stamp<'_>) {
        let sides = [stamp.x, stamp.y, stamp.width, stamp.height];
        if sides.iter().any(|side| *side > usize::from(u16::MAX)) {
            return;
        }
        let of = &self.layout.components[..self.layout.n_components];
        let most = of.iter().fold((1, 1), |most, target| {
            (most.0.max(target.factors.0), most.1.max(target.factors.1))
        });
        let layout = self.layout;
        for (component, target) in layout.components[..layout.n_components].iter().enumerate() {
            let covered = (8 * most.0 / target.factors.0, 8 * most.1 / target.factors.1);
            let n_pixels = covered.0.div_ceil(8) * covered.1.div_ceil(8);
            let n_pixels = i32::try_from(n_pixels).unwrap_or(1);
            let divisors = self.turn.divisors(&self.picture.components[component].divisors);
            let blocks = |from: usize, n: usize, covered: usize, n_blocks: usize| {
                from / covered..(from + n).div_ceil(covered).min(n_blocks)
            };
            for y in blocks(stamp.y, stamp.height, covered.1, target.n_blocks.1) {
                for x in blocks(stamp.x, stamp.width, covered.0, target.n_blocks.0) {
                    let shares = stamp.shares((x, y), covered);
                    if shares.iter().any(|share| share.alpha > 0) {
                        self.block(component, target.at(x, y), &divisors, &shares, n_pixels);
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
        shares: &[Coverage; 64],
        n_pixels: i32,
    ) {
        let is_light = self.picture.is_light(component);
        let Some(block) = self.picture.components[component].blocks.get(place).copied() else {
            return;
        };
        let turn = if block.is_oriented { self.as_it_is } else { self.turn };
        let mut turned = [0; 64];
        turned[0] = dequantized(block.dc, divisors[0]);
        turn.each_ac(&block, self.picture.values(&block), |k, value| {
            turned[usize::from(ZIGZAG[k])] = dequantized(value, divisors[k]);
        });
        let before = idct::whole(&turned);
        // Beside an unused block, as blocks are transformed in pairs.
        let mut samples = [0; 2 * 64];
        for (i, (before, share)) in before.into_iter().zip(shares).enumerate() {
            let (before, whole) = (i32::from(before), 255 * n_pixels);
            let towards = if is_light { share.luma } else { share.alpha * NO_COLOUR };
            let after = before * (whole - share.alpha).max(0) + towards;
            samples[i / 8 * 16 + i % 8] =
                u8::try_from((after + whole / 2) / whole).unwrap_or(u8::MAX);
        }
        let mut pair = Pair::ZERO;
        self.simd.pair(&samples, 16, self.ones, &mut pair);
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
            // Most are zero, and a division takes long.
            let size = value.abs() + divisor / 2;
            let size = if size < divisor { 0 } else { size / divisor };
            i16::try_from(if value < 0 { -size } else { size }).unwrap_or_default()
        };
        self.picture.make_room(64);
        let start = u32::try_from(self.picture.n_values).unwrap_or(u32::MAX);
        let mut block = Block { non_zero: 0, start, dc: divided(0), is_oriented: true };
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
