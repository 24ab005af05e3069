//! x86-64 with AVX2: two blocks at a time, one in each half of a register.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_or_si128, _mm_packus_epi16, _mm_shuffle_epi8, _mm256_abs_epi16,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_cvtepu8_epi16, _mm256_madd_epi16, _mm256_movemask_epi8,
    _mm256_mulhi_epi16, _mm256_mulhrs_epi16, _mm256_or_si256, _mm256_packs_epi16,
    _mm256_packs_epi32, _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sign_epi16, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_srai_epi32, _mm256_srli_epi16, _mm256_sub_epi16,
    _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi16,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use bytemuck::cast;

use super::entry_points;
use crate::blocks::{Pair, ZIGZAG};
use crate::divisors::Divisors;
use crate::kernels::{by_sixteen, in_sixteens, kernels};
use crate::samples::Range;
use crate::transform::{PASS1_BITS, pass, transform};

type V = __m256i;
/// Sums of 32 bits: of the lower and of the upper four lanes of each block.
type W = [__m256i; 2];
type B = __m128i;
/// One register holds sixteen lanes.
const H: usize = 1;

entry_points! { #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,movbe")] }
pass! { #[target_feature(enable = "avx2")] }
transform! { #[target_feature(enable = "avx2")] }
kernels! { #[target_feature(enable = "avx2")] }

/// Two blocks side by side, of lines that begin `stride` apart.
#[target_feature(enable = "avx2")]
#[inline]
fn pair(samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
    let mut rows = [_mm256_setzero_si256(); 8];
    for (y, row) in rows.iter_mut().enumerate() {
        if let Some(line) = samples[y * stride..].first_chunk::<16>() {
            let line = _mm256_cvtepu8_epi16(cast::<_, __m128i>(*line));
            *row = sub(line, _mm256_set1_epi16(128));
        }
    }
    let mut rows = transform(rows);
    for (i, row) in rows.iter_mut().enumerate() {
        let both = |of: &[[i16; 8]; 8]| _mm256_broadcastsi128_si256(cast::<_, __m128i>(of[i]));
        let size = add(_mm256_abs_epi16(*row), both(&divisors.corrections));
        let quotient = _mm256_mulhi_epi16(size, both(&divisors.reciprocals));
        *row = _mm256_sign_epi16(quotient, *row);
        out.values[i] = cast(*row);
    }
    out.non_zero = non_zero(&rows);
}

/// Where in two rows of bytes the values are that stand at 16 places of the
/// zigzag: `SHUFFLES[places][rows]`.
static SHUFFLES: [[[u8; 16]; 4]; 4] = {
    // A shuffle writes 0 for an index with its upper bit set.
    let mut shuffles = [[[0x80; 16]; 4]; 4];
    let mut k = 0;
    while k < 64 {
        let place = ZIGZAG[k];
        shuffles[k / 16][place as usize / 16][k % 16] = place % 16;
        k += 1;
    }
    shuffles
};

#[target_feature(enable = "avx2")]
#[inline]
fn non_zero(rows: &[V; 8]) -> [u64; 2] {
    // Saturation to a byte keeps a value that is not 0 different from 0.
    let mut bytes = [_mm256_setzero_si256(); 4];
    for (bytes, rows) in bytes.iter_mut().zip(rows.as_chunks::<2>().0) {
        *bytes = _mm256_packs_epi16(rows[0], rows[1]);
    }
    let mut is_zero = [_mm256_setzero_si256(); 4];
    for (is_zero, shuffles) in is_zero.iter_mut().zip(&SHUFFLES) {
        let mut places = _mm256_setzero_si256();
        for (bytes, shuffle) in bytes.iter().zip(shuffles) {
            if shuffle.iter().any(|at| *at < 0x80) {
                let shuffle = _mm256_broadcastsi128_si256(cast::<_, __m128i>(*shuffle));
                places = _mm256_or_si256(places, _mm256_shuffle_epi8(*bytes, shuffle));
            }
        }
        *is_zero = _mm256_cmpeq_epi8(places, _mm256_setzero_si256());
    }
    let [a, b, c, d] = is_zero;
    let mask = |v| u64::from(_mm256_movemask_epi8(v).cast_unsigned());
    let first = [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x20>(c, d)];
    let second = [_mm256_permute2x128_si256::<0x31>(a, b), _mm256_permute2x128_si256::<0x31>(c, d)];
    [first, second].map(|[low, high]| !(mask(low) | mask(high) << 32))
}

#[target_feature(enable = "avx2")]
#[inline]
fn add(a: V, b: V) -> V {
    _mm256_add_epi16(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
fn sub(a: V, b: V) -> V {
    _mm256_sub_epi16(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
fn shl<const N: i32>(v: V) -> V {
    _mm256_slli_epi16::<N>(v)
}

#[target_feature(enable = "avx2")]
#[inline]
fn round(v: V) -> V {
    let half = _mm256_set1_epi16(1 << (PASS1_BITS - 1));
    _mm256_srai_epi16::<PASS1_BITS>(add(v, half))
}

/// `a * by_a + b * by_b`.
#[target_feature(enable = "avx2")]
#[inline]
fn dot(a: V, b: V, by_a: i16, by_b: i16) -> W {
    let factors: V = cast([[by_a, by_b]; 8]);
    [
        _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), factors),
        _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), factors),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn sum(a: W, b: W) -> W {
    [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])]
}

/// Rounded, without the lower `DOWN` bits.
#[target_feature(enable = "avx2")]
#[inline]
fn narrow<const DOWN: i32>(w: W) -> V {
    let half = _mm256_set1_epi32(1 << (DOWN - 1));
    let [low, high] = sum(w, [half; 2]);
    _mm256_packs_epi32(_mm256_srai_epi32::<DOWN>(low), _mm256_srai_epi32::<DOWN>(high))
}

#[target_feature(enable = "avx2")]
#[inline]
fn less_one(w: W) -> W {
    sum(w, [_mm256_set1_epi32(-1); 2])
}

#[target_feature(enable = "avx2")]
#[inline]
fn splat(value: i16) -> V {
    _mm256_set1_epi16(value)
}

#[target_feature(enable = "avx2")]
#[inline]
fn and(a: V, b: V) -> V {
    _mm256_and_si256(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
fn shr<const N: i32>(v: V) -> V {
    _mm256_srli_epi16::<N>(v)
}

#[target_feature(enable = "avx2")]
#[inline]
fn scaled<const FACTOR: i16>(v: V) -> V {
    _mm256_mulhrs_epi16(v, splat(FACTOR))
}

#[target_feature(enable = "avx2")]
#[inline]
fn lanes(pairs: [[u8; 2]; 16]) -> [V; H] {
    cast(pairs)
}

#[target_feature(enable = "avx2")]
#[inline]
fn halves(bytes: B) -> [V; H] {
    [_mm256_cvtepu8_epi16(bytes)]
}

#[target_feature(enable = "avx2")]
#[inline]
fn joined([lanes]: [V; H]) -> [u8; 16] {
    let [low, high]: [B; 2] = cast(lanes);
    cast(_mm_packus_epi16(low, high))
}

/// Where each of the three bytes of sixteen pixels is, in sixteen bytes.
static THIRDS: [[[u8; 16]; 3]; 3] = {
    let mut thirds = [[[0x80; 16]; 3]; 3];
    let mut at: u8 = 0;
    while at < 48 {
        thirds[at as usize % 3][at as usize / 16][at as usize / 3] = at % 16;
        at += 1;
    }
    thirds
};

#[target_feature(enable = "avx2")]
#[inline]
fn taken_apart(pixels: [[u8; 3]; 16]) -> [B; 3] {
    let from: [B; 3] = cast(pixels);
    let of = |[a, b, c]: [[u8; 16]; 3]| {
        let [a, b, c] = [
            _mm_shuffle_epi8(from[0], cast(a)),
            _mm_shuffle_epi8(from[1], cast(b)),
            _mm_shuffle_epi8(from[2], cast(c)),
        ];
        _mm_or_si128(a, _mm_or_si128(b, c))
    };
    THIRDS.map(of)
}

#[target_feature(enable = "avx2")]
#[inline]
fn transposed(rows: [V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let lanes = |a, b| [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)];
    let [[ab0, ab1], [cd0, cd1], [ef0, ef1], [gh0, gh1]] =
        [lanes(a, b), lanes(c, d), lanes(e, f), lanes(g, h)];
    let pairs = |a, b| [_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)];
    let [[ad0, ad1], [ad2, ad3], [eh0, eh1], [eh2, eh3]] =
        [pairs(ab0, cd0), pairs(ab1, cd1), pairs(ef0, gh0), pairs(ef1, gh1)];
    let halves = |a, b| [_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)];
    let [[r0, r1], [r2, r3], [r4, r5], [r6, r7]] =
        [halves(ad0, eh0), halves(ad1, eh1), halves(ad2, eh2), halves(ad3, eh3)];
    [r0, r1, r2, r3, r4, r5, r6, r7]
}
