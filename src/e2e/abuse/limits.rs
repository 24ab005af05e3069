//! Connections that send no whole request: how long, how large, how many.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{connections, idle, worst_gap};
use crate::support::{Client, Daemon, Metronome, Viewer, eventually_is};

const HEAD_TIMEOUT: Duration = Duration::from_secs(1);

#[test]
fn idle_and_dripping_clients_are_closed_at_the_head_timeout() {
    let daemon = Daemon::start(&["--head-timeout", "1s"]);
    let metronome = Metronome::start();
    let closed_after = |drips: bool| {
        let begun = Instant::now();
        let mut client = Client::connect(daemon.address());
        while !client.is_closed() {
            if drips {
                client.send("G");
            }
            thread::sleep(Duration::from_millis(if drips { 300 } else { 20 }));
            assert!(begun.elapsed() < Duration::from_secs(30), "it is never closed");
        }
        begun.elapsed()
    };
    for drips in [false, true] {
        let after = closed_after(drips);
        assert!(after >= HEAD_TIMEOUT, "{after:?}");
        let limit = metronome.allow(HEAD_TIMEOUT + Duration::from_millis(900));
        assert!(after < limit, "{after:?}, drips: {drips}");
    }
    assert_eq!(connections(&daemon, "cut/head_timeout"), 2);
    assert!(daemon.get("/metrics").text().contains("cut_total{cause=\"head_timeout\"} 2\n"));
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

#[test]
fn head_of_more_than_64_kib_is_cut() {
    let daemon = Daemon::start(&["--head-timeout", "1h"]);
    let mut good = Client::connect(daemon.address());
    good.send(format!("GET /healthz HTTP/1.1\r\nX: {}\r\n", "a".repeat(60_000)));
    let mut bad = Client::connect(daemon.address());
    bad.send(format!("GET /healthz HTTP/1.1\r\nX: {}\r\n", "a".repeat(70_000)));
    eventually_is("the larger one is cut", || bad.is_closed());
    good.send("\r\n");
    assert_eq!(good.reply("GET").code, 200);
    assert_eq!(connections(&daemon, "cut/head_size"), 1);
}

/// Sends these lines over and over until the daemon hangs up, and gives back
/// by how much its memory grew meanwhile, in kB.
fn growth_in_a_flood_of(lines: &str) -> u64 {
    let daemon = Daemon::start(&[]);
    daemon.get("/healthz");
    let before = daemon.resident_kb();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let largest = scope.spawn(|| {
            let mut largest = 0;
            while !is_over.load(Relaxed) {
                largest = largest.max(daemon.resident_kb());
                thread::sleep(Duration::from_millis(5));
            }
            largest
        });
        let mut client = Client::connect(daemon.address());
        client.send("GET / HTTP/1.1\r\n");
        let piece = lines.repeat(65_536 / lines.len());
        let mut n_bytes = 0;
        while !client.is_closed() && n_bytes < 1 << 30 {
            client.send(&piece);
            n_bytes += piece.len();
        }
        is_over.store(true, Relaxed);
        assert!(n_bytes < 1 << 30, "it takes all that is sent");
        largest.join().unwrap() - before
    })
}

#[test]
fn flood_of_one_long_header_line_takes_little_memory() {
    let growth = growth_in_a_flood_of("aaaaaaaaaaaaaaaa");
    assert!(growth < 64 << 10, "{growth} kB");
}

#[test]
fn flood_of_short_header_lines_takes_little_memory() {
    let growth = growth_in_a_flood_of("a: b\r\n");
    assert!(growth < 64 << 10, "{growth} kB");
}

#[test]
fn crowd_of_idle_clients_is_cut_and_viewers_stay() {
    let args = ["--camera", "pattern:64x48@20", "--threads", "4", "--max-connections", "60"];
    let daemon = Daemon::start(&args);
    let mut viewers: Vec<Viewer> = (0..3).map(|_| daemon.watch("/stream")).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let mut crowd = idle(&daemon, 360);
    let n_open = |crowd: &mut Vec<Client>| {
        crowd.iter_mut().filter_map(|client| (!client.is_closed()).then_some(())).count()
    };
    eventually_is("there are no more than allowed", || n_open(&mut crowd) <= 57);
    // Those that came last are still there.
    assert!(n_open(&mut crowd) >= 40, "{}", n_open(&mut crowd));
    assert!(crowd[0].is_closed());
    for viewer in &mut viewers {
        worst_gap(viewer, Duration::from_millis(200));
    }
    assert_eq!(daemon.figure("/seats/taken"), 3);
    assert!(connections(&daemon, "cut/crowd") >= 300);
    assert_eq!(connections(&daemon, "max"), 60);
}

#[test]
fn burst_of_clients_beside_idle_ones_is_served() {
    let metronome = Metronome::start();
    let daemon = Daemon::start(&["--camera", "pattern:64x48@5", "--threads", "130"]);
    for _ in 0..5 {
        // All come in the same moment, and tiny_http gives its idle threads
        // more than one each.
        daemon.signal(Signal::STOP);
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
}

#[test]
fn request_that_tiny_http_queues_behind_an_idle_client_is_answered() {
    for _ in 0..10 {
        let daemon = Daemon::start(&["--head-timeout", "1h"]);
        // One of tiny_http's four threads is left, and two clients come at
        // once: it counts as free for both.
        let mut idle = idle(&daemon, 3);
        eventually_is("three are held", || connections(&daemon, "waiting") == 3);
        daemon.signal(Signal::STOP);
        idle.extend(super::idle(&daemon, 1));
        let mut good = Client::connect(daemon.address());
        good.request("GET", "/healthz", &[]);
        daemon.signal(Signal::CONT);
        assert_eq!(good.reply("GET").code, 200);
    }
}

#[test]
fn guard_sleeps_while_everybody_is_served() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let mut before = daemon.sleeps_of("guard");
    eventually_is("it goes to sleep", || {
        worst_gap(&mut viewer, Duration::from_secs(1));
        let now = daemon.sleeps_of("guard");
        let is_asleep = now == before;
        before = now;
        is_asleep
    });
    let silent = Client::connect(daemon.address());
    eventually_is("it wakes up", || daemon.sleeps_of("guard") > before + 3);
    drop(silent);
}
