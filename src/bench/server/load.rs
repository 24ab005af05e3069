//! With viewers: CPU time per delivered picture, age of pictures, skipped
//! pictures.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::children::Subject;
use crate::pictures::Pictures;
use crate::receivers::{Receivers, Tally};
use crate::shared::numbers::{Series, micros, millis};
use crate::shared::procfs;
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

/// Number of viewers and kind of pictures, with the goals as multiples of the
/// bare loops.
struct Load {
    n_viewers: usize,
    scene: &'static str,
    n_bytes: usize,
    fps: u32,
    cpu_of_limit: Option<f64>,
    cpu_of_threads: Option<f64>,
    /// For the median age and the 99th percentile.
    age_of_limit: Option<(f64, f64)>,
}

const FULL_HD: Load = Load {
    n_viewers: 1,
    scene: "1080p30",
    n_bytes: FULL_HD_BYTES,
    fps: 30,
    cpu_of_limit: Some(1.25),
    cpu_of_threads: Some(1.1),
    age_of_limit: None,
};
const LOADS: [Load; 5] = [
    FULL_HD,
    Load { n_viewers: 10, age_of_limit: Some((1.3, 1.5)), ..FULL_HD },
    Load { n_viewers: 50, age_of_limit: Some((1.3, 1.5)), ..FULL_HD },
    Load {
        n_viewers: 100,
        scene: "720p30",
        n_bytes: 110_000,
        cpu_of_limit: None,
        cpu_of_threads: None,
        ..FULL_HD
    },
    Load {
        n_viewers: 1000,
        scene: "VGA 15 fps",
        n_bytes: 31_000,
        fps: 15,
        cpu_of_limit: Some(1.7),
        cpu_of_threads: None,
        age_of_limit: None,
    },
];
/// A typical webcam picture.
pub(crate) const FULL_HD_BYTES: usize = 190_000;
/// A picture that did not wait behind another one is younger than this.
const FRESH_MS: f64 = 60.0;
const SETTLED: Duration = Duration::from_secs(10);
/// Until TCP windows have grown and buffers are allocated.
pub(crate) const WARM_UP: Duration = Duration::from_millis(1500);

/// One turn of one server.
struct Turn {
    /// CPU time of the server for each picture at each viewer, in microseconds.
    cpu: f64,
    /// How often threads went to sleep, for each picture at each viewer.
    wakeups: f64,
    /// Milliseconds.
    age_p50: f64,
    age_p99: f64,
    /// Pictures that the median viewer skipped, and all viewers together.
    skipped: f64,
    all_skipped: usize,
    n_delivered: usize,
    /// Resident memory of the server at the end, in bytes.
    resident: u64,
    n_threads: usize,
}

/// All turns of one server at one load.
struct Turns(Vec<Turn>);

impl Turns {
    fn series(&self, figure: impl Fn(&Turn) -> f64) -> Series {
        self.0.iter().map(figure).collect()
    }
}

/// Servers take turns, so that other load on this machine affects all alike.
pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    let wanted = |load: &&Load| settings.n_viewers.is_none_or(|n| n == load.n_viewers);
    for load in LOADS.iter().filter(wanted) {
        let pictures = Pictures::make(load.n_bytes, load.fps)?;
        let mut all = Subject::ALL.map(|_| Turns(Vec::new()));
        for round in 1..=settings.n_rounds {
            for (subject, turns) in Subject::ALL.into_iter().zip(&mut all) {
                let turn = turn(subject, load.n_viewers, &pictures, settings.turn)
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
    settle(&receivers)?;
    let before = procfs::usage(server.pid())?;
    thread::sleep(time);
    let tallies = receivers.take()?;
    let after = procfs::usage(server.pid())?;
    let resident = procfs::resident(server.pid())?;
    let cpu = after.cpu.saturating_sub(before.cpu);
    let n_wakeups = after.n_wakeups.saturating_sub(before.n_wakeups);
    Ok(Turn { resident, n_threads: after.threads.len(), ..Turn::new(&tallies, cpu, n_wakeups) })
}

/// Waits until the receivers have caught up after they all connected at once,
/// at most `SETTLED`.
fn settle(receivers: &Receivers) -> Result<()> {
    let deadline = Instant::now() + SETTLED;
    let mut pause = WARM_UP;
    loop {
        thread::sleep(pause);
        let ages = receivers.take()?.into_iter().filter_map(|tally| tally.ages.last().copied());
        if ages.map(millis).collect::<Series>().median() < FRESH_MS || Instant::now() >= deadline {
            return Ok(());
        }
        pause = WARM_UP / 4;
    }
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
            resident: 0,
            n_threads: 0,
        }
    }
}

fn add_rows(load: &Load, [limit, threads, mjpegd]: &[Turns; 3], table: &mut Table) {
    let row = |what: &str, figure: fn(&Turn) -> f64| {
        let [mjpegd, limit, limit_threads] =
            [mjpegd, limit, threads].map(|turns| format!("{:.2}", turns.series(figure).median()));
        Row { what: what.into(), mjpegd, limit, limit_threads, ..Row::default() }
    };
    let what = format!("{} viewers, {}: CPU per picture, us", load.n_viewers, load.scene);
    table.add(Row {
        remark: mjpegd.series(|turn| turn.cpu).spread(),
        ..row(&what, |turn| turn.cpu)
    });
    ratio(table, "  x limit", mjpegd, limit, |turn| turn.cpu, load.cpu_of_limit);
    ratio(table, "  x limit-threads", mjpegd, threads, |turn| turn.cpu, load.cpu_of_threads);
    table.add(row("  sleeps per picture", |turn| turn.wakeups));
    let (p50, p99) = load.age_of_limit.unzip();
    table.add(row("  age at last byte p50, ms", |turn| turn.age_p50));
    ratio(table, "  x limit", mjpegd, limit, |turn| turn.age_p50, p50);
    table.add(row("  age at last byte p99, ms", |turn| turn.age_p99));
    ratio(table, "  x limit", mjpegd, limit, |turn| turn.age_p99, p99);
    let [all_skipped, delivered] = [
        mjpegd.0.iter().map(|turn| turn.all_skipped).sum::<usize>(),
        mjpegd.0.iter().map(|turn| turn.n_delivered).sum(),
    ];
    table.add(Row {
        goal: "0".into(),
        holds: Some(mjpegd.series(|turn| turn.skipped).median() == 0.0),
        remark: format!("all viewers and rounds: {all_skipped}, of {delivered} delivered"),
        ..row("  skipped, median viewer", |turn| turn.skipped)
    });
    table.add(row("  resident, MB", |turn| turn.resident as f64 / 1e6));
    table.add(row("  threads", |turn| turn.n_threads as f64));
}

/// A row with the median of the ratios of all rounds.
fn ratio(
    table: &mut Table,
    what: &str,
    mjpegd: &Turns,
    other: &Turns,
    figure: fn(&Turn) -> f64,
    goal: Option<f64>,
) {
    let ratios: Series =
        mjpegd.0.iter().zip(&other.0).map(|(a, b)| figure(a) / figure(b)).collect();
    table.ratio(what, &ratios, goal);
}
