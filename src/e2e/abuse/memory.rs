//! Memory grows under load and is given back afterwards.

use std::time::Duration;

use crate::support::{Client, Daemon, Growth, eventually_is};

#[test]
fn flood_of_pipelined_requests_takes_little_memory_and_holds_nobody_up() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    daemon.get("/healthz");
    let growth = Growth::watch(&daemon);
    let mut client = Client::connect(daemon.address());
    let requests = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    for _ in 0..100 {
        client.send(&requests);
        let reply = daemon.get_within(Duration::from_millis(100), "/healthz");
        assert_eq!(reply.code, 200);
    }
    let kb = growth.most_kb();
    assert!(kb < 16 << 10, "it grew by {kb} kB");
}

/// Short requests in sequence, and crowds of viewers.
fn come_and_go(daemon: &Daemon, n_short: usize, crowds: usize, n_viewers: usize) {
    for n in 0..n_short {
        match n % 10 {
            0 => drop(Client::connect(daemon.address())),
            1 => drop(daemon.get("/status")),
            _ => drop(daemon.get("/healthz")),
        }
    }
    for _ in 0..crowds {
        let mut viewers: Vec<_> = (0..n_viewers).map(|_| daemon.watch("/stream")).collect();
        viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
        drop(viewers);
        daemon.wait_for_seats(0);
    }
}

#[test]
fn memory_comes_back_after_many_clients() {
    let args = ["--camera", "pattern:64x48@20", "--threads", "50", "--idle-timeout", "1s"];
    let daemon = Daemon::start(&args);
    let is_small = || daemon.threads().len() < 13 && daemon.open_files().len() < 20;
    // The first round loads code and starts the camera, which does not count.
    come_and_go(&daemon, 20, 1, 1);
    eventually_is("all have left", is_small);
    let before = daemon.resident_kb();
    come_and_go(&daemon, 10_000, 20, 50);
    eventually_is("all have left", is_small);
    let mut after = 0;
    eventually_is("memory is as it was", || {
        after = daemon.resident_kb();
        after <= before + (2 << 10)
    });
    assert_eq!(daemon.figure("/connections/restarts"), 0);
}
