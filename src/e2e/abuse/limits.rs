//! Connections without a complete request: limits on their time, size and
//! number.

use std::iter::repeat_with;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{connections, idle, worst_gap};
use crate::support::{Client, Daemon, Growth, Metronome, PATIENCE, Viewer, eventually_is};

const HEAD_TIMEOUT: Duration = Duration::from_secs(1);
const DRIP_EVERY: Duration = Duration::from_millis(300);

/// How long a client may stay that sends few bytes or none.
fn time_of(daemon: &Daemon, drip: &str) -> Duration {
    let begun = Instant::now();
    let mut client = Client::connect(daemon.address());
    let mut n_drips = 0;
    while !client.is_closed() {
        if begun.elapsed() > n_drips * DRIP_EVERY {
            client.send(drip);
            n_drips += 1;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never closed");
        thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

#[test]
fn idle_and_dripping_clients_are_closed_at_the_head_timeout() {
    let daemon = Daemon::start(&["--head-timeout", "1s"]);
    let mut n_cut = 0;
    for drip in ["", "G"] {
        // A busy machine may need several tries.
        let times = repeat_with(|| time_of(&daemon, drip)).take(10);
        let is_soon = times.inspect(|_| n_cut += 1).any(|time| {
            assert!(time >= HEAD_TIMEOUT, "{time:?}");
            time < HEAD_TIMEOUT + Duration::from_millis(500)
        });
        assert!(is_soon, "it takes longer each time, with {drip:?}");
    }
    assert_eq!(connections(&daemon, "cut/head_timeout"), n_cut);
}

#[test]
fn slow_request_that_comes_in_time_is_answered() {
    let daemon = Daemon::start(&["--head-timeout", "20s"]);
    let mut client = Client::connect(daemon.address());
    for piece in ["GET /heal", "thz HTTP/1.1\r\n", "Host: a\r\n", "\r\n"] {
        client.send(piece);
        thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(client.reply("GET").code, 200);
    assert_eq!(connections(&daemon, "cut/head_timeout"), 0);
}

/// The first `n` bytes of a request.
fn head_of(n_bytes: usize) -> String {
    let head = "GET /healthz HTTP/1.1\r\nX: ";
    format!("{head}{}\r\n", "a".repeat(n_bytes - head.len() - 2))
}

#[test]
fn head_of_more_than_64_kib_is_cut() {
    let daemon = Daemon::start(&["--head-timeout", "1h"]);
    let mut good = Client::connect(daemon.address());
    good.send(head_of((64 << 10) - 2));
    let mut bad = Client::connect(daemon.address());
    bad.send(head_of((64 << 10) + 1));
    eventually_is("the larger one is cut", || bad.is_closed());
    good.send("\r\n");
    assert_eq!(good.reply("GET").code, 200);
    assert_eq!(connections(&daemon, "cut/head_size"), 1);
}

#[test]
fn whole_head_that_is_too_large_is_told_so_or_cut_but_not_served() {
    let daemon = Daemon::start(&["--head-timeout", "1h", "--max-head", "1024"]);
    // Ended, so that the library may hand it over before the guard looks: then it is
    // told so. A busy machine may need several tries.
    let mut n_told = 0;
    for n in 1..=200 {
        let before = connections(&daemon, "cut/head_size");
        let mut bad = Client::connect(daemon.address());
        bad.send(head_of(1025 - 2) + "\r\n");
        let reply = bad.take_rest();
        let text = String::from_utf8_lossy(&reply);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 431 "), "{text}");
        assert!(text.is_empty() || text.contains("more than 1024 bytes"), "{text}");
        // One that is cut is counted behind that.
        eventually_is("it is counted", || connections(&daemon, "cut/head_size") > before);
        n_told += usize::from(!text.is_empty());
        if n >= 10 && n_told > 0 {
            break;
        }
    }
    assert!(n_told > 0, "all are cut without a word");
    let mut good = Client::connect(daemon.address());
    // Not a byte behind it: one that is left unread would reset the connection.
    good.send(head_of(1024 - 2) + "\r\n");
    assert_eq!(good.reply("GET").code, 200);
}

#[test]
fn largest_head_is_an_option() {
    let daemon = Daemon::start(&["--head-timeout", "1h", "--max-head", "1024"]);
    let mut bad = Client::connect(daemon.address());
    bad.send(head_of(1025));
    eventually_is("it is cut", || bad.is_closed());
    assert_eq!(connections(&daemon, "cut/head_size"), 1);
}

/// Sends these lines again and again until the daemon closes the connection.
fn flood_with(lines: &str) {
    let daemon = Daemon::start(&[]);
    daemon.get("/healthz");
    let growth = Growth::watch(&daemon);
    let mut client = Client::connect(daemon.address());
    client.send("GET / HTTP/1.1\r\n");
    let piece = lines.repeat(65_536 / lines.len());
    let mut n_bytes = 0;
    while !client.is_closed() && n_bytes < 1 << 30 {
        client.send(&piece);
        n_bytes += piece.len();
    }
    assert!(n_bytes < 1 << 30, "it takes all that is sent");
    growth.must_be_small();
    assert_eq!(connections(&daemon, "cut/head_size"), 1);
}

#[test]
fn flood_of_one_long_header_line_takes_little_memory() {
    flood_with("aaaaaaaaaaaaaaaa");
}

#[test]
fn flood_of_short_header_lines_takes_little_memory() {
    flood_with("a: b\r\n");
}

#[test]
fn crowd_of_idle_clients_is_cut_and_viewers_stay() {
    let args = ["--camera", "pattern:64x48@20", "--threads", "4", "--max-connections", "60"];
    let daemon = Daemon::start(&args);
    let mut viewers: Vec<Viewer> = (0..3).map(|_| daemon.watch("/stream")).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let growth = Growth::watch(&daemon);
    let mut crowd = idle(&daemon, 360);
    let n_open = |crowd: &mut Vec<Client>| {
        crowd.iter_mut().filter_map(|client| (!client.is_closed()).then_some(())).count()
    };
    eventually_is("there are no more than allowed", || n_open(&mut crowd) <= 57);
    // The newest connections are still open.
    assert!(n_open(&mut crowd) >= 40, "{}", n_open(&mut crowd));
    assert!(crowd[0].is_closed());
    for viewer in &mut viewers {
        worst_gap(viewer, Duration::from_millis(200));
    }
    assert_eq!(daemon.figure("/seats/taken"), 3);
    growth.must_be_small();
    assert!(connections(&daemon, "cut/crowd") >= 300);
    assert_eq!(connections(&daemon, "max"), 60);
}

#[test]
fn burst_of_clients_beside_idle_ones_is_served() {
    let metronome = Metronome::start();
    let daemon = Daemon::start(&["--camera", "pattern:64x48@5", "--threads", "130"]);
    let growth = Growth::watch(&daemon);
    for _ in 0..5 {
        // All come at the same moment, and the HTTP library assigns several to
        // one idle thread.
        daemon.freeze();
        let idle = idle(&daemon, 40);
        let mut clients = super::idle(&daemon, 120);
        clients.iter_mut().for_each(|client| client.request("GET", "/stream", &[]));
        let begun = Instant::now();
        daemon.signal(Signal::CONT);
        for client in &mut clients {
            assert!(client.head().contains("200 OK"));
        }
        let limit = metronome.allow(Duration::from_secs(2));
        assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
        drop((clients, idle));
        daemon.wait_for_seats(0);
    }
    growth.must_be_small();
}

#[test]
fn request_that_the_http_library_queues_behind_an_idle_client_is_answered() {
    for _ in 0..10 {
        let daemon = Daemon::start(&["--head-timeout", "1h"]);
        // One of the HTTP library's four threads is idle. When two clients come
        // at once, the library assigns both to it.
        let mut idle = idle(&daemon, 3);
        eventually_is("three are held", || connections(&daemon, "waiting") == 3);
        daemon.freeze();
        idle.extend(super::idle(&daemon, 1));
        let mut good = Client::connect(daemon.address());
        good.request("GET", "/healthz", &[]);
        daemon.signal(Signal::CONT);
        assert_eq!(good.reply("GET").code, 200);
    }
}
