//! Requests that are not meant well: none stops the daemon or takes a seat.

use std::time::Duration;

use rustix::process::Signal;
use socket2::SockRef;

use crate::support::{Client, Daemon, eventually_is};

fn daemon() -> Daemon {
    Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "4"])
}

/// Sends these bytes and stays, as a client that waits would, while others
/// ask properly.
fn survives(daemon: &mut Daemon, bytes: &[u8]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let mut client = Client::connect(daemon.address());
    client.send(bytes);
    assert_eq!(daemon.get("/healthz").code, 200, "after {shown:?}");
    drop(client);
    assert!(daemon.is_running(), "after {shown:?}");
}

/// A request with these further lines.
fn with(line: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n").into_bytes()
}

#[test]
fn claimed_body_beyond_all_memory_does_not_kill_it() {
    let mut daemon = daemon();
    for length in ["1000000000000000", "9223372036854775808", "18446744073709551615"] {
        for target in ["/", "/stream", "/snapshot", "/controls", "/nothing"] {
            for (method, version) in [("GET", "1.1"), ("POST", "1.1"), ("GET", "2.0")] {
                let request = format!(
                    "{method} {target} HTTP/{version}\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
                );
                survives(&mut daemon, request.as_bytes());
            }
        }
    }
    // The process is the one that was started, and none in its place.
    assert!(daemon.status()["uptime_s"].as_f64() > Some(0.1));
    daemon.wait_for_seats(0);
}

#[test]
fn bad_requests_are_survived_one_and_all() {
    let mut daemon = daemon();
    let long_url = [b"GET /", &[b'a'; 64 << 10][..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let long_header = with(&format!("X: {}", "a".repeat(200_000)));
    for bytes in [
        &with("Content-Length: 10")[..],
        &with("Content-Length: 5000"),
        &with("Content-Length: -1"),
        &with("Content-Length: many"),
        &with("Content-Length: 0\r\nContent-Length: 5"),
        &with("Content-Length: 100\r\nExpect: 100-continue"),
        &with("Expect: a miracle"),
        &with("Transfer-Encoding: chunked"),
        &with("Transfer-Encoding: gzip, chunked"),
        &with("Connection: upgrade\r\nUpgrade: websocket"),
        &with("TE: chunked"),
        &with("no colon in this line"),
        &with("X: \u{e4}"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET /\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.2\r\n\r\n",
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET /%00%ff%zz?\xff HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"",
        &long_url,
        &long_header,
    ] {
        survives(&mut daemon, bytes);
    }
    daemon.watch("/stream").next();
    daemon.wait_for_seats(0);
}

#[test]
fn bad_requests_leave_no_threads_and_no_descriptors_behind() {
    let mut daemon = daemon();
    let size = |daemon: &Daemon| (daemon.threads().len(), daemon.open_files().len());
    survives(&mut daemon, &with(""));
    for _ in 0..50 {
        for bytes in [
            &with("Content-Length: 5000")[..],
            &with("Transfer-Encoding: chunked"),
            &with("Expect: a miracle"),
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"\x16\x03\x01\x02\x00",
        ] {
            Client::connect(daemon.address()).send(bytes);
        }
    }
    // Workers and threads of tiny_http that were needed meanwhile leave when
    // they were idle for a while.
    eventually_is("it is as small as before", || {
        let (n_threads, n_files) = size(&daemon);
        n_threads <= 12 && n_files <= 16
    });
}

#[test]
fn body_of_a_request_is_not_taken_for_a_request() {
    let daemon = daemon();
    for line in ["Transfer-Encoding: chunked", "Content-Length: 45"] {
        let mut client = Client::connect(daemon.address());
        client.send(format!(
            "GET /healthz HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n\
             GET /stream?key=smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ));
        let said = String::from_utf8(client.take_rest()).unwrap();
        assert!(said.starts_with("HTTP/1.1 400 "), "{line}: {said}");
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{line}: {said}");
    }
    assert_eq!(daemon.figure("/camera/opened"), 0);
}

#[test]
fn pipelined_requests_get_the_one_reply() {
    let daemon = daemon();
    let mut client = Client::connect(daemon.address());
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(4));
    let said = String::from_utf8(client.take_rest()).unwrap();
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 1, "{said}");
}

#[test]
fn clients_that_reset_their_connections_are_survived() {
    let mut daemon = daemon();
    let mut viewer = daemon.watch("/stream");
    for n in 0..50 {
        let stream = std::net::TcpStream::connect(daemon.address()).unwrap();
        if n % 2 == 0 {
            let _ = std::io::Write::write_all(&mut &stream, b"GET /stream HTTP/1.1\r\n\r\n");
        }
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        viewer.next();
    }
    daemon.wait_for_seats(1);
    assert_eq!(daemon.get("/healthz").code, 200);
    assert!(daemon.is_running());
}

#[test]
fn clients_that_are_gone_before_they_are_accepted_are_survived() {
    let mut daemon = daemon();
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    daemon.signal(Signal::STOP);
    for _ in 0..100 {
        let stream = std::net::TcpStream::connect(daemon.address()).unwrap();
        std::io::Write::write_all(&mut &stream, b"GET /stream HTTP/1.1\r\n\r\n").unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    daemon.signal(Signal::CONT);
    (0..20).for_each(|_| drop(viewer.next()));
    assert_eq!(daemon.get("/healthz").code, 200);
    // tiny_http panics at each; that is said once and counted.
    eventually_is("they are counted", || daemon.figure("/connections/panics") >= 100);
    let log = daemon.log();
    let n_lines = log.iter().filter(|line| line.contains("panic")).count();
    assert!(n_lines <= 2, "{n_lines} lines");
    eventually_is("it is as small as before", || {
        daemon.threads().len() <= 13 && daemon.open_files().len() <= 20
    });
    assert!(daemon.is_running());
}

#[test]
fn panic_of_a_worker_never_happens_on_odd_targets() {
    let daemon = daemon();
    for target in [
        "/?",
        "/?&&&",
        "/?action",
        "/?action=",
        "/webcam?",
        "/webcam//",
        "//",
        "/%",
        "/%2",
        "/?%",
        "/stream?fps=",
        "/stream?key=%ff%fe",
        "/stream?fps=1e400",
        "/snapshot?max_delay=",
        "/snapshot?max_delay=99999999999999999999",
        "/video_feed?headers=",
        "*",
        "http://a",
    ] {
        let code = daemon.request("HEAD", target, &[]).code;
        assert!(matches!(code, 200 | 301 | 400 | 404), "{target}: {code}");
    }
    let log = daemon.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}
