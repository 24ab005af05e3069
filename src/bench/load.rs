//! Time per delivered picture, age and skipped pictures, with viewers.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::children::Subject;
use crate::numbers::{Series, micros, millis};
use crate::pictures::Pictures;
use crate::procfs;
use crate::receivers::{Receivers, Tally};
use crate::settings::Settings;
use crate::table::{Row, Table};

/// How many watch, and what the time may be at most, in that of the loops.
struct Load {
    n_viewers: usize,
    of_limit: f64,
    of_threads: f64,
}

const LOADS: [Load; 3] = [
    Load { n_viewers: 1, of_limit: 1.25, of_threads: 1.1 },
    Load { n_viewers: 10, of_limit: 1.25, of_threads: 1.1 },
    Load { n_viewers: 100, of_limit: 1.25, of_threads: 1.1 },
];
/// Ages are compared here; at 100 the receivers themselves are the queue.
const AGES_AT: usize = 10;
/// Most that the median and the slowest of a hundred may be behind `limit`.
const AGE_P50: f64 = 1.3;
const AGE_P99: f64 = 1.5;
/// Until windows have grown and buffers are in use.
const WARM_UP: Duration = Duration::from_millis(1500);

/// One turn of one server.
struct Turn {
    /// Microseconds of the server for each picture at each viewer.
    cpu: f64,
    /// Times that a thread slept, for each picture at each viewer.
    wakeups: f64,
    /// Milliseconds.
    age_p50: f64,
    age_p99: f64,
    /// Of the median viewer, and of all.
    skipped: f64,
    all_skipped: usize,
    n_delivered: usize,
}

/// All turns of one server at one load.
struct Turns(Vec<Turn>);

impl Turns {
    fn of(&self, figure: impl Fn(&Turn) -> f64) -> Series {
        self.0.iter().map(figure).collect()
    }
}

/// Servers take turns, so that what else runs on this machine hits all alike.
pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    for load in &LOADS {
        let mut all = Subject::ALL.map(|_| Turns(Vec::new()));
        for round in 1..=settings.n_rounds {
            for (subject, turns) in Subject::ALL.into_iter().zip(&mut all) {
                let turn = turn(subject, load.n_viewers, pictures, settings.turn)
                    .with_context(|| format!("{subject:?}, {} viewers", load.n_viewers))?;
                println!(
                    "  {} viewers, round {round}, {subject:?}: {:.1} us, age {:.2} / {:.2} ms",
                    load.n_viewers, turn.cpu, turn.age_p50, turn.age_p99
                );
                turns.0.push(turn);
            }
        }
        add_rows(load, &all, table);
    }
    Ok(())
}

fn turn(subject: Subject, n: usize, pictures: &Pictures, time: Duration) -> Result<Turn> {
    let server = subject.start(pictures, n)?;
    let receivers = Receivers::connect(server.address, n, pictures.part)?;
    thread::sleep(WARM_UP);
    receivers.take()?;
    let before = procfs::usage(server.pid())?;
    thread::sleep(time);
    let tallies = receivers.take()?;
    let after = procfs::usage(server.pid())?;
    Ok(Turn::new(&tallies, after.cpu - before.cpu, after.n_wakeups - before.n_wakeups))
}

impl Turn {
    fn new(tallies: &[Tally], cpu: Duration, n_wakeups: u64) -> Self {
        let ages: Series = tallies.iter().flat_map(|t| &t.ages).map(|age| millis(*age)).collect();
        let n_delivered = tallies.iter().map(|tally| tally.ages.len()).sum::<usize>();
        let per_picture = 1.0 / n_delivered as f64;
        Self {
            cpu: micros(cpu) * per_picture,
            wakeups: n_wakeups as f64 * per_picture,
            age_p50: ages.median(),
            age_p99: ages.percentile(99),
            skipped: tallies.iter().map(|t| t.n_skipped as f64).collect::<Series>().median(),
            all_skipped: tallies.iter().map(|tally| tally.n_skipped).sum(),
            n_delivered,
        }
    }
}

fn add_rows(load: &Load, [limit, threads, mjpegd]: &[Turns; 3], table: &mut Table) {
    let n = load.n_viewers;
    let all = |figure: fn(&Turn) -> f64| {
        [mjpegd, limit, threads].map(|turns| format!("{:.2}", turns.of(figure).median()))
    };
    let row = |what: String, figure: fn(&Turn) -> f64| {
        let [mjpegd, limit, limit_threads] = all(figure);
        Row { what, mjpegd, limit, limit_threads, ..Row::default() }
    };
    table.add(Row {
        remark: mjpegd.of(|turn| turn.cpu).spread(),
        ..row(format!("{n} viewers: CPU per picture, us"), |turn| turn.cpu)
    });
    ratio(table, "  x limit", mjpegd, limit, |turn| turn.cpu, load.of_limit);
    ratio(table, "  x limit-threads", mjpegd, threads, |turn| turn.cpu, load.of_threads);
    table.add(row("  sleeps per picture".into(), |turn| turn.wakeups));
    table.add(row("  age at last byte p50, ms".into(), |turn| turn.age_p50));
    if n == AGES_AT {
        ratio(table, "  x limit", mjpegd, limit, |turn| turn.age_p50, AGE_P50);
    }
    table.add(row("  age at last byte p99, ms".into(), |turn| turn.age_p99));
    if n == AGES_AT {
        ratio(table, "  x limit", mjpegd, limit, |turn| turn.age_p99, AGE_P99);
    }
    let [all_skipped, delivered] = [
        mjpegd.0.iter().map(|turn| turn.all_skipped).sum::<usize>(),
        mjpegd.0.iter().map(|turn| turn.n_delivered).sum(),
    ];
    table.add(Row {
        goal: "0".into(),
        holds: Some(mjpegd.of(|turn| turn.skipped).median() == 0.0),
        remark: format!("all viewers and rounds: {all_skipped}, of {delivered} delivered"),
        ..row("  skipped, median viewer".into(), |turn| turn.skipped)
    });
}

/// A row with the median of the ratios, round by round.
fn ratio(
    table: &mut Table,
    what: &str,
    mjpegd: &Turns,
    other: &Turns,
    figure: fn(&Turn) -> f64,
    goal: f64,
) {
    let ratios: Series =
        mjpegd.0.iter().zip(&other.0).map(|(a, b)| figure(a) / figure(b)).collect();
    table.at_most(what, ratios.median(), goal, "x", &ratios.spread());
}
