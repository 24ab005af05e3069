//! Whole streams through the parser, in all ways to cut them.

mod dialects;
mod ends;
mod lengths;

use super::*;
use crate::frame::STREAM_TYPE;

impl Parser {
    /// The memory that it holds beside the body, in bytes.
    pub(crate) fn n_bytes_held(&self) -> usize {
        self.skipped.capacity() + self.line.capacity() + self.to_reparse.capacity()
    }
}

/// No pictures, but bytes that a parser could take for something else.
const A: &[u8] = b"\xFF\xD8\xFF\r\n--fram\xFF\xD9\r\n--frame2\r\nframe\0--frame--\r\r\n\n\xFF\xD9";
const B: &[u8] = b"\xFF\xD8\xFFContent-Length: 3\r\n\r\n\r\n-\xFF\xD9";
/// A valid JPEG without a picture, with a thumbnail.
const C: &[u8] =
    b"\xFF\xD8\xFF\xE1\0\x08Ex\xFF\xD8\xFF\xD9\xFF\xDA\0\x03\x01ab\xFF\0c\xFF\xD0d\xFF\xD9";
const TYPE: &str = STREAM_TYPE;
const MAX: usize = 1000;

/// All parts with their bodies, and how the stream ended.
type Seen = (Vec<(Part, Vec<u8>)>, Result<(), Error>);

fn parse<'a>(mut parser: Parser, pieces: impl Iterator<Item = &'a [u8]>) -> Seen {
    let (mut seen, mut body) = (Vec::new(), Vec::new());
    for mut piece in pieces {
        loop {
            match parser.feed(&mut piece, &mut body) {
                Ok(Next::Part(part)) => seen.push((part, std::mem::take(&mut body))),
                Ok(Next::More) => break,
                Err(e) => return (seen, Err(e)),
            }
        }
        assert!(piece.is_empty());
    }
    loop {
        match parser.finish(&mut body) {
            Ok(Some(part)) => seen.push((part, std::mem::take(&mut body))),
            Ok(None) => return (seen, Ok(())),
            Err(e) => return (seen, Err(e)),
        }
    }
}

fn parser(content_type: &str) -> Parser {
    if content_type.is_empty() { Parser::learning(MAX) } else { Parser::new(content_type, MAX) }
}

/// Parses a stream whole, in single bytes, and cut at every byte, which must all
/// give the same result.
fn parse_all_ways(content_type: &str, stream: &[u8]) -> Seen {
    let whole = parse(parser(content_type), [stream].into_iter());
    let shown = stream.escape_ascii();
    assert_eq!(parse(parser(content_type), stream.chunks(1)), whole, "single bytes of {shown}");
    for cut in 0..=stream.len() {
        let (a, b) = stream.split_at(cut);
        let cut_once = parse(parser(content_type), [a, b].into_iter());
        assert_eq!(cut_once, whole, "cut at {cut} of {shown}");
    }
    whole
}

fn bodies(content_type: &str, stream: &[u8]) -> Vec<Vec<u8>> {
    let (seen, end) = parse_all_ways(content_type, stream);
    assert_eq!(end, Ok(()), "{}", stream.escape_ascii());
    seen.into_iter().map(|(_, body)| body).collect()
}

/// Both pictures in parts of one form, where `$LEN` stands for the length.
fn stream_of(part: &str, end: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    for jpeg in [A, B] {
        let (head, tail) = part.split_once("JPEG").unwrap();
        stream.extend(head.replace("$LEN", &jpeg.len().to_string()).bytes());
        stream.extend_from_slice(jpeg);
        stream.extend(tail.bytes());
    }
    stream.extend(end.bytes());
    stream
}

#[test]
fn random_cuts_change_nothing() {
    let stream =
        stream_of("junk--frame\r\nContent-Length: 70\r\n\r\nJPEG\r\n--frame\r\n\r\n\n\r\n", "");
    let whole = parse(parser(TYPE), [stream.as_slice()].into_iter());
    let mut state = 1_u64;
    for round in 0..2000 {
        let pieces = stream.chunk_by(|_, _| {
            // Numerical Recipes' generator: the same cuts in every run.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 60) > 2
        });
        assert_eq!(parse(parser(TYPE), pieces), whole, "round {round}");
    }
}
