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
    /// Controls to set at each opening, by name or number; `None`: to the device's
    /// default.
    pub(crate) controls: Vec<(String, Option<i64>)>,
}

impl DeviceConfig {
    /// Checks the options of a device.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let resolution = args.resolution.as_deref().map(parse_size).transpose();
        let (width, height) = resolution.context("--resolution")?.unzip();
        let format = match args.format.as_str() {
            // Without a wish the driver chooses what costs least: JPEG if it has it.
            "auto" => None,
            name => Some(fourcc(name).with_context(|| {
                format!("--format {name}: use auto or a code of four letters, such as MJPG or YUYV")
            })?),
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

/// Names of formats that people type, with the FourCC of the kernel (Linux,
/// Documentation/userspace-api/media/v4l/pixfmt.html). Codes of four letters
/// that are no name, such as YUYV, stand for themselves.
const FORMAT_NAMES: [(&str, &[u8; 4]); 8] = [
    ("MJPEG", b"MJPG"),
    ("YUV420", b"YU12"),
    ("YVU420", b"YV12"),
    ("RGB565", b"RGBP"),
    ("RGB24", b"RGB3"),
    ("BGR24", b"BGR3"),
    ("GRAY", b"GREY"),
    ("GRAY8", b"GREY"),
];

/// The FourCC that a name means, in capitals or not.
fn fourcc(name: &str) -> Option<[u8; 4]> {
    let name = name.to_ascii_uppercase();
    let known = FORMAT_NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, fourcc)| **fourcc).or_else(|| name.into_bytes().try_into().ok())
}

/// Reads `NAME=NUMBER` or `NAME=default`, where `mjpegd devices` lists the names.
fn control(text: &str) -> Result<(String, Option<i64>)> {
    let right = || format!("--control {text}: use NAME=NUMBER, such as brightness=40");
    let (name, value) = text.split_once('=').with_context(right)?;
    ensure!(!name.is_empty(), right());
    let value = match value {
        "default" => None,
        number => Some(number.parse().ok().with_context(right)?),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_the_names_that_people_type() {
        for (name, code) in [
            ("MJPEG", b"MJPG"),
            ("mjpg", b"MJPG"),
            ("JPEG", b"JPEG"),
            ("yuyv", b"YUYV"),
            ("YUV420", b"YU12"),
            ("YVU420", b"YV12"),
            ("RGB565", b"RGBP"),
            ("rgb24", b"RGB3"),
            ("BGR24", b"BGR3"),
            ("GREY", b"GREY"),
            ("gray", b"GREY"),
        ] {
            assert_eq!(fourcc(name), Some(*code), "{name}");
        }
        assert_eq!(fourcc("JPEG2000"), None);
    }

    #[test]
    fn control_is_a_number_or_the_default_of_the_device() {
        assert_eq!(control("gain=-4").unwrap(), ("gain".into(), Some(-4)));
        assert_eq!(control("gain=default").unwrap(), ("gain".into(), None));
        assert!(control("gain=high").is_err());
    }
}
