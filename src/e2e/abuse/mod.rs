//! Clients that are not meant well, and what they cost: nobody else anything.

// The limits on connections that send no whole request.
mod limits;

// What tiny_http loses for good, and the new start that brings it back.
mod leaks;
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

use std::time::Duration;

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
    let begun = std::time::Instant::now();
    let (mut last, mut worst) = (begun, Duration::ZERO);
    while begun.elapsed() < time {
        viewer.next();
        worst = worst.max(last.elapsed());
        last = std::time::Instant::now();
    }
    worst
}
