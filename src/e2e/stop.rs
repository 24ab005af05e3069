//! Stopping: signals, and how long it takes.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Client, Daemon, Dir, TempDir, eventually_is};

/// The time in which the program must have ended: what it could wait for here takes 9 s or more.
const LIMIT: Duration = Duration::from_secs(5);

fn stops_in_time(daemon: &mut Daemon, signal: Signal) {
    assert_eq!(daemon.end_within(LIMIT, signal).code(), Some(0));
    daemon.wait_for_log("stopping");
}

#[test]
fn sigterm_and_sigint_end_it_while_idle() {
    for signal in [Signal::TERM, Signal::INT] {
        stops_in_time(&mut Daemon::start(&[]), signal);
    }
}

#[test]
fn viewers_see_the_end_of_their_streams() {
    let mut daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/video_feed")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    stops_in_time(&mut daemon, Signal::TERM);
    for mut viewer in viewers {
        while viewer.next_or_end().is_some() {}
    }
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("was disconnected, as the program stops").count(), 2, "{log}");
    assert!(log.contains("camera off"), "{log}");
}

#[test]
fn stalled_viewers_do_not_hold_it_up() {
    let dir = Dir::numbered(5, 200_000);
    let args = ["--camera", &dir.camera(), "--fps", "50", "--write-timeout", "60s"];
    let mut daemon = Daemon::start(&args);
    let stalled: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = Client::narrow(daemon.address());
            client.request("GET", "/stream", &[]);
            client
        })
        .collect();
    daemon.wait_for_seats(10);
    wait_until_stalled(&daemon);
    stops_in_time(&mut daemon, Signal::TERM);
    drop(stalled);
}

/// Waits until no viewer reads any more while the camera goes on.
fn wait_until_stalled(daemon: &Daemon) {
    let sent = || {
        let status = daemon.status();
        let rows = status["viewers"].as_array().unwrap();
        let sent: Vec<_> = rows.iter().map(|row| row["sent"].as_u64().unwrap()).collect();
        (sent, status["camera"]["frames"]["captured"].as_u64().unwrap())
    };
    let mut before = sent();
    eventually_is("no viewer takes anything", || {
        let now = sent();
        let (same, n_captured) = (now.0 == before.0, now.1 - before.1);
        if !same {
            before = now;
        }
        same && n_captured >= 20
    });
}

#[test]
fn a_snapshot_that_waits_does_not_hold_it_up() {
    // It has no picture yet, or the snapshot would be that.
    let args = ["--camera", "exec:sleep 60", "--stall-timeout", "1m"];
    let mut daemon = Daemon::start(&args);
    let mut waiting = Client::connect(daemon.address());
    waiting.request("GET", "/snapshot", &[]);
    eventually_is("the snapshot is being waited for", || {
        daemon.threads().iter().any(|name| name.starts_with("http-snap"))
    });
    stops_in_time(&mut daemon, Signal::INT);
}

#[test]
fn idle_and_half_sent_connections_do_not_hold_it_up() {
    let mut daemon = Daemon::start(&[]);
    let silent = Client::connect(daemon.address());
    let mut half = Client::connect(daemon.address());
    half.send("GET /stream HTTP/1.1\r\nHo");
    assert_eq!(daemon.get("/healthz").code, 200);
    stops_in_time(&mut daemon, Signal::TERM);
    drop((silent, half));
}

#[test]
fn a_second_signal_ends_it_at_once_as_a_failure() {
    let dir = TempDir::new();
    let users = dir.path().join("users");
    // This hash takes minutes to check, so the thread that checks it cannot be
    // joined in time.
    let hash = "$2y$20$abcdefghijklmnopqrstuuFlkQx7C9yzXMKnMnsPMPPhvgr6.Zx.2";
    std::fs::write(&users, format!("user:{hash}\n")).unwrap();
    let mut daemon = Daemon::start(&["--auth-file", users.to_str().unwrap()]);
    let mut guess = Client::connect(daemon.address());
    guess.request("GET", "/", &["Authorization: Basic dXNlcjpndWVzcw=="]);
    eventually_is("the password is being checked", || {
        daemon.threads().iter().any(|name| name.starts_with("http-login"))
    });
    daemon.signal(Signal::TERM);
    daemon.wait_for_log("stopping");
    assert!(daemon.is_running());
    daemon.signal(Signal::INT);
    assert_eq!(daemon.wait().code(), Some(1));
}
