//! Joins the JPEGs of a picture's strips to one.
//!
//! Each strip was encoded as a picture of its own with the same tables. A
//! decoder forgets at a restart marker what an encoder does not know at the
//! start of a picture (T.81, E.1.3 and F.1.1.5.1: the DC predictions, and
//! bits that fill no byte), so the scans fit behind each other with RST0 to
//! RST7 between them, under the header of the first.

use std::io::{self, Write};

use super::check::segment;
use super::{EOI, is_frame_header};

const RST0: u8 = 0xD0;

/// Where a strip's JPEG is cut.
struct Cuts {
    /// The two bytes of the height.
    height: usize,
    /// The first byte of the scan's data.
    scan: usize,
    /// One past the last.
    end: usize,
}

impl Cuts {
    /// Looks for the markers; `None` in what is no JPEG of one scan.
    fn find(jpeg: &[u8]) -> Option<Self> {
        let end = jpeg.strip_suffix(&[0xFF, EOI])?.len();
        let mut height = None;
        let mut at = 2;
        while let Some((marker, body)) = segment(jpeg, at).ok()? {
            if is_frame_header(marker) {
                // Behind the length and the precision (T.81, B.2.2).
                height = Some(body.start + 3);
            }
            at = body.end;
        }
        // `segment` stopped at SOS, whose header has a length as others have.
        let length = jpeg.get(at + 2..at + 4)?;
        let scan = at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        (scan <= end).then_some(Self { height: height?, scan, end })
    }
}

/// Writes one JPEG of `height` rows. The strips must have been encoded with
/// a restart interval of just their size; the last one may be smaller.
///
/// # Errors
/// What `out` says; `InvalidData` where a strip is no JPEG.
pub(super) fn join(strips: &[Vec<u8>], height: u16, out: &mut impl Write) -> io::Result<()> {
    for (i, jpeg) in strips.iter().enumerate() {
        let cuts = Cuts::find(jpeg).ok_or(io::ErrorKind::InvalidData)?;
        if i == 0 {
            out.write_all(&jpeg[..cuts.height])?;
            out.write_all(&height.to_be_bytes())?;
            out.write_all(&jpeg[cuts.height + 2..cuts.scan])?;
        } else {
            // A remainder of a division by 8 is a byte.
            let nth = u8::try_from((i - 1) % 8).unwrap_or_default();
            out.write_all(&[0xFF, RST0 + nth])?;
        }
        out.write_all(&jpeg[cuts.scan..cuts.end])?;
    }
    out.write_all(&[0xFF, EOI])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG of no picture, with `scan` as its data.
    fn jpeg(height: u8, scan: &[u8]) -> Vec<u8> {
        let head = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, height, 0, 64, 1, 1, 0x11, 0];
        [&head, &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0][..], scan, &[0xFF, EOI]].concat()
    }

    #[test]
    fn scans_are_joined_under_one_header() {
        let strips: Vec<_> = (1..=10).map(|i| jpeg(8, &[i])).collect();
        let mut joined = Vec::new();
        join(&strips, 76, &mut joined).unwrap();
        let data: Vec<u8> =
            (1..=9).flat_map(|i| [i, 0xFF, RST0 + (i - 1) % 8]).chain([10]).collect();
        assert_eq!(joined, jpeg(76, &data));
    }

    #[test]
    fn what_is_no_jpeg_is_an_error() {
        let whole = jpeg(8, &[1]);
        for len in 0..whole.len() {
            let cut = [whole[..len].to_vec()];
            assert!(join(&cut, 8, &mut Vec::new()).is_err(), "cut at {len}");
        }
        assert!(join(&[vec![0xFF, 0xD8, 0xFF, EOI]], 8, &mut Vec::new()).is_err());
    }
}
