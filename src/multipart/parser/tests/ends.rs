//! Streams that end in a picture, are no streams, or have no end.

use super::*;

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

/// Before the first delimiter the whole rest of a piece may count as a picture.
#[test]
fn what_is_no_picture_is_passed_over_however_much_of_it_has_come() {
    let no_picture = [&b"\xFF\xD8\xFF\xC0\0\x0B"[..], &[b'0'; 2 * MAX]].concat();
    let head = b"Content-Type: image/jpeg\r\n\r\n";
    let part = [b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n", C].concat();
    for len in [MAX / 2, no_picture.len()] {
        let stream = [head, &no_picture[..len], &part].concat();
        assert_eq!(bodies(TYPE, &stream), [C], "{len} bytes");
    }
}

#[test]
fn delimiter_far_behind_a_picture_is_not_found_however_the_bytes_come() {
    let stream = [b"--frame\r\n\r\n", C, &[b'0'; 2 * MAX], b"\r\n--frame\r\n\r\n", C].concat();
    for size in [1, 10, 100, 999, 1500, stream.len()] {
        let (seen, end) = parse(parser(TYPE), stream.chunks(size));
        assert_eq!(seen.len(), 1, "pieces of {size}");
        assert!(matches!(end, Err(Error::NoDelimiter { .. })), "pieces of {size}: {end:?}");
    }
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
    let behind = [b"--frame\r\nContent-Length: 2\r\n\r\n", &END[..]].concat();
    let (error, kept) = flood(TYPE, &behind, &junk);
    assert!(matches!(error, Error::NoDelimiter { .. }) && kept < 4 << 10, "{error} {kept}");
}

#[test]
fn part_that_claims_too_much_is_refused_at_once() {
    let stream = b"--frame\r\nContent-Length: 4294967296\r\n\r\n";
    let is = Error::TooLarge { n_bytes: 4 << 30, max: MAX };
    assert_eq!(parse_all_ways(TYPE, stream), (Vec::new(), Err(is)));
}
