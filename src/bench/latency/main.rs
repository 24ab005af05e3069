//! `make bench-latency`: how old a picture is when a person sees it.
//!
//! A camera of this benchmark draws a number into each picture as black and
//! white fields, and notes when it wrote the picture. A server takes the
//! pictures from it, a browser shows them on a display without a screen, and
//! the display's memory is looked at once a millisecond: the number that appears
//! there says how old the picture is. A viewer without a browser watches at the
//! same time, so each age is split into two shares: what passes until a client
//! has the last byte (camera's pipe, server and network), and the browser's.
//!
//! The floor is the smallest server that browsers show at once: one thread that
//! writes each picture, followed by the whole head of the next part.
//!
//! | file | holds |
//! | --- | --- |
//! | `picture` | draws a number as fields, and reads it from pixels or a JPEG |
//! | `camera` | the camera, a process of its own, and its notes |
//! | `screen` | a display without a screen, and its memory |
//! | `browser`, `page` | Chromium, Firefox and WebKit; the page that they show |
//! | `subject` | the servers: the floor, the daemon, others |
//! | `floor` | the smallest server |
//! | `viewer` | reads a stream without a browser |
//! | `cell` | one server in one browser at one rate |
//! | `plan` | which of them are measured, and in which order |
//! | `report` | the tables |
//!
//! `cargo bench --bench latency -- '1 fps, Chromium' first` measures only what has
//! one of these in its name; `first` is the first picture of a camera that was
//! asleep. Its figures join those that were kept before. `BENCH_WWW=FOLDER:FOLDER`
//! measures pages from these folders as well, beside the daemon's own.
//!
//! A missed goal is printed but is no failure, since speed depends on the
//! machine. A browser that does not start, or shows nothing, is one: its figures
//! would be missing.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod browser;
mod camera;
mod cell;
mod children;
mod floor;
mod page;
mod picture;
mod plan;
mod report;
mod screen;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the other benchmarks need more of it")]
mod shared;
mod subject;
mod viewer;

use anyhow::{Context, Result, ensure};

use browser::{Desk, Kind};
use picture::Pictures;
use plan::{Plan, RATES};
use report::Report;
use shared::settings::number;
use subject::Tools;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(camera::ROLE) => return camera::main(args),
        Some(floor::ROLE) => return floor::main(args),
        _ => {}
    }
    // Cargo adds an option of its own.
    let only: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let n_rounds = number("BENCH_ROUNDS", 1)?;
    let seconds = number("BENCH_SECONDS", 3)?;
    let pictures = Pictures::make()?;
    let tools = Tools::find(&pictures)?;
    let mut report = Report::default();
    tools.missing.iter().for_each(|why| report.remark(why.clone()));
    let plan = Plan { pictures: &pictures, tools: &tools, seconds, only };
    let kinds = Kind::ALL.into_iter().filter(|kind| plan.wants(*kind));
    let open = |kind| {
        Desk::open(kind, &pictures).with_context(|| format!("nothing is measured: no {kind:?}"))
    };
    let desks = kinds.map(open).collect::<Result<Vec<_>>>()?;
    ensure!(!desks.is_empty(), "nothing is named {:?}", plan.only);
    for round in 1..=n_rounds {
        println!("round {round} of {n_rounds}");
        for rate in RATES {
            plan.measure(rate, &desks, &mut report);
        }
        plan.first_pictures(&desks, &mut report);
    }
    print!("{report}");
    match plan.only.is_empty() {
        true => report.results().keep("latency")?,
        false => report.results().keep_part("latency")?,
    }
    let n_failed = report.n_failed;
    ensure!(n_failed == 0, "{n_failed} measurements failed, see above");
    Ok(())
}
