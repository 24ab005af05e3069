//! All kinds of clients come and go, and no memory, thread or descriptor leaks.
//! Short among the other tests; `make soak` runs it for half an hour.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::support::{Client, Daemon, Dir, Footprint, Viewer, eventually_is, number};

/// The length of one round: all kinds of clients at once, then none, until the
/// camera is off.
const ROUND: Duration = Duration::from_secs(10);
/// The time after which a client that reads nothing loses its seat.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
const STALL: Duration = Duration::from_secs(7);
/// How much the heap may grow by fragmentation: less than 0.2 MB in half an
/// hour was measured. A leak of 50 bytes a client would reach this limit.
const MEMORY_SLACK: u64 = 1 << 20;

#[test]
fn nothing_is_left_behind() {
    let time = env::var("SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    let dir = Dir::numbered(20, 60_000);
    let (camera, timeout) = (dir.camera(), format!("{}s", WRITE_TIMEOUT.as_secs()));
    let args = ["--camera", &camera, "--fps", "20", "--threads", "12", "--idle-timeout", "1s"];
    let mut command = Daemon::command(&[&args[..], &["--write-timeout", &timeout]].concat());
    // The HTTP library panics when a client is gone before it was accepted. A
    // backtrace would load the symbols, which stay in memory with 40 MB.
    command.env("RUST_BACKTRACE", "0");
    let daemon = Daemon::spawn(command);
    let fresh = Footprint::fresh(&daemon);
    // Memory that is allocated once and then reused is no leak.
    round(&daemon, &dir);
    let begun = Instant::now();
    let before = Footprint::settled(&daemon, &fresh);
    eprintln!("fresh: {fresh}; after the first round: {before}");
    while begun.elapsed() < Duration::from_secs(time) {
        round(&daemon, &dir);
        let (n_viewers, now) = (n_viewers(&daemon), Footprint::of(&daemon));
        eprintln!("{:.0} s: {n_viewers} viewers so far; {now}", begun.elapsed().as_secs_f64());
    }
    let after = Footprint::settled(&daemon, &fresh);
    eprintln!("at the end: {after}");
    assert!(after.n_bytes <= before.n_bytes + MEMORY_SLACK, "before {before}, after {after}");
    daemon.wait_for_log("and lost its seat");
    daemon.wait_for_log("camera lost: ");
}

/// How many viewers there were so far.
fn n_viewers(daemon: &Daemon) -> u64 {
    let text = daemon.get("/metrics").text();
    let figure =
        text.lines().find_map(|line| line.strip_prefix("mjpegd_viewers_total{camera=\"camera\"} "));
    figure.unwrap().parse().unwrap()
}

/// Runs all kinds of clients, more than there are seats, while the camera is
/// lost and found. Returns when all have left and the camera is off.
fn round(daemon: &Daemon, dir: &Dir) {
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/video_feed")];
    let end = Instant::now() + ROUND;
    thread::scope(|scope| {
        for viewer in &mut viewers {
            scope.spawn(move || stay(viewer, end));
        }
        for n in 0..4 {
            scope.spawn(move || come_and_go(daemon, n, end));
            scope.spawn(move || stall(daemon, end));
        }
        for _ in 0..2 {
            scope.spawn(move || drip(daemon, end));
            scope.spawn(move || ask(daemon, end));
            scope.spawn(move || ask_by_half(daemon, end));
        }
        scope.spawn(move || lose_and_find(dir, end));
    });
    drop(viewers);
    eventually_is("the camera is off", || !daemon.threads().iter().any(|name| name == "capture"));
}

/// Sleeps, at most until the end of the round. `false` if that has come.
fn pause(time: Duration, end: Instant) -> bool {
    thread::sleep(time.min(end.saturating_duration_since(Instant::now())));
    Instant::now() < end
}

/// Watches the whole round, and sees both the camera and its status picture.
fn stay(viewer: &mut Viewer, end: Instant) {
    let (mut n_pictures, mut n_causes) = (0, 0);
    while Instant::now() < end {
        match number(&viewer.next().jpeg) {
            Some(_) => n_pictures += 1,
            None => n_causes += 1,
        }
    }
    assert!(n_pictures > 0 && n_causes > 0, "{n_pictures} pictures, {n_causes} causes");
}

/// Watches for a few pictures and leaves, with or without a proper close.
fn come_and_go(daemon: &Daemon, n: usize, end: Instant) {
    for turn in n.. {
        let Ok(mut stream) = connect(daemon, ["/stream", "/video_feed"][turn % 2]) else { return };
        let mut buffer = [0; 8 << 10];
        for _ in 0..turn % 40 {
            if stream.read(&mut buffer).unwrap_or(0) == 0 {
                break;
            }
        }
        if turn % 3 == 0 {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(stream);
        if !pause(Duration::from_millis(20), end) {
            return;
        }
    }
}

/// Requests a stream. `Err` if the connection was closed already.
fn connect(daemon: &Daemon, target: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(daemon.address())?;
    // No client waits longer than a round, whatever happens.
    stream.set_read_timeout(Some(ROUND))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")?;
    Ok(stream)
}

/// Reads nothing until it has lost its seat.
fn stall(daemon: &Daemon, end: Instant) {
    loop {
        let mut client = Client::narrow(daemon.address());
        client.request("GET", "/stream", &[]);
        if !pause(STALL, end) {
            return;
        }
    }
}

/// Reads so slowly that no picture is complete within the write timeout.
fn drip(daemon: &Daemon, end: Instant) {
    loop {
        let Ok(mut stream) = connect(daemon, "/stream") else { return };
        SockRef::from(&stream).set_recv_buffer_size(4096).unwrap();
        let mut buffer = [0; 100];
        while stream.read(&mut buffer).unwrap_or(0) > 0 {
            if !pause(Duration::from_millis(50), end) {
                return;
            }
        }
    }
}

/// Short requests, each with a plausible reply.
fn ask(daemon: &Daemon, end: Instant) {
    let targets = ["/", "/status", "/snapshot", "/metrics", "/state", "/nothing", "/snapshot?x=1"];
    for target in targets.iter().cycle() {
        let code = daemon.get(target).code;
        assert!(matches!(code, 200 | 404 | 503), "{target}: {code}");
        assert_eq!(daemon.request("HEAD", "/stream", &[]).code, 200);
        if !pause(Duration::from_millis(30), end) {
            return;
        }
    }
}

/// Sends incomplete requests and leaves.
fn ask_by_half(daemon: &Daemon, end: Instant) {
    let halves = ["", "G", "GET /stream", "GET / HTTP/1.1\r\nHost: a", "\0\u{1}\r\n\r\n"];
    for half in halves.iter().cycle() {
        let mut client = Client::connect(daemon.address());
        client.send(half);
        if !pause(Duration::from_millis(100), end) {
            return;
        }
    }
}

fn lose_and_find(dir: &Dir, end: Instant) {
    while pause(Duration::from_secs(2), end) {
        dir.remove();
        pause(Duration::from_millis(1500), end);
        dir.restore();
    }
}
