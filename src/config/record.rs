//! Recording: where, how often, how much and for how long.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::args::Args;
use super::size::parse_bytes;

/// A recording of one camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordConfig {
    /// The folder of recordings...
    pub(crate) dir: PathBuf,
    /// ...and this camera's folder in it: also when it is the only one, so
    /// that it finds its recording when another joins it.
    pub(crate) name: String,
    /// At most so many pictures a second.
    pub(crate) fps: Option<f64>,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Option<Duration>,
    /// How often the disk is told to keep what was written; zero: at each picture.
    /// That is not the default: it takes 2.5 times as long as the writing alone,
    /// and the file system's thirty small writes a second wear an SD card.
    pub(crate) sync: Duration,
}

impl RecordConfig {
    /// Where the files are.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }
}

/// One segment of an eighth of it should hold some pictures.
const SMALLEST: u64 = 1 << 20;

pub(super) fn record(args: &Args, name: &str) -> Result<Option<RecordConfig>> {
    if let Some(fps) = args.record_fps {
        ensure!(
            fps.is_finite() && (0.0001..=1000.0).contains(&fps),
            "--record-fps {fps}: use a number of pictures a second from 0.0001 to 1000"
        );
    }
    let max_bytes = parse_bytes(&args.record_max_size).context("--record-max-size")?;
    ensure!(max_bytes >= SMALLEST, "--record-max-size {}: use 1MiB or more", args.record_max_size);
    let max_age = Some(args.record_max_age).filter(|age| !age.is_zero());
    ensure!(
        max_age.is_none_or(|age| age >= Duration::from_secs(1)),
        "--record-max-age {:?}: use 1s or more, or 0 for no bound",
        args.record_max_age
    );
    // Bounds are looked at, and a segment that was taken away is missed, when the disk is told.
    ensure!(
        args.record_sync <= Duration::from_secs(1),
        "--record-sync {:?}: use 1s or less, or 0 for each picture",
        args.record_sync
    );
    let Some(dir) = args.record.clone() else { return Ok(None) };
    let (name, fps, sync) = (name.to_owned(), args.record_fps, args.record_sync);
    Ok(Some(RecordConfig { dir, name, fps, max_bytes, max_age, sync }))
}
