//! Panics in the daemon, from a bug in it or in a library: the daemon recovers.

use std::time::Duration;

use super::connections;
use crate::recording::wait_for_frames;
use crate::support::{
    Call, Daemon, Faults, Footprint, Growth, Part, TempDir, eventually, eventually_is,
};

/// A daemon that can be made to panic.
fn daemon(faults: &Faults, args: &[&str]) -> Daemon {
    Daemon::spawn(faults.into(Daemon::command(args)))
}

fn is_online(part: &Part) -> bool {
    part.header("X-UStreamer-Online").unwrap() == "true"
}

#[test]
fn camera_thread_that_panics_shows_the_cause_and_starts_again() {
    let faults = Faults::new();
    let daemon = daemon(&faults, &["--camera", "pattern:64x48@20"]);
    let mut other = daemon.watch("/video_feed");
    // The first waits are shorter than a busy machine may leave a viewer without a turn.
    for n in 1..=2 {
        daemon.wait_for_state("live");
        faults.panic(&daemon, "capture", Call::Clock);
        eventually_is("it is opened again", || daemon.figure("/camera/opened") == n + 1);
    }
    daemon.wait_for_state("live");
    let mut viewer = daemon.watch("/stream?extra_headers=1");
    for n in 3..=5 {
        eventually_is("it is on", || is_online(&viewer.next()));
        other.next();
        faults.panic(&daemon, "capture", Call::Clock);
        // The status picture shows the panic, too, in the camera's size.
        eventually_is("it is lost", || !is_online(&viewer.next()));
        eventually_is("it goes on", || is_online(&viewer.next()));
        assert_eq!(daemon.figure("/camera/faults/io"), n);
        assert_eq!(daemon.figure("/camera/opened"), n + 1);
    }
    (0..10).for_each(|_| drop(other.next()));
    assert_eq!(daemon.threads().iter().filter(|name| *name == "capture").count(), 1);
    let line = daemon.wait_for_log("camera lost: ");
    assert!(line.contains("the driver panicked: "), "{line}");
    daemon.wait_for_log("panic in thread capture at ");
}

#[test]
fn cause_of_a_panic_stands_in_the_status() {
    let faults = Faults::new();
    let daemon = daemon(&faults, &["--camera", "pattern:64x48@20"]);
    let _viewer = daemon.watch("/stream");
    // After each panic it waits longer, up to 4 s.
    for _ in 0..4 {
        daemon.wait_for_state("live");
        faults.panic(&daemon, "capture", Call::Clock);
    }
    // A panic is counted before it is caught.
    let camera = eventually("it is lost", || {
        Some(daemon.status()["camera"].clone()).filter(|camera| camera["state"] == "lost")
    });
    assert!(camera["cause"].as_str().unwrap().starts_with("the driver panicked: "), "{camera}");
}

#[test]
fn workers_that_panic_a_hundred_times_leave_nothing_behind() {
    let faults = Faults::new();
    let daemon = daemon(&faults, &["--camera", "pattern:64x48@50", "--threads", "1"]);
    let (fresh, growth) = (Footprint::fresh(&daemon), Growth::watch(&daemon));
    for _ in 0..100 {
        // With per-viewer headers, the worker writes each picture in two
        // pieces.
        let mut viewer = daemon.watch("/stream?extra_headers=1");
        viewer.next();
        faults.panic(&daemon, "http-viewer", Call::SendMessage);
        while viewer.next_or_end().is_some() {}
        assert_eq!(daemon.get_within(Duration::from_secs(1), "/healthz").code, 200);
        daemon.wait_for_seats(0);
    }
    assert_eq!(connections(&daemon, "panics"), 100);
    // A panic costs no worker: the few that were created serve all.
    let n_workers = daemon.threads().iter().filter(|name| name.starts_with("http-")).count();
    assert!((1..=4).contains(&n_workers), "{:?}", daemon.threads());
    let log = daemon.log();
    let n_lines = log.iter().filter(|line| line.contains("panic")).count();
    assert!(n_lines <= 3, "{n_lines} lines");
    daemon.watch("/stream").next();
    growth.must_be_small();
    Footprint::settled(&daemon, &fresh);
}

#[test]
fn recorder_that_panics_shows_the_cause_and_goes_on() {
    let (faults, to) = (Faults::new(), TempDir::new());
    let folder = to.path().to_str().unwrap();
    let daemon = daemon(&faults, &["--camera", "pattern:64x48@20", "--record", folder]);
    wait_for_frames(&daemon, 5);
    for n in 1..=2 {
        faults.panic(&daemon, "recorder", Call::Writev);
        eventually_is("it failed", || daemon.figure("/recording/failures") == n);
        let n_before = daemon.figure("/recording/written");
        wait_for_frames(&daemon, n_before + 5);
    }
    let line = daemon.wait_for_log("not recording: cannot record: the recorder panicked: ");
    assert!(line.ends_with("; trying again"), "{line}");
    assert_eq!(daemon.status()["recording"]["state"], "recording");
}
