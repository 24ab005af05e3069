//! Variants of pictures: what one costs, what its further viewers add, and whether the
//! camera's own viewers notice.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;

use crate::children::daemon;
use crate::load::WARM_UP;
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::request::get;
use crate::shared::numbers::{Series, micros, millis};
use crate::shared::procfs::{self, Usage};
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

const SIZE: (u16, u16) = (1280, 720);
const FPS: u32 = 30;
const SCENE: &str = "720p30";
/// Variants whose cost is measured, the first with more viewers too.
const WISHES: [&str; 4] = ["scale=1/2", "scale=1/8", "quality=50", "gray=1"];
const MANY: usize = 8;
const OF_ONE: f64 = 1.3;
/// Viewers of the camera itself, and of variants beside them.
const N_FULL: usize = 10;
const BESIDE: [(&str, usize); 3] = [("scale=1/2", 4), ("scale=1/8", 3), ("gray=1", 3)];
/// Within noise.
const UNCHANGED: f64 = 1.1;

/// Viewers that read everything and look at nothing.
struct Sinks(Vec<(TcpStream, JoinHandle<()>)>);

impl Sinks {
    fn connect(server: SocketAddr, query: &str, n: usize) -> Result<Self> {
        let one = |_| -> Result<_> {
            let stream = get(server, &format!("/stream?{query}"))?;
            let mut reading = stream.try_clone()?;
            let read = move || {
                let mut buffer = vec![0; 64 << 10];
                while matches!(reading.read(&mut buffer), Ok(1..)) {}
            };
            Ok((stream, thread::Builder::new().spawn(read)?))
        };
        Ok(Self((0..n).map(one).collect::<Result<_>>()?))
    }
}

impl Drop for Sinks {
    fn drop(&mut self) {
        for (stream, thread) in self.0.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }
}

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    let pictures = Pictures::drawn(SIZE, FPS)?;
    cost(&pictures, settings, table)?;
    beside(&pictures, settings, table)
}

/// CPU time of the whole daemon for each picture of the camera, in milliseconds.
fn turn(pictures: &Pictures, query: &str, n: usize, time: Duration) -> Result<f64> {
    let server = daemon(pictures, &[])?;
    let _sinks = Sinks::connect(server.address, query, n)?;
    thread::sleep(WARM_UP);
    let cpu = |usage: Usage| usage.cpu;
    let before = cpu(procfs::usage(server.pid())?);
    thread::sleep(time);
    let spent = cpu(procfs::usage(server.pid())?).saturating_sub(before);
    Ok(millis(spent) / (time.as_secs_f64() * f64::from(pictures.fps)))
}

fn cost(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let mut loads = vec![("", 1)];
    loads.extend(WISHES.map(|query| (query, 1)));
    loads.push((WISHES[0], MANY));
    let mut all = vec![Vec::new(); loads.len()];
    for round in 1..=settings.n_rounds {
        for ((query, n), spent) in loads.iter().zip(&mut all) {
            spent.push(turn(pictures, query, *n, settings.turn)?);
        }
        let last: Vec<_> = all.iter().filter_map(|spent| spent.last()).collect();
        println!("  variants, round {round}: {last:.2?} ms a picture");
    }
    let series = |i: usize| all[i].iter().copied().collect::<Series>();
    for (i, (query, n)) in loads.iter().enumerate() {
        let what = if query.is_empty() { "the camera itself" } else { query };
        table.add(Row {
            what: format!("{what} of {SCENE}, {n} viewers: CPU per picture, ms"),
            mjpegd: format!("{:.2}", series(i).median()),
            remark: series(i).spread(),
            ..Row::default()
        });
    }
    let ratios = all[loads.len() - 1].iter().zip(&all[1]).map(|(many, one)| many / one).collect();
    table.ratio(&format!("  x 1 viewer of {}", WISHES[0]), &ratios, Some(OF_ONE));
    Ok(())
}

/// What the camera's own viewers have of a turn.
struct Full {
    age_p50: f64,
    age_p99: f64,
    /// CPU time of the capture thread, which sends to them, for each picture.
    cpu: f64,
    skipped: usize,
}

type Figure = fn(&Full) -> f64;

/// Each round has one daemon, first without variants and then with them.
fn beside(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let (mut alone, mut with) = (Vec::new(), Vec::new());
    for round in 1..=settings.n_rounds {
        let server = daemon(pictures, &["--threads", "40"])?;
        let full = Receivers::connect(server.address, N_FULL, pictures.part)?;
        let look = || -> Result<Full> {
            thread::sleep(WARM_UP);
            full.take()?;
            let before = procfs::times(server.pid())?;
            thread::sleep(settings.turn);
            let spent = procfs::times(server.pid())?.since(&before, |name| name == "capture");
            let tallies = full.take()?;
            let ages: Series =
                tallies.iter().flat_map(|tally| &tally.ages).map(|age| millis(*age)).collect();
            let n_pictures = settings.turn.as_secs_f64() * f64::from(pictures.fps);
            Ok(Full {
                age_p50: ages.median(),
                age_p99: ages.percentile(99),
                cpu: micros(spent) / n_pictures,
                skipped: tallies.iter().map(|tally| tally.n_skipped).sum(),
            })
        };
        alone.push(look()?);
        let connect = |(query, n)| Sinks::connect(server.address, query, n);
        let sinks = BESIDE.into_iter().map(connect).collect::<Result<Vec<_>>>()?;
        with.push(look()?);
        drop(sinks);
        if let (Some(a), Some(b)) = (alone.last(), with.last()) {
            println!(
                "  full viewers, round {round}: age {:.2} / {:.2} ms, CPU {:.0} / {:.0} us",
                a.age_p50, b.age_p50, a.cpu, b.cpu
            );
        }
    }
    let figures: [(&str, Figure, Option<f64>); 3] = [
        ("age p50, ms", |full| full.age_p50, Some(UNCHANGED)),
        ("age p99, ms", |full| full.age_p99, None),
        ("CPU of capture per picture, us", |full| full.cpu, Some(UNCHANGED)),
    ];
    for (what, figure, goal) in figures {
        let median = |all: &[Full]| all.iter().map(figure).collect::<Series>().median();
        table.add(Row {
            what: format!("{N_FULL} viewers of {SCENE} beside 10 of 3 variants: {what}"),
            mjpegd: format!("{:.2}", median(&with)),
            remark: format!("{:.2} alone", median(&alone)),
            ..Row::default()
        });
        let ratios = with.iter().zip(&alone).map(|(with, alone)| figure(with) / figure(alone));
        table.ratio("  x alone", &ratios.collect(), goal);
    }
    let skipped = |all: &[Full]| all.iter().map(|full| full.skipped).sum::<usize>();
    table.add(Row {
        what: "  skipped by the viewers of the camera".into(),
        mjpegd: skipped(&with).to_string(),
        remark: format!("{} alone", skipped(&alone)),
        ..Row::default()
    });
    Ok(())
}
