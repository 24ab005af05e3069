//! The bare loop for recording: one thread that sends each picture to two
//! viewers, appends it to a file, and measures the CPU time of each.
//!
//! The `limit` of the recorder is the time of append and sync. The `limit` of
//! one more viewer is the time of sending to the second one.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use crate::bare::Camera;
use crate::shared::numbers::Series;

/// The name of this loop on the command line.
pub(crate) const APPEND: &str = "limit-append";

/// Microseconds of the thread's time for a picture.
pub(crate) struct Cost {
    pub(crate) send: f64,
    pub(crate) append: f64,
    /// A picture's share of the sync a second.
    pub(crate) sync: f64,
}

/// Sends and appends `n_pictures`, and prints their cost.
pub(crate) fn run(
    mut camera: Camera,
    mut viewers: Vec<TcpStream>,
    (file, n_pictures, fps): (&Path, usize, usize),
) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create_new(true).open(file)?;
    let [first, second] = &mut viewers[..] else { anyhow::bail!("two viewers are needed") };
    let (mut sends, mut appends, mut syncs) = (Vec::new(), Vec::new(), 0.0);
    let mut part = Vec::new();
    for n in 0..n_pictures {
        part = camera.next(part)?;
        first.write_all(&part)?;
        let mut send = || timed(&mut sends, || second.write_all(&part));
        let mut append = || timed(&mut appends, || file.write_all(&part));
        // The first of the two warms the caches for the second, so they take
        // turns.
        if n % 2 == 0 {
            send()?;
            append()?;
        } else {
            append()?;
            send()?;
        }
        if n % fps == fps - 1 {
            let before = spent();
            file.sync_data()?;
            syncs += spent() - before;
        }
    }
    let median = |times: Vec<f64>| times.into_iter().collect::<Series>().median();
    println!("{} {} {}", median(sends), median(appends), syncs / n_pictures as f64);
    Ok(())
}

fn timed(times: &mut Vec<f64>, act: impl FnOnce() -> std::io::Result<()>) -> Result<()> {
    let before = spent();
    act()?;
    times.push(spent() - before);
    Ok(())
}

/// CPU time of this thread since it started, in microseconds.
fn spent() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
        .as_secs_f64()
        * 1e6
}

impl Cost {
    /// Reads what [`run`] printed.
    ///
    /// # Errors The loop printed something else.
    pub(crate) fn parse(output: &str) -> Result<Self> {
        let numbers: Vec<f64> = output.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        ensure!(numbers.len() == 3, "the bare loop failed: {output}");
        let at = |place: usize| numbers.get(place).copied().context("three numbers");
        Ok(Self { send: at(0)?, append: at(1)?, sync: at(2)? })
    }
}
