//! Joins the scans of a picture's strips to one.
//!
//! Each strip was encoded as a picture of its own with the same tables. A
//! decoder forgets at a restart marker what an encoder does not know at the
//! start of a picture (T.81, E.1.3 and F.1.1.5.1: the DC predictions, and
//! bits that fill no byte), so the scans fit behind each other with RST0 to
//! RST7 between them.

use std::io::{self, Write};

use super::EOI;

const RST0: u8 = 0xD0;

/// Writes one JPEG. The strips must have been encoded with a restart interval
/// of just their size; the last one may be smaller.
///
/// # Errors
/// What `out` says.
pub(super) fn join(header: &[u8], scans: &[Vec<u8>], out: &mut impl Write) -> io::Result<()> {
    out.write_all(header)?;
    for (i, scan) in scans.iter().enumerate() {
        if i > 0 {
            // A remainder of a division by 8 is a byte.
            let nth = u8::try_from((i - 1) % 8).unwrap_or_default();
            out.write_all(&[0xFF, RST0 + nth])?;
        }
        out.write_all(scan)?;
    }
    out.write_all(&[0xFF, EOI])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_joined_under_one_header() {
        let scans: Vec<_> = (1..=10).map(|i| vec![i]).collect();
        let mut joined = Vec::new();
        join(b"header", &scans, &mut joined).unwrap();
        let data = (1..=9).flat_map(|i| [i, 0xFF, RST0 + (i - 1) % 8]).chain([10]);
        let expected: Vec<u8> = b"header".iter().copied().chain(data).chain([0xFF, EOI]).collect();
        assert_eq!(joined, expected);
    }
}
