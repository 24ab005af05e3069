//! `make bench-relay`: how much older a picture is behind a relay, and how many bytes a second one core relays to one
//! viewer.
//!
//! The relay is the real executable, on the servers' core; beside it runs a bare loop that reads a part and writes it,
//! which is the limit. The origin (a bare loop that sends parts) and the viewer share the other core.
//!
//! | file | holds |
//! | --- | --- |
//! | `origin`, `bare` | the bare loops that send and pass on parts, processes of their own |
//! | `viewer` | reads parts, notes their ages and bytes |
//! | `shared` | what all benchmarks share: processes, figures, the table |
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod bare;
mod origin;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the benchmark of the server needs more of it")]
mod shared;
mod viewer;

use std::thread;
use std::time::Duration;

use anyhow::Result;

use shared::numbers::Series;
use shared::process::{self, Server};
use shared::procfs::usage;
use shared::settings::Settings;
use shared::table::{Row, Table};
use viewer::{Seen, Viewer};

/// A picture of 720p, and one of a good camera.
const SIZES: [usize; 2] = [100 << 10, 1 << 20];
/// What the origin tries to send, in MB a second. Where that is more than the relay takes, the relay passes on the
/// newest pictures only.
const RATES: [usize; 3] = [300, 600, 900];
/// In MB a second for a whole core. It is computed from the relay's CPU time, since the origin and the viewer, which
/// share the other core, may be what limits the bytes that arrive.
const GOAL: f64 = 500.0;
/// How much age one relay may add to the median picture, in ms.
const AGE_GOAL: f64 = 5.0;
const WARM_UP: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(origin::ROLE) => return origin::main(args),
        Some(bare::ROLE) => return bare::main(args),
        _ => {}
    }
    let settings = Settings::from_env()?;
    let mut table = Table::new();
    process::stay_off_the_servers_core();
    hops(&settings, &mut table)?;
    for size in SIZES {
        for rate in RATES {
            throughput(size, rate, settings.turn, &mut table)?;
        }
    }
    print!("{table}");
    table.results().keep("relay")
}

/// A daemon that relays another server.
fn relay(source: &Server) -> Result<Server> {
    Server::daemon(["--camera", &format!("http://{}/stream", source.address)])
}

/// Ages along a chain of relays, and along one of bare relays, all in the same seconds. What else
/// runs on the machine delays both, and the worst of a hundred pictures most of all.
fn hops(settings: &Settings, table: &mut Table) -> Result<()> {
    let origin = origin::start(SIZES[0], 30.0)?;
    let first = relay(&origin)?;
    let second = relay(&first)?;
    let bare_first = bare::start(&origin, SIZES[0])?;
    let bare_second = bare::start(&bare_first, SIZES[0])?;
    let chain = [&origin, &first, &second, &bare_first, &bare_second];
    let viewers = chain.map(Viewer::watch);
    thread::sleep(WARM_UP);
    viewers.iter().for_each(|viewer| drop(viewer.take()));
    let mut rounds = Vec::new();
    for _ in 0..settings.n_rounds {
        thread::sleep(settings.turn);
        rounds.push(viewers.each_ref().map(|viewer| viewer.take().ages()));
    }
    let of_rounds = |server: usize, percent| {
        let ages = rounds.iter().map(|round| round[server].percentile(percent));
        ages.collect::<Series>()
    };
    for (what, percent) in [("p50", 50), ("p99", 99)] {
        let origin = of_rounds(0, percent).median();
        for (what_of, ours, bare) in [("one relay", 1, 3), ("two relays", 2, 4)] {
            let ages = of_rounds(ours, percent);
            table.add(Row {
                what: format!("age at last byte {what}, 100 kB at 30 fps, {what_of}, ms"),
                mjpegd: format!("{:.2}", ages.median()),
                limit: format!("{:.2}", of_rounds(bare, percent).median()),
                remark: format!("{}, {origin:.2} without a relay", ages.spread()),
                ..Row::default()
            });
        }
    }
    let added = (of_rounds(2, 50).median() - of_rounds(0, 50).median()) / 2.0;
    table.at_most("  added by one relay, median", added, AGE_GOAL, "ms", "");
    Ok(())
}

/// What arrives of what the origin sends, and the relay's CPU time for it.
fn throughput(size: usize, rate_mb: usize, turn: Duration, table: &mut Table) -> Result<()> {
    let origin = origin::start(size, rate_mb as f64 * 1e6 / size as f64)?;
    let relay = relay(&origin)?;
    let viewer = Viewer::watch(&relay);
    thread::sleep(WARM_UP);
    drop(viewer.take());
    let before = usage(relay.pid())?.cpu;
    thread::sleep(turn);
    let (Seen { n_bytes, .. }, after) = (viewer.take(), usage(relay.pid())?.cpu);
    let mb = n_bytes as f64 / 1e6 / turn.as_secs_f64();
    let busy = (after - before).as_secs_f64() / turn.as_secs_f64();
    // The CPU time of pictures that the relay skipped counts as well: only those that arrive are its work.
    let what = format!("parts of {} kB, {rate_mb} MB/s sent: a whole core relays", size >> 10);
    let remark = format!("{mb:.0} MB/s arrive with {:.0} % of the core", busy * 100.0);
    table.at_least(&what, mb / busy, GOAL, "MB/s", &remark);
    Ok(())
}
