//! Snapshots: from a running camera, from one that is off, and errors.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{Daemon, Dir, Fake, Metronome, Reply, size};

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn timestamp(reply: &Reply) -> f64 {
    reply.header("X-Timestamp").unwrap().parse().unwrap()
}

fn age_ms(reply: &Reply) -> u64 {
    reply.header("X-Frame-Age-Ms").unwrap().parse().unwrap()
}

#[test]
fn snapshot_is_one_jpeg_with_the_headers_that_clients_need() {
    let dir = Dir::numbered(1, 10_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    for target in [
        "/snapshot",
        "/?action=snapshot",
        "/webcam/?action=snapshot",
        "/webcam/snapshot",
        "/snapshot?bypassCache=1700000000&x=%ff",
    ] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 200, "{target}");
        assert_eq!(reply.header("Content-Type"), Some("image/jpeg"));
        assert_eq!(reply.header("Content-Length"), Some(&*dir.pictures[0].len().to_string()));
        assert_eq!(reply.header("Connection"), Some("close"));
        assert!(reply.header("Cache-Control").unwrap().contains("no-store"));
        assert!(reply.header("Cache-Control").unwrap().ends_with("no-transform"));
        assert!(reply.header("X-Frame-Age-Ms").unwrap().parse::<u64>().unwrap() < 4000);
        let (_, micros) = reply.header("X-Timestamp").unwrap().split_once('.').unwrap();
        assert_eq!(micros.len(), 6);
        assert!(reply.body == dir.pictures[0], "{target}");
    }
}

#[test]
fn headers_of_a_snapshot_are_exposed_where_another_origin_is_allowed() {
    let exposed = |args: &[&str], target: &str| {
        let daemon = Daemon::start(&[&["--camera", "pattern:64x48@20"], args].concat());
        let reply = daemon.get(target);
        assert_eq!(reply.code, 200);
        reply.header("Access-Control-Expose-Headers").map(str::to_owned)
    };
    for origin in ["*", "http://printer.local"] {
        assert_eq!(
            exposed(&["--allow-origin", origin], "/snapshot").as_deref(),
            Some("X-Timestamp, X-Frame-Age-Ms, X-Mjpegd-Status")
        );
    }
    assert_eq!(exposed(&[], "/snapshot"), None);
}

#[test]
fn snapshot_wakes_a_sleeping_camera() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@10"]);
    assert_eq!(daemon.status()["camera"]["state"], "idle");
    let reply = daemon.get("/snapshot");
    assert_eq!((reply.code, size(&reply.body)), (200, (64, 48)));
    assert_eq!(daemon.figure("/camera/opened"), 1);
}

#[test]
fn snapshot_is_taken_after_the_request() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@5", "--idle-timeout", "0"]);
    daemon.wait_for_state("live");
    for _ in 0..5 {
        let asked = now();
        let reply = daemon.get("/snapshot");
        let (taken, age) = (timestamp(&reply), age_ms(&reply));
        // An older one is given only when the next is late by half a second.
        assert!(asked <= taken || age >= 500, "asked at {asked}, taken at {taken}");
    }
}

#[test]
fn max_delay_allows_a_picture_that_is_there() {
    let dir = Dir::numbered(2, 0);
    // The next picture is due in nearly a minute.
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "0.02"]);
    let first = daemon.get("/snapshot");
    assert_eq!(first.code, 200, "{}", first.text());
    let (metronome, begun) = (Metronome::start(), Instant::now());
    let again = daemon.get("/snapshot?max_delay=60000");
    assert_eq!(timestamp(&again), timestamp(&first));
    let limit = metronome.allow(Duration::from_secs(3));
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    // Without one that may be old, it is the same: a newer one cannot come in time.
    for target in ["/snapshot", "/snapshot?max_delay=1"] {
        let begun = Instant::now();
        let held = daemon.get(target);
        assert_eq!((held.code, timestamp(&held)), (200, timestamp(&first)), "{target}");
        let age = age_ms(&held);
        assert!(age < 60_000, "{age}");
        let limit = metronome.allow(Duration::from_secs(3));
        assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    }
}

/// The server says no pace, so a snapshot waits before it gives the old picture.
#[test]
fn snapshot_of_a_source_that_pauses_is_the_newest_one() {
    let dir = Dir::numbered(1, 0);
    let jpeg = dir.pictures[0].clone();
    let server = Fake::start(move |asked| {
        let length = jpeg.len();
        asked
            .send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n");
        asked.send(format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"));
        asked.send(&jpeg);
        asked.send("\r\n--b\r\n");
        asked.say_nothing();
    });
    let url = server.url("/");
    let daemon = Daemon::start(&["--camera", &url, "--idle-timeout", "0", "--stall-timeout", "1m"]);
    daemon.wait_for_state("live");
    let reply = daemon.get("/snapshot");
    assert_eq!(reply.code, 200, "{}", reply.text());
    assert!(reply.body == dir.pictures[0]);
    // It was not sent before a newer one had its time.
    assert!(age_ms(&reply) >= 3900);
}

#[test]
fn max_delay_never_gives_an_older_one() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@10", "--idle-timeout", "0"]);
    daemon.wait_for_state("live");
    for _ in 0..5 {
        let asked = now();
        let reply = daemon.get("/snapshot?max_delay=200");
        let (taken, age) = (timestamp(&reply), age_ms(&reply));
        assert!(asked - 0.25 <= taken || age >= 500, "asked at {asked}, taken at {taken}");
    }
}

#[test]
fn snapshot_of_a_lost_camera_says_why_at_once() {
    let dir = Dir::numbered(1, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera()]);
    dir.remove();
    let begun = Instant::now();
    let reply = daemon.get("/snapshot");
    assert_eq!(reply.code, 503);
    let why = format!("no picture: {}: no picture in this folder", dir.path().display());
    assert!(reply.text().starts_with(&why), "{}", reply.text());
    assert!(reply.header("X-Mjpegd-Status").unwrap().starts_with("lost; "));
    assert!(reply.header("Retry-After").is_some());
    // Who waits for a picture waits for nine seconds.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    dir.restore();
    crate::support::eventually_is("it is back", || daemon.get("/snapshot").code == 200);
}

#[test]
fn max_delay_that_is_no_number_is_a_bad_request() {
    let daemon = Daemon::start(&[]);
    for target in ["/snapshot?max_delay=1s", "/snapshot?max_delay=-1"] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 400);
        assert!(reply.text().contains("max_delay: use a number from 0"), "{}", reply.text());
    }
}

#[test]
fn many_who_want_a_snapshot_at_once_all_get_one() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@10", "--threads", "1"]);
    let mut viewer = daemon.watch("/stream");
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    (0..5).for_each(|_| assert_eq!(daemon.get("/snapshot").code, 200));
                })
            })
            .collect();
        while !crowd.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            viewer.next();
        }
    });
    assert_eq!(daemon.figure("/camera/opened"), 1);
}
