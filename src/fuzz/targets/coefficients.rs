//! Pictures that are changed by their coefficients.

use mjpegd_jpeg_codec::{DcReader, Edit, Orientation, Scale, Stamp, TranscodeError, Transcoder};

use super::{Rng, Target, hash};
use crate::jpeg::{self, Simd};

#[test]
fn jpegs_changed() {
    let words = &["JFIF\0", "Adobe\0", "\0\x11", "\0\x01", "\x11\x01", "\x22\0"];
    Target { name: "coefficients", words, run: changed }.fuzz();
}

/// Every kind of change gives a picture that others read, and that stays as it is.
fn changed(input: &[u8], rng: &mut Rng) -> u64 {
    let identity = Edit::default();
    let orientation = Orientation::from_exif(pick(rng, 1, 8)).unwrap();
    let quality = Some(pick(rng, 1, 100));
    let scale = [Scale::Half, Scale::Quarter, Scale::Eighth][rng.below(3)];
    let is_gray = rng.below(2) == 0;
    let mut transcoder = Transcoder::new(Simd::best());
    let results = [
        identity,
        Edit { orientation, is_gray, ..identity },
        Edit { orientation, quality, ..identity },
        Edit { orientation, scale, is_gray, ..identity },
        Edit { orientation, scale, quality, ..identity },
    ]
    .map(|edit| check(&mut transcoder, input, &edit, rng));
    let dc = DcReader::new().read(input).map(|dc| {
        assert_eq!(dc.values.len(), dc.width * dc.height);
        dc.width
    });
    assert!(dc.is_ok() || results[0].is_err(), "{dc:?}: only its DC cannot be read");
    hash(results.map(|result| result.map_err(|e| e.to_string())))
}

/// Reads, stamps and writes, and looks at what is written.
fn check(
    transcoder: &mut Transcoder,
    input: &[u8],
    edit: &Edit,
    rng: &mut Rng,
) -> Result<(u16, u16), TranscodeError> {
    let read = transcoder.read(input, edit);
    let mut out = Vec::new();
    if edit.orientation != Orientation::IDENTITY {
        let (luma, alpha) = ([u8::MAX; 200], [pick(rng, 0, 255); 200]);
        let (x, y) = (rng.below(60), rng.below(40));
        transcoder.stamp(&Stamp { x, y, width: 20, height: 10, luma: &luma, alpha: &alpha });
    }
    transcoder.write(&mut out);
    let Ok((width, height)) = read else {
        assert!(out.is_empty());
        return read;
    };
    // What the source says of itself may be anything.
    if let Ok(info) = jpeg::check(&out) {
        assert_eq!((info.width, info.height), (width, height));
        assert!(info.has_end && info.len == out.len());
    }
    let mut again = Vec::new();
    let mut other = Transcoder::new(Simd::baseline());
    assert_eq!(other.read(&out, &Edit::default()), Ok((width, height)));
    other.write(&mut again);
    // The encoder fills up the last MCUs with more than what is necessary.
    assert!(edit.scale != Scale::Full || again == out, "what was written is written otherwise");
    decode(&out);
    read
}

/// Another decoder finds nothing wrong with it, but for what the source says of itself.
fn decode(jpeg: &[u8]) {
    use jpeg_decoder::{Decoder, Error};
    let mut at = 2;
    while let [_, 0xE0..=0xEF | 0xFE, high, low, ..] = jpeg[at..] {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    match Decoder::new(&[&jpeg::START, &jpeg[at..]].concat()[..]).decode() {
        Ok(_) | Err(Error::Unsupported(_)) => {}
        Err(e) => panic!("{e}"),
    }
}

fn pick(rng: &mut Rng, from: usize, to: usize) -> u8 {
    u8::try_from(from + rng.below(to - from + 1)).unwrap()
}
