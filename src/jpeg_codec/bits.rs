//! Values to bits (T.81, F.1.2), and bits to bytes.

/// Code and length of each symbol.
pub(super) type Codes = [(u16, u8); 256];

/// T.81, annex C.
pub(super) fn codes(lengths: &[u8; 16], mut symbols: &[u8]) -> Codes {
    let mut codes = [(0, 0); 256];
    let mut code = 0;
    for (length, n) in (1..).zip(lengths) {
        let (these, rest) = symbols.split_at(usize::from(*n).min(symbols.len()));
        for symbol in these {
            codes[usize::from(*symbol)] = (code, length);
            code += 1;
        }
        symbols = rest;
        code <<= 1;
    }
    codes
}

/// Bits on their way to bytes.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    word: u64,
    n_free: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, word: 0, n_free: 64 }
    }

    /// A block's values in zigzag order, and what the first differs by from
    /// that of the block before.
    #[inline(always)]
    pub(super) fn block(&mut self, values: &[i16; 64], difference: i16, dc: &Codes, ac: &Codes) {
        self.value(0, difference, dc);
        let mut left = non_zero(values) & !1;
        let mut at = 0;
        while left != 0 {
            let next = left.trailing_zeros();
            let mut run = next - at - 1;
            while run > 15 {
                self.put(u32::from(ac[0xF0].0), u32::from(ac[0xF0].1));
                run -= 16;
            }
            self.value(run << 4, values[next as usize & 63], ac);
            at = next;
            left &= left - 1;
        }
        if at != 63 {
            self.put(u32::from(ac[0].0), u32::from(ac[0].1));
        }
    }

    /// A symbol of a run and the length of a value, and the value.
    #[inline(always)]
    fn value(&mut self, run: u32, value: i16, codes: &Codes) {
        let n = 16 - value.unsigned_abs().leading_zeros();
        let low = (i32::from(value) + i32::from(value >> 15)).cast_unsigned() & ((1 << n) - 1);
        let (code, length) = codes[(run | n) as usize & 255];
        self.put(u32::from(code) << n | low, u32::from(length) + n);
    }

    #[inline(always)]
    fn put(&mut self, bits: u32, n: u32) {
        if n <= self.n_free {
            self.word = self.word << (n & 63) | u64::from(bits);
            self.n_free -= n;
        } else {
            let n_over = n - self.n_free;
            let full = self.word << (self.n_free & 63) | u64::from(bits) >> n_over;
            self.flush(full);
            self.word = u64::from(bits);
            self.n_free = 64 - n_over;
        }
    }

    #[inline]
    fn flush(&mut self, full: u64) {
        if full & 0x8080_8080_8080_8080 & !full.wrapping_add(0x0101_0101_0101_0101) == 0 {
            self.out.extend_from_slice(&full.to_be_bytes());
        } else {
            self.stuff(&full.to_be_bytes());
        }
    }

    #[inline(never)]
    fn stuff(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.out.push(*byte);
            if *byte == 0xFF {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn end(mut self) {
        self.put(0x7F, 7);
        let n = (64 - self.n_free) / 8;
        let whole = (self.word << (self.n_free & 63)).to_be_bytes();
        self.stuff(&whole[..n as usize]);
    }
}

/// A bit for each value that is not 0.
#[inline(always)]
fn non_zero(values: &[i16; 64]) -> u64 {
    let mut bits = 0;
    for (i, eight) in values.as_chunks::<8>().0.iter().enumerate() {
        let ones = u64::from_le_bytes(eight.map(|v| u8::from(v != 0)));
        bits |= (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // T.81, table K.3: differences of luma.
        let lengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let codes = codes(&lengths, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(codes[..3], [(0b00, 2), (0b010, 3), (0b011, 3)]);
        assert_eq!((codes[5], codes[6]), ((0b110, 3), (0b1110, 4)));
        assert_eq!((codes[11], codes[12]), ((0b1_1111_1110, 9), (0, 0)));
    }

    #[test]
    fn zero_follows_each_ff_wherever_it_stands() {
        for shift in 0..64 {
            let (mut out, mut due) = (Vec::new(), String::new());
            let mut bits = Bits::new(&mut out);
            for (value, n) in
                [(0, shift / 2), (0, shift - shift / 2), (0x7F_FFFE, 24), (0xFFFF, 16)]
            {
                bits.put(value, n);
                (0..n).rev().for_each(|i| due.push(if value >> i & 1 == 1 { '1' } else { '0' }));
            }
            bits.end();
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
