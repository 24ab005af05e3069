//! The index of a file with several pictures (CIPA DC-007, Multi-Picture Format).
//! Phones use it for previews and gain maps behind the main picture.

use super::tiff::Tiff;

/// How the content of an APP2 segment with the index begins.
pub(super) const NAME: &[u8] = b"MPF\0";
/// The tag of the list of pictures. It has 16 bytes a picture: attributes, size, offset,
/// two numbers of dependent pictures.
const ENTRIES: u16 = 0xB002;
const ENTRY_BYTES: usize = 16;
/// Bounds the memory. No phone writes more pictures.
const MAX_PICTURES: usize = 16;

/// Where the other pictures begin, in bytes from the start of the first one.
/// `content_at` is where the segment's content begins in the first picture. The sizes
/// are not used, because a common library (Pillow) writes wrong ones.
pub(super) fn other_pictures(content: &[u8], content_at: usize) -> Vec<u64> {
    read(content, content_at).unwrap_or_default()
}

fn read(content: &[u8], content_at: usize) -> Option<Vec<u64>> {
    let tiff = Tiff::new(content.strip_prefix(NAME)?)?;
    let entry = tiff.entries().find(|entry| entry.tag == ENTRIES)?;
    let first = usize::try_from(tiff.u32(entry.value_at)?).ok()?;
    // The count is in bytes, as the type of the list is UNDEFINED.
    let n = (usize::try_from(entry.count).ok()? / ENTRY_BYTES).min(MAX_PICTURES);
    // Offsets count from the TIFF header, except that 0 means the first picture.
    let base = u64::try_from(content_at + NAME.len()).ok()?;
    let others = (0..n).filter_map(|nth| {
        let at = first.checked_add(nth * ENTRY_BYTES)?;
        let offset = tiff.u32(at.checked_add(8)?)?;
        (offset > 0).then(|| base + u64::from(offset))
    });
    Some(others.collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The content of a segment that lists these, by size and offset.
    pub(crate) fn index(pictures: &[(u32, u32)]) -> Vec<u8> {
        let count = u32::try_from(pictures.len() * ENTRY_BYTES).unwrap();
        let mut bytes =
            [NAME, b"MM\0\x2A\0\0\0\x08\0\x01\xB0\x02\0\x07", &count.to_be_bytes()].concat();
        bytes.extend(26_u32.to_be_bytes());
        bytes.extend([0; 4]);
        for (size, offset) in pictures {
            bytes.extend([[0; 4], size.to_be_bytes(), offset.to_be_bytes(), [0; 4]].concat());
        }
        bytes
    }

    #[test]
    fn all_but_the_first_are_listed() {
        let content = index(&[(1000, 0), (50, 960), (20, 1010)]);
        assert_eq!(other_pictures(&content, 40), [1004, 1054]);
        for len in 0..content.len() - 4 {
            assert!(other_pictures(&content[..len], 40).len() < 2);
        }
        let many = index(&[(1, 1); 40]);
        assert_eq!(other_pictures(&many, 0).len(), MAX_PICTURES);
    }
}
