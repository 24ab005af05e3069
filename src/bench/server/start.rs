//! The time to the first picture.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::children::daemon;
use crate::pictures::Pictures;
use crate::receivers::read_opening;
use crate::request::get;
use crate::shared::numbers::{Series, millis};
use crate::shared::settings::Settings;
use crate::shared::table::Table;

/// The goal of issue 2: a moving picture within a second of opening the page.
const GOAL_MS: f64 = 1000.0;
/// Until a daemon that has just started is idle.
const A_MOMENT: Duration = Duration::from_millis(300);

pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let (mut starts, mut snapshots) = (Vec::new(), Vec::new());
    for _ in 0..settings.n_rounds {
        starts.push(millis(from_start(pictures)?));
        snapshots.push(millis(from_request(pictures)?));
    }
    let (starts, snapshots): (Series, Series) =
        (starts.into_iter().collect(), snapshots.into_iter().collect());
    let what = "process start to first byte of a picture";
    table.at_most(what, starts.median(), GOAL_MS, "ms", &starts.spread());
    let what = "snapshot of a camera that is off, complete";
    table.at_most(what, snapshots.median(), GOAL_MS, "ms", &snapshots.spread());
    Ok(())
}

fn from_start(pictures: &Pictures) -> Result<Duration> {
    let begun = Instant::now();
    let server = daemon(pictures, &[])?;
    let mut stream = get(server.address, "/stream")?;
    read_opening(&mut stream)?;
    let mut start = vec![0; pictures.part.start_bytes()];
    stream.read_exact(&mut start)?;
    let time = begun.elapsed();
    pictures.part.read(&start)?;
    Ok(time)
}

fn from_request(pictures: &Pictures) -> Result<Duration> {
    let server = daemon(pictures, &[])?;
    thread::sleep(A_MOMENT);
    let begun = Instant::now();
    let mut reply = Vec::new();
    get(server.address, "/snapshot")?.read_to_end(&mut reply)?;
    let time = begun.elapsed();
    ensure!(reply.ends_with(&[0xFF, 0xD9]), "the snapshot is no JPEG");
    Ok(time)
}
