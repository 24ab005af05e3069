//! The camera is on only while a client reads its frames.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{Daemon, Dir, eventually_is};

/// A daemon with a file as its camera, whose open descriptor shows whether the
/// camera is on; and the path of that file.
fn on_a_file(idle_timeout: &str) -> (Daemon, String, Dir) {
    let dir = Dir::numbered(3, 0);
    let path = dir.concatenated().display().to_string();
    let camera = format!("file:{path}");
    let args = ["--camera", &camera, "--fps", "20", "--idle-timeout", idle_timeout];
    (Daemon::start(&args), path, dir)
}

fn captures(daemon: &Daemon) -> bool {
    daemon.threads().iter().any(|name| name == "capture")
}

#[test]
fn nothing_runs_while_nobody_watches() {
    let (daemon, path, _dir) = on_a_file("10s");
    for target in ["/", "/status", "/state", "/metrics", "/healthz", "/nothing"] {
        daemon.get(target);
    }
    daemon.request("HEAD", "/stream", &[]);
    eventually_is("its thread ends", || !captures(&daemon));
    assert!(!daemon.open_files().contains(&path), "{:?}", daemon.open_files());
    let camera = daemon.status()["camera"].clone();
    assert_eq!((&camera["state"], &camera["opened"]), (&"idle".into(), &0.into()));
}

#[test]
fn first_reader_starts_it_and_it_stops_after_the_last() {
    let (daemon, path, _dir) = on_a_file("1s");
    for n_opened in 1..=2 {
        let asked = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let mut viewers = [daemon.watch("/stream"), daemon.watch("/stream")];
        for viewer in &mut viewers {
            let taken = viewer.next().timestamp();
            assert!(asked <= taken, "a stale frame: asked at {asked}, taken at {taken}");
        }
        assert!(captures(&daemon) && daemon.open_files().contains(&path));
        daemon.wait_for_state("live");
        assert_eq!(daemon.figure("/camera/opened"), n_opened);
        let left = Instant::now();
        drop(viewers);
        eventually_is("the capture thread ends", || !captures(&daemon));
        assert!(left.elapsed() >= Duration::from_secs(1), "{:?}", left.elapsed());
        assert!(!daemon.open_files().contains(&path), "{:?}", daemon.open_files());
        assert_eq!(daemon.status()["camera"]["state"], "idle");
    }
}

#[test]
fn page_in_a_browser_starts_the_one_camera_that_it_shows() {
    let (daemon, path, _dir) = on_a_file("1s");
    let shown = "Upgrade-Insecure-Requests: 1";
    daemon.get("/");
    daemon.request("HEAD", "/", &[shown]);
    daemon.request("GET", "/", &[shown, "Sec-Purpose: prefetch"]);
    daemon.request("GET", "/status", &[shown]);
    assert!(!captures(&daemon), "{:?}", daemon.threads());
    daemon.request("GET", "/", &[shown]);
    eventually_is("the camera is opened", || daemon.figure("/camera/opened") == 1);

    let camera = |name: &str| format!("{name}=file:{path}");
    let daemon = Daemon::start(&["--camera", &camera("front"), "--camera", &camera("back")]);
    daemon.request("GET", "/", &[shown]);
    assert!(!captures(&daemon), "{:?}", daemon.threads());
    daemon.request("GET", "/back/", &[shown]);
    eventually_is("that camera is opened", || daemon.figure("/cameras/1/opened") == 1);
    assert_eq!(daemon.figure("/cameras/0/opened"), 0);
}

#[test]
fn idle_timeout_of_0_means_always_on() {
    let (daemon, path, _dir) = on_a_file("0");
    daemon.wait_for_state("live");
    assert!(captures(&daemon) && daemon.open_files().contains(&path));
    drop(daemon.watch("/stream"));
    daemon.wait_for_seats(0);
    let before = daemon.figure("/camera/frames/captured");
    eventually_is("it goes on", || daemon.figure("/camera/frames/captured") > before + 20);
    assert_eq!(daemon.figure("/camera/opened"), 1);
}

#[test]
fn snapshot_polling_counts_as_watching() {
    let (daemon, _path, _dir) = on_a_file("5s");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        assert_eq!(daemon.get("/snapshot").code, 200);
    }
    assert_eq!(daemon.figure("/camera/opened"), 1);
    daemon.wait_for_state("idle");
    eventually_is("its thread ends", || !captures(&daemon));
}

#[test]
fn slow_camera_stops_as_soon_as_a_fast_one() {
    // The next picture is due in 100 s, longer than the test waits.
    let daemon = Daemon::start(&["--fps", "0.01", "--idle-timeout", "1s"]);
    daemon.watch("/stream").next();
    daemon.wait_for_state("idle");
    assert!(!captures(&daemon), "{:?}", daemon.threads());
}

#[test]
fn one_viewer_of_two_keeps_it_on() {
    let (daemon, _path, _dir) = on_a_file("1s");
    let (first, mut second) = (daemon.watch("/stream"), daemon.watch("/stream"));
    drop(first);
    // Two seconds of pictures: twice the timeout.
    (0..40).for_each(|_| drop(second.next()));
    assert_eq!(daemon.figure("/camera/opened"), 1);
    assert!(captures(&daemon));
}

#[test]
fn threads_have_short_names_that_say_what_they_do() {
    let (daemon, _path, _dir) = on_a_file("10s");
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let threads = daemon.threads();
    for name in ["capture", "accept", "http-viewer"] {
        assert!(threads.iter().any(|thread| thread == name), "no {name} in {threads:?}");
    }
}

#[test]
fn sleeping_daemon_uses_no_processor() {
    let (daemon, _path, _dir) = on_a_file("500ms");
    drop(daemon.watch("/stream"));
    daemon.wait_for_state("idle");
    eventually_is("the workers have ended", || {
        !daemon.threads().iter().any(|thread| thread.starts_with("http"))
    });
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let (before, begun) = (ticks(), Instant::now());
    while begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(500));
    }
    // The goal of 0.1 % of 5 s is 5 ms, half a tick of this clock. So one tick
    // is the smallest usable limit.
    assert!(ticks() - before <= 1, "{} ticks in 5 s", ticks() - before);
}
