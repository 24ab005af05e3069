//! `make bench`: the cost of the daemon, compared with the lowest possible
//! cost.
//!
//! The real executable runs with a folder of pictures as its camera and is
//! watched over real sockets. Two bare loops (see `bare`) send the same bytes
//! to the same receivers in the same run, in turn with the daemon, so that
//! their ratio is meaningful on any machine, even a busy one. Servers run on
//! one core and receivers on another, and only the server's CPU time counts.
//!
//! | file | holds |
//! | --- | --- |
//! | `pictures` | a folder of JPEG files, and their parts on the wire |
//! | `bare` | the two bare loops, each a process of its own |
//! | `children` | starts the daemon or a loop |
//! | `receivers` | read everything, note when each picture arrived |
//! | `request` | requests over connections that behave like Ethernet |
//! | `load`, `stalled` | with viewers |
//! | `variants` | smaller and coarser pictures, and the camera's own viewers beside them |
//! | `rest`, `unwatched` | without viewers |
//! | `start`, `calls`, `dvr` | time to the first picture; system calls; playback |
//! | `record`, `append` | the recorder beside a viewer; the bare loop for both |
//! | `shared` | what all benchmarks share: processes, figures, the table |
//!
//! `cargo bench --bench server -- dvr` measures recording and playback alone,
//! `-- record` recording, `-- variants` variants.
//!
//! A missed goal is printed but is no failure, since speed depends on the
//! machine.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod append;
mod bare;
mod calls;
mod children;
mod dvr;
mod load;
mod pictures;
mod receivers;
mod record;
mod request;
mod rest;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the benchmark of relays needs more of it")]
mod shared;
mod stalled;
mod start;
mod unwatched;
mod variants;

use anyhow::Result;

use pictures::Pictures;
use shared::process;
use shared::settings::Settings;
use shared::table::Table;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(bare::ROLE) {
        return bare::main(args);
    }
    let settings = Settings::from_env()?;
    raise_descriptor_limit();
    let pictures = Pictures::make(load::FULL_HD_BYTES, 30)?;
    let mut table = Table::new();
    process::stay_off_the_servers_core();
    println!("{settings}");
    if settings.n_viewers.is_some() {
        load::measure(&settings, &mut table)?;
        print!("{table}");
        return Ok(());
    }
    let only = |what: &str| std::env::args().any(|arg| arg == what);
    if only("variants") {
        variants::measure(&settings, &mut table)?;
        print!("{table}");
        return Ok(());
    }
    if !only("dvr") && !only("record") {
        rest::measure(&pictures, &settings, &mut table)?;
        unwatched::measure(&pictures, &settings, &mut table)?;
        load::measure(&settings, &mut table)?;
        stalled::measure(&pictures, &settings, &mut table)?;
        variants::measure(&settings, &mut table)?;
        calls::measure(&pictures, &mut table)?;
        start::measure(&pictures, &settings, &mut table)?;
    }
    let pictures = Pictures::make(record::PICTURE_BYTES, record::FPS)?;
    record::measure(&pictures, &settings, &mut table)?;
    if !only("record") {
        dvr::measure(&pictures, &settings, &mut table)?;
    }
    print!("{table}");
    if only("record") || only("dvr") { Ok(()) } else { table.results().keep("server") }
}

/// A thousand viewers need a descriptor each in this process, too.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If the limit cannot be raised, the run with a thousand viewers reports
    // it.
    let _ = setrlimit(Resource::Nofile, limit);
}
