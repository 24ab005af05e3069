//! Reads and writes the orientation in EXIF, the only part that a viewer needs.

use super::APP1;
use super::tiff::{Entry, Tiff};

/// What an APP1 segment with EXIF begins with (EXIF 2.3, 4.7.2).
const NAME: &[u8] = b"Exif\0\0";
/// How many bytes of the name are compared: the last byte differs in some files.
const N_SURE: usize = 5;
/// The tag in the first directory.
const ORIENTATION: u16 = 0x0112;
/// The type of a 16-bit value. Some programs write one of the two other types.
const SHORT: u16 = 3;
const BYTE: u16 = 1;
const LONG: u16 = 4;

/// How to turn a picture before it is shown: 1 to 8 as in EXIF. 5 to 8 swap width and
/// height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Orientation(u8);

impl Orientation {
    /// The orientation with this number; `None` if there is no such orientation.
    pub(crate) fn new(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=8).contains(n)).map(Self)
    }

    /// As in EXIF, 1 to 8.
    #[cfg(any(feature = "daemon", test))]
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    pub(super) fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Whether the picture is shown as it is coded.
    fn is_upright(self) -> bool {
        self.0 == 1
    }
}

/// Whether the content of an APP1 segment is EXIF.
pub(super) fn is_exif(content: &[u8]) -> bool {
    content.len() >= NAME.len() && content.starts_with(&NAME[..N_SURE])
}

/// The orientation in the content of an APP1 segment.
pub(super) fn orientation(content: &[u8]) -> Option<Orientation> {
    let (tiff, entry) = entry(content)?;
    let value = match entry.kind {
        // Several orientations say nothing.
        _ if entry.count != 1 => return None,
        SHORT => u32::from(tiff.u16(entry.value_at)?),
        LONG => tiff.u32(entry.value_at)?,
        // Values are left-justified in their four bytes (TIFF 6.0), so in either byte order
        // the first of them.
        BYTE => u32::from(tiff.u16(entry.value_at)?.to_be_bytes()[0]),
        _ => return None,
    };
    Orientation::new(value)
}

/// The entry with the orientation.
fn entry(content: &[u8]) -> Option<(Tiff<'_>, Entry)> {
    if !is_exif(content) {
        return None;
    }
    let tiff = Tiff::new(&content[NAME.len()..])?;
    // The first directory is the main picture's. The second one, of the thumbnail, may turn
    // otherwise.
    let entry = tiff.entries().find(|entry| entry.tag == ORIENTATION)?;
    Some((tiff, entry))
}

/// Writes into the EXIF of a JPEG that the picture lies as it is shown.
#[cfg(feature = "daemon")]
pub(crate) fn make_upright(jpeg: &mut [u8]) {
    let mut at = 2;
    while let Ok(Some((marker, body))) = super::check::segment(jpeg, at) {
        at = body.end;
        let content = jpeg.get(body.start + 2..body.end).unwrap_or_default();
        if marker != APP1 || orientation(content).is_none() {
            continue;
        }
        let Some((tiff, entry)) = entry(content) else { continue };
        let upright = match entry.kind {
            SHORT => tiff.bytes_of_u16(1).to_vec(),
            LONG => tiff.bytes_of_u32(1).to_vec(),
            _ => vec![1],
        };
        let value_at = body.start + 2 + NAME.len() + entry.value_at;
        jpeg[value_at..value_at + upright.len()].copy_from_slice(&upright);
        return;
    }
}

/// An APP1 segment with the orientation alone; empty for an upright picture.
pub(super) fn segment(orientation: Orientation) -> Vec<u8> {
    if orientation.is_upright() {
        return Vec::new();
    }
    let mut segment = vec![0xFF, APP1, 0, 34];
    segment.extend_from_slice(NAME);
    // Big-endian; one directory at offset 8 with one entry, and no further directory.
    segment.extend_from_slice(b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.extend_from_slice(&[orientation.0, 0, 0, 0, 0, 0, 0]);
    segment
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The content of an APP1 segment with one directory of these entries:
    /// tag, type, count and the four bytes of the value.
    pub(crate) fn exif(is_little: bool, entries: &[(u16, u16, u32, [u8; 4])]) -> Vec<u8> {
        let u16s = |n: u16| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
        let u32s = |n: u32| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut bytes = [NAME, if is_little { b"II" } else { b"MM" }, &u16s(42), &u32s(8)].concat();
        bytes.extend(u16s(u16::try_from(entries.len()).unwrap()));
        for (tag, kind, count, value) in entries {
            bytes.extend([u16s(*tag), u16s(*kind)].concat());
            bytes.extend(u32s(*count));
            bytes.extend(value);
        }
        [bytes, vec![0; 4]].concat()
    }

    #[test]
    fn orientation_is_read_in_either_byte_order() {
        for n in 1..=8 {
            let is = Orientation::new(u32::from(n));
            let before = (0x0100, 4, 1, [0, 0, 1, 0]);
            let big = exif(false, &[before, (ORIENTATION, SHORT, 1, [0, n, 0, 0])]);
            assert_eq!(orientation(&big), is);
            let little = exif(true, &[before, (ORIENTATION, SHORT, 1, [n, 0, 0, 0])]);
            assert_eq!(orientation(&little), is);
            assert_eq!(orientation(&exif(true, &[(ORIENTATION, LONG, 1, [n, 0, 0, 0])])), is);
            assert_eq!(orientation(&exif(false, &[(ORIENTATION, BYTE, 1, [n, 0, 0, 0])])), is);
        }
    }

    #[test]
    fn damaged_or_unknown_orientation_is_ignored() {
        for (kind, count, value) in [
            (SHORT, 1, [0, 0, 0, 0]),
            (SHORT, 1, [0, 9, 0, 0]),
            (SHORT, 2, [0, 6, 0, 6]),
            (7, 1, [6; 4]),
        ] {
            assert_eq!(orientation(&exif(false, &[(ORIENTATION, kind, count, value)])), None);
        }
        assert_eq!(orientation(&exif(false, &[])), None);
        let whole = exif(false, &[(ORIENTATION, SHORT, 1, [0, 6, 0, 0])]);
        for len in 0..whole.len() - 6 {
            assert_eq!(orientation(&whole[..len]), None, "cut at {len}");
        }
        let far = [NAME, b"MM\0\x2A\xFF\xFF\xFF\xFF\0\x01"].concat();
        assert_eq!(orientation(&far), None);
        assert_eq!(orientation(b"http://ns.adobe.com/xap/1.0/\0<x/>"), None);
    }

    #[test]
    fn segment_says_what_was_read() {
        for n in 2..=8 {
            let written = segment(Orientation(n));
            assert_eq!(usize::from(written[3]) + 2, written.len());
            assert_eq!(orientation(&written[4..]), Some(Orientation(n)));
        }
        assert!(segment(Orientation(1)).is_empty());
    }
}
