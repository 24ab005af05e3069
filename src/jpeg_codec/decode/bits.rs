//! Takes the bits of entropy-coded data.

use memchr::memchr;

/// Zeros behind the data, so that eight bytes can be read at each of its places.
const N_PADDING: usize = 8;

/// Copies entropy-coded data up to the next marker, without the zeros that follow each
/// byte 0xFF and without fill bytes. Returns the place of the marker.
///
/// A copy, so that the reader of bits need not look for 0xFF in every byte.
pub(super) fn unstuff(jpeg: &[u8], mut at: usize, out: &mut Vec<u8>) -> usize {
    out.clear();
    loop {
        let rest = jpeg.get(at..).unwrap_or_default();
        let n = memchr(0xFF, rest).unwrap_or(rest.len());
        match rest.get(n + 1) {
            Some(0) => out.extend_from_slice(&rest[..=n]),
            _ => out.extend_from_slice(&rest[..n]),
        }
        match rest.get(n + 1) {
            Some(0) => at += n + 2,
            Some(0xFF) => at += n + 1,
            Some(_) => {
                at += n;
                break;
            }
            None => {
                at = jpeg.len();
                break;
            }
        }
    }
    out.extend_from_slice(&[0; N_PADDING]);
    at
}

/// Reads bits, of which there are no end: zeros follow the data.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not counted in `n` yet.
    at: usize,
    /// The next bits from the top. Those below the upper `n` are right or zero.
    word: u64,
    n: u32,
}

impl<'a> Bits<'a> {
    /// Of data as [`unstuff`] leaves it.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, word: 0, n: 0 }
    }

    /// Sees to it that at least 56 bits are there. Without a branch that the processor
    /// could mistake: bytes that are there in part are read again.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let next = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        let next = next.map_or(0, |bytes| u64::from_be_bytes(*bytes));
        self.word |= next >> (self.n & 63);
        self.at += ((63 - self.n) >> 3) as usize;
        self.n |= 56;
    }

    /// The next bits, from the top. At least those are right that a refill left.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.word
    }

    /// Goes `n` bits on, of those that a refill left.
    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.word <<= n & 63;
        self.n = self.n.wrapping_sub(n);
    }

    /// The value with `n` bits that comes next (T.81, F.2.2.1).
    #[inline(always)]
    pub(super) fn value(&mut self, n: u32) -> i32 {
        let value = value(self.word, n);
        self.skip(n);
        value
    }

    /// Whether more bits were taken than there are.
    pub(super) fn is_over(&self) -> bool {
        let n_bits = 8 * self.bytes.len().saturating_sub(N_PADDING);
        8 * self.at > n_bits + self.n as usize
    }
}

/// The value in the upper `n` bits, of at most 16: one that begins with 0 is negative.
#[inline(always)]
pub(super) fn value(word: u64, n: u32) -> i32 {
    // In two shifts, since `n` may be 0.
    let bits = (word >> 48) as i32 >> (16 - n);
    let is_negative = if word >> 63 == 0 { -1 } else { 0 };
    bits + (is_negative & (1 - (1 << n)))
}
