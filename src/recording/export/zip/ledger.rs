//! What the directory at the end of an archive has to say of its entries, kept
//! in few bytes until then.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::FileExt;

/// Of more frames than this the facts are kept in a file.
const N_IN_MEMORY: usize = 1 << 14;

/// Of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) captured: u64,
    pub(super) crc: u32,
    pub(super) n_jpeg: u32,
}

/// A checksum in four bytes, the time since the frame before and a length in
/// as many as each takes. In memory, and in a file when they get many.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    file: Option<File>,
    n_filed_bytes: u64,
    /// What is not in the file.
    bytes: Vec<u8>,
    last: u64,
}

impl Ledger {
    /// The most that an entry takes.
    const MAX_ENTRY: usize = 4 + 10 + 5;
    /// In memory: as much as a picture or two.
    const MAX_BYTES: usize = N_IN_MEMORY * Self::MAX_ENTRY;

    /// The bytes that so many frames take of a file; 0: they need none.
    pub(super) fn n_file_bytes(n_frames: u64) -> u64 {
        if n_frames > N_IN_MEMORY as u64 { n_frames * Self::MAX_ENTRY as u64 } else { 0 }
    }

    pub(super) fn keep_in(&mut self, file: File) {
        self.file = Some(file);
    }

    /// For so many frames. What it takes of the machine's memory is what is
    /// written into it, and growing would take it twice.
    pub(super) fn reserve(&mut self, n_frames: u64) {
        let n = usize::try_from(n_frames).unwrap_or(0).saturating_mul(Self::MAX_ENTRY);
        self.bytes.reserve_exact(n.min(Self::MAX_BYTES));
    }

    /// # Errors
    /// What the system says of the file.
    pub(super) fn push(&mut self, facts: Facts) -> io::Result<()> {
        if let Some(file) = &self.file
            && self.bytes.len() + Self::MAX_ENTRY > Self::MAX_BYTES
        {
            file.write_all_at(&self.bytes, self.n_filed_bytes)?;
            self.n_filed_bytes += self.bytes.len() as u64;
            self.bytes.clear();
        }
        self.bytes.extend(facts.crc.to_le_bytes());
        // Backwards too: modulo 2^64.
        push_number(&mut self.bytes, facts.captured.wrapping_sub(self.last));
        push_number(&mut self.bytes, facts.n_jpeg.into());
        self.last = facts.captured;
        Ok(())
    }

    /// Calls `see` with all of them, in order.
    ///
    /// # Errors
    /// What `see` says, or the system of the file.
    pub(super) fn each(&self, mut see: impl FnMut(Facts) -> io::Result<()>) -> io::Result<()> {
        let mut filed: Box<dyn Read> = match &self.file {
            Some(file) => {
                let mut file = file;
                file.rewind()?;
                Box::new(BufReader::new(file.take(self.n_filed_bytes)))
            }
            None => Box::new(io::empty()),
        };
        let mut n_bytes = self.n_filed_bytes + self.bytes.len() as u64;
        let mut bytes = (&mut filed).chain(&self.bytes[..]);
        let mut captured = 0_u64;
        while n_bytes > 0 {
            let mut crc = [0; 4];
            bytes.read_exact(&mut crc)?;
            let (interval, n_interval) = take_number(&mut bytes)?;
            let (n_jpeg, n_length) = take_number(&mut bytes)?;
            n_bytes = n_bytes.saturating_sub(4 + n_interval + n_length);
            captured = captured.wrapping_add(interval);
            let n_jpeg = u32::try_from(n_jpeg).map_err(|_| io::ErrorKind::InvalidData)?;
            see(Facts { captured, crc: u32::from_le_bytes(crc), n_jpeg })?;
        }
        Ok(())
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

/// A number, and how many bytes it took.
fn take_number(bytes: &mut impl Read) -> io::Result<(u64, u64)> {
    let (mut number, mut n) = (0, 0);
    loop {
        let mut byte = [0];
        bytes.read_exact(&mut byte)?;
        number |= u64::from(byte[0] & 0x7F).checked_shl(7 * n).unwrap_or(0);
        n += 1;
        if byte[0] & 0x80 == 0 {
            return Ok((number, n.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ledger: &Ledger) -> Vec<Facts> {
        let mut all = Vec::new();
        let take = |facts| {
            all.push(facts);
            Ok(())
        };
        ledger.each(take).unwrap();
        all
    }

    #[test]
    fn facts_come_back_as_they_went() {
        let t = 1_795_256_130_123_456;
        let facts =
            [(t, 0, 0), (t + 33_333, u32::MAX, 100_000), (0, 7, u32::MAX), (u64::MAX, 8, 1)]
                .map(|(captured, crc, n_jpeg)| Facts { captured, crc, n_jpeg });
        let mut ledger = Ledger::default();
        facts.iter().for_each(|facts| ledger.push(*facts).unwrap());
        assert_eq!(all(&ledger), facts);
        assert_eq!(all(&Ledger::default()), []);
    }

    #[test]
    fn memory_is_the_same_for_any_number_of_frames() {
        let path = std::env::temp_dir().join(format!("mjpegd-ledger-{}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let facts = |i: u64| {
            let n_jpeg = u32::try_from(i % 100_003).unwrap();
            // Times as far apart as can be take the most bytes.
            Facts { captured: i.wrapping_mul(u64::MAX / 3), crc: n_jpeg ^ 0x55, n_jpeg }
        };
        let mut ledger = Ledger::default();
        let n = 10 * N_IN_MEMORY as u64;
        assert!(Ledger::n_file_bytes(n / 10) == 0 && Ledger::n_file_bytes(n) >= 19 * n);
        ledger.keep_in(file);
        ledger.reserve(n);
        for i in 0..n {
            ledger.push(facts(i)).unwrap();
            assert!(ledger.bytes.capacity() <= Ledger::MAX_BYTES, "{i} frames");
        }
        assert!(ledger.n_filed_bytes > 0);
        for _ in 0..2 {
            assert!(all(&ledger).into_iter().eq((0..n).map(facts)));
        }
    }

    #[test]
    fn a_frame_of_a_film_takes_ten_bytes() {
        let mut ledger = Ledger::default();
        for i in 1..=1000 {
            ledger.push(Facts { captured: i * 33_333, crc: u32::MAX, n_jpeg: 100_000 }).unwrap();
        }
        assert_eq!(ledger.bytes.len(), 10 * 1000);
    }
}
