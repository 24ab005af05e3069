//! The source of a camera: the text behind `--camera`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::device::DeviceConfig;
use crate::trust::Trust;
use crate::url::{Url, mask_command};

/// What a driver needs to know of its camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraConfig {
    pub(crate) source: Source,
    /// Pictures a second; `None`: the source's own pace.
    pub(crate) fps: Option<f64>,
    /// The largest JPEG to accept in bytes. Memory must stay bounded, whatever a
    /// source sends.
    pub(crate) max_frame_bytes: usize,
    pub(crate) device: DeviceConfig,
    /// Which certificates of a server are accepted.
    pub(crate) trust: Trust,
    /// Whether a folder is watched for new files; `None`: it is played in a loop.
    pub(crate) watch: Option<Watch>,
}

/// How a folder is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Watch {
    /// Whether each file is deleted once it was read.
    pub(crate) removes: bool,
}

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// Three pictures, built into the program.
    Demo,
    /// A drawn moving picture.
    Pattern { width: u16, height: u16, fps: Option<f64> },
    /// The JPEG files of a folder.
    Images(PathBuf),
    /// A file of concatenated JPEGs.
    File(PathBuf),
    /// What a shell command writes to its standard output.
    Exec(String),
    /// Another server: its stream, or a single picture.
    Server(Url),
    /// A V4L2 device; `None`: the first one that is a camera.
    V4l2(Option<PathBuf>),
}

/// Each kind of source as it is written, and its text in `--help`. The errors and
/// the help are made from it, and a test compares the guide with the help.
const KINDS: [(&str, &str); 7] = [
    ("v4l2[:DEVICE]", "a USB webcam or another V4L2 device; the first one if none is named"),
    (
        "exec:COMMAND",
        "what a shell command writes to its standard output, JPEG after JPEG,\n\
         such as 'exec:rpicam-vid -t 0 --codec mjpeg -o -'",
    ),
    (
        "http://[USER:PASSWORD@]HOST[:PORT]/PATH",
        "another MJPEG server, or a JPEG that is asked for at --fps",
    ),
    ("demo", "three pictures, 1 2 3, one a second unless --fps says otherwise"),
    ("pattern[:WxH][@FPS]", "a drawn moving test picture"),
    (
        "images:DIR",
        "the JPEG files of a folder, in name order, over and over, or as they come (--watch)",
    ),
    ("file:PATH", "a file of JPEGs one after the other, over and over"),
];
const EXEC_USAGE: &str = "exec:COMMAND, such as 'exec:rpicam-vid -t 0 --codec mjpeg -o -'";
/// The size of the pattern unless one is given.
const PATTERN_SIZE: (u16, u16) = (640, 480);
/// The smallest side of the pattern: below it no line of text fits in.
const MIN_PATTERN: u16 = 32;

/// The kinds of sources for an error.
fn usage() -> String {
    format!("use one of {}", KINDS.map(|(form, _)| form).join(", "))
}

/// The kinds of sources for `--help`.
pub(super) fn help() -> String {
    const COLUMN: usize = 25;
    let blank = " ".repeat(COLUMN + 2);
    let row = |(form, text): (&str, &str)| {
        let text = text.replace('\n', &format!("\n{blank}"));
        if form.len() < COLUMN {
            format!("  {form:COLUMN$}{text}\n")
        } else {
            format!("  {form}\n{blank}{text}\n")
        }
    };
    KINDS.map(row).concat()
}

impl Source {
    /// Reads the text of `--camera`. Whether the source exists is checked later,
    /// because a camera may be plugged in while the program runs.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "demo" if text == "demo" => Ok(Self::Demo),
            "v4l2" if text == "v4l2" => Ok(Self::V4l2(None)),
            "v4l2" => Ok(Self::V4l2(Some(path(rest, "v4l2:/dev/videoN")?))),
            // People paste the path of a device, and it can mean nothing else.
            _ if text.starts_with("/dev/") => Ok(Self::V4l2(Some(PathBuf::from(text)))),
            "exec" => {
                ensure!(!rest.trim().is_empty(), "the command is missing; use {EXEC_USAGE}");
                Ok(Self::Exec(rest.trim().to_owned()))
            }
            "http" | "https" => Ok(Self::Server(Url::parse(text)?)),
            "images" => Ok(Self::Images(path(rest, "images:DIR")?)),
            "file" => Ok(Self::File(path(rest, "file:PATH")?)),
            _ if is_pattern(text) => pattern(&text["pattern".len()..]),
            // A bare path is refused with the form that it needs, so that every
            // source has one spelling.
            _ if Path::new(text).is_dir() => {
                bail!("no such source; for a folder use images:{text}")
            }
            _ if Path::new(text).is_file() => bail!("no such source; for a file use file:{text}"),
            _ => bail!("no such source; {}", usage()),
        }
    }
}

fn is_pattern(text: &str) -> bool {
    text.strip_prefix("pattern").is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
}

fn path(text: &str, right: &str) -> Result<PathBuf> {
    ensure!(!text.is_empty(), "the path is missing; use {right}");
    Ok(PathBuf::from(text))
}

fn pattern(text: &str) -> Result<Source> {
    let (size, fps) = match text.split_once('@') {
        Some((size, fps)) => (size, Some(fps)),
        None => (text, None),
    };
    let fps = fps
        .map(|fps| match fps.parse::<f64>() {
            Ok(n) if (0.001..=1000.0).contains(&n) => Ok(n),
            _ => bail!("{fps:?} is no number of pictures a second; use pattern:640x480@30"),
        })
        .transpose()?;
    let (width, height) = match size.strip_prefix(':') {
        Some(size) => parse_size(size)?,
        None => PATTERN_SIZE,
    };
    Ok(Source::Pattern { width, height, fps })
}

/// Width and height, as in 640x480.
pub(super) fn parse_size(text: &str) -> Result<(u16, u16)> {
    let right = || {
        format!(
            "{text:?} is no size; use WxH from {MIN_PATTERN}x{MIN_PATTERN} to 8192x8192, such as 640x480"
        )
    };
    let (width, height) = text.split_once('x').with_context(right)?;
    let side = |text: &str| -> Result<u16> {
        let n = text.parse().with_context(right)?;
        ensure!((MIN_PATTERN..=8192).contains(&n), right());
        Ok(n)
    };
    Ok((side(width)?, side(height)?))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => f.write_str("demo"),
            Self::Pattern { width, height, fps: None } => write!(f, "pattern:{width}x{height}"),
            Self::Pattern { width, height, fps: Some(fps) } => {
                write!(f, "pattern:{width}x{height}@{fps}")
            }
            Self::Images(dir) => write!(f, "images:{}", dir.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Exec(command) => write!(f, "exec:{}", mask_command(command)),
            Self::Server(url) => write!(f, "{url}"),
            Self::V4l2(None) => f.write_str("v4l2"),
            Self::V4l2(Some(path)) => write!(f, "v4l2:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_written_alike() {
        for text in [
            "demo",
            "v4l2",
            "v4l2:/dev/video2",
            "pattern:640x480",
            "pattern:1280x720@12.5",
            "images:/a b:c",
            "file:x.mjpeg",
            "exec:ffmpeg -i a:b | cat",
            "http://camera.local:8080/stream",
        ] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn no_password_is_shown() {
        let server = Source::parse("http://me:secret@camera/stream").unwrap();
        assert_eq!(server.to_string(), "http://***@camera/stream");
        let exec = Source::parse("exec:ffmpeg -i rtsp://me:secret@camera/ -").unwrap();
        assert_eq!(exec.to_string(), "exec:ffmpeg -i rtsp://***@camera/ -");
    }

    #[test]
    fn size_and_rate_of_the_pattern_may_be_left_out() {
        let at = |fps| Source::Pattern { width: 640, height: 480, fps };
        assert_eq!(Source::parse("pattern").unwrap(), at(None));
        assert_eq!(Source::parse("pattern@5").unwrap(), at(Some(5.0)));
    }

    #[test]
    fn bad_sources_say_what_would_be_right() {
        let usage = usage();
        for (text, says) in [
            ("", usage.as_str()),
            ("webcam", usage.as_str()),
            ("demo:3", usage.as_str()),
            ("patterns", usage.as_str()),
            ("images:", "use images:DIR"),
            ("file:", "use file:PATH"),
            ("exec", EXEC_USAGE),
            ("http:/camera", "use http://"),
            ("exec: ", EXEC_USAGE),
            ("pattern:640", "is no size"),
            ("pattern:1x1", "from 32x32"),
            ("pattern:99999x2", "is no size"),
            ("pattern:640x480@0", "no number of pictures a second"),
            ("pattern@1e-20", "no number of pictures a second"),
            ("pattern:640x480@inf", "no number of pictures a second"),
            ("src", "use images:src"),
            ("Cargo.toml", "use file:Cargo.toml"),
        ] {
            let fault = format!("{:#}", Source::parse(text).unwrap_err());
            assert!(fault.contains(says), "{text:?}: {fault}");
        }
    }
}
