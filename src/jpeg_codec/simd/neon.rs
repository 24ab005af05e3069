//! 64-bit Arm: NEON, one block at a time.

use core::arch::aarch64::{
    int8x16_t, int16x8_t, int32x4_t, uint8x16_t, uint8x16x3_t, uint8x16x4_t, vabsq_s16, vaddq_s16,
    vaddq_s32, vandq_s16, vandq_u8, vdup_n_u8, vdupq_n_s16, vdupq_n_s32, vdupq_n_u8, veorq_s16,
    vget_low_s16, vget_low_u8, vgetq_lane_u64, vmlal_high_n_s16, vmlal_n_s16, vmovl_high_u8,
    vmovl_u8, vmull_high_n_s16, vmull_n_s16, vpaddq_u8, vqdmulhq_s16, vqmovn_high_s16, vqmovn_s16,
    vqmovun_high_s16, vqmovun_s16, vqrdmulhq_s16, vqtbl3q_u8, vqtbl4q_u8, vreinterpretq_s16_s32,
    vreinterpretq_s16_s64, vreinterpretq_s16_u16, vreinterpretq_s32_s16, vreinterpretq_s64_s16,
    vreinterpretq_u8_s8, vreinterpretq_u16_s16, vreinterpretq_u64_u8, vrshrn_high_n_s32,
    vrshrn_n_s32, vrshrq_n_s16, vshlq_n_s16, vshrq_n_s16, vshrq_n_u16, vsubl_u8, vsubq_s16,
    vtrn1q_s16, vtrn1q_s32, vtrn1q_s64, vtrn2q_s16, vtrn2q_s32, vtrn2q_s64, vtstq_u8,
};

use bytemuck::cast;

use super::entry_points;
use crate::blocks::{Pair, ZIGZAG};
use crate::divisors::Divisors;
use crate::kernels::{by_sixteen, in_sixteens, kernels};
use crate::samples::Range;
use crate::transform::{PASS1_BITS, pass, transform};

type V = int16x8_t;
/// Sums of 32 bits: of the lower and of the upper four lanes.
type W = [int32x4_t; 2];
type B = uint8x16_t;
/// Two registers hold sixteen lanes.
const H: usize = 2;

entry_points! { #[target_feature(enable = "neon")] }
pass! { #[target_feature(enable = "neon")] }
transform! { #[target_feature(enable = "neon")] }
kernels! { #[target_feature(enable = "neon")] }

/// Two blocks side by side, of lines that begin `stride` apart.
#[target_feature(enable = "neon")]
#[inline]
fn pair(samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
    for nth in 0..2 {
        block(&samples[8 * nth..], stride, divisors, nth, out);
    }
}

#[target_feature(enable = "neon")]
#[inline]
fn block(samples: &[u8], stride: usize, divisors: &Divisors, nth: usize, out: &mut Pair) {
    let mut rows: [V; 8] = [cast([0_i16; 8]); 8];
    for (y, row) in rows.iter_mut().enumerate() {
        if let Some(line) = samples[y * stride..].first_chunk::<8>() {
            *row = vreinterpretq_s16_u16(vsubl_u8(cast(*line), vdup_n_u8(128)));
        }
    }
    let mut rows = transform(rows);
    for (i, row) in rows.iter_mut().enumerate() {
        let sign = vshrq_n_s16::<15>(*row);
        let size = add(vabsq_s16(*row), cast(divisors.corrections[i]));
        // `vqdmulhq` doubles the product, so halve the reciprocals, which are doubled.
        let reciprocals = vshrq_n_s16::<1>(cast(divisors.reciprocals[i]));
        let quotient = vqdmulhq_s16(size, reciprocals);
        *row = sub(veorq_s16(quotient, sign), sign);
        out.values[i].as_chunks_mut::<8>().0[nth] = cast(*row);
    }
    out.non_zero[nth & 1] = non_zero(&rows);
}

#[target_feature(enable = "neon")]
#[inline]
fn non_zero(rows: &[V; 8]) -> u64 {
    // Saturation to a byte keeps a value that is not 0 different from 0.
    let bytes = |a, b| {
        let both: int8x16_t = vqmovn_high_s16(vqmovn_s16(a), b);
        vreinterpretq_u8_s8(both)
    };
    let [a, b, c, d, e, f, g, h] = *rows;
    let bytes = uint8x16x4_t(bytes(a, b), bytes(c, d), bytes(e, f), bytes(g, h));
    let bit_of_each: uint8x16_t = cast([[1_u8, 2, 4, 8, 16, 32, 64, 128]; 2]);
    let bits = |places: [u8; 16]| {
        let in_zigzag = vqtbl4q_u8(bytes, cast(places));
        vandq_u8(vtstq_u8(in_zigzag, in_zigzag), bit_of_each)
    };
    let [a, b, c, d]: [[u8; 16]; 4] = cast(ZIGZAG);
    let sums = vpaddq_u8(vpaddq_u8(bits(a), bits(b)), vpaddq_u8(bits(c), bits(d)));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, vdupq_n_u8(0))))
}

#[target_feature(enable = "neon")]
#[inline]
fn add(a: V, b: V) -> V {
    vaddq_s16(a, b)
}

#[target_feature(enable = "neon")]
#[inline]
fn sub(a: V, b: V) -> V {
    vsubq_s16(a, b)
}

#[target_feature(enable = "neon")]
#[inline]
fn shl<const N: i32>(v: V) -> V {
    vshlq_n_s16::<N>(v)
}

#[target_feature(enable = "neon")]
#[inline]
fn round(v: V) -> V {
    vrshrq_n_s16::<PASS1_BITS>(v)
}

/// `a * by_a + b * by_b`.
#[target_feature(enable = "neon")]
#[inline]
fn dot(a: V, b: V, by_a: i16, by_b: i16) -> W {
    [
        vmlal_n_s16(vmull_n_s16(vget_low_s16(a), by_a), vget_low_s16(b), by_b),
        vmlal_high_n_s16(vmull_high_n_s16(a, by_a), b, by_b),
    ]
}

#[target_feature(enable = "neon")]
#[inline]
fn sum(a: W, b: W) -> W {
    [vaddq_s32(a[0], b[0]), vaddq_s32(a[1], b[1])]
}

/// Rounded, without the lower `DOWN` bits.
#[target_feature(enable = "neon")]
#[inline]
fn narrow<const DOWN: i32>(w: W) -> V {
    vrshrn_high_n_s32::<DOWN>(vrshrn_n_s32::<DOWN>(w[0]), w[1])
}

#[target_feature(enable = "neon")]
#[inline]
fn less_one(w: W) -> W {
    sum(w, [vdupq_n_s32(-1); 2])
}

#[target_feature(enable = "neon")]
#[inline]
fn splat(value: i16) -> V {
    vdupq_n_s16(value)
}

#[target_feature(enable = "neon")]
#[inline]
fn and(a: V, b: V) -> V {
    vandq_s16(a, b)
}

#[target_feature(enable = "neon")]
#[inline]
fn shr<const N: i32>(v: V) -> V {
    vreinterpretq_s16_u16(vshrq_n_u16::<N>(vreinterpretq_u16_s16(v)))
}

#[target_feature(enable = "neon")]
#[inline]
fn scaled<const FACTOR: i16>(v: V) -> V {
    vqrdmulhq_s16(v, splat(FACTOR))
}

#[target_feature(enable = "neon")]
#[inline]
fn lanes(pairs: [[u8; 2]; 16]) -> [V; H] {
    cast(pairs)
}

#[target_feature(enable = "neon")]
#[inline]
fn halves(bytes: B) -> [V; H] {
    [vmovl_u8(vget_low_u8(bytes)), vmovl_high_u8(bytes)].map(|v| vreinterpretq_s16_u16(v))
}

#[target_feature(enable = "neon")]
#[inline]
fn joined([low, high]: [V; H]) -> [u8; 16] {
    let bytes: B = vqmovun_high_s16(vqmovun_s16(low), high);
    cast(bytes)
}

/// Where the bytes of sixteen pixels are, of three each.
static THIRDS: [[u8; 16]; 3] = {
    let mut thirds = [[0; 16]; 3];
    let mut at: u8 = 0;
    while at < 48 {
        thirds[at as usize % 3][at as usize / 3] = at;
        at += 1;
    }
    thirds
};

#[target_feature(enable = "neon")]
#[inline]
fn taken_apart(pixels: [[u8; 3]; 16]) -> [B; 3] {
    let [a, b, c]: [B; 3] = cast(pixels);
    THIRDS.map(|places| vqtbl3q_u8(uint8x16x3_t(a, b, c), cast(places)))
}

#[target_feature(enable = "neon")]
#[inline]
fn transposed(rows: [V; 8]) -> [V; 8] {
    let lanes = |a, b| [vtrn1q_s16(a, b), vtrn2q_s16(a, b)].map(|v| vreinterpretq_s32_s16(v));
    let pairs = |a, b| {
        [vtrn1q_s32(a, b), vtrn2q_s32(a, b)]
            .map(|v| vreinterpretq_s64_s16(vreinterpretq_s16_s32(v)))
    };
    let halves = |a, b| [vtrn1q_s64(a, b), vtrn2q_s64(a, b)].map(|v| vreinterpretq_s16_s64(v));
    let [a, b, c, d, e, f, g, h] = rows;
    let [[ab0, ab1], [cd0, cd1], [ef0, ef1], [gh0, gh1]] =
        [lanes(a, b), lanes(c, d), lanes(e, f), lanes(g, h)];
    let [[ad0, ad2], [ad1, ad3], [eh0, eh2], [eh1, eh3]] =
        [pairs(ab0, cd0), pairs(ab1, cd1), pairs(ef0, gh0), pairs(ef1, gh1)];
    let [[r0, r4], [r1, r5], [r2, r6], [r3, r7]] =
        [halves(ad0, eh0), halves(ad1, eh1), halves(ad2, eh2), halves(ad3, eh3)];
    [r0, r1, r2, r3, r4, r5, r6, r7]
}
