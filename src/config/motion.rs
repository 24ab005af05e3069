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
    let sensitivity = args.number_in("motion-sensitivity", 1..=100, "1 to 100")?;
    let usage = "a number of pictures a second from 0.5 to 30";
    let fps = args.number_in("motion-fps", 0.5..=30.0, usage)?;
    let usage = "percents of the picture from 0 to 50";
    let percents = args.number_in("motion-min-size", 0.0..=50.0, usage)?;
    let right = Duration::from_millis(200)..=Duration::from_secs(3600);
    let hold = args.time_in("motion-hold", right, "200ms or more, up to 1h")?;
    let zones = polygons(args, "motion-zone")?;
    let masks = polygons(args, "motion-mask")?;
    // Only now: a wrong value is an error while detection is off too.
    Ok(args.is_on("motion").then(|| MotionConfig {
        detector: Settings { sensitivity, min_size: percents / 100.0, zones, masks },
        fps,
        hold,
        areas: state_dir(args).map(|dir| dir.join(name).join("motion.json")),
    }))
}

/// Where this program keeps what it has to know after a restart; if nobody says it, beside
/// the recording, or where systemd says (`StateDirectory=`).
fn state_dir(args: &Args) -> Option<PathBuf> {
    let of_systemd = || {
        let all = env::var("STATE_DIRECTORY").ok()?;
        all.split(':').next().filter(|dir| !dir.is_empty()).map(PathBuf::from)
    };
    args.path_if("state-dir").or_else(|| args.path_if("record")).or_else(of_systemd)
}

fn polygons(args: &Args, option: &str) -> Result<Vec<Polygon>> {
    ensure!(args.list(option).count() <= MAX_POLYGONS, "--{option}: use at most {MAX_POLYGONS}");
    let wrong = |text: &str| {
        format!(
            "--{option} {text:?}: use 3 to {MAX_CORNERS} corners as X,Y from 0 to 1, such as \
             \"0,0.5 1,0.5 1,1 0,1\" for the lower half"
        )
    };
    args.list(option).map(|text| polygon(text).with_context(|| wrong(text))).collect()
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
