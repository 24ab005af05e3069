//! Clients that are not meant well, and what they cost: nobody else anything.

// The limits on connections that send no whole request.
mod limits;

// Requests that nobody should send.
mod requests;
// Clients that are gone before they are served.
mod resets;
// Panics in the daemon itself.
mod panics;
// What tiny_http loses for good, and the new start that brings it back.
mod leaks;
// Every limit an option, every event a figure; no connection, no tick.
mod counts;
// Too few descriptors, and a listener that has died of it.
mod descriptors;

// Guessers of passwords.
mod guesses;
// A log that nobody reads.
mod log;

// Many at once: bytes without sense, requests without end, viewers in a crowd.
mod crowds;
// What is taken and given back: memory.
mod memory;
// What time does: slow viewers, a camera that stalls, a clock that jumps.
mod pace;

use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Viewer};

/// So many connections that say nothing.
fn idle(daemon: &Daemon, n: usize) -> Vec<Client> {
    (0..n).map(|_| Client::connect(daemon.address())).collect()
}

/// The figure under `/connections` in the status.
fn connections(daemon: &Daemon, name: &str) -> u64 {
    daemon.figure(&format!("/connections/{name}"))
}

/// Watches for so long and gives back the longest time without a picture.
fn worst_gap(viewer: &mut Viewer, time: Duration) -> Duration {
    let begun = Instant::now();
    worst_gap_until(viewer, || begun.elapsed() >= time)
}

/// The same until something is so.
fn worst_gap_until(viewer: &mut Viewer, is_over: impl Fn() -> bool) -> Duration {
    let (mut last, mut worst) = (Instant::now(), Duration::ZERO);
    while !is_over() {
        viewer.next();
        worst = worst.max(last.elapsed());
        last = Instant::now();
    }
    worst
}
