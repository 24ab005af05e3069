//! Hostile clients, and that they cost other clients nothing.

// Limits on connections without a complete request.
mod limits;

// Malformed and hostile requests.
mod requests;
// Clients that disconnect before they are served.
mod resets;
// Panics in the daemon.
mod panics;
// Connections that the HTTP library never releases, and the restart that frees
// them.
mod leaks;
// Each limit has an option and each event a figure; without connections, no
// thread wakes up.
mod counts;
// Too few descriptors, and a listener that died of it.
mod descriptors;

// Password guessing.
mod guesses;
// A log that is not read.
mod log;

// Many clients at once: random bytes, endless requests, crowds of viewers.
mod crowds;
// Memory that is given back.
mod memory;
// Time: slow viewers, a stalled camera, a clock that jumps.
mod pace;

use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Viewer};

/// Opens `n` connections that send nothing.
fn idle(daemon: &Daemon, n: usize) -> Vec<Client> {
    (0..n).map(|_| Client::connect(daemon.address())).collect()
}

/// The figure `name` below `/connections` in the status.
fn connections(daemon: &Daemon, name: &str) -> u64 {
    daemon.figure(&format!("/connections/{name}"))
}

/// Watches for this long, and returns the longest time without a picture.
fn worst_gap(viewer: &mut Viewer, time: Duration) -> Duration {
    let begun = Instant::now();
    worst_gap_until(viewer, || begun.elapsed() >= time)
}

/// As `worst_gap`, until a condition holds.
fn worst_gap_until(viewer: &mut Viewer, is_over: impl Fn() -> bool) -> Duration {
    let (mut last, mut worst) = (Instant::now(), Duration::ZERO);
    while !is_over() {
        viewer.next();
        worst = worst.max(last.elapsed());
        last = Instant::now();
    }
    worst
}
