//! One record of an index: where a frame is in its segment, and when it was
//! taken.

use super::part::{HEAD_ROOM, Head, MAX_JPEG, N_END};
use crate::recording::time::{LAST, Micros};

/// The start of an index. It is as long as a record, so that record `n` is at
/// `(n + 1) * N_BYTES`.
pub(crate) const MAGIC: [u8; IndexRecord::N_BYTES] = *b"mjpegd index 1, 32 bytes a frame";

/// A frame of a segment. On disk 32 bytes, little endian:
///
/// | bytes | hold |
/// | --- | --- |
/// | 0..8 | offset of its delimiter line in the segment |
/// | 8..16 | when it was taken, microseconds since 1970 |
/// | 16..24 | its number at capture; 0 in a rebuilt index |
/// | 24..28 | length, to the end of line behind the JPEG |
/// | 28..30 | length of the head before the JPEG |
/// | 30..32 | flags: 0, as there are none yet |
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct IndexRecord {
    pub(crate) offset: u64,
    pub(crate) captured: Micros,
    pub(crate) seq: u64,
    pub(crate) length: u32,
    pub(crate) n_head: u16,
}

impl IndexRecord {
    pub(crate) const N_BYTES: usize = 32;

    pub(crate) fn new(offset: u64, seq: u64, head: Head) -> Self {
        Self { offset, captured: head.captured, seq, length: head.n_part(), n_head: head.n_head }
    }

    /// The first byte behind the part.
    pub(crate) fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }

    /// Bytes of the JPEG alone.
    pub(crate) fn n_jpeg(&self) -> u32 {
        self.length - u32::from(self.n_head) - N_END
    }

    /// The JPEG in the bytes of its part.
    pub(crate) fn jpeg<'a>(&self, part: &'a [u8]) -> &'a [u8] {
        &part[self.n_head.into()..part.len() - N_END as usize]
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::N_BYTES] {
        let mut bytes = [0; Self::N_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.captured.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_le_bytes());
        bytes[28..30].copy_from_slice(&self.n_head.to_le_bytes());
        bytes
    }

    /// `None` for bytes that this program cannot have written.
    pub(crate) fn from_bytes(bytes: &[u8; Self::N_BYTES]) -> Option<Self> {
        let (eights, rest) = bytes.as_chunks::<8>();
        let [offset, captured, seq, _] = eights else { return None };
        debug_assert!(rest.is_empty(), "32 is a multiple of 8");
        let [_, _, _, _, _, _, four, two] = bytes.as_chunks::<4>().0 else { return None };
        let record = Self {
            offset: u64::from_le_bytes(*offset),
            captured: u64::from_le_bytes(*captured),
            seq: u64::from_le_bytes(*seq),
            length: u32::from_le_bytes(*four),
            n_head: u16::from_le_bytes([two[0], two[1]]),
        };
        record.is_possible().then_some(record)
    }

    fn is_possible(&self) -> bool {
        let n_head = u32::from(self.n_head);
        (1..HEAD_ROOM).contains(&usize::from(self.n_head))
            // A JPEG has two markers at least.
            && (n_head + 4 + N_END..=n_head + MAX_JPEG + N_END).contains(&self.length)
            && self.captured <= LAST
            // The largest offset of a file (off_t).
            && self.offset <= i64::MAX as u64
    }

    /// Whether it can stand behind another in one segment.
    pub(crate) fn follows(&self, before: &Self) -> bool {
        self.offset >= before.end() && self.captured >= before.captured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: IndexRecord =
        IndexRecord { offset: 7, captured: 1_795_197_222_490_963, seq: 3, length: 200, n_head: 90 };

    #[test]
    fn record_is_read_back() {
        assert_eq!(IndexRecord::from_bytes(&RECORD.to_bytes()), Some(RECORD));
        assert_eq!(RECORD.n_jpeg(), 108);
        assert_eq!(RECORD.end(), 207);
    }

    #[test]
    fn impossible_records_are_refused() {
        for lie in [
            IndexRecord { offset: u64::MAX, ..RECORD },
            IndexRecord { captured: u64::MAX, ..RECORD },
            IndexRecord { length: 0, ..RECORD },
            IndexRecord { length: 91, ..RECORD },
            IndexRecord { length: u32::MAX, ..RECORD },
            IndexRecord { n_head: 0, ..RECORD },
            IndexRecord { n_head: 5000, ..RECORD },
        ] {
            assert_eq!(IndexRecord::from_bytes(&lie.to_bytes()), None, "{lie:?}");
        }
        assert_eq!(IndexRecord::from_bytes(&[0; 32]), None);
    }
}
