use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::frame::{DELIMITER, Frame, FrameBuf, Meta, SHORT_HEADERS, STREAM_TYPE, Timestamp};

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

fn frame(jpeg: &[u8]) -> Frame {
    let mut buf = FrameBuf::new();
    buf.extend(jpeg);
    let wall = SystemTime::UNIX_EPOCH + Duration::new(1_795_197_222, 490_963_000);
    let at = Timestamp { wall, monotonic: Instant::now() };
    buf.finish(Meta { seq: 1, at, width: 1, height: 1, is_status: false })
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
fn own_layouts_are_read_back() {
    let (a, b) = (frame(A), frame(B));
    let full = [DELIMITER, a.full(), b.full()].concat();
    let advance = [DELIMITER, SHORT_HEADERS, a.advance(), b.advance()].concat();
    let (seen, end) = parse_all_ways(TYPE, &full);
    assert_eq!(end, Ok(()));
    let part = Part {
        content_type: Some("image/jpeg".into()),
        content_length: Some(A.len() as u64),
        timestamp: Some(a.meta.at.wall),
        n_dropped: None,
    };
    assert_eq!(seen[0], (part, A.to_vec()));
    assert_eq!(seen[1].1, B);
    for content_type in [TYPE, ""] {
        assert_eq!(bodies(content_type, &full), [A, B]);
        assert_eq!(bodies(content_type, &advance), [A, B]);
    }
}

#[test]
fn dashes_are_as_in_the_first_delimiter() {
    let lines = b"\xFF\xD8\xFF\r\nframe\r\n-frame\r\n\xFF\xD9";
    let stream = [DELIMITER, SHORT_HEADERS, frame(lines).advance(), B].concat();
    for content_type in [TYPE, ""] {
        assert_eq!(bodies(content_type, &stream), [lines, B]);
    }
}

#[test]
fn every_dialect_is_read() {
    for (content_type, part, end) in [
        ("boundary=frame", "--frame\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n", ""),
        ("boundary=frame", "--frame\r\nContent-Length: $LEN\r\n\r\nJPEG\r\n", "--frame--\r\n"),
        ("boundary=frame", "--frame\r\ncontent-length:$LEN\r\nA: b\r\n\r\nJPEG", "--frame--"),
        ("boundary=\"frame\"", "--frame\nContent-Type: image/jpeg\n\nJPEG\n", "--frame--\nbye"),
        ("boundary=--frame", "--frame\r\nContent-Length: $LEN\r\n\r\nJPEG\r\n", ""),
        ("boundary=--frame", "----frame\r\n\r\nJPEG\r\n", "----frame\r\n"),
        ("boundary=frame", "frame\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n", ""),
        ("x=y; boundary=frame", "--frame \r\n\tfolded\r\nno header\r\n\r\nJPEG\r\n", "--frame"),
        ("boundary=frame", "--frame\r\n\r\nJPEG", "--frame--\r\nignored\r\n"),
        ("boundary=frame", "--frame\r\n\r\nJPEG\r\n--frame--\r\n", ""),
        ("boundary=frame", "Content-Length: $LEN\r\n\r\nJPEG\r\n--frame--\r\n", ""),
        ("boundary=frame", "--frame\r\nContent-Length: $LEN\r\n\r\nJPEG\r\n--frame--\r\n", "\r\n"),
        ("boundary=frame", "--frame\r\nJPEG\r\n", ""),
        ("boundary=frame", "--frame\r\nContent-Type: image/jpeg\r\n\r\n\r\nJPEG\r\n", ""),
        ("boundary=frame", "--frame\r\nContent-Length: $LEN\r\n\r\n\r\nJPEG\r\n", "--frame\r\n"),
        ("boundary=frame", "--frame\r\nContent-Length: 0\r\n\r\nJPEG\r\n", "--frame--"),
        ("boundary=frame", "--frame\r\nContent-Length: many\r\n\r\nJPEG\r\n", "--frame--"),
        ("charset=x", "--any\r\nContent-Length: $LEN\r\n\r\nJPEG\r\n", "--any--"),
        ("", "--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: $LEN\r\n\r\nJPEG\r\n", ""),
        ("", "\r\n--frame\r\n\r\nJPEG", "\r\n--frame"),
    ] {
        let stream = stream_of(part, end);
        let full = format!("multipart/x-mixed-replace; {content_type}");
        let content_type = if content_type.is_empty() { "" } else { &full };
        assert_eq!(bodies(content_type, &stream), [A, B], "{content_type} {part}");
        for preamble in ["This is multipart.\r\n", "\r\n\r\n", "frame--frame\r\n"] {
            let stream = [preamble.as_bytes(), &stream].concat();
            assert_eq!(bodies(content_type, &stream), [A, B], "{content_type} {preamble} {part}");
        }
    }
}

/// The delimiter in the head of the answer, and the one on the wire.
#[test]
fn first_delimiter_line_rules_where_the_head_differs() {
    for (head, wire) in [
        ("myboundary", "--ipcamera"),
        ("MyBoundary", "--myboundary"),
        ("video", "--video--"),
        ("video--", "--video"),
        ("--video", "--video--"),
        ("\"a b\"", "--\"a b\""),
        ("'frame'", "--frame"),
        ("frame", "----frame"),
        ("", "--frame"),
        ("frame", "--frame; charset=x"),
        ("x", "--4096:something/long='quoted'"),
    ] {
        let content_type = format!("multipart/x-mixed-replace; boundary={head}");
        for part in [
            "\r\nContent-Type: image/jpeg\r\nContent-Length: $LEN\r\n\r\nJPEG\r\n",
            "\r\ncontent-type : image/jpeg\r\n\r\nJPEG\r\n",
            "\r\nDate: now\r\nX-Size: $LEN\r\n\r\nJPEG\r\n",
            "\n\nJPEG\n",
            "\r\nJPEG\r\n",
        ] {
            for opening in ["", "\r\n", "no picture\r\n", "-- no delimiter\r\nno header\r\n"] {
                let stream = stream_of(&format!("{wire}{part}"), "");
                let stream = [opening.as_bytes(), &stream].concat();
                let shown = format!("{head} {wire}{part}");
                assert_eq!(bodies(&content_type, &stream), [A, B], "{shown}");
            }
        }
    }
}

#[test]
fn stream_without_its_first_delimiter_is_read() {
    let length = format!("Content-Length: {}\r\n", C.len());
    for content_type in [TYPE, "multipart/mixed", "multipart/mixed; boundary=other"] {
        for header in ["Content-Type: image/jpeg\r\n", &length] {
            for behind in ["\r\n--frame\r\n", "--frame\r\n", "\r\nbare\r\n", "\r\n", ""] {
                let part = [header.as_bytes(), b"\r\n", C, behind.as_bytes()].concat();
                let stream = part.repeat(3);
                assert_eq!(bodies(content_type, &stream), [C; 3], "{content_type} {part:?}");
            }
        }
    }
}

#[test]
fn wrong_lengths_are_repaired_by_the_markers_and_counted() {
    for (wrong, n_counted) in [(0, 0), (2, 0), (3, 4), (20, 4), (400, 4), (-1, 4), (-20, 4)] {
        let mut stream = Vec::new();
        for _ in 0..4 {
            let length = C.len().checked_add_signed(wrong).unwrap();
            stream.extend(format!("--frame\r\nContent-Length: {length}\r\n\r\n").bytes());
            stream.extend_from_slice(C);
            stream.extend(b"\r\n");
        }
        stream.extend(b"--frame\r\n");
        assert_eq!(bodies(TYPE, &stream), [C; 4], "off by {wrong}");
        let (mut parser, mut body, mut rest) = (parser(TYPE), Vec::new(), stream.as_slice());
        while let Next::Part(_) = parser.feed(&mut rest, &mut body).unwrap() {
            body.clear();
        }
        assert_eq!(parser.take_n_wrong_lengths(), n_counted, "off by {wrong}");
        assert_eq!(parser.take_n_wrong_lengths(), 0);
    }
}

/// Phones and some cameras put more behind the picture, and count it in.
#[test]
fn what_stands_behind_a_picture_in_its_part_is_left_out() {
    for behind in [C, b"\0\0\0\0", b"\r\n\r\n", b"SEFH\x6B\0\0\0SEFT"] {
        let mut stream = Vec::new();
        for _ in 0..3 {
            let length = C.len() + behind.len();
            stream.extend(format!("--frame\r\nContent-Length: {length}\r\n\r\n").bytes());
            stream.extend([C, behind, b"\r\n"].concat());
        }
        assert_eq!(bodies(TYPE, &stream), [C; 3], "{}", behind.escape_ascii());
    }
}

#[test]
fn dashes_behind_all_delimiters_but_the_first_end_nothing() {
    let part = b"Content-Type: image/jpeg\r\n\r\n";
    let stream =
        [b"--frame\r\n", &*[&part[..], C, b"\r\n--frame--\r\n"].concat().repeat(3)].concat();
    assert_eq!(bodies(TYPE, &stream), [C; 3]);
}

#[test]
fn empty_parts_are_given_as_such() {
    for empty in ["--frame\r\n\r\n\r\n", "--frame\r\nContent-Length: 0\r\n\r\n\r\n"] {
        let stream = format!("{empty}{empty}--frame\r\n--frame--");
        assert_eq!(bodies(TYPE, stream.as_bytes()), [b"", b""], "{empty}");
    }
}

#[test]
fn wrong_lengths_are_recovered_from() {
    for wrong in [-7_isize, -1, 1, 7, 20, 60, 100] {
        let mut stream = Vec::new();
        for jpeg in [B, B, A, B] {
            let length = jpeg.len().checked_add_signed(wrong).unwrap();
            stream.extend(format!("--frame\r\nContent-Length: {length}\r\n\r\n").bytes());
            stream.extend_from_slice(jpeg);
            stream.extend(b"\r\n");
        }
        for end in ["", "--frame", "--frame--\r\n"] {
            let stream = [&stream, end.as_bytes()].concat();
            assert_eq!(bodies(TYPE, &stream), [B, B, A, B], "off by {wrong}, {end}");
        }
    }
    // A wrong length at which a JPEG seems to end costs this picture, and not
    // the next one.
    let stream = [b"--frame\r\nContent-Length: 13\r\n\r\n", A, b"\r\n--frame\r\n\r\n", B].concat();
    assert_eq!(bodies(TYPE, &stream), [&A[..13], B]);
}

#[test]
fn padded_picture_is_whole_with_its_last_byte() {
    let head = format!("--frame\r\nContent-Length: {}\r\n\r\n", A.len() + 5);
    let stream = [head.as_bytes(), A, b"\0\0\0\r\n"].concat();
    let (mut parser, mut body) = (parser(TYPE), Vec::new());
    let next = parser.feed(&mut stream.as_slice(), &mut body).unwrap();
    assert!(matches!(next, Next::Part(_)), "{next:?}");
    assert_eq!(body, A);
}

#[test]
fn part_is_given_with_its_last_byte() {
    let long = stream_of("--frame\r\nContent-Length: $LEN\r\n\r\nJPEG", "");
    let short = [b"--frame\r\n\r\n", A, b"\r\n--frame\r\n"].concat();
    for stream in [&long[..long.len()], &short] {
        let (mut parser, mut body, mut n_parts) = (parser(TYPE), Vec::new(), 0);
        for at in 0..stream.len() {
            assert!(body.len() < stream.len());
            let mut byte = &stream[at..=at];
            if let Next::Part(_) = parser.feed(&mut byte, &mut body).unwrap() {
                n_parts += 1;
                let at_last = stream[..=at].ends_with(A) || stream[..=at].ends_with(B);
                assert!(at_last || at + 1 == stream.len());
                body.clear();
            }
        }
        assert!(n_parts > 0);
    }
}

/// The tutorial's server sends the delimiter with the next picture.
#[test]
fn sound_picture_is_whole_with_its_last_byte() {
    for (head, behind) in [("\r\n", "\r\n"), ("\r\n", ""), ("Content-Length: 999\r\n\r\n", "")] {
        let stream = [b"--frame\r\n", head.as_bytes(), C, behind.as_bytes()].concat();
        let (mut parser, mut body, mut given_at) = (parser(TYPE), Vec::new(), Vec::new());
        for (at, byte) in stream.iter().enumerate() {
            if let Next::Part(_) = parser.feed(&mut &[*byte][..], &mut body).unwrap() {
                assert_eq!(body, C);
                given_at.push(at + 1);
                body.clear();
            }
        }
        assert_eq!(given_at, [stream.len() - behind.len()], "{head:?} {behind:?}");
        assert_eq!(bodies(TYPE, &stream), [C]);
        for rest in ["padding", "\r\n", "\0\0\r\n", "\r\n--frame2\r\n"] {
            let stream =
                [&stream, rest.as_bytes(), b"--frame\r\n\r\n", A, b"\r\n--frame--"].concat();
            let is = if rest == "padding" { vec![C] } else { vec![C, A] };
            assert_eq!(bodies(TYPE, &stream), is, "{rest:?}");
        }
    }
}

#[test]
fn end_inside_a_picture_is_an_error() {
    let truncated = (Vec::new(), Err(Error::Truncated));
    for head in ["--frame\r\n\r\n", "--frame\r\nContent-Length: 999\r\n\r\n"] {
        let stream = [head.as_bytes(), b"\xFF\xD8\xFF and no end"].concat();
        assert_eq!(parse_all_ways(TYPE, &stream), truncated);
        let stream = [head.as_bytes(), B, b"\r\n--fra"].concat();
        assert_eq!(bodies(TYPE, &stream), [B]);
    }
    assert_eq!(bodies(TYPE, b"--frame\r\nContent-Type: im"), [b""; 0]);
}

#[test]
fn what_is_no_stream_is_an_error() {
    let page = b"<html>--frame</html>";
    let boundary = Some("frame".to_owned());
    let none = Error::NoDelimiter { boundary, n_bytes: page.len() };
    assert_eq!(parse_all_ways(TYPE, page), (Vec::new(), Err(none)));
    let none = Error::NoDelimiter { boundary: None, n_bytes: page.len() };
    assert_eq!(parse_all_ways("", page), (Vec::new(), Err(none)));
}

/// Feeds a piece again and again until there is an error, and returns how many
/// bytes were kept.
fn flood(content_type: &str, opening: &[u8], piece: &[u8]) -> (Error, usize) {
    let (mut parser, mut body, mut most) = (parser(content_type), Vec::new(), 0);
    let pieces = [opening].into_iter().chain(std::iter::repeat_n(piece, 100_000));
    for mut piece in pieces {
        loop {
            match parser.feed(&mut piece, &mut body) {
                Ok(Next::Part(_)) => body.clear(),
                Ok(Next::More) => break,
                Err(e) => return (e, most),
            }
        }
        most = most.max(body.len() + parser.n_bytes_held());
    }
    panic!("no error")
}

#[test]
fn endless_things_are_given_up_with_little_kept() {
    let junk = [b'-'; 100];
    for (content_type, opening, piece, most) in [
        (TYPE, "", &junk[..], 4 << 10),
        ("", "", &junk, 128 << 10),
        ("", "", b"\n-\n", 4 << 10),
        (TYPE, "--frame\r\n", &junk, 32 << 10),
        (TYPE, "--frame\r\n", b"A: b\r\n", 4 << 10),
        (TYPE, "--frame\r\n\r\n", &junk, MAX + 1000),
        (TYPE, "--frame\r\nContent-Length: 4\r\n\r\n\u{0}\u{0}\u{0}\u{0}", &junk, MAX + 1000),
    ] {
        let (error, kept) = flood(content_type, opening.as_bytes(), piece);
        assert!(kept <= most, "{kept} bytes kept of {opening:?}: {error}");
    }
    let behind = [b"--frame\r\nContent-Length: 2\r\n\r\n", EOI].concat();
    let (error, kept) = flood(TYPE, &behind, &junk);
    assert!(matches!(error, Error::NoDelimiter { .. }) && kept < 4 << 10, "{error} {kept}");
}

#[test]
fn part_that_claims_too_much_is_refused_at_once() {
    let stream = b"--frame\r\nContent-Length: 4294967296\r\n\r\n";
    let is = Error::TooLarge { n_bytes: 4 << 30, max: MAX };
    assert_eq!(parse_all_ways(TYPE, stream), (Vec::new(), Err(is)));
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
