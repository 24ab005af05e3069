//! All options of one camera, checked.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;
use super::camera::{CameraConfig, Source, Watch};
use super::device::DeviceConfig;
use super::motion::{MotionConfig, motion};
use super::overlay::OverlayConfig;
use super::record::{self, RecordConfig};
use super::turn::Turn;
use super::{name, size};
use crate::trust::Trust;

/// The least that `--max-frame-size` may be: even a thumbnail is larger.
const MIN_FRAME_BYTES: u64 = 10_000;
/// The most: 256 MB, more than a JPEG of 8192x8192 pixels takes. Each camera keeps
/// several buffers of this size.
pub(crate) const MAX_FRAME_BYTES: u32 = 1 << 28;

/// All options of one camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraOptions {
    /// Its name in addresses and in the log.
    pub(crate) name: String,
    /// Where its source was written, for errors about the source.
    pub(crate) origin: String,
    pub(crate) camera: CameraConfig,
    pub(crate) capture: CaptureConfig,
    /// How many viewers it may have at once; `None`: as many as have a seat.
    pub(crate) max_viewers: Option<usize>,
    /// How to look for motion; `None`: not at all.
    pub(crate) motion: Option<MotionConfig>,
    /// How to record it; `None`: not at all.
    pub(crate) record: Option<RecordConfig>,
}

/// When the camera is on, and which pictures of it are shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaptureConfig {
    /// How long capture goes on after the last read; `None`: for ever.
    pub(crate) idle_timeout: Option<Duration>,
    /// Whether pictures that lack their end are shown beside whole ones.
    pub(crate) allow_truncated: bool,
    /// Smaller JPEGs, in bytes, are dropped.
    pub(crate) min_frame_bytes: usize,
    /// One of this number of pictures is taken; 1: each.
    pub(crate) every: u32,
    /// How many pictures in a row may be left out because they have the bytes of
    /// the last one.
    pub(crate) max_same: u32,
    pub(crate) turn: Turn,
    /// The text over the pictures; `None`: none.
    pub(crate) overlay: Option<OverlayConfig>,
}

impl CaptureConfig {
    /// For pictures that were captured, and chosen, once already.
    pub(crate) fn of_variant(idle_timeout: Duration) -> Self {
        Self {
            idle_timeout: Some(idle_timeout),
            allow_truncated: true,
            min_frame_bytes: 0,
            every: 1,
            max_same: 0,
            turn: Turn::default(),
            overlay: None,
        }
    }
}

impl CameraOptions {
    /// Its name for the log. A camera without a name of its own is just
    /// "camera".
    pub(crate) fn label(&self) -> String {
        match self.name.as_str() {
            name::UNNAMED => "camera".into(),
            name => format!("camera {name}"),
        }
    }

    /// The camera and its source, for the log.
    pub(crate) fn description(&self) -> String {
        format!("{}: {}", self.label(), self.camera.source)
    }

    /// Checks the options of one camera.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(name: &str, origin: &str, args: &Args) -> Result<Self> {
        let fps: Option<f64> = args.number_if("fps")?;
        if let Some(fps) = fps {
            ensure!(
                // One divided by this is an interval, which the clock must be able to add.
                fps.is_finite() && (0.001..=1000.0).contains(&fps),
                "--fps {fps}: use a number of pictures a second from 0.001 to 1000"
            );
        }
        ensure!(
            args.is_on("watch") || !args.is_on("remove-shown"),
            "--remove-shown: use it with --watch, as it deletes files"
        );
        let max_viewers = args.number_if("max-viewers")?;
        ensure!(max_viewers != Some(0), "--max-viewers 0: use 1 or more");
        let every = args.number("every")?;
        ensure!(every > 0, "--every 0: use 1 for each picture, 2 for every second, ...");
        let idle_timeout = args.time("idle-timeout")?;
        let max_frame_bytes = max_frame_bytes(args.text("max-frame-size"))?;
        Ok(Self {
            name: name.to_owned(),
            origin: origin.to_owned(),
            camera: CameraConfig {
                source: Source::new(args.text("camera")),
                fps,
                max_frame_bytes,
                stall_timeout: stall_timeout(args.time_if("stall-timeout")?)?,
                device: DeviceConfig::new(args)?,
                trust: Trust::new(args)?,
                watch: args.is_on("watch").then_some(Watch { removes: args.is_on("remove-shown") }),
            },
            capture: CaptureConfig {
                // A camera that is closed with its last viewer would be opened for each
                // snapshot, which takes seconds. Nobody wants that, so zero is free to mean
                // "always on".
                idle_timeout: (!idle_timeout.is_zero()).then_some(idle_timeout),
                allow_truncated: args.is_on("allow-truncated"),
                min_frame_bytes: min_frame_bytes(args.text("min-frame-size"), max_frame_bytes)?,
                every,
                max_same: args.number("drop-same-frames")?,
                turn: Turn::new(args),
                overlay: OverlayConfig::new(args, name)?,
            },
            motion: motion(args, name)?,
            record: record::record(args, name)?,
            max_viewers,
        })
    }
}

/// Checks `--stall-timeout`. Nobody waits for a picture for more than a day, and
/// centuries would be too large for the clock that they are added to.
fn stall_timeout(typed: Option<Duration>) -> Result<Option<Duration>> {
    const RIGHT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);
    if let Some(time) = typed.filter(|time| !RIGHT.contains(time)) {
        bail!("--stall-timeout {time:?}: use 1s or more, up to 1day");
    }
    Ok(typed)
}

fn max_frame_bytes(text: &str) -> Result<usize> {
    let n = size::parse_bytes(text).context("--max-frame-size")?;
    ensure!(
        (MIN_FRAME_BYTES..=MAX_FRAME_BYTES.into()).contains(&n),
        "--max-frame-size {text}: use 10kB to 256MB"
    );
    Ok(usize::try_from(n)?)
}

fn min_frame_bytes(text: &str, max: usize) -> Result<usize> {
    let n = usize::try_from(size::parse_bytes(text).context("--min-frame-size")?)?;
    ensure!(n <= max, "--min-frame-size {text}: use less than --max-frame-size");
    Ok(n)
}
