//! Malformed and hostile requests: none stops the daemon, takes a seat or leaks
//! anything.

use std::time::Duration;

use crate::support::{Client, Daemon, Footprint, Growth};

fn daemon() -> Daemon {
    Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "4"])
}

/// Sends these bytes and keeps the connection open while another client sends
/// proper requests.
fn survives(daemon: &mut Daemon, bytes: &[u8]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let mut client = Client::connect(daemon.address());
    client.send(bytes);
    let reply = daemon.get_within(Duration::from_secs(1), "/healthz");
    assert_eq!(reply.code, 200, "after {shown:?}");
    drop(client);
    assert!(daemon.is_running(), "after {shown:?}");
}

/// A request with these additional header lines.
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
    // The process is still the one that was started.
    assert!(daemon.status()["uptime_s"].as_f64() > Some(0.1));
    daemon.wait_for_seats(0);
}

/// Malformed requests.
fn bad() -> Vec<Vec<u8>> {
    let long_url = [b"GET /", &[b'a'; 60 << 10][..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let lines = [
        "Content-Length: 10",
        "Content-Length: 5000",
        "Content-Length: -1",
        "Content-Length: many",
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 100\r\nExpect: 100-continue",
        "Content-Length: 5000\r\nExpect: 100-continue",
        "Expect: a miracle",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n",
        "Connection: upgrade\r\nUpgrade: websocket",
        "TE: chunked",
        "no colon in this line",
        "X: \u{e4}",
    ];
    let whole = [
        &b"GET / HTTP/0.9\r\n\r\n"[..],
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET /\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.2\r\n\r\n",
        b"GET / HTTP/1.1 and more\r\n\r\n",
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET /%00%ff%zz?\xff HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/status?a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"",
        &long_url,
    ];
    lines.iter().map(|line| with(line)).chain(whole.iter().map(|bytes| bytes.to_vec())).collect()
}

#[test]
fn bad_requests_are_survived_one_and_all() {
    let mut daemon = daemon();
    for bytes in bad() {
        survives(&mut daemon, &bytes);
    }
    survives(&mut daemon, &with(&format!("X: {}", "a".repeat(200_000))));
    survives(&mut daemon, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    survives(&mut daemon, b"GET / HTTP/3.0\r\n\r\n");
    daemon.watch("/stream").next();
    daemon.wait_for_seats(0);
}

#[test]
fn bad_requests_a_thousand_times_over_leave_nothing_behind() {
    let daemon = daemon();
    let (fresh, growth) = (Footprint::fresh(&daemon), Growth::watch(&daemon));
    let bad = bad();
    for n in 0..1000 {
        for bytes in &bad {
            let mut client = Client::connect(daemon.address());
            client.send(bytes);
            // One client disconnects at once, the other reads the reply.
            if n % 2 == 0 {
                client.end();
                client.take_rest();
            }
        }
        assert_eq!(daemon.get_within(Duration::from_secs(1), "/healthz").code, 200);
    }
    growth.must_be_small();
    Footprint::settled(&daemon, &fresh);
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
        let replies = String::from_utf8(client.take_rest()).unwrap();
        assert!(replies.starts_with("HTTP/1.1 400 "), "{line}: {replies}");
        assert_eq!(replies.matches("HTTP/1.1").count(), 1, "{line}: {replies}");
    }
    assert_eq!(daemon.figure("/camera/opened"), 0);
}

#[test]
fn pipelined_requests_get_the_one_reply() {
    let daemon = daemon();
    let mut client = Client::connect(daemon.address());
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(4));
    let replies = String::from_utf8(client.take_rest()).unwrap();
    assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 1, "{replies}");
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

#[test]
fn bodies_that_never_come_hold_up_neither_accepting_nor_pages() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let head = "POST /controls HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\
                Content-Length: 2000\r\n\r\n";
    let _silent: Vec<_> = (0..150)
        .map(|_| {
            let mut client = Client::connect(daemon.address());
            client.send(head);
            client
        })
        .collect();
    // Each holds a worker for a second. If these were the workers of pages, the
    // next ones would be held by the thread that accepts, one after the other.
    for _ in 0..20 {
        let reply = daemon.get("/healthz");
        assert_eq!(reply.code, 200, "{}", reply.text());
    }
}
