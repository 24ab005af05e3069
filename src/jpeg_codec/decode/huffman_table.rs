//! Huffman tables for reading (T.81, annex C and F.2.2).

use super::bits::BitReader;
use crate::error::TranscodeError;
use crate::huffman::MAX_VALUE_BITS;

/// Codes of at most this length are decoded with one lookup.
const FIRST_BITS: u32 = 9;

/// The code of each symbol.
pub(super) struct HuffmanTable {
    /// By the next bits: the length of the code, and its symbol in the lower byte. Zero
    /// for longer codes.
    first: [u16; 1 << FIRST_BITS],
    /// Behind the last code of a length, from the top of 16 bits.
    ends: [usize; 17],
    /// What makes the place of a symbol out of a code of a length, modulo 2^64.
    offsets: [usize; 17],
    symbols: [u8; 256],
}

impl HuffmanTable {
    /// From the content of a DHT segment: counts of each length, and symbols.
    pub(super) fn new(lengths: &[u8; 16], symbols: &[u8]) -> Result<Self, TranscodeError> {
        let mut new = Self { first: [0; 512], ends: [0; 17], offsets: [0; 17], symbols: [0; 256] };
        let (mut code, mut n_before) = (0_usize, 0_usize);
        for (length, n) in (1_u8..).zip(lengths) {
            let n = usize::from(*n);
            let these = symbols.get(n_before..n_before + n);
            let places = new.symbols.get_mut(n_before..n_before + n);
            let (Some(these), Some(places)) = (these, places) else {
                return Err(TranscodeError::Damaged("a Huffman table is too short"));
            };
            places.copy_from_slice(these);
            let n_bits = u32::from(length);
            if code + n > 1 << n_bits {
                return Err(TranscodeError::Damaged("a Huffman table has too many codes"));
            }
            new.offsets[usize::from(length)] = n_before.wrapping_sub(code);
            for symbol in these {
                if n_bits <= FIRST_BITS {
                    let n_rest = FIRST_BITS - n_bits;
                    let entry = u16::from_be_bytes([length, *symbol]);
                    new.first[code << n_rest..(code + 1) << n_rest].fill(entry);
                }
                code += 1;
            }
            new.ends[usize::from(length)] = code << (16 - n_bits);
            code <<= 1;
            n_before += n;
        }
        Ok(new)
    }

    /// The symbol at the top of these bits, and the length of its code.
    #[inline(always)]
    pub(super) fn symbol(&self, word: u64) -> Option<(u32, u32)> {
        let entry = u32::from(self.first[(word >> (64 - FIRST_BITS)) as usize]);
        if entry != 0 { Some((entry & 0xFF, entry >> 8)) } else { self.long_symbol(word) }
    }

    #[cold]
    #[inline(never)]
    fn long_symbol(&self, word: u64) -> Option<(u32, u32)> {
        let code = (word >> 48) as usize;
        let length = (FIRST_BITS + 1..=16).find(|length| code < self.ends[*length as usize])?;
        let place = (code >> (16 - length)).wrapping_add(self.offsets[length as usize]);
        Some((u32::from(self.symbols[place & 255]), length))
    }

    /// Reads a difference of DC: at most 27 bits.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut BitReader<'_>) -> Option<i16> {
        let (n, length) = self.symbol(bits.peek())?;
        bits.skip(length);
        (n <= u32::from(MAX_VALUE_BITS)).then(|| bits.value(n))
    }
}
