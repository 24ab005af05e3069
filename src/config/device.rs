//! How to set up a device.

use anyhow::{Context, Result, ensure};

use super::args::Args;
use super::size::parse_size;

/// How to set up a device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeviceConfig {
    /// Width and height in pixels.
    pub(crate) resolution: Option<(u32, u32)>,
    /// The FourCC of the format to ask for; `None`: the cheapest that it has.
    pub(crate) format: Option<[u8; 4]>,
    /// The quality of JPEGs that are made from raw pictures, 1 to 100.
    pub(crate) quality: u8,
    /// Pictures to drop after opening, until the exposure has settled.
    pub(crate) n_warmup: u32,
    /// Controls to set at each opening, by name or number.
    pub(crate) controls: Vec<(String, i64)>,
}

impl DeviceConfig {
    /// Checks the options of a device.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let resolution = args.resolution.as_deref().map(parse_size).transpose();
        let (width, height) = resolution.context("--resolution")?.unzip();
        let format =
            match args.format.as_str() {
                // Without a wish the driver chooses what costs least: JPEG if it has it.
                "auto" => None,
                name => {
                    // All codes that can be used here have capitals, and people type small
                    // letters.
                    let fourcc = name.to_ascii_uppercase().into_bytes().try_into().ok();
                    Some(fourcc.with_context(|| {
                format!("--format {name}: use auto or a code of four letters, such as MJPG or YUYV")
            })?)
                }
            };
        ensure!((1..=100).contains(&args.quality), "--quality {}: use 1 to 100", args.quality);
        Ok(Self {
            resolution: width.zip(height).map(|(w, h)| (u32::from(w), u32::from(h))),
            format,
            quality: args.quality,
            n_warmup: args.warmup,
            controls: args.controls.iter().map(|text| control(text)).collect::<Result<_>>()?,
        })
    }
}

/// Reads `NAME=NUMBER`, where `mjpegd devices` lists the names.
fn control(text: &str) -> Result<(String, i64)> {
    let right = || format!("--control {text}: use NAME=NUMBER, such as brightness=40");
    let (name, value) = text.split_once('=').with_context(right)?;
    ensure!(!name.is_empty(), right());
    Ok((name.to_owned(), value.parse().ok().with_context(right)?))
}
