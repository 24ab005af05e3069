//! Servers that do not keep to what they say: other boundaries, types that do
//! not fit, wrong lengths, empty answers, rare pictures.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::servers::{self, PAUSE, pictures, shows_pictures};
use crate::support::{Daemon, Fake, eventually, eventually_is, number, numbered};

fn daemon(server: &Fake, more: &[&str]) -> Daemon {
    servers::daemon(&server.url("/stream"), more)
}

/// Sends an answer with this Content-Type, whose pictures stand between these
/// texts.
fn stream(content_type: &str, before: &str, after: &str) -> Fake {
    let (pictures, head) = (pictures(), head(content_type));
    let (before, after) = (before.to_owned(), after.to_owned());
    Fake::start(move |asked| {
        asked.send(&head);
        asked.repeat(PAUSE, |n| {
            let jpeg = &pictures[n % pictures.len()];
            let before = before.replace("LENGTH", &jpeg.len().to_string());
            [before.as_bytes(), jpeg, after.as_bytes()].concat()
        });
    })
}

fn head(content_type: &str) -> String {
    let line = if content_type.is_empty() { "" } else { "Content-Type: " };
    let end = if content_type.is_empty() { "" } else { "\r\n" };
    format!("HTTP/1.1 200 OK\r\n{line}{content_type}{end}\r\n")
}

#[test]
fn pictures_come_whatever_boundary_and_type_say() {
    const MIXED: &str = "multipart/x-mixed-replace; boundary=";
    let part = "Content-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n";
    for (content_type, delimiter) in [
        (format!("{MIXED}myboundary"), "--ipcamera\r\n"),
        (format!("{MIXED}MyBoundary"), "--myboundary\r\n"),
        (format!("{MIXED}video"), "--video--\r\n"),
        (format!("{MIXED}video--"), "--video\r\n"),
        (format!("{MIXED}b"), ""),
        ("text/plain".into(), "--b\r\n"),
        ("text/html".into(), "--b\r\n"),
        ("x-mixed-replace".into(), "--b\r\n"),
        ("multipart/x-mixed-replace".into(), "--b\r\n"),
        ("image/jpeg".into(), "--b\r\n"),
        (String::new(), "--b\r\n"),
    ] {
        let server = stream(&content_type, &format!("{delimiter}{part}"), "\r\n");
        shows_pictures(&daemon(&server, &[]), &format!("{content_type}, {delimiter:?}"));
    }
    let mixed = format!("{MIXED}b");
    for part_type in ["application/octet-stream", "video/jpeg", "text/plain"] {
        let part = format!("--b\r\nContent-Type: {part_type}\r\nContent-Length: LENGTH\r\n\r\n");
        shows_pictures(&daemon(&stream(&mixed, &part, "\r\n"), &[]), part_type);
    }
    for content_type in ["image/jpeg", "text/plain", "", &mixed] {
        let server = stream(content_type, "", "");
        shows_pictures(&daemon(&server, &[]), &format!("JPEGs alone as {content_type:?}"));
    }
}

#[test]
fn type_of_what_is_no_picture_is_named() {
    let h264 = "--b\r\nContent-Type: video/x-h264\r\nContent-Length: 4\r\n\r\n\0\0\0\x01\r\n";
    let mixed = "multipart/x-mixed-replace; boundary=b";
    for (content_type, body, says) in [
        (mixed, h264, "the parts of the stream are video/x-h264 and not JPEGs"),
        ("audio/mpeg", "ID3\x03\0\0\0\0\0", "answered with audio/mpeg, and the bytes are neither"),
    ] {
        let head = head(content_type);
        let server = Fake::start(move |asked| {
            asked.send(&head);
            asked.repeat(PAUSE, |_| body.as_bytes().to_vec());
        });
        let daemon = daemon(&server, &[]);
        let _viewer = daemon.watch("/stream");
        let cause = eventually("the camera is lost", || {
            Some(daemon.status()["camera"]["cause"].as_str()?.to_owned())
        });
        assert!(cause.contains(says), "{cause}");
    }
}

#[test]
fn picture_without_a_length_is_done_at_its_end_though_the_connection_stays_open() {
    let pictures = pictures();
    let n_asked = AtomicUsize::new(0);
    let server = Fake::start(move |asked| {
        let n = n_asked.fetch_add(1, SeqCst);
        asked.send(head("image/jpeg"));
        asked.send(&pictures[n % pictures.len()]);
        asked.say_nothing();
    });
    let daemon = daemon(&server, &["--fps", "20"]);
    shows_pictures(&daemon, "kept open");
    assert_eq!(daemon.figure("/camera/opened"), 1);
}

#[test]
fn wrong_lengths_are_repaired_and_counted() {
    let mixed = "multipart/x-mixed-replace; boundary=b";
    for wrong in [-7_isize, 9] {
        let pictures = pictures();
        let server = Fake::start(move |asked| {
            asked.send(head(mixed));
            asked.repeat(PAUSE, |n| {
                let jpeg = &pictures[n % pictures.len()];
                let length = jpeg.len().checked_add_signed(wrong).unwrap();
                let head = format!("--b\r\nContent-Length: {length}\r\n\r\n");
                [head.as_bytes(), jpeg, b"\r\n"].concat()
            });
        });
        let daemon = daemon(&server, &[]);
        shows_pictures(&daemon, &format!("off by {wrong}"));
        assert!(daemon.figure("/camera/frames/repaired/length") >= 5, "off by {wrong}");
        assert_eq!(daemon.figure("/camera/frames/dropped/truncated"), 0);
    }
}

#[test]
fn empty_answer_or_part_now_and_then_is_one_picture_less() {
    let some = pictures();
    let n_asked = AtomicUsize::new(0);
    let lone = Fake::start(move |asked| {
        let n = n_asked.fetch_add(1, SeqCst);
        let jpeg = if n.is_multiple_of(3) { &[][..] } else { &some[n % some.len()] };
        asked.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            jpeg.len()
        ));
        asked.send(jpeg);
    });
    let some = pictures();
    let parts = Fake::start(move |asked| {
        asked.send(head("multipart/x-mixed-replace; boundary=b"));
        asked.repeat(PAUSE, |n| {
            let jpeg = if n % 3 == 2 { &[][..] } else { &some[n % some.len()] };
            [
                b"--b\r\nContent-Type: image/jpeg\r\n\r\n",
                jpeg,
                b"\r\n--b\r\nContent-Length: 0\r\n\r\n\r\n",
            ]
            .concat()
        });
    });
    for server in [lone, parts] {
        let daemon = daemon(&server, &["--fps", "20"]);
        shows_pictures(&daemon, "now and then empty");
        assert_eq!(daemon.figure("/camera/opened"), 1);
        assert!(daemon.figure("/camera/frames/dropped/empty") >= 1);
    }
}

#[test]
fn stream_that_is_closed_after_each_part_is_asked_again() {
    let some = pictures();
    let n_asked = AtomicUsize::new(0);
    let one_each = Fake::start(move |asked| {
        let n = n_asked.fetch_add(1, SeqCst);
        asked.send(head("multipart/x-mixed-replace; boundary=b"));
        asked.send(b"--b\r\nContent-Type: image/jpeg\r\n\r\n");
        asked.send([&some[n % some.len()], &b"\r\n--b--\r\n"[..]].concat());
        if n.is_multiple_of(2) { asked.close() } else { asked.say_nothing() }
    });
    let all = stream("multipart/x-mixed-replace; boundary=b", "--b\r\n\r\n", "\r\n--b--\r\n");
    for server in [one_each, all] {
        let daemon = daemon(&server, &["--fps", "20"]);
        shows_pictures(&daemon, "closed each time");
        assert_eq!(daemon.figure("/camera/opened"), 1);
    }
}

#[test]
fn picture_that_comes_slowly_is_no_stall() {
    let picture = numbered(0, 3_000);
    let length = picture.len();
    let server = Fake::start(move |asked| {
        asked.send(head("multipart/x-mixed-replace; boundary=b"));
        asked.send(format!("--b\r\nContent-Length: {length}\r\n\r\n"));
        // Twice the timeout, with bytes all the time.
        let pieces: Vec<_> = picture.chunks(length / 130 + 1).map(<[u8]>::to_vec).collect();
        asked.repeat(Duration::from_millis(100), |n| pieces.get(n).cloned().unwrap_or_default());
    });
    let daemon = daemon(&server, &["--stall-timeout", "6s"]);
    let mut viewer = daemon.watch("/stream");
    // A viewer who has to wait is shown that the camera starts.
    while number(&viewer.next().jpeg) != Some(0) {}
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn source_that_is_said_to_be_slow_is_waited_for() {
    let picture = numbered(0, 0);
    let server = Fake::start(move |asked| {
        asked.send(head("multipart/x-mixed-replace; boundary=b"));
        asked.repeat(Duration::from_millis(1500), |_| {
            [b"--b\r\nContent-Type: image/jpeg\r\n\r\n", picture.as_slice(), b"\r\n"].concat()
        });
    });
    // A picture in two seconds: three intervals go before the timeout.
    let daemon = daemon(&server, &["--stall-timeout", "1s", "--fps", "0.5"]);
    let _viewer = daemon.watch("/stream");
    eventually_is("three pictures", || daemon.figure("/camera/frames/captured") >= 3);
    assert_eq!((daemon.figure("/camera/opened"), server.requests().len()), (1, 1));
}
