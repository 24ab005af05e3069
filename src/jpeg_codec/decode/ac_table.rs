//! Decodes several AC coefficients with one table lookup.

use super::bits::value;
use super::huffman_table::HuffmanTable;
use crate::error::TranscodeError;
use crate::huffman::ZERO_RUN;

/// Bits of a lookup. With more bits a lookup finds more coefficients, but the tables of
/// luma and colours no longer fit into the first-level cache together.
const LOOKUP_BITS: u32 = 11;
/// The longest coefficient.
const MAX_AC_BITS: u32 = 10;

/// A decoded symbol of a block.
#[derive(Clone, Copy)]
pub(super) enum Symbol {
    End,
    Zeros,
    /// A run of zeros and the coefficient behind it.
    Value(u32, i16),
}

/// The Huffman table of AC coefficients.
pub(super) struct AcTable {
    pub(super) symbols: HuffmanTable,
    /// The coefficients in the next `LOOKUP_BITS`.
    entries: Vec<AcEntry>,
}

/// Coefficients that stand together in a few bits: up to two, and perhaps the end of the
/// block.
#[derive(Clone, Copy, Default)]
pub(super) struct AcEntry {
    /// The bits that they take; 0 if there is no whole coefficient.
    n_bits: u8,
    /// How many places they fill, one more for the end of the block; and `FLAG` if it ends.
    places: u8,
    /// How many places are before each of the two; and `FLAG` if it is there.
    before: [u8; 2],
    values: [i16; 2],
}

const FLAG: u8 = 0x80;

impl AcEntry {
    #[inline(always)]
    pub(super) fn n_bits(self) -> u32 {
        u32::from(self.n_bits)
    }

    #[inline(always)]
    pub(super) fn is_end(self) -> bool {
        self.places & FLAG != 0
    }

    #[inline(always)]
    pub(super) fn n_places(self) -> u32 {
        u32::from(self.places & !FLAG)
    }

    /// How many of the two are there.
    #[inline(always)]
    pub(super) fn n(self) -> usize {
        usize::from(self.before[0] >> 7) + usize::from(self.before[1] >> 7)
    }

    /// A bit for each of the two, if the first place is `k`.
    #[inline(always)]
    pub(super) fn non_zero(self, k: u32) -> u64 {
        // The flag is a multiple of 64, which does not count.
        let bit = |before: u8| u64::from(before >> 7) << ((k + u32::from(before)) & 63);
        bit(self.before[0]) | bit(self.before[1])
    }

    #[inline(always)]
    pub(super) fn values(self) -> [i16; 2] {
        self.values
    }

    /// Decodes the upper `LOOKUP_BITS` of a word.
    fn new(symbols: &HuffmanTable, word: u64) -> Self {
        let (mut entry, mut n_bits, mut n) = (Self::default(), 0, 0);
        while n < 2 && entry.places & FLAG == 0 {
            let Some((symbol, n_more)) = symbols.coefficient(word << n_bits) else { break };
            let (n_zeros, value) = match symbol {
                Symbol::End => (0, None),
                Symbol::Zeros => (15, None),
                Symbol::Value(n_zeros, value) => (n_zeros, Some(value)),
            };
            n_bits += n_more;
            let before = u32::from(entry.places) + n_zeros;
            // An entry never crosses the end of a block. Decoding one symbol at a time
            // handles those, as it knows where the block ends.
            let (true, Ok(before)) = (n_bits <= LOOKUP_BITS && before < 63, u8::try_from(before))
            else {
                break;
            };
            entry.n_bits = u8::try_from(n_bits).unwrap_or_default();
            entry.places = before + 1;
            if matches!(symbol, Symbol::End) {
                entry.places |= FLAG;
            }
            if let Some(value) = value {
                (entry.before[n], entry.values[n]) = (before | FLAG, value);
                n += 1;
            }
        }
        entry
    }
}

impl HuffmanTable {
    /// The symbol at the top of these bits and its value, with how many bits they take.
    #[inline]
    pub(super) fn coefficient(&self, word: u64) -> Option<(Symbol, u32)> {
        let (symbol, length) = self.symbol(word)?;
        let (n_zeros, n) = (symbol >> 4, symbol & 15);
        Some(match n {
            0 if symbol == u32::from(ZERO_RUN) => (Symbol::Zeros, length),
            // The end of the block, or a symbol that means nothing in a baseline picture
            // and that decoders take for it.
            0 => (Symbol::End, length),
            1..=MAX_AC_BITS => (Symbol::Value(n_zeros, value(word << length, n)), length + n),
            _ => return None,
        })
    }
}

impl AcTable {
    pub(super) fn new(lengths: &[u8; 16], symbols: &[u8]) -> Result<Self, TranscodeError> {
        let symbols = HuffmanTable::new(lengths, symbols)?;
        let words = (0..1_u64 << LOOKUP_BITS).map(|bits| bits << (64 - LOOKUP_BITS));
        let entries = words.map(|word| AcEntry::new(&symbols, word)).collect();
        Ok(Self { symbols, entries })
    }

    #[inline(always)]
    pub(super) fn entry(&self, word: u64) -> AcEntry {
        let at = (word >> (64 - LOOKUP_BITS)) as usize;
        self.entries.get(at).copied().unwrap_or_default()
    }
}
