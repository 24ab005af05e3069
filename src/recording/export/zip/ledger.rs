//! What the directory at the end of an archive has to say of its entries, kept
//! in few bytes until then.

/// Of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) captured: u64,
    pub(super) crc: u32,
    pub(super) n_jpeg: u32,
}

/// A checksum in four bytes, the time since the frame before and a length in
/// as many as each takes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    bytes: Vec<u8>,
    last: u64,
}

impl Ledger {
    /// The most that an entry takes.
    const MAX_ENTRY: usize = 4 + 10 + 5;

    /// For so many frames. What it takes of the machine's memory is what is
    /// written into it, and growing would take it twice.
    pub(super) fn with_capacity(n_frames: u64) -> Self {
        let n = usize::try_from(n_frames).unwrap_or(0).saturating_mul(Self::MAX_ENTRY);
        Self { bytes: Vec::with_capacity(n), last: 0 }
    }

    pub(super) fn push(&mut self, facts: Facts) {
        self.bytes.extend(facts.crc.to_le_bytes());
        // Backwards too: modulo 2^64.
        push_number(&mut self.bytes, facts.captured.wrapping_sub(self.last));
        push_number(&mut self.bytes, facts.n_jpeg.into());
        self.last = facts.captured;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Facts> {
        let (mut bytes, mut captured) = (self.bytes.as_slice(), 0_u64);
        std::iter::from_fn(move || {
            let (crc, rest) = bytes.split_first_chunk()?;
            bytes = rest;
            captured = captured.wrapping_add(take_number(&mut bytes)?);
            let n_jpeg = u32::try_from(take_number(&mut bytes)?).ok()?;
            Some(Facts { captured, crc: u32::from_le_bytes(*crc), n_jpeg })
        })
    }
}

/// LEB128: seven bits a byte, the lowest first, the eighth set if more follow.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let n = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at(n);
    *bytes = rest;
    Some(number.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7F)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_went() {
        let t = 1_795_256_130_123_456;
        let facts =
            [(t, 0, 0), (t + 33_333, u32::MAX, 100_000), (0, 7, u32::MAX), (u64::MAX, 8, 1)]
                .map(|(captured, crc, n_jpeg)| Facts { captured, crc, n_jpeg });
        let mut ledger = Ledger::default();
        facts.iter().for_each(|facts| ledger.push(*facts));
        assert_eq!(ledger.iter().collect::<Vec<_>>(), facts);
    }

    #[test]
    fn a_frame_of_a_film_takes_ten_bytes() {
        let mut ledger = Ledger::default();
        for i in 1..=1000 {
            ledger.push(Facts { captured: i * 33_333, crc: u32::MAX, n_jpeg: 100_000 });
        }
        assert_eq!(ledger.bytes.len(), 10 * 1000);
        assert!(Ledger::with_capacity(7).bytes.capacity() >= 7 * Ledger::MAX_ENTRY);
    }
}
