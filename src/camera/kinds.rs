//! The kinds of sources: how each is written behind `--camera`, and how it is read.
//!
//! Each driver says this of itself; the table of drivers is in [`super`]. The
//! configuration holds a source as it was typed, so that it knows no driver.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};

use super::{Controls, Driver, Error, KINDS};
use crate::config::CameraConfig;

/// One kind of source.
pub(super) struct Kind {
    /// How it is written, as in `images:DIR`.
    pub(super) form: &'static str,
    /// Its text in `--help`, of one line or more.
    pub(super) help: &'static str,
    /// Reads the text behind `--camera`. `None`: it is no source of this kind. An
    /// error says what would be right. Whether the source exists is not checked,
    /// because a camera may be plugged in while the program runs.
    pub(super) read: fn(&str) -> Option<Read>,
}

pub(super) type Read = Result<Box<dyn Source>>;

/// A source that was read.
pub(super) trait Source {
    /// Checks at start-up what is a mistake rather than a camera that is away for
    /// a while: a device or a server may appear later, and its absence is a state.
    ///
    /// # Errors
    /// What is wrong with the source, in one line, with what would be right.
    fn check(&self, _config: &CameraConfig) -> Result<(), Error> {
        Ok(())
    }

    /// Whether it is a V4L2 device, which alone follows the options for these.
    fn is_device(&self) -> bool {
        false
    }

    /// Returns what opens the camera, and its controls if it has any. Does not
    /// touch the device yet. `name` is the camera's own.
    fn camera(self: Box<Self>, config: CameraConfig, name: &str) -> Openable;
}

/// Opens the same camera again at each call.
pub(crate) type Opener = dyn Fn() -> Result<Box<dyn Driver>, Error> + Send + Sync;

/// A camera that is not open: what opens it, and its controls if it has any.
pub(super) type Openable = (Box<Opener>, Option<Arc<dyn Controls>>);

/// A camera without controls.
pub(super) fn openable<D: Driver + 'static>(
    open: impl Fn() -> Result<D, Error> + Send + Sync + 'static,
) -> Openable {
    (boxed(open), None)
}

pub(super) fn boxed<D: Driver + 'static>(
    open: impl Fn() -> Result<D, Error> + Send + Sync + 'static,
) -> Box<Opener> {
    Box::new(move || Ok(Box::new(open()?)))
}

/// What stands behind a keyword and its colon, empty without a colon; `None` if
/// the text begins with another word.
pub(super) fn behind<'a>(keyword: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(keyword)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
}

/// The path behind a keyword; `form` is the right form for the error.
pub(super) fn path(text: &str, form: &str) -> Result<std::path::PathBuf> {
    ensure!(!text.is_empty(), "the path is missing; use {form}");
    Ok(text.into())
}

/// How network cameras with H.264 are read.
const RTSP: &str = "'exec:ffmpeg -v error -i rtsp://HOST/PATH -f mjpeg -q:v 5 -'";

/// Reads the text behind `--camera`.
///
/// # Errors
/// What would be right.
pub(super) fn read(text: &str) -> Read {
    match KINDS.iter().find_map(|kind| (kind.read)(text)) {
        Some(source) => source,
        None if text.starts_with("rtsp") => {
            bail!("no such source; read it by {RTSP}, which makes JPEGs of its pictures")
        }
        None => bail!("no such source; {}", usage()),
    }
}

/// The kinds of sources for an error.
fn usage() -> String {
    let forms: Vec<_> = KINDS.iter().map(|kind| kind.form).collect();
    format!("use one of {}", forms.join(", "))
}

/// The kinds of sources for `--help`, a line or more of each.
pub(crate) fn help() -> String {
    const COLUMN: usize = 25;
    let blank = " ".repeat(COLUMN + 2);
    let row = |Kind { form, help, .. }: &Kind| {
        // As clap does it: a form that is too long for its column has its text on the next
        // line.
        let text = help.replace('\n', &format!("\n{blank}"));
        if form.len() < COLUMN {
            format!("  {form:COLUMN$}{text}\n")
        } else {
            format!("  {form}\n{blank}{text}\n")
        }
    };
    KINDS.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sources that are right; each kind has one or more.
    const GOOD: &[&str] = &[
        "demo",
        "v4l2",
        "v4l2:/dev/video2",
        "/dev/video2",
        "pattern",
        "pattern@5",
        "pattern:1280x720@12.5",
        "images:/a b:c",
        "file:x.mjpeg",
        "recording:/mnt/bucket/front",
        "exec:ffmpeg -i a:b | cat",
        "http://camera.local:8080/stream",
    ];

    /// Sources that are wrong, and what the error says; each kind that takes more
    /// than its name has one or more. An empty text is the list of all kinds.
    const BAD: &[(&str, &str)] = &[
        ("", ""),
        ("webcam", ""),
        ("demo:3", ""),
        ("patterns", ""),
        ("images:", "use images:DIR"),
        ("file:", "use file:PATH"),
        ("recording:", "use recording:DIR"),
        ("v4l2:", "use v4l2:/dev/videoN"),
        ("exec", "use exec:COMMAND, such as"),
        ("exec: ", "use exec:COMMAND, such as"),
        ("http:/camera", "use http://"),
        ("pattern:640", "is no size"),
        ("pattern:1x1", "from 32x32"),
        ("pattern:99999x2", "is no size"),
        ("pattern:640x480@0", "no number of pictures a second"),
        ("pattern@1e-20", "no number of pictures a second"),
        ("pattern:640x480@inf", "no number of pictures a second"),
        ("src", "use images:src"),
        ("Cargo.toml", "use file:Cargo.toml"),
    ];

    #[test]
    fn every_kind_is_read() {
        for text in GOOD {
            assert!(read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn bad_sources_say_what_would_be_right() {
        let usage = usage();
        for (text, says) in BAD {
            let fault = read(text).err().map(|fault| format!("{fault:#}")).expect(text);
            let says = if says.is_empty() { usage.as_str() } else { says };
            assert!(fault.contains(says), "{text:?}: {fault}");
        }
    }

    /// The kind that decides about a source.
    fn form_of(text: &str) -> Option<&'static str> {
        KINDS.iter().find(|kind| (kind.read)(text).is_some()).map(|kind| kind.form)
    }

    #[test]
    fn both_lists_have_every_kind() {
        for Kind { form, .. } in KINDS {
            assert!(GOOD.iter().any(|text| form_of(text) == Some(form)), "{form}: not in GOOD");
            let is_bad = BAD.iter().any(|(text, _)| form_of(text) == Some(form));
            let is_name_alone = form.bytes().all(|b| b.is_ascii_alphanumeric());
            assert!(is_bad || is_name_alone, "{form}: not in BAD");
        }
    }
}
