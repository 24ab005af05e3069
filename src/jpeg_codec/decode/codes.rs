//! Huffman tables for reading (T.81, annex C and F.2.2).

use super::bits::{Bits, value};
use crate::error::TranscodeError;
use crate::huffman::{MAX_VALUE_BITS, ZERO_RUN};

/// Codes of up to so many bits are found by one look.
const FIRST_BITS: u32 = 9;
/// So many bits are looked at for coefficients. More would find more of them in a look,
/// but the tables would push each other out of the first-level cache.
pub(super) const RUN_BITS: u32 = 11;

/// The code of each symbol.
pub(super) struct Codes {
    /// For the next bits: the length of the code, and its symbol in the lower byte. Zero
    /// for longer codes.
    first: [u16; 1 << FIRST_BITS],
    /// Behind the last code of a length, from the top of 16 bits.
    ends: [u32; 17],
    /// What makes the place of a symbol out of a code of a length.
    offsets: [u32; 17],
    symbols: [u8; 256],
}

impl Codes {
    /// From the content of a DHT segment: counts of each length, and symbols.
    pub(super) fn new(lengths: &[u8; 16], symbols: &[u8]) -> Result<Self, TranscodeError> {
        let mut new = Self { first: [0; 512], ends: [0; 17], offsets: [0; 17], symbols: [0; 256] };
        let (mut code, mut n_before) = (0_u32, 0_usize);
        for (length, n) in (1_u32..).zip(lengths) {
            let n = usize::from(*n);
            let these = symbols.get(n_before..n_before + n);
            let places = new.symbols.get_mut(n_before..n_before + n);
            let (Some(these), Some(places)) = (these, places) else {
                return Err(TranscodeError::Damaged("a Huffman table is too short"));
            };
            places.copy_from_slice(these);
            let at = length as usize;
            new.offsets[at] = (n_before as u32).wrapping_sub(code);
            for symbol in these {
                if code >> length != 0 {
                    return Err(TranscodeError::Damaged("a Huffman table has too many codes"));
                }
                if length <= FIRST_BITS {
                    let n_rest = FIRST_BITS - length;
                    let entry = (length << 8) as u16 | u16::from(*symbol);
                    let from = (code << n_rest) as usize;
                    new.first[from..from + (1 << n_rest)].fill(entry);
                }
                code += 1;
            }
            new.ends[at] = code << (16 - length);
            code <<= 1;
            n_before += n;
        }
        Ok(new)
    }

    /// The symbol at the top of these bits, and the length of its code.
    #[inline(always)]
    fn symbol(&self, word: u64) -> Option<(u32, u32)> {
        let entry = u32::from(self.first[(word >> (64 - FIRST_BITS)) as usize]);
        if entry != 0 { Some((entry & 0xFF, entry >> 8)) } else { self.long_symbol(word) }
    }

    #[cold]
    #[inline(never)]
    fn long_symbol(&self, word: u64) -> Option<(u32, u32)> {
        let code = (word >> 48) as u32;
        let length = (FIRST_BITS + 1..=16).find(|length| code < self.ends[*length as usize])?;
        let place = (code >> (16 - length)).wrapping_add(self.offsets[length as usize]);
        Some((u32::from(self.symbols[place as usize & 255]), length))
    }

    /// Reads a difference of DC: at most 27 bits.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        let (n, length) = self.symbol(bits.peek())?;
        bits.skip(length);
        (n <= u32::from(MAX_VALUE_BITS)).then(|| bits.value(n))
    }
}

/// What stands in the next bits of a block.
#[derive(Clone, Copy)]
pub(super) enum Symbol {
    End,
    Zeros,
    /// So many zeros, and a coefficient.
    Value(u32, i32),
}

/// The codes of AC coefficients.
pub(super) struct RunCodes {
    pub(super) codes: Codes,
    /// For the next bits: the coefficients in them.
    runs: Vec<Run>,
}

/// Coefficients that stand together in a few bits; up to two, and perhaps the end of the
/// block. Fields from the lowest bit:
///
/// | bits | field |
/// | --- | --- |
/// | 0 to 4 | the bits that they take; 0 if there is no whole coefficient |
/// | 5, 6 | whether there is a first and a second one |
/// | 7 | whether the block ends |
/// | 8 to 14 | how many places they fill; one more for the end of the block |
/// | 16 to 21, 22 to 27 | zeros before the first, and all places before the second |
/// | 32 to 47, 48 to 63 | their values |
#[derive(Clone, Copy, Default)]
pub(super) struct Run(u64);

impl Run {
    #[inline(always)]
    pub(super) fn n_bits(self) -> u32 {
        self.0 as u32 & 31
    }

    /// 1 for each of the two that is there.
    #[inline(always)]
    pub(super) fn has(self) -> [u64; 2] {
        [self.0 >> 5 & 1, self.0 >> 6 & 1]
    }

    #[inline(always)]
    pub(super) fn is_end(self) -> bool {
        self.0 >> 7 & 1 != 0
    }

    #[inline(always)]
    pub(super) fn n_places(self) -> u32 {
        self.0 as u32 >> 8 & 127
    }

    #[inline(always)]
    pub(super) fn places(self) -> [u32; 2] {
        [self.0 as u32 >> 16 & 63, self.0 as u32 >> 22 & 63]
    }

    #[inline(always)]
    pub(super) fn values(self) -> [i16; 2] {
        [(self.0 >> 32) as i16, (self.0 >> 48) as i16]
    }

    /// What stands in these bits, of which `RUN_BITS` are known.
    fn new(codes: &Codes, word: u64) -> Self {
        let (mut run, mut n_bits, mut n_places, mut n) = (0, 0, 0, 0);
        while n < 2
            && let Some((symbol, n_more)) = codes.run_symbol(word << n_bits)
        {
            if n_bits + n_more > RUN_BITS {
                break;
            }
            n_bits += n_more;
            match symbol {
                Symbol::End => {
                    n_places += 1;
                    run |= 1 << 7;
                }
                Symbol::Zeros => n_places += 16,
                Symbol::Value(n_zeros, value) => {
                    n_places += n_zeros;
                    let value = u64::from((value as i16).cast_unsigned());
                    run |= 1 << (5 + n) | u64::from(n_places) << (16 + 6 * n);
                    run |= value << (32 + 16 * n);
                    n += 1;
                    n_places += 1;
                }
            }
            // More places than a block has are left to the slow way, which knows where
            // the block ends.
            if n_places > 63 {
                return Self(0);
            }
            if matches!(symbol, Symbol::End) {
                break;
            }
        }
        Self(run | u64::from(n_bits) | u64::from(n_places) << 8)
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
            1..=10 => (Symbol::Value(n_zeros, value(word << length, n)), length + n),
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
