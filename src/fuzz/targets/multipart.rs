//! Streams of parts.

use std::mem;

use super::{MAX, Rng, Target, cut, hash, shape};
use crate::frame::{DELIMITER, FrameBuf, Meta, SHORT_HEADERS, STREAM_TYPE, Timestamp};
use crate::jpeg::{END, START, Walk, Walked};
use crate::multipart::{Error, Next, Parser, Part};

/// The result of a parser: parts with their bodies, and how it ended.
type Parts = (Vec<(Part, Vec<u8>)>, Result<(), Error>);

fn parse(content_type: &str, pieces: &[&[u8]]) -> Parts {
    let mut parser = Parser::new(content_type, MAX);
    let (mut parts, mut body) = (Vec::new(), Vec::new());
    for mut piece in pieces.iter().copied() {
        let len = piece.len();
        loop {
            match parser.feed(&mut piece, &mut body) {
                Ok(Next::Part(part)) => parts.push((part, mem::take(&mut body))),
                Ok(Next::More) => break,
                Err(e) => return (parts, Err(e)),
            }
        }
        assert!(piece.is_empty(), "More was returned with bytes left");
        let held = body.len() + parser.n_bytes_held();
        assert!(held < (200 << 10) + 4 * (MAX + len), "{held} bytes held");
    }
    loop {
        match parser.finish(&mut body) {
            Ok(Some(part)) => parts.push((part, mem::take(&mut body))),
            Ok(None) => return (parts, Ok(())),
            Err(e) => return (parts, Err(e)),
        }
    }
}

#[test]
fn multipart_in_any_pieces() {
    let words = &[
        "\r\n--frame\r\n",
        "--frame--",
        "\r\n",
        "\n",
        "Content-Length: ",
        "Content-Type: image/jpeg\r\n",
        "X-Timestamp: 1.5\r\n",
        "boundary=",
        "--",
        "frame",
        "99999999999999999999",
        "0",
        "7",
        "30",
    ];
    Target { name: "multipart", words, run: multipart }.fuzz();
}

/// The first line is the Content-Type.
fn multipart(input: &[u8], rng: &mut Rng) -> u64 {
    let at = input.iter().position(|b| *b == b'\n').unwrap_or(input.len());
    let content_type = String::from_utf8_lossy(&input[..at]);
    let stream = input.get(at + 1..).unwrap_or_default();
    let whole = parse(&content_type, &[stream]);
    assert!(whole.0.iter().all(|(_, body)| body.len() <= MAX), "a body over the limit");
    let n_bytes: usize = whole.0.iter().map(|(_, body)| body.len()).sum();
    assert!(n_bytes <= stream.len(), "more came out than went in");
    for _ in 0..3 {
        let pieces = cut(stream, rng);
        let parts = parse(&content_type, &pieces);
        assert_eq!((&parts.0, kind(&parts)), (&whole.0, kind(&whole)), "{pieces:?}");
    }
    let lengths: Vec<_> = whole.0.iter().map(|(_, body)| body.len().min(3)).take(8).collect();
    hash((lengths, whole.1.map_err(|e| shape(&e.to_string())).err()))
}

/// How many bytes were seen before an error depends on the pieces.
fn kind(parts: &Parts) -> Option<mem::Discriminant<Error>> {
    parts.1.as_ref().err().map(mem::discriminant)
}

#[test]
fn own_layouts_are_read_back() {
    Target { name: "jpeg", words: &["\r\n--frame\r\n", "--frame"], run: round_trip }.fuzz();
}

/// The parser reads back the frames that the daemon writes, in both layouts.
fn round_trip(input: &[u8], rng: &mut Rng) -> u64 {
    let jpeg = [&START[..], &[0xFF], &input[..input.len().min(MAX - 5)], &END].concat();
    let mut buf = FrameBuf::new();
    buf.extend(&jpeg);
    let at = Timestamp::now();
    let frame = buf.finish(Meta { seq: 1, at, width: 1, height: 1, is_status: false });
    let read = |stream: &[u8], rng: &mut Rng| -> Vec<Vec<u8>> {
        let parts = parse(STREAM_TYPE, &cut(stream, rng));
        assert_eq!(parts.1, Ok(()));
        parts.0.into_iter().map(|(_, body)| body).collect()
    };
    let twice = [jpeg.clone(), jpeg.clone()];
    let ends_early = matches!(Walk::default().advance(&jpeg), Walked::End(end) if end < jpeg.len());
    if !ends_early {
        assert_eq!(read(&[DELIMITER, frame.full(), frame.full()].concat(), rng), twice);
    }
    if !frame.holds_delimiter() && memchr::memmem::find(&jpeg, b"--frame").is_none() && !ends_early
    {
        let advance = [DELIMITER, SHORT_HEADERS, frame.advance(), frame.advance()].concat();
        assert_eq!(read(&advance, rng), twice);
    }
    hash((ends_early, frame.holds_delimiter(), input.len().min(20)))
}
