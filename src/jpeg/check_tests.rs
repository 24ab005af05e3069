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
    assert_eq!(info.edits, [Edit { range: 2..12, by: Vec::new() }]);
    assert_eq!((info.width, info.height), (64, 48));
    assert!(check(&jpeg(&[0xFF, APP1, 0, 4, 1, 2])).unwrap().edits.is_empty());
}

#[test]
fn colour_profile_goes_as_a_whole_or_not_at_all() {
    let part = |content: &[u8]| {
        let len = u8::try_from(content.len() + 14).unwrap();
        [&[0xFF, 0xE2, 0, len], &b"ICC_PROFILE\0"[..], content].concat()
    };
    let comment = [0xFF, 0xFE, 0, 4, 0xFF, EOI];
    let sound = [part(b"\x01\x02a"), part(b"\x02\x02b")].concat();
    assert!(check(&jpeg(&sound)).unwrap().edits.is_empty());
    let unsound = [&part(b"\x01\x02a")[..], &comment, &part(b"\x02\x02\xFF\xD8")].concat();
    let places: Vec<_> =
        check(&jpeg(&unsound)).unwrap().edits.into_iter().map(|edit| edit.range).collect();
    assert_eq!(places, [2..21, 21..27, 27..47]);
}

#[test]
fn picture_within_the_headers_is_a_fault_and_no_segment() {
    // As a segment of 4 bytes it would be passed over, and found as a start later.
    let second = [0xFF, APP1, 0, 4, 1, 2, 0xFF, SOI, 0, 4, 1, 2];
    assert_eq!(check(&jpeg(&second)).unwrap_err(), Error::NotJpeg);
}

#[test]
fn few_bytes_before_a_picture_are_passed_over() {
    for before in [&b""[..], b"\r\n", b"\0\0\x12\x34", &[0xFF, SOI], &[0xFF, 0xFF, SOI], &[7; 64]] {
        assert_eq!(n_before(&[before, PICTURE].concat()), before.len());
    }
    assert_eq!(n_before(&[&[7; 65], PICTURE].concat()), 0);
    assert_eq!((n_before(b""), n_before(b"GIF89a"), n_before(&PICTURE[..3])), (0, 0, 0));
}

#[test]
fn end_is_found_by_markers() {
    let whole = jpeg(&[]);
    for behind in [PICTURE, &[0, 0, 0xFF, EOI], &[0; 9], b"SEFHk\0\0SEFT", &whole] {
        let info = check(&[&whole, behind].concat()).unwrap();
        assert_eq!((info.len, info.has_end), (whole.len(), true), "{} behind", behind.len());
    }
    let comment = jpeg(&[0xFF, 0xFE, 0, 6, 0xFF, EOI, 0xFF, EOI]);
    assert_eq!(check(&comment).unwrap().len, comment.len());
}

#[test]
fn picture_without_its_end_breaks_off_somewhere() {
    let whole = jpeg(&[]);
    let cut = &whole[..whole.len() - 2];
    let broken_off = |jpeg: &[u8]| {
        let info = check(jpeg).unwrap();
        (info.len, info.has_end)
    };
    assert_eq!(broken_off(cut), (cut.len(), false));
    // The next picture does not belong to this one.
    assert_eq!(broken_off(&[cut, &whole].concat()), (cut.len(), false));
    assert_eq!(check(&cut[..cut.len() - 2]), Err(Error::Truncated), "no byte of a scan");
}

#[test]
fn kinds_that_no_browser_shows_are_named() {
    let coded = |sof: u8, bits: u8| {
        let mut jpeg = jpeg(&[]);
        (jpeg[3], jpeg[6]) = (sof, bits);
        check(&jpeg).map(|_| ())
    };
    for sof in [0xC0, 0xC1, 0xC2] {
        assert_eq!(coded(sof, 8), Ok(()));
        assert_eq!(coded(sof, 12), Err(Error::Deep));
    }
    assert_eq!(coded(0xC3, 8), Err(Error::Lossless));
    for sof in [0xC5, 0xC6, 0xC7] {
        assert_eq!(coded(sof, 8), Err(Error::Hierarchical));
    }
    for sof in [0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
        assert_eq!(coded(sof, 8), Err(Error::Arithmetic));
    }
}

#[test]
fn size_is_also_told_as_it_is_shown() {
    let tag = |n| [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, n, 0, 0, 0, 0, 0, 0];
    for n in 1..=8 {
        let exif = [&b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01"[..], &tag(n)].concat();
        let info = check(&jpeg(&exif)).unwrap();
        assert_eq!(info.orientation.map(Orientation::number), Some(n));
        assert_eq!((info.width, info.height), (64, 48));
        assert_eq!(info.shown_size(), if n < 5 { (64, 48) } else { (48, 64) });
        assert!(info.edits.is_empty(), "one without a thumbnail stays");
    }
}

#[test]
fn fill_bytes_before_a_marker_are_legal() {
    assert!(check(&jpeg(&[0xFF, 0xFF, 0xFF, 0xE0, 0, 2])).is_ok());
}

#[test]
fn what_is_no_jpeg_is_named() {
    assert_eq!(check(b""), Err(Error::Empty));
    assert_eq!(check(b"GIF89a"), Err(Error::NotJpeg));
    assert_eq!(check(&jpeg(&[0])), Err(Error::NotJpeg));
    assert_eq!(check(&[0xFF, SOI, 0xFF, EOI]), Err(Error::Truncated));
}

#[test]
fn every_cut_is_an_error_and_never_a_panic() {
    let whole = jpeg(&[]);
    for len in 0..whole.len() {
        assert!(!check(&whole[..len]).is_ok_and(|info| info.has_end), "cut at {len}");
        let mut closed = whole[..len].to_vec();
        closed.extend([0xFF, EOI]);
        let _ = check(&closed);
    }
}
