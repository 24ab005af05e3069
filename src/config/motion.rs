//! The options of motion detection.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mjpegd_motion_detector::{Polygon, Settings};

use super::args::Args;

/// How to look for motion at one camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MotionConfig {
    /// What counts as motion.
    pub(crate) detector: Settings,
    /// Pictures a second to look at.
    pub(crate) fps: f64,
    /// Motion that stops for less than this goes on.
    pub(crate) hold: Duration,
    /// The file for the areas that are drawn on the page; `None`: they are kept as long as
    /// the program runs.
    pub(crate) areas: Option<PathBuf>,
}

/// The most corners. People draw a few.
pub(crate) const MAX_CORNERS: usize = 64;
pub(crate) const MAX_POLYGONS: usize = 32;

/// Checks the options of motion detection; `None`: there is none.
///
/// # Errors
/// The first value that cannot be used, with what would be right.
pub(super) fn motion(args: &Args, name: &str) -> Result<Option<MotionConfig>> {
    ensure!(
        (1..=100).contains(&args.motion_sensitivity),
        "--motion-sensitivity {}: use 1 to 100",
        args.motion_sensitivity
    );
    ensure!(
        (0.5..=30.0).contains(&args.motion_fps),
        "--motion-fps {}: use a number of pictures a second from 0.5 to 30",
        args.motion_fps
    );
    ensure!(
        (0.0..=50.0).contains(&args.motion_min_size),
        "--motion-min-size {}: use percents of the picture from 0 to 50",
        args.motion_min_size
    );
    ensure!(
        (Duration::from_millis(200)..=Duration::from_secs(3600)).contains(&args.motion_hold),
        "--motion-hold {:?}: use 200ms or more, up to 1h",
        args.motion_hold
    );
    let zones = polygons("--motion-zone", &args.motion_zones)?;
    let masks = polygons("--motion-mask", &args.motion_masks)?;
    // Only now: a wrong value is told while detection is off too.
    Ok(args.motion.then(|| MotionConfig {
        detector: Settings {
            sensitivity: args.motion_sensitivity,
            min_size: args.motion_min_size / 100.0,
            zones,
            masks,
        },
        fps: args.motion_fps,
        hold: args.motion_hold,
        areas: state_dir(args).map(|dir| dir.join(name).join("motion.json")),
    }))
}

/// Where this program keeps what it has to know after a restart: beside the recording, or
/// where systemd says (`StateDirectory=`).
fn state_dir(args: &Args) -> Option<PathBuf> {
    let of_systemd = || {
        let all = env::var("STATE_DIRECTORY").ok()?;
        all.split(':').next().filter(|dir| !dir.is_empty()).map(PathBuf::from)
    };
    args.record.clone().or_else(of_systemd)
}

fn polygons(option: &str, typed: &[String]) -> Result<Vec<Polygon>> {
    ensure!(typed.len() <= MAX_POLYGONS, "{option}: use at most {MAX_POLYGONS}");
    let wrong = |text: &String| {
        format!(
            "{option} {text:?}: use 3 to {MAX_CORNERS} corners as X,Y from 0 to 1, such as \
             \"0,0.5 1,0.5 1,1 0,1\" for the lower half"
        )
    };
    typed.iter().map(|text| polygon(text).with_context(|| wrong(text))).collect()
}

fn polygon(text: &str) -> Option<Polygon> {
    let share = |text: &str| text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let corner = |text: &str| {
        let (x, y) = text.split_once(',')?;
        Some((share(x)?, share(y)?))
    };
    let corners: Option<Vec<_>> = text.split_whitespace().map(corner).collect();
    corners.filter(|corners| (3..=MAX_CORNERS).contains(&corners.len())).map(Polygon)
}
