//! Brings a camera's JPEG into the form that every client can read.
//!
//! Webcams pad their JPEGs, put thumbnails into them, and omit the Huffman
//! tables, as AVI players supply those. Clients that search a stream for JPEG
//! markers find two pictures in a frame with a thumbnail, and many decoders
//! refuse a JPEG without tables.

use crate::frame::FrameBuf;
use crate::jpeg::{self, HUFFMAN_TABLES, Info};

/// Removes the bytes before and behind the JPEG and second pictures inside it, and
/// inserts the Huffman tables if they are missing. A JPEG without its end gets one
/// where `takes_cut`.
///
/// # Errors
/// Why the bytes are not a JPEG that can be shown; then the JPEG is unchanged, but
/// bytes before it may be removed.
pub(crate) fn normalize(buf: &mut FrameBuf, takes_cut: bool) -> Result<Info, jpeg::Error> {
    buf.cut(0..jpeg::n_before(buf.jpeg()));
    // A driver that had to search for the end of the JPEG spares this a second pass
    // over the scan.
    let check = if buf.is_walked() { jpeg::check_whole } else { jpeg::check };
    let info = check(buf.jpeg())?;
    if !info.has_end && !takes_cut {
        return Err(jpeg::Error::Truncated);
    }
    buf.truncate(info.len);
    if !info.has_end {
        buf.extend(&jpeg::END);
    }
    // From the back to the front, so that the offsets before stay valid: the tables
    // come after all edits.
    if let Some(at) = info.lacks_tables_at {
        buf.insert(at, &HUFFMAN_TABLES);
    }
    for edit in info.edits.iter().rev() {
        buf.cut(edit.range.clone());
        buf.insert(edit.range.start, &edit.by);
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_thumbnail_are_removed() {
        let picture = include_bytes!("../camera/demo/1.jpg");
        let exif = [0xFF, 0xE1, 0, 8, b'E', b'x', 0xFF, 0xD8, 0xFF, 0xD9];
        let mut buf = FrameBuf::new();
        buf.extend(&[&picture[..2], &exif, &exif, &picture[2..], &[0; 9]].concat());
        normalize(&mut buf, false).unwrap();
        assert_eq!(buf.jpeg(), picture);
    }

    #[test]
    fn missing_huffman_tables_are_inserted() {
        let picture = include_bytes!("../camera/demo/1.jpg");
        // The demo picture has tables of its own. Without them it is like the
        // JPEG of a webcam that omits them.
        let mut bare = picture.to_vec();
        while let Some(at) = memchr::memmem::find(&bare, &[0xFF, 0xC4]) {
            let len = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
            bare.drain(at..at + 2 + len);
        }
        let mut buf = FrameBuf::new();
        buf.extend(&bare);
        let info = normalize(&mut buf, false).unwrap();
        assert_eq!((info.width, info.height), (640, 480));
        assert_eq!(buf.jpeg().len(), bare.len() + HUFFMAN_TABLES.len());
        assert_eq!(jpeg::check(buf.jpeg()).unwrap().lacks_tables_at, None);
        let sos = memchr::memmem::find(buf.jpeg(), &[0xFF, 0xDA]).unwrap();
        assert!(buf.jpeg()[..sos].ends_with(&HUFFMAN_TABLES));
        let mut again = FrameBuf::new();
        again.extend(buf.jpeg());
        normalize(&mut again, false).unwrap();
        assert_eq!(again.jpeg(), buf.jpeg());
    }
}
