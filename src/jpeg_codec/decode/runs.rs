//! Several AC coefficients by one look at the bits.

use super::bits::value;
use super::codes::Codes;
use crate::error::TranscodeError;
use crate::huffman::ZERO_RUN;

/// So many bits are looked at. More would find more coefficients, but the tables would
/// push each other out of the first-level cache.
const RUN_BITS: u32 = 11;
/// The longest coefficient.
const MAX_AC_BITS: u32 = 10;

/// What stands in the next bits of a block.
#[derive(Clone, Copy)]
pub(super) enum Symbol {
    End,
    Zeros,
    /// So many zeros, and a coefficient.
    Value(u32, i16),
}

/// The codes of AC coefficients.
pub(super) struct RunCodes {
    pub(super) codes: Codes,
    /// For the next bits: the coefficients in them.
    runs: Vec<Run>,
}

/// Coefficients that stand together in a few bits: up to two, and perhaps the end of the
/// block.
#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    /// The bits that they take; 0 if there is no whole coefficient.
    n_bits: u8,
    /// How many places they fill, one more for the end of the block; and `FLAG` if it ends.
    places: u8,
    /// How many places are before each of the two; and `FLAG` if it is there.
    before: [u8; 2],
    values: [i16; 2],
}

const FLAG: u8 = 0x80;

impl Run {
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

    /// What stands in these bits, of which `RUN_BITS` are known.
    fn new(codes: &Codes, word: u64) -> Self {
        let (mut run, mut n_bits, mut n) = (Self::default(), 0, 0);
        while n < 2 && run.places & FLAG == 0 {
            let Some((symbol, n_more)) = codes.run_symbol(word << n_bits) else { break };
            let (n_zeros, value) = match symbol {
                Symbol::End => (0, None),
                Symbol::Zeros => (15, None),
                Symbol::Value(n_zeros, value) => (n_zeros, Some(value)),
            };
            n_bits += n_more;
            let before = u32::from(run.places) + n_zeros;
            // More places than a block has are left to the slow way, which knows where
            // the block ends.
            let (true, Ok(before)) = (n_bits <= RUN_BITS && before < 63, u8::try_from(before))
            else {
                break;
            };
            run.n_bits = u8::try_from(n_bits).unwrap_or_default();
            run.places = before + 1;
            if matches!(symbol, Symbol::End) {
                run.places |= FLAG;
            }
            if let Some(value) = value {
                (run.before[n], run.values[n]) = (before | FLAG, value);
                n += 1;
            }
        }
        run
    }
}

impl Codes {
    /// The symbol at the top of these bits and its value, with how many bits they take.
    #[inline]
    pub(super) fn run_symbol(&self, word: u64) -> Option<(Symbol, u32)> {
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

impl RunCodes {
    pub(super) fn new(lengths: &[u8; 16], symbols: &[u8]) -> Result<Self, TranscodeError> {
        let codes = Codes::new(lengths, symbols)?;
        let words = (0..1_u64 << RUN_BITS).map(|bits| bits << (64 - RUN_BITS));
        let runs = words.map(|word| Run::new(&codes, word)).collect();
        Ok(Self { codes, runs })
    }

    #[inline(always)]
    pub(super) fn run(&self, word: u64) -> Run {
        let at = (word >> (64 - RUN_BITS)) as usize;
        self.runs.get(at).copied().unwrap_or_default()
    }
}
