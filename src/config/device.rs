//! How to set up a device.

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;
use super::size::parse_size;

/// The default of `--quality`.
const QUALITY: u8 = 80;

/// What comes into a device, and where.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct InputConfig {
    /// The number of the input; `None`: the one that is set.
    pub(crate) number: Option<u32>,
    /// The standard of an analogue signal; `None`: the one that is set.
    pub(crate) standard: Option<TvStandard>,
    /// Whether size and rate follow a digital signal.
    pub(crate) dv_timings: bool,
}

/// A family of standards of analogue television.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TvStandard {
    Pal,
    Ntsc,
    Secam,
}

impl TvStandard {
    pub(crate) const ALL: [Self; 3] = [Self::Pal, Self::Ntsc, Self::Secam];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pal => "PAL",
            Self::Ntsc => "NTSC",
            Self::Secam => "SECAM",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        let found =
            Self::ALL.into_iter().find(|standard| standard.name().eq_ignore_ascii_case(name));
        found.with_context(|| format!("--tv-standard {name}: use PAL, NTSC or SECAM"))
    }
}

/// How to set up a device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeviceConfig {
    pub(crate) input: InputConfig,
    /// Width and height in pixels.
    pub(crate) resolution: Option<(u32, u32)>,
    /// Of snapshots, for which the device changes its size for a moment; `None`: they are
    /// pictures of the stream.
    pub(crate) snapshot_resolution: Option<(u32, u32)>,
    /// The FourCC of the format to ask for; `None`: the cheapest that it has.
    pub(crate) format: Option<[u8; 4]>,
    /// The quality of JPEGs that are made from raw pictures, 1 to 100.
    pub(crate) quality: u8,
    /// Whether an encoder of the board may make them.
    pub(crate) hardware_encoder: bool,
    /// Pictures to drop after opening, until the exposure has settled.
    pub(crate) n_warmup: u32,
    /// Controls to set at each opening, by name or number; `None`: to the device's
    /// default.
    pub(crate) controls: Vec<(String, Option<i64>)>,
}

impl DeviceConfig {
    /// The options that ask for something else than their defaults.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let all = [
            ("--resolution", self.resolution.is_some()),
            ("--format", self.format.is_some()),
            ("--input", self.input.number.is_some()),
            ("--tv-standard", self.input.standard.is_some()),
            ("--dv-timings", self.input.dv_timings),
            ("--quality", self.quality != QUALITY),
            ("--encoder", !self.hardware_encoder),
            ("--warmup", self.n_warmup > 0),
            ("--control", !self.controls.is_empty()),
        ];
        all.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
    }

    /// Checks the options of a device.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let resolution = args.text_if("resolution").map(parse_size).transpose();
        let (width, height) = resolution.context("--resolution")?.unzip();
        let still = args.text_if("snapshot-resolution").map(parse_size).transpose();
        let still = still.context("--snapshot-resolution")?;
        let format = match args.text("format") {
            // Without a wish the driver chooses what costs least: JPEG if it has it.
            "auto" => None,
            name => Some(fourcc(name).with_context(|| {
                format!("--format {name}: use auto or a code of four letters, such as MJPG or YUYV")
            })?),
        };
        let standard = args.text_if("tv-standard").map(TvStandard::parse).transpose()?;
        let dv_timings = args.is_on("dv-timings");
        if let Some(standard) = standard.filter(|_| dv_timings) {
            bail!(
                "--tv-standard {}: use it for an analogue signal, or --dv-timings for a digital one",
                standard.name()
            );
        }
        Ok(Self {
            input: InputConfig { number: args.number_if("input")?, standard, dv_timings },
            snapshot_resolution: still.map(|(w, h)| (u32::from(w), u32::from(h))),
            resolution: width.zip(height).map(|(w, h)| (u32::from(w), u32::from(h))),
            format,
            quality: args.number_in("quality", 1..=100, "1 to 100")?,
            hardware_encoder: match args.text("encoder") {
                "auto" => true,
                "software" => false,
                other => bail!("--encoder {other}: use auto or software"),
            },
            n_warmup: args.number("warmup")?,
            controls: args.list("control").map(control).collect::<Result<_>>()?,
        })
    }
}

/// Names of formats that people type, with the FourCC of the kernel (Linux,
/// Documentation/userspace-api/media/v4l/pixfmt.html). Codes of four letters
/// that are no name, such as YUYV, stand for themselves.
const FORMAT_NAMES: [(&str, &[u8; 4]); 19] = [
    ("MJPEG", b"MJPG"),
    ("YUV420", b"YU12"),
    ("YVU420", b"YV12"),
    ("RGB565", b"RGBP"),
    ("RGB24", b"RGB3"),
    ("BGR24", b"BGR3"),
    ("GRAY", b"GREY"),
    ("GRAY8", b"GREY"),
    ("YUV422P", b"422P"),
    ("NV12M", b"NM12"),
    ("NV21M", b"NM21"),
    ("NV16M", b"NM16"),
    ("NV61M", b"NM61"),
    ("YUV420M", b"YM12"),
    ("YVU420M", b"YM21"),
    ("YUV422M", b"YM16"),
    ("YVU422M", b"YM61"),
    ("YUV444M", b"YM24"),
    ("YVU444M", b"YM42"),
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
            ("yuv422p", b"422P"),
            ("NV12M", b"NM12"),
            ("NV21M", b"NM21"),
            ("NV16M", b"NM16"),
            ("NV61M", b"NM61"),
            ("YUV420M", b"YM12"),
            ("YVU420M", b"YM21"),
            ("YUV422M", b"YM16"),
            ("YVU422M", b"YM61"),
            ("YUV444M", b"YM24"),
            ("YVU444M", b"YM42"),
        ] {
            assert_eq!(fourcc(name), Some(*code), "{name}");
        }
        assert_eq!(fourcc("JPEG2000"), None);
    }

    #[test]
    fn television_standard_is_one_of_three_and_not_of_a_digital_signal() {
        let input = |args: &[&str]| {
            let args = [&["mjpegd"], args].concat();
            DeviceConfig::new(&Args::typed(args)).map(|config| config.input)
        };
        assert_eq!(input(&[]).unwrap(), InputConfig::default());
        let pal = input(&["--input", "2", "--tv-standard", "pal"]).unwrap();
        assert_eq!((pal.number, pal.standard), (Some(2), Some(TvStandard::Pal)));
        assert!(input(&["--dv-timings"]).unwrap().dv_timings);
        for (args, says) in [
            (&["--tv-standard", "ATSC"][..], "--tv-standard ATSC: use PAL, NTSC or SECAM"),
            (
                &["--tv-standard", "PAL", "--dv-timings"],
                "--tv-standard PAL: use it for an analogue",
            ),
        ] {
            let fault = format!("{:#}", input(args).unwrap_err());
            assert!(fault.starts_with(says), "{fault}");
        }
    }

    #[test]
    fn control_is_a_number_or_the_default_of_the_device() {
        assert_eq!(control("gain=-4").unwrap(), ("gain".into(), Some(-4)));
        assert_eq!(control("gain=default").unwrap(), ("gain".into(), None));
        assert!(control("gain=high").is_err());
    }
}
