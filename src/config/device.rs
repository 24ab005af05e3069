//! How a device is to be set up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::args::Args;
use super::camera::parse_size;

/// Of `--stall-timeout`, if it is not given.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How a device is to be set up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeviceConfig {
    /// Width and height in pixels.
    pub(crate) resolution: Option<(u32, u32)>,
    /// FourCC of what the device is to give; `None`: the cheapest it has.
    pub(crate) format: Option<[u8; 4]>,
    /// Of JPEGs that are made of raw pictures, 1 to 100.
    pub(crate) quality: u8,
    /// Pictures to let go after opening, until the exposure has settled.
    pub(crate) n_warmup: u32,
    /// Without a picture for so long, the device is given up and opened anew.
    pub(crate) stall_timeout: Duration,
    /// Whether somebody asked for that; else a source that is seen to be slow
    /// may take longer.
    pub(crate) is_stall_timeout_set: bool,
    /// Controls to set at each opening, by name or number.
    pub(crate) controls: Vec<(String, i64)>,
}

impl DeviceConfig {
    /// # Errors
    /// What cannot be, and what can.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let resolution = args.resolution.as_deref().map(parse_size).transpose();
        let (width, height) = resolution.context("--resolution")?.unzip();
        let format =
            match args.format.as_str() {
                "auto" => None,
                name => {
                    let fourcc = name.to_ascii_uppercase().into_bytes().try_into().ok();
                    Some(fourcc.with_context(|| {
                format!("--format {name}: use auto or a code of four letters, such as MJPG or YUYV")
            })?)
                }
            };
        ensure!((1..=100).contains(&args.quality), "--quality {}: use 1 to 100", args.quality);
        let stall_timeout = args.stall_timeout.unwrap_or(STALL_TIMEOUT);
        ensure!(
            stall_timeout >= Duration::from_secs(1),
            "--stall-timeout {stall_timeout:?}: use 1s or more"
        );
        Ok(Self {
            resolution: width.zip(height).map(|(w, h)| (u32::from(w), u32::from(h))),
            format,
            quality: args.quality,
            n_warmup: args.warmup,
            stall_timeout,
            is_stall_timeout_set: args.stall_timeout.is_some(),
            controls: args.controls.iter().map(|text| control(text)).collect::<Result<_>>()?,
        })
    }
}

/// `name=value`, as `mjpegd devices` names it.
fn control(text: &str) -> Result<(String, i64)> {
    let right = || format!("--control {text}: use NAME=NUMBER, such as brightness=40");
    let (name, value) = text.split_once('=').with_context(right)?;
    ensure!(!name.is_empty(), right());
    Ok((name.to_owned(), value.parse().ok().with_context(right)?))
}
