//! Any processor, in plain arithmetic: one sample at a time, so that the values fit into
//! the few registers of such a processor.

use super::entry_points;
use crate::blocks::{Pair, in_zigzag};
use crate::divisors::Divisors;
use crate::samples::Range;
use crate::transform::{DOWN_1, DOWN_2, PASS1_BITS, pass};

type V = i32;
type W = i32;

entry_points! {}
pass! {}

/// Two blocks side by side, of lines that begin `stride` apart.
fn pair(samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
    for nth in 0..2 {
        let mut lines = [[0; 8]; 8];
        for (y, line) in lines.iter_mut().enumerate() {
            if let Some(samples) = samples[y * stride + 8 * nth..].first_chunk::<8>() {
                *line = pass::<DOWN_1, true>(samples.map(|sample| i32::from(sample) - 128));
            }
        }
        let mut non_zero = 0;
        for x in 0..8 {
            let column = pass::<DOWN_2, false>(lines.map(|line| line[x]));
            for (y, dividend) in column.into_iter().enumerate() {
                let size = dividend.abs() + i32::from(divisors.corrections[y][x]);
                let quotient = (size * i32::from(divisors.reciprocals[y][x])) >> 16;
                non_zero |= u64::from(quotient != 0) << (8 * y + x);
                let quotient = if dividend < 0 { -quotient } else { quotient };
                out.values[y][8 * nth + x] = i16::try_from(quotient).unwrap_or_default();
            }
        }
        out.non_zero[nth] = in_zigzag(non_zero);
    }
}

#[inline(always)]
fn add(a: V, b: V) -> V {
    a + b
}

#[inline(always)]
fn sub(a: V, b: V) -> V {
    a - b
}

#[inline(always)]
fn shl<const N: i32>(v: V) -> V {
    v << N
}

#[inline(always)]
fn round(v: V) -> V {
    (v + (1 << (PASS1_BITS - 1))) >> PASS1_BITS
}

#[inline(always)]
fn dot(a: V, b: V, by_a: V, by_b: V) -> W {
    a * by_a + b * by_b
}

#[inline(always)]
fn sum(a: W, b: W) -> W {
    a + b
}

#[inline(always)]
fn narrow<const DOWN: i32>(w: W) -> V {
    (w + (1 << (DOWN - 1))) >> DOWN
}

/// Every first byte of two and every second.
fn split(pairs: &[[u8; 2]], first: &mut [u8], second: &mut [u8]) {
    for ((first, second), pair) in first.iter_mut().zip(second).zip(pairs) {
        [*first, *second] = *pair;
    }
}

/// Y, Cb and Cr of red, green and blue, or of the reverse.
fn rgb(pixels: &[[u8; 3]], is_reversed: bool, range: Range, [y, cb, cr]: [&mut [u8]; 3]) {
    for (((y, cb), cr), [first, g, last]) in y.iter_mut().zip(cb).zip(cr).zip(pixels) {
        let [r, b] = if is_reversed { [last, first] } else { [first, last] };
        [*y, *cb, *cr] = ycbcr([*r, *g, *b], range);
    }
}

/// Y, Cb and Cr of five, six and five bits, widened so that all ones are 255.
fn rgb565(pixels: &[[u8; 2]], range: Range, [y, cb, cr]: [&mut [u8]; 3]) {
    for (((y, cb), cr), pixel) in y.iter_mut().zip(cb).zip(cr).zip(pixels) {
        let bits = u16::from_le_bytes(*pixel);
        let five = |bits: u16| byte(i32::from(bits << 3 | bits >> 2));
        let g = bits >> 5 & 0x3F;
        let rgb = [five(bits >> 11), byte(i32::from(g << 2 | g >> 4)), five(bits & 0x1F)];
        [*y, *cb, *cr] = ycbcr(rgb, range);
    }
}

/// JFIF's BT.601 with 16 fraction bits. Half is rounded down, as jpeg-encoder does, so
/// that tests can compare both byte for byte.
#[inline(always)]
fn ycbcr(rgb: [u8; 3], range: Range) -> [u8; 3] {
    let rgb = if range == Range::Full { rgb } else { rgb.map(full_luma) };
    let [r, g, b] = rgb.map(i32::from);
    let y = 19595 * r + 38470 * g + 7471 * b;
    let cb = -11059 * r - 21709 * g + 32768 * b + (128 << 16);
    let cr = 32768 * r - 27439 * g - 5329 * b + (128 << 16);
    [y, cb, cr].map(|v| byte((v + 0x7FFF) >> 16))
}

fn widen_luma(levels: &mut [u8]) {
    levels.iter_mut().for_each(|level| *level = full_luma(*level));
}

fn widen_chroma(levels: &mut [u8]) {
    for level in levels {
        let before = i32::from(*level);
        *level = byte(before + narrow::<15>((before - 128) * 4535));
    }
}

#[inline(always)]
fn full_luma(level: u8) -> u8 {
    let above = i32::from(level) - 16;
    byte(above + narrow::<15>(above * 5387))
}

#[expect(clippy::cast_sign_loss, reason = "at least 0 after clamp")]
#[inline(always)]
fn byte(v: i32) -> u8 {
    v.clamp(0, 255) as u8
}
