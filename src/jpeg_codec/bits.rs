//! Packs bits into the bytes of a scan.

/// Bytes that wait to be stuffed. Small enough to stay in the first-level cache.
const N_PENDING: usize = 4096;

/// Whole bytes of a scan, before stuffing.
pub(crate) type Pending = [u8; N_PENDING];

/// The most bytes of a block. DC has up to 16 bits of code and 11 of value, each AC up
/// to 16 and 10.
const MAX_BLOCK_BYTES: usize = (27 + 63 * 26_usize).div_ceil(8);

/// Blocks that may be written between two calls of `make_room`: those of two MCUs.
pub(crate) const MAX_BLOCKS: usize = 12;
/// With at most this many bytes pending, [`MAX_BLOCKS`] and one word still fit.
const ROOM: usize = N_PENDING - MAX_BLOCKS * MAX_BLOCK_BYTES - 8;

/// Where the next bit goes. It is separate from the bytes, and a row works on a copy of
/// it, so that the compiler keeps it in registers.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    /// The last bits, in the lower part; bits above them are zeros or already stored.
    word: u64,
    /// How many bits the word has room for.
    n_free: u32,
    /// Bytes in `Pending`.
    n_bytes: usize,
}

impl Cursor {
    /// Appends the lower `n` bits of `bits`. The bits above them must be zero.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u32, n: u32, pending: &mut Pending) {
        let bits = u64::from(bits);
        if n <= self.n_free {
            self.word = self.word << n | bits;
            self.n_free -= n;
        } else {
            // The word is filled with the upper bits and stored; the lower bits begin the
            // next word. The upper bits are not cleared from it: they move out at the top
            // before it is stored. `& 63` changes nothing, as `n_free` is below `n` here,
            // but lets the compiler leave out a check of the shift.
            let n_over = n - self.n_free;
            self.store(self.word << (self.n_free & 63) | bits >> n_over, pending);
            self.word = bits;
            self.n_free = 64 - n_over;
        }
    }

    #[inline(always)]
    fn store(&mut self, word: u64, pending: &mut Pending) {
        // `make_room` ensures that there is a place.
        if let Some(place) = pending[self.n_bytes..].first_chunk_mut() {
            *place = word.to_be_bytes();
            self.n_bytes += 8;
        }
    }
}

/// Appends bits to a scan, with a zero byte after each byte 0xFF (stuffing).
///
/// Bytes are collected and then stuffed together: checking each word for 0xFF costs
/// more than one search in a few thousand bytes.
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pub(crate) pending: Pending,
    pub(crate) cursor: Cursor,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        let cursor = Cursor { word: 0, n_free: 64, n_bytes: 0 };
        Self { out, pending: [0; N_PENDING], cursor }
    }

    /// Makes room for [`MAX_BLOCKS`] blocks of any content.
    #[inline(always)]
    pub(crate) fn make_room(&mut self, cursor: &mut Cursor) {
        if cursor.n_bytes > ROOM {
            self.stuff(cursor.n_bytes);
            cursor.n_bytes = 0;
        }
    }

    #[inline(never)]
    fn stuff(&mut self, n_bytes: usize) {
        let mut rest = &self.pending[..n_bytes];
        while let Some(at) = memchr::memchr(0xFF, rest) {
            let (marked, behind) = rest.split_at(at + 1);
            self.out.extend_from_slice(marked);
            self.out.push(0);
            rest = behind;
        }
        self.out.extend_from_slice(rest);
    }

    /// Fills the last byte with ones (T.81, F.1.2.3) and writes all bytes.
    pub(crate) fn end(mut self) {
        let mut cursor = self.cursor;
        // Seven ones complete a byte that has at least one bit; what is left of them is
        // less than a byte and not written.
        cursor.put(0x7F, 7, &mut self.pending);
        let n_last = (64 - cursor.n_free) / 8;
        let n_bytes = cursor.n_bytes + n_last as usize;
        cursor.store(cursor.word << (cursor.n_free & 63), &mut self.pending);
        self.stuff(n_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_follows_each_ff_wherever_it_stands() {
        for shift in 0..64 {
            let (mut out, mut due) = (Vec::new(), String::new());
            let mut writer = BitWriter::new(&mut out);
            for (value, n) in
                [(0, shift / 2), (0, shift - shift / 2), (0x7F_FFFE, 24), (0xFFFF, 16)]
            {
                writer.cursor.put(value, n, &mut writer.pending);
                (0..n).rev().for_each(|i| due.push(if value >> i & 1 == 1 { '1' } else { '0' }));
            }
            writer.end();
            while due.len() % 8 != 0 {
                due.push('1');
            }
            let bytes = due
                .as_bytes()
                .chunks(8)
                .map(|byte| byte.iter().fold(0_u8, |byte, bit| byte << 1 | (bit - b'0')));
            let stuffed: Vec<_> =
                bytes.flat_map(|b| [Some(b), (b == 0xFF).then_some(0)]).flatten().collect();
            assert_eq!(out, stuffed, "after {shift} bits");
        }
    }
}
