//! A server that is taken out of service behind a balancer: readiness, and viewers
//! that leave before the program does.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Client, Daemon, Viewer, eventually_is};

fn watchers(daemon: &Daemon, n: usize) -> Vec<Viewer> {
    let mut viewers: Vec<_> = (0..n).map(|_| daemon.watch("/stream")).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    viewers
}

/// Reads all streams to their ends, which must be behind whole pictures. Returns when
/// each of them ended.
fn ends(viewers: Vec<Viewer>) -> Vec<Instant> {
    let to_end = |mut viewer: Viewer| {
        std::thread::spawn(move || {
            while viewer.next_or_end().is_some() {}
            Instant::now()
        })
    };
    let threads: Vec<_> = viewers.into_iter().map(to_end).collect();
    let mut ends: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    ends.sort();
    ends
}

#[test]
fn readiness_is_of_the_program_and_of_seats_and_cameras_where_asked() {
    let daemon = Daemon::start(&[
        "--camera",
        "good=pattern:64x48@20",
        "--camera",
        "bad=exec:echo gone; exit 1",
        "--threads",
        "1",
    ]);
    let code = |target| daemon.get(target).code;
    assert_eq!(daemon.get("/readyz").text(), "ready\n");
    assert_eq!(code("/readyz?seats=1&cameras=1"), 200);
    let mut viewer = daemon.watch("/good/stream");
    viewer.next();
    assert_eq!(code("/readyz"), 200, "a full server still has a page and snapshots");
    assert_eq!(code("/readyz?seats=0"), 200);
    let full = daemon.get("/readyz?seats=1");
    assert_eq!((full.code, full.text().as_str()), (503, "all 1 seats are taken\n"));
    assert!(full.header("Retry-After").is_some());
    drop(viewer);
    eventually_is("the seat is free", || code("/readyz?seats=1") == 200);
    let lost = eventually_lost(&daemon);
    assert!(lost.starts_with("camera bad is lost: "), "{lost}");
    assert_eq!((code("/readyz"), code("/healthz")), (200, 200));
}

fn eventually_lost(daemon: &Daemon) -> String {
    // It is lost only while somebody wants its pictures.
    crate::support::eventually("the camera is lost", || {
        daemon.get("/bad/snapshot");
        let reply = daemon.get("/readyz?cameras=1");
        (reply.code == 503).then(|| reply.text())
    })
}

#[test]
fn sigterm_lets_viewers_leave_one_after_the_other() {
    let time = Duration::from_secs(6);
    let mut daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--drain-timeout", "6s"]);
    let viewers = watchers(&daemon, 4);
    // One of its own pace, whose thread is not woken by pictures.
    let slow = daemon.watch("/stream?fps=0.1");
    let reading = std::thread::spawn(move || ends(viewers));
    let begun = Instant::now();
    daemon.signal(Signal::TERM);
    daemon.wait_for_log("draining");
    let refused = daemon.get("/stream");
    assert_eq!(refused.code, 503);
    assert!(refused.header("Retry-After").is_some());
    let why = "the program drains and takes no new viewers";
    assert_eq!(refused.text(), format!("{why}; try again in a moment\n"));
    assert_eq!(daemon.get("/readyz").text(), format!("{why}\n"));
    for target in ["/", "/status", "/healthz", "/snapshot"] {
        assert_eq!(daemon.get(target).code, 200, "{target} is answered to the end");
    }
    let ends = reading.join().unwrap();
    assert_eq!(daemon.wait().code(), Some(0));
    let took = ends[3] - ends[0];
    assert!(took >= time / 4, "they are disconnected at once: {took:?}");
    assert!(begun.elapsed() >= time / 2, "it has not waited for the viewers");
    drop(slow);
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("was disconnected, as the program drains").count(), 5, "{log}");
}

#[test]
fn sigterm_without_viewers_or_without_a_time_ends_it_at_once() {
    let mut daemon = Daemon::start(&["--drain-timeout", "1day"]);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    let mut daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let viewers = watchers(&daemon, 2);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    drop(viewers);
    assert!(!daemon.log().join("\n").contains("draining"));
}

#[test]
fn second_signal_ends_the_wait_for_viewers() {
    let args = ["--camera", "pattern:64x48@20", "--drain-timeout", "1day"];
    let mut daemon = Daemon::start(&args);
    let viewers = watchers(&daemon, 3);
    daemon.signal(Signal::TERM);
    daemon.wait_for_log("draining");
    assert!(daemon.is_running());
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(1));
    drop(viewers);
}

#[test]
fn sigusr2_lets_viewers_leave_and_goes_on() {
    let args = ["--camera", "pattern:64x48@20", "--drain-timeout", "500ms"];
    let mut daemon = Daemon::start(&args);
    let viewers = watchers(&daemon, 3);
    daemon.signal(Signal::USR2);
    ends(viewers);
    daemon.wait_for_seats(0);
    assert_eq!((daemon.get("/readyz").code, daemon.get("/stream").code), (503, 503));
    assert_eq!((daemon.get("/healthz").code, daemon.get("/snapshot").code), (200, 200));
    daemon.signal(Signal::USR2);
    assert!(daemon.is_running());
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    assert_eq!(daemon.log().join("\n").matches("draining").count(), 1);
}

#[test]
fn viewer_that_stalls_does_not_hold_the_end_up() {
    let dir = crate::support::Dir::numbered(5, 200_000);
    let args = [
        "--camera",
        &dir.camera(),
        "--fps",
        "50",
        "--write-timeout",
        "1h",
        "--drain-timeout",
        "1s",
    ];
    let mut daemon = Daemon::start(&args);
    let mut stalled = Client::narrow(daemon.address());
    stalled.request("GET", "/stream", &[]);
    daemon.wait_for_seats(1);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    drop(stalled);
}
