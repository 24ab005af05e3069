//! Forms of streams: delimiters, headers, line ends.

use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::frame::{DELIMITER, Frame, FrameBuf, Meta, SHORT_HEADERS, Timestamp};

fn frame(jpeg: &[u8]) -> Frame {
    let mut buf = FrameBuf::new();
    buf.extend(jpeg);
    let wall = SystemTime::UNIX_EPOCH + Duration::new(1_795_197_222, 490_963_000);
    let at = Timestamp { wall, monotonic: Instant::now() };
    buf.finish(Meta { seq: 1, at, width: 1, height: 1, is_status: false })
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
fn dashes_behind_all_delimiters_but_the_first_end_nothing() {
    let part = b"Content-Type: image/jpeg\r\n\r\n";
    let stream =
        [b"--frame\r\n", &*[&part[..], C, b"\r\n--frame--\r\n"].concat().repeat(3)].concat();
    assert_eq!(bodies(TYPE, &stream), [C; 3]);
}
