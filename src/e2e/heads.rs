//! Heads of other servers' answers that no specification knows: where ffmpeg,
//! curl or a browser shows the picture, so does the daemon.
//!
//! What is made of each form is tested beside the reader of heads; here stands
//! one of each kind, through all that is behind it.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::Signal;

use crate::servers::{PAUSE, daemon, lost, pictures, shows_all, with};
use crate::support::{Asked, Client, Fake, eventually_is};

const TYPE: &str = "Content-Type: multipart/x-mixed-replace;boundary=b\r\n";

/// A stream behind these bytes, which are sent in pieces.
fn stream(head: impl AsRef<[u8]> + Send + Sync + 'static) -> Fake {
    let pictures = pictures();
    Fake::start(move |asked: &mut Asked| {
        for piece in head.as_ref().chunks(head.as_ref().len().div_ceil(3)) {
            asked.send(piece);
            thread::sleep(Duration::from_millis(1));
        }
        asked.repeat(PAUSE, |n| {
            let before = "--b\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n";
            with(before, &pictures[n % pictures.len()], "\r\n")
        });
        asked.close();
    })
}

#[test]
fn stream_is_shown_behind_every_kind_of_head() {
    let many: String = (0..300).map(|n| format!("X-{n}: y\r\n")).collect();
    for head in [
        format!("HTTP/1.1 200 OK\r\nTue, 12 Jun 2012 01:56:34 GMT\r\nhello\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\nCaf\u{e9}: \u{e9}\r\n{TYPE}\r\n").replace("Type:", "Type :"),
        format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n").replace(";b", ";\r\n\tb"),
        format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n").replace("\r\n", "\n"),
        format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n").replace("\r\n", "\r"),
        format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n").replace('\n', "\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n{TYPE}\r\n"),
        // It says so, and it is not true.
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{many}X: {}\r\n{TYPE}\r\n", "y".repeat(100_000)),
        format!("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nhttp 200\r\n{TYPE}\r\n"),
        format!("\r\n\r\nICY 200 OK\r\n{TYPE}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{TYPE}"),
        format!("{TYPE}\r\n"),
        "\r\n".to_owned(),
    ] {
        let what = format!("{:.60}", head.escape_debug().to_string());
        shows_all(&stream(head), &what);
    }
    let latin1 =
        [&b"HTTP/1.1 200 OK\r\nServer: caf\xE9\r\nCaf\xE9: x\r\n"[..], TYPE.as_bytes(), b"\r\n"];
    shows_all(&stream(latin1.concat()), "Latin-1");
}

#[test]
fn chunks_are_taken_from_a_server_of_http_1_0() {
    let pictures = pictures();
    let server = Fake::start(move |asked| {
        asked.send(format!("HTTP/1.0 200 OK\r\ntransfer-encoding : CHUNKED\r\n{TYPE}\r\n"));
        asked.repeat(PAUSE, |n| {
            let part = with("--b\r\n\r\n", &pictures[n % pictures.len()], "\r\n");
            [format!("{:X}\r\n", part.len()).as_bytes(), &part, b"\r\n"].concat()
        });
        asked.close();
    });
    shows_all(&server, "chunked");
}

#[test]
fn chunks_may_be_framed_in_any_way() {
    for (end, behind) in
        [("\n", ""), ("\r\n", " ; name=\"a value of more than twenty bytes\""), ("\n", ";x")]
    {
        let pictures = pictures();
        let server = Fake::start(move |asked| {
            asked.send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{TYPE}\r\n"));
            asked.repeat(PAUSE, |n| {
                let part = with("--b\r\n\r\n", &pictures[n % pictures.len()], "\r\n");
                let chunk = |bytes: &[u8]| {
                    [format!("{:x}{behind}{end}", bytes.len()).as_bytes(), bytes, end.as_bytes()]
                        .concat()
                };
                part.chunks(997).flat_map(chunk).collect()
            });
            asked.close();
        });
        shows_all(&server, &format!("{end:?} {behind}"));
    }
}

/// The end of a lone picture is known by its last chunk.
#[test]
fn lone_picture_may_come_in_odd_chunks() {
    let pictures = pictures();
    let server = Fake::start(move |asked| {
        let head = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Type: image/jpeg\n\n";
        let size = format!("{:x}\n", pictures[0].len());
        asked.send([head.as_bytes(), size.as_bytes(), &pictures[0], b"\n0\n\n"].concat());
    });
    let daemon = daemon(&server.url("/now.jpg"), &["--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    (0..5).for_each(|_| assert!(viewer.next().jpeg == self::pictures()[0]));
}

#[test]
fn body_without_a_head_is_shown() {
    let pictures = pictures();
    let server = Fake::start(move |asked| {
        asked.repeat(PAUSE, |n| pictures[n % pictures.len()].clone());
        asked.close();
    });
    shows_all(&server, "JPEGs at once");
}

#[test]
fn redirect_is_followed_though_its_head_never_ends() {
    let stream = stream(format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n"));
    let target = stream.url("/real?a=%20b");
    let first = Fake::start(move |asked| {
        let to = target.replace("%20", " ");
        asked.send(format!("HTTP/1.0 302 Found\r\nnonsense\r\nLocation : {to}\r\n"));
        asked.say_nothing();
    });
    shows_all(&first, "redirected");
    assert!(stream.requests()[0].starts_with("GET /real?a=%20b "), "{:?}", stream.requests());
}

/// One connection is kept for lone pictures, also where the heads are odd.
#[test]
fn answers_on_one_connection_are_told_apart() {
    let length = "\r\nHTTP/1.1 200\r\nno header\r\nContent-Type: image/jpeg\r\n\
                  Content-Length : LENGTH\r\nContent-Length: LENGTH\r\n\r\n";
    let chunk = "HTTP/1.1 200 OK\r\nno header\r\nTransfer-Encoding : Chunked\r\n\
                 Content-Type: image/jpeg\r\n\r\n";
    for head in [length, chunk] {
        let (picture, peers) = (pictures().remove(0), Arc::new(Mutex::new(HashSet::new())));
        let seen = Arc::clone(&peers);
        let server = Fake::start(move |asked| {
            seen.lock().insert(asked.stream.peer_addr().unwrap());
            thread::sleep(PAUSE);
            asked.send(match head == length {
                true => with(head, &picture, ""),
                false => with(&format!("{head}{:x}\r\n", picture.len()), &picture, "\r\n0\r\n\r\n"),
            });
        });
        let daemon = daemon(&server.url("/now.jpg"), &["--fps", "20"]);
        let mut viewer = daemon.watch("/stream");
        (0..5).for_each(|_| assert!(viewer.next().jpeg == pictures()[0]));
        assert_eq!((peers.lock().len(), daemon.figure("/camera/opened")), (1, 1), "{head}");
    }
}

/// Servers that send without a pause, and never anything that helps.
#[test]
fn order_to_stop_is_obeyed_while_bytes_come_without_end() {
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{TYPE}\r\n");
    for (begin, endless) in [
        (format!("{chunked}1\r\n-\r\n0\r\n"), "Trailer: x\r\n"),
        (format!("{chunked}1\n-"), "\n"),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9999999999\r\n\r\n".into(), "x"),
    ] {
        let server = Fake::start(move |asked| {
            asked.send(&begin);
            let more = endless.repeat(5000);
            while asked.send(&more) {}
        });
        let mut daemon = daemon(&server.url("/"), &["--stall-timeout", "60s"]);
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/stream", &[]);
        eventually_is("it is asked", || !server.requests().is_empty());
        assert_eq!(daemon.end_within(Duration::from_secs(2), Signal::TERM).code(), Some(0));
    }
}

/// Each byte of a head comes in time, the whole does not.
#[test]
fn head_that_trickles_is_not_waited_for() {
    let server = Fake::start(|asked| {
        asked.send("HTTP/1.1 200 OK\r\nX: ");
        asked.repeat(PAUSE, |_| b"y".to_vec());
    });
    let (cause, counted) = lost(&daemon(&server.url("/"), &["--stall-timeout", "1s"]));
    assert_eq!((&*cause, &*counted), ("no answer in time", "stalled"));
}

#[test]
fn what_is_no_head_is_named_by_its_begin() {
    let server = Fake::start(|asked| {
        asked.send("SSH-2.0-OpenSSH_9.2\r\n");
        asked.say_nothing();
    });
    let (cause, counted) = lost(&daemon(&server.url("/"), &[]));
    assert_eq!(cause, "not an HTTP answer: the response begins with \"SSH-2.0-OpenSSH_9.2\"");
    assert_eq!(counted, "unsupported");
}
