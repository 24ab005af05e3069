//! Codes coefficients as bits (T.81, F.1.2).

use crate::bits::{Cursor, Pending};
use crate::blocks::Pair;

/// The bits for each symbol.
///
/// An entry holds the code, then zeros in place of the value's bits, and in its lowest
/// five bits the length of code and value. So a coefficient needs only one load from
/// memory.
#[derive(Debug)]
pub(crate) struct Codes([u32; 256]);

/// The bits of an entry that hold the length. Five are enough for 16 + 11.
const LENGTH_BITS: u32 = 5;
const LENGTH_MASK: u32 = (1 << LENGTH_BITS) - 1;
/// The longest value for samples of 8 bits: a difference of DC has 11 bits.
pub(crate) const MAX_VALUE_BITS: u8 = 11;

/// The symbol for sixteen zeros (ZRL). A symbol with a value covers at most 15.
pub(crate) const ZERO_RUN: u8 = 0xF0;
const END_OF_BLOCK: u8 = 0;

impl Codes {
    /// No codes yet.
    pub(crate) const EMPTY: Self = Self([0; 256]);

    /// The codes of a DHT segment (T.81, annex C).
    pub(crate) fn new(lengths: &[u8; 16], mut symbols: &[u8]) -> Self {
        let mut codes = Self::EMPTY;
        let mut code: u32 = 0;
        for (length, n) in (1..).zip(lengths) {
            let (these, rest) = symbols.split_at(usize::from(*n).min(symbols.len()));
            for symbol in these {
                let n_value = symbol & 15;
                if n_value <= MAX_VALUE_BITS {
                    let n_bits = length + u32::from(n_value);
                    codes.0[usize::from(*symbol)] = code << n_value << LENGTH_BITS | n_bits;
                }
                code += 1;
            }
            symbols = rest;
            code <<= 1;
        }
        codes
    }

    /// A symbol without a value.
    #[inline(always)]
    fn put_symbol(&self, symbol: u8, cursor: &mut Cursor, pending: &mut Pending) {
        let entry = self.0[usize::from(symbol)];
        cursor.put(entry >> LENGTH_BITS, entry & LENGTH_MASK, pending);
    }

    /// Writes the symbol for a run of zeros (in the upper four bits of `run`) and the
    /// length of a value, then the value.
    #[inline(always)]
    fn put_value(&self, run: u32, value: i16, cursor: &mut Cursor, pending: &mut Pending) {
        let value = i32::from(value);
        // A negative value is written as value - 1 without its upper bits (T.81,
        // F.1.2.1.1). `value >> 31` is -1 for negative values and 0 for others, so there
        // is no branch, which the processor could not predict.
        let n = 32 - value.unsigned_abs().leading_zeros();
        let low = (value + (value >> 31)).cast_unsigned() & ((1 << n) - 1);
        let entry = self.0[(run | n) as usize & 255];
        cursor.put(entry >> LENGTH_BITS | low, entry & LENGTH_MASK, pending);
    }
}

/// Codes one block of a pair; `previous` is the DC of the block before.
#[inline(always)]
pub(crate) fn put_block(
    pair: &Pair,
    nth: usize,
    previous: &mut i16,
    codes: (&Codes, &Codes),
    cursor: &mut Cursor,
    pending: &mut Pending,
) {
    let value = pair.value(nth, 0);
    let difference = value.wrapping_sub(*previous);
    *previous = value;
    let non_zero = pair.non_zero(nth);
    put_coefficients(difference, non_zero, |k| pair.value(nth, k), codes, cursor, pending);
}

/// Codes the difference of a block's DC, and those AC coefficients that are not 0: they
/// have a bit, and `value` knows them, in zigzag order.
#[inline(always)]
pub(crate) fn put_coefficients(
    difference: i16,
    non_zero: u64,
    value: impl Fn(u32) -> i16,
    (dc, ac): (&Codes, &Codes),
    cursor: &mut Cursor,
    pending: &mut Pending,
) {
    dc.put_value(0, difference, cursor, pending);
    // Bit 0 stands for the DC.
    // Step from one coefficient that is not 0 to the next, since most are 0.
    let mut left = non_zero & !1;
    let mut at = 0;
    while left != 0 {
        let next = left.trailing_zeros();
        let mut run = next - at - 1;
        while run > 15 {
            ac.put_symbol(ZERO_RUN, cursor, pending);
            run -= 16;
        }
        ac.put_value(run << 4, value(next), cursor, pending);
        at = next;
        // Clears the lowest bit that is set.
        left &= left - 1;
    }
    if at != 63 {
        ac.put_symbol(END_OF_BLOCK, cursor, pending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // T.81, table K.3: differences of luma.
        let lengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let codes = Codes::new(&lengths, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let code = |n: usize| {
            let (entry, n_value) = (codes.0[n], u32::try_from(n).unwrap());
            (entry >> LENGTH_BITS >> n_value, (entry & LENGTH_MASK) - n_value)
        };
        assert_eq!([0, 1, 2].map(code), [(0b00, 2), (0b010, 3), (0b011, 3)]);
        assert_eq!([5, 6, 11].map(code), [(0b110, 3), (0b1110, 4), (0b1_1111_1110, 9)]);
        assert_eq!(codes.0[12], 0);
    }
}
