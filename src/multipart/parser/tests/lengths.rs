//! Where a picture ends: by its length, its markers, or the delimiter.

use super::*;

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

/// What another daemon has checked is taken by its length. A server that only claims to be
/// one is read as any other from its first odd part on.
#[test]
fn trusted_length_is_taken_unless_no_picture_ends_there() {
    let parsed = |lengths: &[usize]| {
        let mut parser = parser(TYPE);
        parser.trust_lengths();
        let twice = [C, C].concat();
        let part = |length: &usize| {
            let head = format!("--frame\r\nContent-Length: {length}\r\n\r\n");
            [head.as_bytes(), &twice, b"\r\n"].concat()
        };
        let stream = lengths.iter().flat_map(part).collect::<Vec<_>>();
        let (whole, n) = (parse(parser, [&stream[..]].into_iter()), stream.len());
        for size in [1, 7, n] {
            let mut parser = self::parser(TYPE);
            parser.trust_lengths();
            assert_eq!(parse(parser, stream.chunks(size)), whole, "{lengths:?} in {size}");
        }
        whole.0.iter().map(|(_, body)| body.len()).collect::<Vec<_>>()
    };
    let (one, two) = (C.len(), 2 * C.len());
    assert_eq!(parsed(&[two, two]), [two, two], "taken as it is");
    assert_eq!(parsed(&[two, two + 9, two]), [two, one, one], "no picture ends at one length");
}
