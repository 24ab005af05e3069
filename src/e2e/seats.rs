//! Seats: how many may watch, what the next client gets, when a seat becomes
//! free.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Client, Daemon, Dir, Faults, Reply, Viewer, eventually_is, number};

/// The limit for a reply that must not wait.
const AT_ONCE: Duration = Duration::from_millis(100);

fn at_once(daemon: &Daemon, target: &str) -> Reply {
    daemon.get_within(AT_ONCE, target)
}

/// A daemon whose two seats are taken.
fn full_house() -> (Daemon, Vec<Viewer>) {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "2"]);
    let mut viewers = vec![daemon.watch("/stream"), daemon.watch("/video_feed")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    (daemon, viewers)
}

#[test]
fn returns_503_when_all_seats_are_taken() {
    let (daemon, mut viewers) = full_house();
    for (n, target) in ["/stream", "/video_feed", "/?action=stream"].iter().enumerate() {
        let reply = at_once(&daemon, target);
        assert_eq!(reply.code, 503, "{target}");
        let seconds: u32 = reply.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..60).contains(&seconds));
        assert_eq!(reply.text(), "all 2 seats are taken; try again in a moment\n");
        assert!(daemon.figure("/seats/refused") > n as u64);
    }
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
}

#[test]
fn everything_else_is_answered_when_all_seats_are_taken() {
    let (daemon, viewers) = full_house();
    let targets = ["/", "/app.js", "/snapshot", "/status", "/state", "/metrics", "/healthz"];
    for target in targets {
        assert_eq!(at_once(&daemon, target).code, 200, "{target}");
    }
    assert_eq!(daemon.request("HEAD", "/stream", &[]).code, 200);
    assert_eq!(daemon.figure("/seats/taken"), 2);
    drop(viewers);
}

#[test]
fn viewer_who_leaves_frees_the_seat() {
    let (daemon, mut viewers) = full_house();
    viewers.pop();
    daemon.wait_for_seats(1);
    daemon.watch("/stream").next();
}

#[test]
fn page_that_is_loaded_again_gets_its_seat_back() {
    // So slow that the worker notices late that its viewer has left.
    let daemon = Daemon::start(&["--camera", "pattern:64x48@1", "--threads", "1"]);
    for n in 0..5 {
        let mut viewer = daemon.watch("/stream");
        viewer.next();
        assert_eq!(daemon.figure("/seats/refused"), 0, "the {n}. time");
        drop(viewer);
    }
}

#[test]
fn seat_of_a_viewer_that_left_is_given_before_the_next_picture() {
    // The next picture is due in a minute, and so is the next write to a viewer
    // but for repeats.
    let dir = Dir::numbered(2, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "0.02", "--threads", "1"]);
    for n in 0..5 {
        let mut viewer = daemon.watch("/stream");
        viewer.next();
        drop(viewer);
        // A repeat frees the seat too, but only after 1.2 s.
        let begun = Instant::now();
        let mut next = daemon.watch("/stream");
        next.next();
        if begun.elapsed() < Duration::from_millis(500) {
            return;
        }
        assert!(n < 4, "never before a repeat");
        drop(next);
        daemon.wait_for_seats(0);
    }
}

/// How many pictures another viewer gets until the seat of one that left is free.
fn n_until_free(daemon: &Daemon) -> usize {
    let (mut stays, mut leaves) = (daemon.watch("/stream"), daemon.watch("/stream"));
    (0..2).for_each(|_| drop((stays.next(), leaves.next())));
    drop(leaves);
    let mut n_pictures = 0;
    while daemon.figure("/seats/taken") > 1 {
        stays.next();
        n_pictures += 1;
    }
    drop(stays);
    daemon.wait_for_seats(0);
    n_pictures
}

#[test]
fn seat_is_free_two_pictures_after_its_viewer_has_left() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@4", "--threads", "2"]);
    // The write of the first one still succeeds, and only the next one fails. One more is
    // under way. A busy machine may need several tries.
    assert!((0..5).any(|_| n_until_free(&daemon) <= 2 + 1), "never within two pictures");
}

/// Measures how long a viewer that reads nothing keeps its seat.
fn time_of_a_stalled_viewer(daemon: &Daemon) -> Duration {
    let begun = Instant::now();
    let mut stalled = Client::narrow(daemon.address());
    stalled.request("GET", "/stream", &[]);
    daemon.wait_for_seats(1);
    daemon.wait_for_seats(0);
    begun.elapsed()
}

#[test]
fn stalled_viewer_loses_its_seat() {
    let dir = Dir::numbered(5, 200_000);
    let args =
        ["--camera", &dir.camera(), "--fps", "30", "--write-timeout", "1s", "--threads", "1"];
    let daemon = Daemon::start(&args);
    // The timeout, and twice the interval at which a blocked write checks it. A
    // busy machine may need several tries.
    let limit = Duration::from_secs(3);
    let is_soon = (0..5).any(|_| time_of_a_stalled_viewer(&daemon) < limit);
    assert!(is_soon, "never within {limit:?}");
    daemon.wait_for_log("stalled for 1s and lost its seat");
    assert!(daemon.figure("/connections/cut/stalled") >= 1);
    let metrics = daemon.get("/metrics").text();
    assert!(
        !metrics.contains("\nmjpegd_connections_cut_total{cause=\"stalled\"} 0\n"),
        "{metrics}"
    );
    daemon.watch("/stream").next();
}

#[test]
fn stalled_viewers_slow_neither_the_others_nor_the_camera() {
    let dir = Dir::numbered(400, 20_000);
    // So long that anything that waits for the stalled viewer misses its
    // deadline.
    let args = ["--camera", &dir.camera(), "--fps", "20", "--write-timeout", "10m"];
    let daemon = Daemon::start(&args);
    let stalled: Vec<_> = (0..3)
        .map(|_| {
            let mut client = Client::narrow(daemon.address());
            client.request("GET", "/stream?key=stalled", &[]);
            client
        })
        .collect();
    daemon.wait_for_seats(3);
    let begun = Instant::now();
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/video_feed")];
    let mut numbers = [Vec::new(), Vec::new()];
    for _ in 0..100 {
        for (viewer, numbers) in viewers.iter_mut().zip(&mut numbers) {
            numbers.push(number(&viewer.next().jpeg).unwrap());
        }
    }
    let status = daemon.status();
    let rows = status["viewers"].as_array().unwrap().iter();
    for row in rows.filter(|row| row["key"] == "stalled") {
        assert!(row["sent"].as_u64().unwrap() < 100, "it is not stalled: {row}");
    }
    // 5 s at 20 frames a second, or longer on a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    for numbers in numbers {
        let steps = numbers.windows(2).filter(|pair| pair[1] == (pair[0] + 1) % 400).count();
        assert!(steps > 50, "{steps} of 99 are next to each other: {numbers:?}");
    }
    drop(stalled);
}

#[test]
fn each_viewer_has_a_row_with_what_it_gets() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/video_feed?key=my%20key");
    (0..5).for_each(|_| drop(viewer.next()));
    let status = daemon.status();
    let row = &status["viewers"][0];
    assert_eq!(row["address"], viewer.client.local_address().to_string());
    assert_eq!((&row["key"], &row["path"]), (&"my key".into(), &"/video_feed".into()));
    assert_eq!(row["layout"], "advance");
    for figure in ["age_s", "fps", "frame_age_ms", "sent", "bytes"] {
        assert!(row[figure].as_f64() > Some(0.0), "{figure}: {row}");
    }
    for count in ["skipped", "repeated"] {
        assert!(row[count].is_u64(), "{count}: {row}");
    }
    // The daemon counts the last one just after it has written it.
    assert!(row["sent"].as_u64() >= Some(4), "{row}");
}

#[test]
fn pipelined_requests_take_one_seat() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "4"]);
    let mut client = Client::connect(daemon.address());
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    let mut viewer = Viewer::new(client);
    for _ in 0..10 {
        viewer.next();
        assert_eq!(daemon.figure("/seats/taken"), 1);
    }
    assert_eq!(daemon.figure("/seats/refused"), 0);
}

#[test]
fn flood_of_pipelined_requests_takes_no_more_than_one_seat() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "4"]);
    let mut client = Client::connect(daemon.address());
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000));
    let mut fewer = Client::connect(daemon.address());
    fewer.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50));
    for _ in 0..50 {
        assert!(daemon.figure("/seats/taken") <= 2);
    }
    daemon.watch("/stream").next();
    drop((client, fewer));
    daemon.wait_for_seats(0);
}

#[test]
fn viewer_that_wanted_few_pictures_frees_its_seat() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    // Its next picture is due in 1000 s.
    daemon.watch("/stream?fps=0.001").next();
    daemon.wait_for_seats(0);
}

#[test]
fn log_says_who_got_503_for_what_and_why() {
    let dir = Dir::numbered(2, 0);
    let front = format!("front={}", dir.camera());
    let daemon = Daemon::start(&["--camera", &front, "--fps", "20", "--threads", "1"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    for _ in 0..3 {
        assert_eq!(daemon.get("/?action=stream&token=abcdef&fps=17").code, 503);
    }
    let line = daemon.wait_for_log("503 to 127.0.0.1:");
    let asked = " for /?action=stream&token=***&fps=17 of front: all 1 seats are taken";
    assert!(line.contains(asked), "{line}");
    dir.remove();
    daemon.wait_for_state("lost");
    assert_eq!(daemon.get("/snapshot.jpg?17").code, 503);
    let line = daemon.wait_for_log(" for /snapshot.jpg?17 of front: no picture: ");
    assert!(line.contains("503 to 127.0.0.1:"), "{line}");
    assert_eq!(daemon.get("/healthz?cameras=1").code, 503);
    // It is about all cameras, not about the first.
    daemon.wait_for_log(" for /healthz?cameras=1: camera front is lost: ");
    // The same reason is logged once, whoever else is refused between.
    assert_eq!(daemon.get("/stream").code, 503);
    let log = daemon.log();
    assert_eq!(log.iter().filter(|line| line.contains("seats are taken")).count(), 1, "{log:?}");
}

#[test]
fn log_at_the_level_debug_has_each_503() {
    let mut command = Daemon::command(&["--camera", "pattern:64x48@20", "--threads", "1"]);
    command.env("RUST_LOG", "debug");
    let daemon = Daemon::spawn(command);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    for n in 0..3 {
        assert_eq!(daemon.get(&format!("/stream?fps=1{n}")).code, 503);
    }
    for (n, level) in ["WARN", "DEBUG", "DEBUG"].iter().enumerate() {
        let line = daemon.wait_for_log(&format!(" for /stream?fps=1{n} of camera: "));
        assert!(line.contains(level), "{line}");
    }
}

#[test]
fn request_without_a_thread_says_so_and_is_no_viewer_without_a_seat() {
    let faults = &Faults::new();
    let daemon = Daemon::spawn(faults.into(Daemon::command(&["--threads", "2"])));
    // No worker is idle or busy yet, so the first request needs a thread.
    faults.refuse_thread("accept");
    let reply = daemon.get("/stream");
    assert_eq!((reply.code, reply.header("Retry-After")), (503, Some("2")));
    assert_eq!(reply.text(), "no thread for a request; try again in a moment\n");
    assert_eq!(daemon.figure("/connections/refused"), 1);
    assert_eq!(daemon.figure("/seats/refused"), 0);
    daemon.wait_for_log(" for /stream of camera: no thread for a request");
    daemon.watch("/stream").next();
}

/// Lets a client stand in line for the seat of a viewer that has left, and stops
/// the daemon. Its log; the seat may have been free too early.
fn log_of_a_stop_with_a_client_in_line() -> String {
    // The worker of a viewer that has left notices it late.
    let dir = Dir::numbered(2, 0);
    let args = ["--camera", &dir.camera(), "--fps", "0.02", "--threads", "1"];
    let mut command = Daemon::command(&args);
    command.env("RUST_LOG", "debug");
    let mut daemon = Daemon::spawn(command);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    drop(viewer);
    let mut second = Client::connect(daemon.address());
    second.request("GET", "/stream?fps=2", &[]);
    daemon.wait_for_log("GET /stream?fps=2");
    daemon.signal(Signal::TERM);
    daemon.wait();
    daemon.wait_for_log("stopping");
    daemon.log().join("\n")
}

#[test]
fn client_in_line_while_the_program_stops_is_not_refused_for_seats() {
    let is_in_line = (0..10).any(|_| {
        let log = log_of_a_stop_with_a_client_in_line();
        assert!(!log.contains("seats are taken"), "{log}");
        log.contains(" for /stream?fps=2 of camera: the program stops")
    });
    assert!(is_in_line, "the seat was free each time");
}

#[test]
fn crowd_that_comes_at_once_is_seated() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "60"]);
    let mut clients: Vec<_> = (0..60).map(|_| Client::connect(daemon.address())).collect();
    clients.iter_mut().for_each(|client| client.request("GET", "/stream", &[]));
    let mut viewers: Vec<_> = clients.into_iter().map(Viewer::new).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    assert_eq!(daemon.figure("/seats/taken"), 60);
    drop(viewers);
    daemon.wait_for_seats(0);
    eventually_is("the workers leave", || {
        !daemon.threads().iter().any(|name| name.starts_with("http-"))
    });
}
