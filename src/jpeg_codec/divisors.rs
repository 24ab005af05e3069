//! Quantization by multiplication.

use crate::blocks::ZIGZAG;

/// The factors by which coefficients are divided, in the order of a block's rows.
///
/// A quotient is the upper half of (|dividend| + correction) * reciprocal: SIMD
/// instructions can multiply 16-bit lanes, but not divide them.
#[derive(Debug, Default)]
pub(crate) struct Divisors {
    pub(crate) reciprocals: [[i16; 8]; 8],
    pub(crate) corrections: [[i16; 8]; 8],
}

impl Divisors {
    /// From the values of a DQT segment, in zigzag order.
    pub(crate) fn new(zigzag: &[u8; 64]) -> Self {
        let mut new = Self::default();
        for (value, at) in zigzag.iter().zip(ZIGZAG) {
            // The transform leaves its results eight times too large.
            let divisor = u32::from(*value).max(1) * 8;
            let (mut reciprocal, mut correction) = ((1 << 15) / divisor, divisor / 2);
            // A rounded reciprocal is slightly too small or too large. Rounding up, or a
            // correction that is larger by one, makes the quotients exact nevertheless.
            let rest = (1 << 15) % divisor;
            if rest != 0 && rest <= correction {
                correction += 1;
            } else if rest != 0 {
                reciprocal += 1;
            }
            let (y, x) = (usize::from(at / 8), usize::from(at % 8));
            // Doubled, because the upper 16 bits of the product are used and the
            // reciprocal has 15. The result is at most 8192, which fits 16 bits.
            new.reciprocals[y][x] = i16::try_from(2 * reciprocal).unwrap_or(i16::MAX);
            new.corrections[y][x] = i16::try_from(correction).unwrap_or(i16::MAX);
        }
        new
    }
}
