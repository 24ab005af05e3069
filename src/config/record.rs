//! The options of a recording: where, how often, how much and for how long.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::args::Args;
use super::size::parse_bytes;

/// How to record one camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordConfig {
    /// The folder of all recordings...
    pub(crate) dir: PathBuf,
    /// ...and the folder of this camera in it. A single camera has one too, so
    /// that its recording stays its own when another camera is added.
    pub(crate) name: String,
    /// At most this many pictures a second; `None`: all.
    pub(crate) fps: Option<f64>,
    pub(crate) max_bytes: u64,
    /// `None`: no limit.
    pub(crate) max_age: Option<Duration>,
    /// How often to sync what was written to disk; zero: after each picture.
    /// That is not the default: it takes 2.5 times as long as the writing alone,
    /// and the file system's thirty small writes a second wear an SD card.
    pub(crate) sync: Duration,
    /// How long a segment is; `None`: a minute, and longer for few pictures.
    pub(crate) segment: Option<Duration>,
    /// When to record; `None`: always.
    pub(crate) on_motion: Option<OnMotion>,
    /// The command that gets each finished segment.
    pub(crate) on_segment: Option<String>,
    /// Whether others write it, and it is only shown.
    pub(crate) is_of_others: bool,
}

/// How much is recorded around each motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OnMotion {
    /// Before it begins, from memory, up to a number of bytes.
    pub(crate) before: Duration,
    pub(crate) max_bytes: u64,
    /// After it ends.
    pub(crate) after: Duration,
}

impl RecordConfig {
    /// For a folder that others write to.
    pub(crate) fn of_others(dir: PathBuf) -> Self {
        Self {
            dir,
            name: String::new(),
            fps: None,
            max_bytes: 0,
            max_age: None,
            sync: Duration::ZERO,
            segment: None,
            on_motion: None,
            on_segment: None,
            is_of_others: true,
        }
    }

    /// The folder with the files of this recording.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }
}

/// The smallest recording. A segment is at most an eighth of it, and should hold
/// some pictures.
const SMALLEST: u64 = 1 << 20;

/// Checks the options of a recording; `None`: nothing is recorded.
///
/// # Errors
/// The first value that cannot be used, with what would be right.
pub(super) fn record(args: &Args, name: &str) -> Result<Option<RecordConfig>> {
    let fps: Option<f64> = args.number_if("record-fps")?;
    if let Some(fps) = fps {
        ensure!(
            // A picture every three hours, for months on one card, is a use; below it, none
            // is known.
            fps.is_finite() && (0.0001..=1000.0).contains(&fps),
            "--record-fps {fps}: use a number of pictures a second from 0.0001 to 1000"
        );
    }
    let size = args.text("record-max-size");
    let max_bytes = parse_bytes(size).context("--record-max-size")?;
    ensure!(max_bytes >= SMALLEST, "--record-max-size {size}: use 1MiB or more");
    let max_age = Some(args.time("record-max-age")?).filter(|age| !age.is_zero());
    if let Some(age) = max_age {
        let right = age >= Duration::from_secs(1);
        ensure!(right, "--record-max-age {age:?}: use 1s or more, or 0 for no bound");
    }
    // With each sync the bounds are checked, and whether somebody deleted the
    // segment; neither may wait for long.
    let right = Duration::ZERO..=Duration::from_secs(1);
    let sync = args.time_in("record-sync", right, "1s or less, or 0 for each picture")?;
    let segment = args.time_if("record-segment")?;
    if let Some(segment) = segment {
        ensure!(
            (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&segment),
            "--record-segment {segment:?}: use 1s to 1h"
        );
    }
    let on_motion = on_motion(args)?;
    let on_segment = args.text_if("on-segment").map(str::to_owned);
    ensure!(
        on_segment.as_ref().is_none_or(|command| !command.trim().is_empty()),
        "--on-segment: use a command, such as 'rclone copy \"$MJPEGD_SEGMENT\" bucket:camera'"
    );
    // Only now: a wrong value is an error while recording is off too, and not on the day it is
    // needed.
    let Some(dir) = args.path_if("record") else { return Ok(None) };
    ensure!(!dir.as_os_str().is_empty(), "--record: no folder; leave it out to record nothing");
    Ok(Some(RecordConfig {
        dir,
        name: name.to_owned(),
        fps,
        max_bytes,
        max_age,
        sync,
        segment,
        on_motion,
        on_segment,
        is_of_others: false,
    }))
}

/// Checks when to record; `None`: always.
fn on_motion(args: &Args) -> Result<Option<OnMotion>> {
    let is_on_motion = args.text("record-on") == "motion";
    let right = || Duration::ZERO..=Duration::from_secs(3600);
    let before = args.time_in("record-before", right(), "0s to 1h")?;
    let after = args.time_in("record-after", right(), "0s to 1h")?;
    let size = args.text("record-before-size");
    let max_bytes = parse_bytes(size).context("--record-before-size")?;
    ensure!(max_bytes >= SMALLEST, "--record-before-size {size}: use 1MiB or more");
    ensure!(
        !is_on_motion || args.is_on("motion"),
        "--record-on motion: use it with --motion, which finds what moves"
    );
    Ok(is_on_motion.then_some(OnMotion { before, max_bytes, after }))
}
