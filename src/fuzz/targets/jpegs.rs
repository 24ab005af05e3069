//! Pictures: markers, segments, streams of them, raw pixels.

use super::{MAX, Rng, Target, cut, hash, shape};
use crate::capture::normalize::normalize;
use crate::frame::FrameBuf;
use crate::jpeg::{self, Encoder, Found, PixelFormat, Range, Raw, Simd, Splitter};

#[test]
fn jpeg_markers() {
    Target { name: "jpeg", words: &[], run: markers }.fuzz();
}

fn markers(input: &[u8], _: &mut Rng) -> u64 {
    let info = match jpeg::check(input) {
        Ok(info) => info,
        Err(fault) => return hash(fault.key()),
    };
    assert!(info.len <= input.len());
    assert!(!info.has_end || input[..info.len].ends_with(&jpeg::END));
    assert!(info.width > 0 && info.height > 0);
    let ends = info.edits.iter().flat_map(|e| [e.range.start, e.range.end]).collect::<Vec<_>>();
    assert!(ends.is_sorted() && ends.iter().all(|end| *end <= info.len), "{ends:?}");
    assert!(info.edits.iter().all(|edit| edit.by.len() <= edit.range.len()), "more than before");
    assert!(info.lacks_tables_at.is_none_or(|at| at >= ends.last().copied().unwrap_or(2)));
    assert_eq!(jpeg::check(&input[..info.len]).as_ref(), Ok(&info), "without what is behind it");
    if info.has_end {
        assert_eq!(jpeg::check_whole(&input[..info.len]).as_ref(), Ok(&info), "walked before");
    }
    hash((info.edits.len(), info.lacks_tables_at.is_some(), info.len < input.len(), info.has_end))
}

#[test]
fn jpeg_normalized() {
    Target { name: "jpeg", words: &[], run: normalized }.fuzz();
}

/// A second normalization changes nothing.
fn normalized(input: &[u8], _: &mut Rng) -> u64 {
    let mut buf = FrameBuf::new();
    buf.extend(input);
    let first = match normalize(&mut buf, true) {
        Ok(info) => info,
        Err(fault) => {
            return hash(fault.key());
        }
    };
    let once = buf.jpeg().to_vec();
    let second = normalize(&mut buf, false).unwrap();
    assert_eq!(buf.jpeg(), once, "normalized twice");
    assert_eq!((second.width, second.height), (first.width, first.height));
    let is_lost = first.edits.iter().any(|edit| edit.by.is_empty());
    assert!(turned(&second) == turned(&first) || is_lost, "{first:?} {second:?}");
    assert!(second.edits.is_empty() && second.lacks_tables_at.is_none() && second.has_end);
    hash((first.edits.len(), first.lacks_tables_at.is_some(), first.len < input.len()))
}

fn turned(info: &jpeg::Info) -> Option<u8> {
    info.orientation.map(jpeg::ExifOrientation::number).filter(|n| *n > 1)
}

#[test]
fn exif_of_cameras() {
    let words = &["Exif\0\0", "MM\0*\0\0\0\x08", "II*\0\x08\0\0\0", "\0\x01", "\x01\x12\0\x03"];
    Target { name: "exif", words, run: exif }.fuzz();
}

/// An APP1 segment is kept, replaced or removed, and never grows.
fn exif(input: &[u8], _: &mut Rng) -> u64 {
    let content = &input[..input.len().min(60_000)];
    let length = u16::try_from(content.len() + 2).unwrap();
    let sof = [0xFF, 0xC0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0, 0xFF, 0xC4, 0, 2];
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0x34, 0xFF, 0xD9];
    let app1 = [&[0xFF, 0xD8, 0xFF, 0xE1][..], &length.to_be_bytes(), content].concat();
    let jpeg = [&app1[..], &sof, &scan].concat();
    let mut buf = FrameBuf::new();
    buf.extend(&jpeg);
    let info = normalize(&mut buf, false).unwrap();
    let bounds = |marker: u8| memchr::memmem::find_iter(buf.jpeg(), &[0xFF, marker]).count();
    assert_eq!((bounds(0xD8), bounds(0xD9)), (1, 1));
    let again = jpeg::check(buf.jpeg()).unwrap();
    // A shorter one has no room for more than its tag, and none for a thumbnail.
    assert!(turned(&again) == turned(&info) || content.len() < 32);
    assert!(buf.jpeg().len() <= jpeg.len());
    assert!(buf.jpeg() == jpeg || !info.edits.is_empty());
    hash((turned(&info), info.edits.len()))
}

/// The results of a splitter: pictures, with those that break off, and errors.
fn split(pieces: &[&[u8]]) -> Vec<Result<(Vec<u8>, bool), jpeg::Error>> {
    let (mut splitter, mut found) = (Splitter::new(MAX), Vec::new());
    let longest = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    for piece in pieces {
        splitter.push(piece);
        loop {
            match splitter.next_jpeg() {
                Ok(Some(Found { jpeg, is_whole })) => found.push(Ok((jpeg.to_vec(), is_whole))),
                Ok(None) => break,
                Err(fault) => found.push(Err(fault)),
            }
        }
        // Bytes that are not needed any more are removed once they are more than the others.
        assert!(splitter.n_bytes_held() <= 2 * (MAX + 2 * longest + 2));
    }
    found
}

#[test]
fn jpegs_split_in_any_pieces() {
    Target { name: "jpeg", words: &[], run: splitting }.fuzz();
}

fn splitting(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = split(&[input]);
    for (jpeg, is_whole) in whole.iter().flatten() {
        assert!(jpeg.starts_with(&jpeg::START) && jpeg.len() <= MAX);
        if *is_whole {
            assert!(jpeg.ends_with(&jpeg::END));
            assert_eq!(split(&[jpeg]), [Ok((jpeg.clone(), true))], "alone");
        }
    }
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(split(&pieces), whole, "{pieces:?}");
    }
    let faults = whole.iter().filter_map(|f| f.as_ref().err().map(|f| f.key()));
    hash((whole.iter().flatten().count(), faults.take(4).collect::<Vec<_>>()))
}

#[test]
fn raw_pictures() {
    Target { name: "raw", words: &[], run: raw_picture }.fuzz();
}

/// Six bytes say what the others are a picture of: format, width, height,
/// padding, quality, and the rest bit by bit. Pixels are repeated.
fn raw_picture(input: &[u8], _: &mut Rng) -> u64 {
    let [format, width, height, pad, quality, how, pixels @ ..] = input else { return 0 };
    let format = PixelFormat::ALL[usize::from(*format) % PixelFormat::ALL.len()];
    let size = (usize::from(*width), usize::from(*height) % 80);
    let stride = (format.line_len(size.0) + usize::from(*pad)).saturating_sub(2);
    let n_bytes = if how & 1 == 0 { size.1 * (stride + 1) * 3 } else { pixels.len() };
    let data: Vec<u8> = pixels.iter().copied().cycle().take(n_bytes).collect();
    let range = if how & 2 == 0 { Range::Full } else { Range::Limited };
    let raw = match Raw::new(format, size, stride, range, &data) {
        Ok(raw) => raw,
        Err(fault) => return hash(shape(&fault.to_string())),
    };
    let n_threads = if how & 4 == 0 { 1 } else { 2 };
    let [best, baseline] = [Simd::best(), Simd::baseline()].map(|simd| {
        let (mut encoder, mut out) =
            (Encoder::new(*quality % 100 + 1, n_threads, simd), Vec::new());
        encoder.encode(&raw, &mut out).unwrap();
        out
    });
    assert!(best == baseline, "the instructions change the bytes");
    let info = jpeg::check(&best).unwrap();
    assert_eq!((usize::from(info.width), usize::from(info.height)), size);
    assert_eq!(info.len, best.len());
    let mut decoder = jpeg_decoder::Decoder::new(&best[..]);
    let decoded = decoder.decode().unwrap();
    let n_colours = if format == PixelFormat::Grey { 1 } else { 3 };
    assert_eq!(decoded.len(), size.0 * size.1 * n_colours);
    hash((format.name(), size.0 % 32 / 4, size.1 % 16 / 4))
}
