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
//! | `report` | the tables |
//!
//! `cargo bench --bench latency -- '1 fps, Chromium'` measures only what has
//! this in its name; `first` is the first picture of a camera that was asleep.
//!
//! A missed goal is printed but is no failure, since speed depends on the
//! machine.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod browser;
mod camera;
mod cell;
mod children;
mod floor;
mod page;
mod picture;
mod report;
mod screen;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the other benchmarks need more of it")]
mod shared;
mod subject;
mod viewer;

use std::thread;

use anyhow::{Result, anyhow};

use browser::{Desk, Kind};
use cell::{Ages, Cell};
use picture::Pictures;
use report::Report;
use shared::settings::number;
use subject::{Subject, Tools};

/// Pictures a second. At the lowest rate a part that is shown only when the
/// next one begins is a second late.
const RATES: [u32; 4] = [1, 10, 30, 60];
/// The rates at which the other servers are measured.
const RATES_OF_OTHERS: [u32; 2] = [1, 30];
/// At most this number of pictures a second hardly loads the machine, so all browsers
/// are measured at the same time.
const LIGHT: u32 = 1;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(camera::ROLE) => return camera::main(args),
        Some(floor::ROLE) => return floor::main(args),
        _ => {}
    }
    // Cargo adds an option of its own.
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let n_rounds = number("BENCH_ROUNDS", 1)?;
    let seconds = number("BENCH_SECONDS", 3)?;
    let pictures = Pictures::make()?;
    let tools = Tools::find(&pictures)?;
    let mut report = Report::default();
    let mut desks = Vec::new();
    for kind in Kind::ALL {
        match Desk::open(kind, &pictures) {
            Ok(desk) => desks.push(desk),
            Err(e) => report.remark(format!("{kind:?} is not measured: {e:#}")),
        }
    }
    tools.missing.iter().for_each(|why| report.remark(why.clone()));
    let bench = Bench { pictures: &pictures, tools: &tools, seconds, only };
    for round in 1..=n_rounds {
        println!("round {round} of {n_rounds}");
        for rate in RATES {
            bench.measure(rate, &desks, &mut report);
        }
        bench.first_pictures(&desks, &mut report);
    }
    print!("{report}");
    if bench.only.is_some() { Ok(()) } else { report.results().keep("latency") }
}

struct Bench<'a> {
    pictures: &'a Pictures,
    tools: &'a Tools,
    seconds: u64,
    only: Option<String>,
}

impl Bench<'_> {
    fn measure(&self, rate: u32, desks: &[Desk], report: &mut Report) {
        if rate > LIGHT {
            let all = desks.iter().flat_map(|desk| self.at(desk, rate));
            all.for_each(|(cell, ages)| report.add(cell, ages));
            return;
        }
        let all = thread::scope(|scope| {
            let threads: Vec<_> =
                desks.iter().map(|desk| scope.spawn(move || self.at(desk, rate))).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .flatten()
                .collect::<Vec<_>>()
        });
        all.into_iter().for_each(|(cell, ages)| report.add(cell, ages));
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// All servers in turn in one browser.
    fn at(&self, desk: &Desk, rate: u32) -> Vec<(Cell, Result<Ages>)> {
        let wanted = |subject: &Subject| {
            self.tools.has(*subject) && (subject.is_own() || RATES_OF_OTHERS.contains(&rate))
        };
        let measure = |cell: Cell| {
            let ages = cell.measure(desk, self.pictures, self.tools, self.seconds);
            println!(
                "  {cell}: {}",
                ages.as_ref().map_or_else(|e| format!("{e:#}"), Ages::to_string)
            );
            (cell, ages)
        };
        let cells = Subject::ALL.into_iter().filter(wanted);
        let cells = cells.map(|subject| Cell { browser: desk.kind, subject, rate });
        cells.filter(|cell| self.is_wanted(&cell.to_string())).map(measure).collect()
    }

    fn first_pictures(&self, desks: &[Desk], report: &mut Report) {
        for desk in desks {
            for subject in Subject::ALL.into_iter().filter(Subject::is_own) {
                let cell = Cell { browser: desk.kind, subject, rate: cell::FIRST_RATE };
                if !self.is_wanted(&format!("first, {cell}")) {
                    continue;
                }
                for _ in 0..cell::N_FIRST {
                    let time = cell.first_picture(desk, self.pictures, self.tools);
                    let time = time.map_err(|e| anyhow!("{cell}, first picture: {e:#}"));
                    report.add_first(cell, time);
                }
            }
        }
    }
}
