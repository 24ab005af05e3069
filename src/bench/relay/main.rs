//! `make bench-relay`: what a relay adds to the age of a picture, and how many
//! bytes a second one core relays to one viewer.
//!
//! The relay is the real executable, on one core. The origin (a bare loop that
//! sends parts) and the viewer share another.
//!
//! | file | holds |
//! | --- | --- |
//! | `origin` | the bare loop |
//! | `children` | starts a daemon or the loop |
//! | `viewer` | reads parts, notes their ages and bytes |
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod children;
mod origin;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the benchmark of the server needs more of it")]
mod shared;
mod viewer;

use std::thread;
use std::time::Duration;

use anyhow::Result;

use children::{start_origin, start_relay};
use shared::process;
use shared::procfs::usage;
use viewer::{Seen, Viewer};

/// A picture of 720p, and one of a good camera.
const SIZES: [usize; 2] = [100 << 10, 1 << 20];
/// What the origin is to send a second, in MB. Above what a relay can take, it
/// passes on the newest only.
const RATES: [usize; 3] = [300, 600, 900];
/// In MB a second. Judged by the relay's time on its core: what arrives is less
/// where origin and viewer, which share the other core, are what is slow.
const GOAL: f64 = 500.0;
/// Most that a relay may add to the age of the median picture, in ms.
const AGE_GOAL: f64 = 5.0;
const WARM_UP: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(origin::ROLE) {
        return origin::main(args);
    }
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let turn = Duration::from_secs(seconds.unwrap_or(5));
    process::stay_off_the_servers_core();
    hops(turn)?;
    for size in SIZES {
        for rate in RATES {
            throughput(size, rate, turn)?;
        }
    }
    Ok(())
}

/// Ages along a chain, all in the same seconds.
fn hops(turn: Duration) -> Result<()> {
    let origin = start_origin(SIZES[0], 30.0)?;
    let first = start_relay(&origin)?;
    let second = start_relay(&first)?;
    let viewers = [&origin, &first, &second].map(Viewer::watch);
    thread::sleep(WARM_UP);
    viewers.iter().for_each(|viewer| drop(viewer.take()));
    thread::sleep(turn);
    let ages = viewers.map(|viewer| viewer.take().ages());
    println!("age at the last byte, 100 kB at 30 fps, ms    p50    p99");
    for (what, (p50, p99)) in ["origin", "one relay", "two relays"].iter().zip(&ages) {
        println!("  {what:42} {p50:6.2} {p99:6.2}");
    }
    let added = (ages[2].0 - ages[0].0) / 2.0;
    println!(
        "  added by a hop, median: {added:.2} ms; goal {AGE_GOAL}: {}",
        holds(added < AGE_GOAL)
    );
    Ok(())
}

/// What arrives of what is sent, and what the relay's core does for it.
fn throughput(size: usize, rate_mb: usize, turn: Duration) -> Result<()> {
    let origin = start_origin(size, rate_mb as f64 * 1e6 / size as f64)?;
    let relay = start_relay(&origin)?;
    let viewer = Viewer::watch(&relay);
    thread::sleep(WARM_UP);
    drop(viewer.take());
    let before = usage(relay.pid())?.cpu;
    thread::sleep(turn);
    let (Seen { n_bytes, .. }, after) = (viewer.take(), usage(relay.pid())?.cpu);
    let mb = n_bytes as f64 / 1e6 / turn.as_secs_f64();
    let busy = (after - before).as_secs_f64() / turn.as_secs_f64();
    // What skipped pictures cost is counted in, for those that arrive.
    let of_a_core = mb / busy;
    println!(
        "parts of {:4} kB, {rate_mb:4} MB/s wanted: {mb:5.0} MB/s arrive in {:3.0} % of the core, \
         so {of_a_core:5.0} in all of it; goal {GOAL}: {}",
        size >> 10,
        busy * 100.0,
        holds(of_a_core >= GOAL)
    );
    Ok(())
}

fn holds(is_so: bool) -> &'static str {
    if is_so { "holds" } else { "MISSED" }
}
