//! SSE2, which every x86-64 processor has: one block at a time.

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_add_epi32, _mm_and_si128, _mm_cmpeq_epi8, _mm_madd_epi16,
    _mm_movemask_epi8, _mm_mulhi_epi16, _mm_packs_epi16, _mm_packs_epi32, _mm_packus_epi16,
    _mm_set1_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_slli_epi16, _mm_srai_epi16,
    _mm_srai_epi32, _mm_srli_epi16, _mm_sub_epi16, _mm_unpackhi_epi8, _mm_unpackhi_epi16,
    _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi8, _mm_unpacklo_epi16,
    _mm_unpacklo_epi32, _mm_unpacklo_epi64, _mm_xor_si128,
};

use bytemuck::cast;

use super::entry_points;
use crate::blocks::{Pair, in_zigzag};
use crate::divisors::Divisors;
use crate::kernels::{by_sixteen, in_sixteens, kernels};
use crate::samples::Range;
use crate::transform::{PASS1_BITS, pass, transform};

type V = __m128i;
/// Sums of 32 bits: of the lower and of the upper four lanes.
type W = [__m128i; 2];
type B = __m128i;
/// Two registers hold sixteen lanes.
const H: usize = 2;

entry_points! { #[target_feature(enable = "sse2")] }
pass! { #[target_feature(enable = "sse2")] }
transform! { #[target_feature(enable = "sse2")] }
kernels! { #[target_feature(enable = "sse2")] }

/// Two blocks side by side, of lines that begin `stride` apart.
#[target_feature(enable = "sse2")]
#[inline]
fn pair(samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
    for nth in 0..2 {
        block(&samples[8 * nth..], stride, divisors, nth, out);
    }
}

#[target_feature(enable = "sse2")]
#[inline]
fn block(samples: &[u8], stride: usize, divisors: &Divisors, nth: usize, out: &mut Pair) {
    let mut rows = [_mm_setzero_si128(); 8];
    for (y, row) in rows.iter_mut().enumerate() {
        if let Some(line) = samples[y * stride..].first_chunk::<8>() {
            let line: V = cast([u64::from_le_bytes(*line), 0]);
            let line = _mm_unpacklo_epi8(line, _mm_setzero_si128());
            *row = sub(line, _mm_set1_epi16(128));
        }
    }
    let mut rows = transform(rows);
    for (i, row) in rows.iter_mut().enumerate() {
        // `sign` is -1 in negative lanes, 0 in others: x ^ sign - sign is |x|, and the
        // same step turns the quotient back. The division needs a positive number.
        let sign = _mm_srai_epi16::<15>(*row);
        let size = sub(_mm_xor_si128(*row, sign), sign);
        let size = add(size, cast(divisors.corrections[i]));
        let quotient = _mm_mulhi_epi16(size, cast(divisors.reciprocals[i]));
        *row = sub(_mm_xor_si128(quotient, sign), sign);
        out.values[i].as_chunks_mut::<8>().0[nth] = cast(*row);
    }
    // A byte is 0 after saturation only if its value is 0.
    let mut is_zero = 0;
    for (i, rows) in rows.as_chunks::<2>().0.iter().enumerate() {
        let bytes = _mm_packs_epi16(rows[0], rows[1]);
        let mask = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
        is_zero |= u64::from(mask.cast_unsigned()) << (16 * i);
    }
    out.non_zero[nth] = in_zigzag(!is_zero);
}

/// Splits 48 bytes into three planes of every third byte. SSE2 has no byte shuffle, so
/// this takes four perfect shuffles. Each interleaves the two halves: byte `i` of the
/// first half goes before byte `i` of the second half. After four of them, bytes that
/// were three apart are together.
#[target_feature(enable = "sse2")]
#[inline]
fn taken_apart(pixels: [[u8; 3]; 16]) -> [B; 3] {
    let mut planes: [B; 3] = cast(pixels);
    for _ in 0..4 {
        let [a, b, c] = planes;
        planes = [
            _mm_unpacklo_epi8(a, _mm_unpackhi_epi64(b, b)),
            _mm_unpacklo_epi8(_mm_unpackhi_epi64(a, a), c),
            _mm_unpacklo_epi8(b, _mm_unpackhi_epi64(c, c)),
        ];
    }
    planes
}

#[target_feature(enable = "sse2")]
#[inline]
fn add(a: V, b: V) -> V {
    _mm_add_epi16(a, b)
}

#[target_feature(enable = "sse2")]
#[inline]
fn sub(a: V, b: V) -> V {
    _mm_sub_epi16(a, b)
}

#[target_feature(enable = "sse2")]
#[inline]
fn shl<const N: i32>(v: V) -> V {
    _mm_slli_epi16::<N>(v)
}

#[target_feature(enable = "sse2")]
#[inline]
fn round(v: V) -> V {
    let half = _mm_set1_epi16(1 << (PASS1_BITS - 1));
    _mm_srai_epi16::<PASS1_BITS>(add(v, half))
}

/// `a * by_a + b * by_b`.
#[target_feature(enable = "sse2")]
#[inline]
fn dot(a: V, b: V, by_a: i16, by_b: i16) -> W {
    let factors: V = cast([[by_a, by_b]; 4]);
    [
        _mm_madd_epi16(_mm_unpacklo_epi16(a, b), factors),
        _mm_madd_epi16(_mm_unpackhi_epi16(a, b), factors),
    ]
}

#[target_feature(enable = "sse2")]
#[inline]
fn sum(a: W, b: W) -> W {
    [_mm_add_epi32(a[0], b[0]), _mm_add_epi32(a[1], b[1])]
}

/// Rounded, without the lower `DOWN` bits.
#[target_feature(enable = "sse2")]
#[inline]
fn narrow<const DOWN: i32>(w: W) -> V {
    let half = _mm_set1_epi32(1 << (DOWN - 1));
    let [low, high] = sum(w, [half; 2]);
    _mm_packs_epi32(_mm_srai_epi32::<DOWN>(low), _mm_srai_epi32::<DOWN>(high))
}

#[target_feature(enable = "sse2")]
#[inline]
fn less_one(w: W) -> W {
    sum(w, [_mm_set1_epi32(-1); 2])
}

#[target_feature(enable = "sse2")]
#[inline]
fn splat(value: i16) -> V {
    _mm_set1_epi16(value)
}

#[target_feature(enable = "sse2")]
#[inline]
fn and(a: V, b: V) -> V {
    _mm_and_si128(a, b)
}

#[target_feature(enable = "sse2")]
#[inline]
fn shr<const N: i32>(v: V) -> V {
    _mm_srli_epi16::<N>(v)
}

#[target_feature(enable = "sse2")]
#[inline]
fn scaled<const FACTOR: i16>(v: V) -> V {
    // Shifted by 4 and multiplied by a factor of 15 bits, the upper half of the product
    // has three fraction bits. Adding 4 of them rounds.
    let eighths = _mm_mulhi_epi16(shl::<4>(v), splat(FACTOR));
    _mm_srai_epi16::<3>(add(eighths, splat(4)))
}

#[target_feature(enable = "sse2")]
#[inline]
fn lanes(pairs: [[u8; 2]; 16]) -> [V; H] {
    cast(pairs)
}

#[target_feature(enable = "sse2")]
#[inline]
fn halves(bytes: B) -> [V; H] {
    let zero = _mm_setzero_si128();
    [_mm_unpacklo_epi8(bytes, zero), _mm_unpackhi_epi8(bytes, zero)]
}

#[target_feature(enable = "sse2")]
#[inline]
fn joined([low, high]: [V; H]) -> [u8; 16] {
    cast(_mm_packus_epi16(low, high))
}

#[target_feature(enable = "sse2")]
#[inline]
fn transposed(rows: [V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let lanes = |a, b| [_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)];
    let [[ab0, ab1], [cd0, cd1], [ef0, ef1], [gh0, gh1]] =
        [lanes(a, b), lanes(c, d), lanes(e, f), lanes(g, h)];
    let pairs = |a, b| [_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b)];
    let [[ad0, ad1], [ad2, ad3], [eh0, eh1], [eh2, eh3]] =
        [pairs(ab0, cd0), pairs(ab1, cd1), pairs(ef0, gh0), pairs(ef1, gh1)];
    let halves = |a, b| [_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b)];
    let [[r0, r1], [r2, r3], [r4, r5], [r6, r7]] =
        [halves(ad0, eh0), halves(ad1, eh1), halves(ad2, eh2), halves(ad3, eh3)];
    [r0, r1, r2, r3, r4, r5, r6, r7]
}
