//! Looks a JPEG over before it is published.

use std::ops::Range;

use super::{APP1, DHT, EOI, Fault, SOI, SOS, is_frame_header, stands_alone};

/// What is known of a JPEG after a look at its headers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Info {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Length up to and with EOI: cameras pad their frames behind it.
    pub(crate) len: usize,
    /// APP1 segments with another JPEG inside. Clients that look for SOI or
    /// EOI in the bytes (Mainsail, Home Assistant) would cut the picture there.
    pub(crate) thumbnails: Vec<Range<usize>>,
    /// Where the Huffman tables belong, if they are missing.
    pub(crate) lacks_tables_at: Option<usize>,
}

/// Walks over the headers up to the first scan, and finds the end.
///
/// # Errors
/// What these bytes are instead of a whole JPEG with a size.
pub(crate) fn check(jpeg: &[u8]) -> Result<Info, Fault> {
    match jpeg {
        [] => return Err(Fault::Empty),
        [0xFF, SOI, 0xFF, ..] => {}
        _ => return Err(Fault::NotJpeg),
    }
    let len = end(jpeg)?;
    let mut info = Info { width: 0, height: 0, len, thumbnails: Vec::new(), lacks_tables_at: None };
    let (mut at, mut has_tables) = (2, false);
    while let Some((marker, segment)) = segment(&jpeg[..info.len], at)? {
        let body = &jpeg[segment.clone()];
        if is_frame_header(marker) {
            let [_, _, _, h1, h0, w1, w0, ..] = *body else { return Err(Fault::NotJpeg) };
            info.height = u16::from_be_bytes([h1, h0]);
            info.width = u16::from_be_bytes([w1, w0]);
        } else if marker == APP1 && memchr::memmem::find(body, &[0xFF, SOI]).is_some() {
            info.thumbnails.push(at..segment.end);
        }
        // Arithmetic coding (SOF9 to 15) has no Huffman tables to lack.
        has_tables |= marker == DHT || matches!(marker, 0xC9..=0xCF);
        at = segment.end;
    }
    info.lacks_tables_at = (!has_tables).then_some(at);
    if info.width == 0 || info.height == 0 { Err(Fault::NotJpeg) } else { Ok(info) }
}

/// The marker at `at` and where its segment lies, length bytes included;
/// `None` where the first scan begins.
pub(super) fn segment(jpeg: &[u8], at: usize) -> Result<Option<(u8, Range<usize>)>, Fault> {
    let fill = jpeg[at.min(jpeg.len())..].iter().take_while(|b| **b == 0xFF).count();
    let marker_at = at + fill;
    match (fill, jpeg.get(marker_at..)) {
        (0, Some([_, ..])) => Err(Fault::NotJpeg),
        (_, Some([SOS, ..])) => Ok(None),
        (_, Some([m, ..])) if stands_alone(*m) => Ok(Some((*m, marker_at + 1..marker_at + 1))),
        (_, Some([m, l1, l0, ..])) => {
            let start = marker_at + 1;
            let end = start + usize::from(u16::from_be_bytes([*l1, *l0]));
            if end > jpeg.len() { Err(Fault::Truncated) } else { Ok(Some((*m, start..end))) }
        }
        _ => Err(Fault::Truncated),
    }
}

/// One past the last EOI.
fn end(jpeg: &[u8]) -> Result<usize, Fault> {
    if jpeg.ends_with(&[0xFF, EOI]) {
        return Ok(jpeg.len());
    }
    memchr::memmem::rfind(jpeg, &[0xFF, EOI]).map(|at| at + 2).ok_or(Fault::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &[u8] = include_bytes!("../camera/demo/1.jpg");

    /// A JPEG of no picture, with what is given between SOI and the rest.
    fn jpeg(extra: &[u8]) -> Vec<u8> {
        let sof = [0xFF, 0xC0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0];
        let sos = [0xFF, SOS, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0x34];
        [&[0xFF, SOI], extra, &sof, &sos, &[0xFF, EOI]].concat()
    }

    #[test]
    fn size_of_a_real_picture_is_found() {
        let info = check(PICTURE).unwrap();
        assert_eq!((info.width, info.height, info.len), (640, 480, PICTURE.len()));
    }

    #[test]
    fn padding_behind_the_end_is_not_counted() {
        let padded = [PICTURE, &[0; 100]].concat();
        assert_eq!(check(&padded).unwrap().len, PICTURE.len());
    }

    #[test]
    fn thumbnails_are_found() {
        let exif = [0xFF, APP1, 0, 8, b'E', b'x', 0xFF, SOI, 0xFF, EOI];
        let info = check(&jpeg(&exif)).unwrap();
        assert_eq!(info.thumbnails, vec![Range { start: 2, end: 12 }]);
        assert_eq!((info.width, info.height), (64, 48));
        assert!(check(&jpeg(&[0xFF, APP1, 0, 4, 1, 2])).unwrap().thumbnails.is_empty());
    }

    #[test]
    fn fill_bytes_before_a_marker_are_legal() {
        assert!(check(&jpeg(&[0xFF, 0xFF, 0xFF, 0xE0, 0, 2])).is_ok());
    }

    #[test]
    fn what_is_no_jpeg_is_named() {
        assert_eq!(check(b""), Err(Fault::Empty));
        assert_eq!(check(b"GIF89a"), Err(Fault::NotJpeg));
        assert_eq!(check(&PICTURE[..PICTURE.len() - 2]), Err(Fault::Truncated));
        assert_eq!(check(&jpeg(&[0])), Err(Fault::NotJpeg));
        assert_eq!(check(&[0xFF, SOI, 0xFF, EOI]), Err(Fault::Truncated));
    }

    #[test]
    fn every_cut_is_an_error_and_never_a_panic() {
        let whole = jpeg(&[]);
        for len in 0..whole.len() {
            assert!(check(&whole[..len]).is_err(), "cut at {len}");
            let mut closed = whole[..len].to_vec();
            closed.extend([0xFF, EOI]);
            let _ = check(&closed);
        }
    }
}
