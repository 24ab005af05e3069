//! Samples of a block to quantized coefficients.
//!
//! The transform is that of libjpeg's `jfdctint.c` (Loeffler, Ligtenberg and
//! Moschytz with 13 bits behind the point), so that the result is the same to
//! the bit; products are of 16 bits each, as in its vector versions.

use wide::{i16x8, i32x8};

/// A block by rows or by columns.
pub(super) type Block = [[i16; 8]; 8];

const CONST_BITS: u32 = 13;
const PASS1_BITS: u32 = 2;

/// What divides the coefficients, in the order of a block's rows.
#[derive(Debug, Default)]
pub(super) struct Divisors {
    reciprocals: Block,
    corrections: Block,
}

impl Divisors {
    /// From the values of a DQT segment, in zigzag order.
    pub(super) fn new(zigzag: &[u8; 64]) -> Self {
        let mut new = Self { reciprocals: [[0; 8]; 8], corrections: [[0; 8]; 8] };
        for (value, at) in zigzag.iter().zip(ZIGZAG) {
            // The transform leaves its results eight times as large.
            let divisor = u32::from(*value).max(1) * 8;
            let (mut reciprocal, mut correction) = ((1 << 15) / divisor, divisor / 2);
            let rest = (1 << 15) % divisor;
            if rest != 0 && rest <= correction {
                correction += 1;
            } else if rest != 0 {
                reciprocal += 1;
            }
            let (y, x) = (usize::from(at / 8), usize::from(at % 8));
            // Twice, as the upper 16 bits of the product are taken; at most 8192.
            new.reciprocals[y][x] = i16::try_from(2 * reciprocal).unwrap_or(i16::MAX);
            new.corrections[y][x] = i16::try_from(correction).unwrap_or(i16::MAX);
        }
        new
    }

    /// Rounded quotients, in zigzag order.
    #[inline]
    pub(super) fn divide(&self, block: &Block) -> [i16; 64] {
        let mut quotients = [0; 64];
        let to = quotients.as_chunks_mut::<8>().0.iter_mut();
        for (i, (to, dividends)) in to.zip(block).enumerate() {
            let dividends = i16x8::new(*dividends);
            let sum = dividends.abs() + i16x8::new(self.corrections[i]);
            let quotient = sum.mul_keep_high(i16x8::new(self.reciprocals[i]));
            let sign = dividends >> 15_u32;
            *to = ((quotient ^ sign) - sign).to_array();
        }
        ZIGZAG.map(|at| quotients[usize::from(at & 63)])
    }
}

/// The transform of a block given by columns.
#[inline]
pub(super) fn transform(columns: &Block) -> Block {
    let rows = transposed(&pass::<{ CONST_BITS - PASS1_BITS }, true>(columns));
    pass::<{ CONST_BITS + PASS1_BITS }, false>(&rows)
}

fn transposed(block: &Block) -> Block {
    std::array::from_fn(|x| std::array::from_fn(|y| block[y][x]))
}

/// One dimension, of all eight lanes.
#[inline(always)]
fn pass<const DOWN: u32, const FIRST: bool>(d: &Block) -> Block {
    let d = d.map(i16x8::new);
    let even = |a: i16x8, b: i16x8| {
        let [sum, difference] = [a + b, a - b];
        if FIRST {
            [sum << PASS1_BITS, difference << PASS1_BITS]
        } else {
            [sum, difference].map(|v| (v + i16x8::splat(1 << (PASS1_BITS - 1))) >> PASS1_BITS)
        }
    };
    let by = |v: i16x8, factor: i16| v.widening_mul(i16x8::splat(factor));
    let down = |v: i32x8| i16x8::from_i32x8_saturate((v + i32x8::splat(1 << (DOWN - 1))) >> DOWN);

    let [s07, s16, s25, s34] = [d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]];
    let [t10, t13, t11, t12] = [s07 + s34, s07 - s34, s16 + s25, s16 - s25];
    let [out0, out4] = even(t10, t11);
    let out2 = down(by(t13, 4433 + 6270) + by(t12, 4433));
    let out6 = down(by(t13, 4433) + by(t12, 4433 - 15137));

    let [t4, t5, t6, t7] = [d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]];
    let [z3, z4] = [t4 + t6, t5 + t7];
    let [z3, z4] = [by(z3, 9633 - 16069) + by(z4, 9633), by(z3, 9633) + by(z4, 9633 - 3196)];
    let out7 = down(by(t4, 2446 - 7373) + by(t7, -7373) + z3);
    let out5 = down(by(t5, 16819 - 20995) + by(t6, -20995) + z4);
    let out3 = down(by(t6, 25172 - 20995) + by(t5, -20995) + z3);
    let out1 = down(by(t7, 12299 - 7373) + by(t4, -7373) + z4);
    [out0, out1, out2, out3, out4, out5, out6, out7].map(i16x8::to_array)
}

/// T.81, figure A.6.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
