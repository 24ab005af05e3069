//! Pictures that break off, lie or are of another kind.

use super::{changed, encoded, output, shown_with_warnings, written};
use crate::{DcReader, Edit, Orientation, Simd, TranscodeError, Transcoder};

fn read(jpeg: &[u8]) -> Result<(u16, u16), TranscodeError> {
    let got = Transcoder::new(Simd::best()).read(jpeg, &Edit::default());
    let dc = DcReader::new().read(jpeg).map(|_| ());
    assert!(got.is_ok() || dc.is_err() || dc == Ok(()), "{dc:?}");
    got
}

/// Where a segment begins.
fn segment(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|w| w == [0xFF, marker]).unwrap()
}

/// The JPEG with another size in its header.
fn sized(jpeg: &[u8], width: u16, height: u16) -> Vec<u8> {
    let (mut jpeg, at) = (jpeg.to_vec(), segment(jpeg, 0xC0));
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

#[test]
fn a_picture_that_breaks_off_is_what_decoders_show_of_it() {
    for args in [&["-sample", "2x2"][..], &["-restart", "2B"], &["-grayscale"]] {
        let jpeg = encoded((150, 90), args);
        let scan = segment(&jpeg, 0xDA) + 14;
        for at in (scan..jpeg.len() - 2).step_by(97) {
            let cut = [&jpeg[..at], &[0xFF, 0xD9]].concat();
            let ours = written(&cut, &Edit::default());
            assert!(shown_with_warnings(&cut) == shown_with_warnings(&ours), "{args:?} at {at}");
        }
    }
}

#[test]
fn what_is_larger_than_its_bytes_is_refused_before_there_is_memory_for_it() {
    let jpeg = encoded((640, 480), &["-grayscale"]);
    let mut large = sized(&jpeg, 12_000, 12_000);
    large.resize(1_700_000, 0);
    for jpeg in [sized(&jpeg, 65_500, 65_500), sized(&jpeg, 8_000, 8_000), large] {
        let mut transcoder = Transcoder::new(Simd::best());
        let mut out = Vec::new();
        assert_eq!(transcoder.read(&jpeg, &Edit::default()), Err(TranscodeError::TooLarge));
        assert_eq!(DcReader::new().read(&jpeg).err(), Some(TranscodeError::TooLarge));
        transcoder.write(&mut out);
        assert_eq!((out.len(), transcoder.n_bytes_held()), (0, 0));
    }
}

#[test]
fn damage_is_told() {
    let jpeg = encoded((70, 50), &["-restart", "1"]);
    let (dht, dqt, scan) = (segment(&jpeg, 0xC4), segment(&jpeg, 0xDB), segment(&jpeg, 0xDA) + 14);
    let with = |at: usize, bytes: &[u8]| {
        let mut jpeg = jpeg.clone();
        jpeg[at..at + bytes.len()].copy_from_slice(bytes);
        jpeg
    };
    let second_restart = segment(&jpeg, 0xD1);
    for (jpeg, what) in [
        (with(dht + 5, &[3, 1, 2]), "a Huffman table has too many codes"),
        (with(dht + 5, &[200]), "a segment is too short"),
        (with(dht + 4, &[0x25]), "a Huffman table of an unknown kind"),
        (with(dqt + 4, &[9]), "a quantization table of a number above 3"),
        (with(dqt + 4, &[3]), "a quantization table is missing"),
        (with(dqt + 7, &[0]), "a quantization table with a zero"),
        (with(scan, &[0xFE; 40]), "a code that no table has"),
        (with(second_restart + 1, &[0xD5]), "a restart marker is missing"),
        (with(0, &[0xFE]), "no JPEG"),
        (jpeg[..dht + 30].to_vec(), "a segment breaks off"),
        (jpeg[..dht].to_vec(), "no marker where one must be"),
        (Vec::new(), "no JPEG"),
    ] {
        assert_eq!(read(&jpeg), Err(TranscodeError::Damaged(what)), "{what}");
    }
}

#[test]
fn other_kinds_are_named() {
    for (args, what) in [("-progressive", "progressive"), ("-arithmetic", "arithmetic coding")] {
        let jpeg = encoded((70, 50), &[args]);
        assert_eq!(read(&jpeg), Err(TranscodeError::Unsupported(what)));
    }
    let jpeg = encoded((70, 50), &[]);
    let sof = segment(&jpeg, 0xC0);
    for (at, value, what) in [(4, 12, "more than 8 bits a sample"), (9, 4, "CMYK")] {
        let mut jpeg = jpeg.clone();
        jpeg[sof + at] = value;
        assert_eq!(read(&jpeg), Err(TranscodeError::Unsupported(what)));
    }
    assert!(matches!(read(&sized(&jpeg, 70, 0)), Err(TranscodeError::Unsupported(_))));
    let rgb = encoded((70, 50), &["-rgb"]);
    let gray = Edit { is_gray: true, ..Edit::default() };
    let got = Transcoder::new(Simd::best()).read(&rgb, &gray);
    assert_eq!(got, Err(TranscodeError::Unsupported("no luma of its full size")));
}

#[test]
fn missing_huffman_tables_are_those_of_annex_k() {
    let jpeg = encoded((70, 50), &[]);
    let mut without = jpeg.clone();
    while let Some(at) = without.windows(2).position(|w| w == [0xFF, 0xC4]) {
        let length = usize::from(u16::from_be_bytes([without[at + 2], without[at + 3]]));
        without.drain(at..at + 2 + length);
    }
    assert!(without.len() + 400 < jpeg.len());
    assert_eq!(changed(&without, &Edit::default()), changed(&jpeg, &Edit::default()));
}

#[test]
fn nothing_is_left_of_the_picture_before() {
    let mut transcoder = Transcoder::new(Simd::best());
    let edit = Edit { orientation: Orientation::ROTATE_90, ..Edit::default() };
    let rgb = output("cjpeg", &["-rgb"], &super::drawn(40, 30));
    let cut = encoded((400, 300), &[]);
    for jpeg in [
        encoded((150, 90), &["-optimize"]),
        encoded((70, 50), &["-grayscale"]),
        [&cut[..cut.len() / 2], &[0xFF, 0xD9]].concat(),
        cut[..cut.len() / 200].to_vec(),
        encoded((160, 160), &["-restart", "1", "-sample", "2x1"]),
        rgb,
        encoded((30, 30), &["-sample", "1x1"]),
    ] {
        let mut out = Vec::new();
        if transcoder.read(&jpeg, &edit).is_ok() {
            transcoder.write(&mut out);
            assert!(out == written(&jpeg, &edit));
        } else {
            transcoder.write(&mut out);
            assert!(out.is_empty());
        }
    }
}
