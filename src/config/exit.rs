//! When the program ends by itself, for supervisors that start it again.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::args::Args;

/// When the program ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ExitConfig {
    /// How long a camera may be lost; `None`: for ever.
    pub(crate) on_lost: Option<Duration>,
    /// Whether it ends as soon as a camera is lost.
    pub(crate) on_device_error: bool,
    /// How long nobody may watch; `None`: for ever.
    pub(crate) on_no_viewers: Option<Duration>,
}

impl ExitConfig {
    /// Checks the options.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        Ok(Self {
            // Any camera is lost for a moment now and then.
            on_lost: time(args, "exit-on-lost")?,
            on_device_error: args.is_on("exit-on-device-error"),
            on_no_viewers: time(args, "exit-on-no-viewers")?,
        })
    }
}

fn time(args: &Args, option: &str) -> Result<Option<Duration>> {
    let typed = args.time(option)?;
    let right = typed.is_zero() || (1..=86_400 * 365).contains(&typed.as_secs());
    ensure!(right, "--{option} {typed:?}: use 1s or more, up to 1year, or 0 for never");
    Ok((!typed.is_zero()).then_some(typed))
}
