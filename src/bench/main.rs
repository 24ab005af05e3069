//! `make bench`: what the daemon costs, beside what it could cost at best.
//!
//! The real executable is started with a folder of pictures as its camera and
//! watched over real sockets. Two bare loops (see `bare`) send the same bytes
//! to the same receivers in the same run, in turn with the daemon, so that a
//! ratio means something on any machine and beside other jobs. Servers run on
//! one core, receivers on another, and only the server's time counts.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings` | how long and how often, from the environment |
//! | `pictures` | a folder of JPEG files; what a part on the wire looks like |
//! | `bare` | the two bare loops, each a process of its own |
//! | `children` | starts the daemon or a loop, on its core |
//! | `receivers` | read everything, note when each picture was there |
//! | `procfs` | time, memory, threads and descriptors of a process |
//! | `load`, `rest`, `start`, `calls`, `dvr` | the measurements |
//! | `numbers`, `table` | medians; what is printed |
//!
//! `cargo bench --bench server -- dvr` measures recording and going back alone.
//!
//! A goal that is missed is printed, but is no failure: a speed is no test.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod bare;
mod calls;
mod children;
mod dvr;
mod load;
mod numbers;
mod pictures;
mod procfs;
mod receivers;
mod rest;
mod settings;
mod start;
mod table;

use anyhow::Result;

use pictures::Pictures;
use settings::Settings;
use table::Table;

/// A picture of 720p, about.
const PICTURE_BYTES: usize = 100 << 10;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(bare::ROLE) {
        return bare::main(args);
    }
    let settings = Settings::from_env()?;
    let pictures = Pictures::make(PICTURE_BYTES)?;
    let mut table = Table::new();
    children::stay_off_the_servers_core();
    println!("{settings}; pictures of {PICTURE_BYTES} bytes");
    if !std::env::args().any(|arg| arg == "dvr") {
        rest::measure(&pictures, &settings, &mut table)?;
        load::measure(&pictures, &settings, &mut table)?;
        calls::measure(&pictures, &mut table)?;
        start::measure(&pictures, &settings, &mut table)?;
    }
    dvr::measure(&pictures, &settings, &mut table)?;
    print!("{table}");
    Ok(())
}
