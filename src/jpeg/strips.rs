//! Joins the scans of a picture's strips.
//!
//! Each strip was encoded as a separate picture with the same tables. At a restart
//! marker a decoder resets its DC predictions and starts at a whole byte (T.81, E.1.3
//! and F.1.1.5.1), as at the start of a picture. So the scans can be joined with RST0
//! to RST7 between them.

use std::io::{self, Write};

use super::END;

const RST0: u8 = 0xD0;

/// Writes one JPEG. The restart interval in the header must be the size of a strip;
/// only the last strip may be smaller.
///
/// # Errors
/// Those of `out`.
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
    out.write_all(&END)
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
        let expected: Vec<u8> = b"header".iter().copied().chain(data).chain(END).collect();
        assert_eq!(joined, expected);
    }
}
