//! Cameras: anything that gives JPEGs, behind one small trait.
//!
//! A driver knows its device and nothing else: not who watches, not where the
//! pictures go. Capture opens it, asks for one picture after the other, and
//! decides by the [`Error`] what to do next.

mod canvas;
mod demo;
mod exec;
mod file;
mod images;
mod pacer;
mod pattern;
mod server;
mod settings;
mod stall;
mod v4l2;

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use canvas::{Canvas, Colour};
pub(crate) use settings::{ALL, Change, Control, Outcome, Settings, Wish};
pub(crate) use v4l2::survey;

use crate::config::{CameraConfig, Source};
use crate::frame::{FrameBuf, Taken};
use crate::jpeg::Fault;
use crate::shutdown::Shutdown;

/// One opened camera. Dropping it closes the device.
pub(crate) trait Camera {
    /// Waits for the next picture, puts its JPEG into the empty `frame` and
    /// returns when it was taken. Blocks for as long as the camera takes;
    /// sleeps end early with [`Error::Stopped`] when `stop` is ordered.
    ///
    /// # Errors
    /// What went wrong, by what the caller does next. After any error but
    /// [`Error::BadFrame`] and [`Error::NotYet`] the camera is to be dropped.
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error>;

    /// What the camera set itself to.
    fn mode(&self) -> Mode;

    /// How many pictures the device had ready that were passed over since the
    /// last call, as a newer one was there.
    fn take_n_stale(&mut self) -> u64 {
        0
    }

    /// How many pictures since the last call were not as long as the source
    /// said.
    fn take_n_wrong_lengths(&mut self) -> u64 {
        0
    }

    /// Waits for the next picture and lets it go, where that saves work.
    /// `false`: it does not, ask for the picture.
    ///
    /// # Errors
    /// As of [`Camera::next_frame`].
    fn pass_over(&mut self, _stop: &Shutdown) -> Result<bool, Error> {
        Ok(false)
    }
}

/// What a camera set itself to, as far as it is known before a picture comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mode {
    /// Path and name of the device.
    pub(crate) device: Option<String>,
    /// FourCC of what the device gives.
    pub(crate) format: Option<String>,
    /// Width and height in pixels.
    pub(crate) size: Option<(u32, u32)>,
    /// Pictures a second.
    pub(crate) fps: Option<f64>,
}

impl Mode {
    /// Of a camera without a device, which only has a pace.
    fn paced(fps: f64) -> Self {
        Self { fps: Some(fps), ..Self::default() }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.device.clone());
        parts.extend(self.format.clone());
        parts.extend(self.size.map(|(width, height)| format!("{width}x{height}")));
        parts.extend(self.fps.map(|fps| format!("{fps:.3} fps").replace(".000", "")));
        f.write_str(&parts.join(", "))
    }
}

/// What keeps a camera from giving a picture, by what capture does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Error {
    /// Close it and try again later: why, in general and in words.
    Lost(Cause, String),
    /// This picture is no good, the next may be: drop it and go on.
    BadFrame(Fault),
    /// There is no picture for a while yet: look whether one is still wanted,
    /// and ask again.
    NotYet,
    /// The order to stop came while waiting.
    Stopped,
}

/// Why a camera is lost, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    /// There is no such device, or it went away.
    NoDevice,
    /// Another program uses the device.
    Busy,
    /// The device gives no picture any more.
    Stalled,
    /// The device is there and gives nothing of use.
    NoSignal,
    /// The device is no camera, or not one that can be used.
    Unsupported,
    /// The bus has no room for what was asked for.
    Bandwidth,
    /// Reading failed.
    Io,
    /// The source ended by itself.
    Ended,
    /// The source wants a login, or another one.
    Denied,
}

impl Cause {
    /// All of them, in the order of their counters.
    pub(crate) const ALL: [Self; 9] = [
        Self::NoDevice,
        Self::Busy,
        Self::Stalled,
        Self::NoSignal,
        Self::Unsupported,
        Self::Bandwidth,
        Self::Io,
        Self::Ended,
        Self::Denied,
    ];

    /// The name of this cause's counter.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::NoDevice => "no_device",
            Self::Busy => "busy",
            Self::Stalled => "stalled",
            Self::NoSignal => "no_signal",
            Self::Unsupported => "unsupported",
            Self::Bandwidth => "bandwidth",
            Self::Io => "io",
            Self::Ended => "ended",
            Self::Denied => "denied",
        }
    }
}

impl Error {
    pub(crate) fn lost(cause: Cause, why: impl Into<String>) -> Self {
        Self::Lost(cause, why.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(_, why) => f.write_str(why),
            Self::BadFrame(fault) => write!(f, "{fault}"),
            Self::NotYet => f.write_str("no picture yet"),
            Self::Stopped => f.write_str("asked to stop"),
        }
    }
}

/// Opens a camera anew at each call.
pub(crate) type Opener = dyn Fn() -> Result<Box<dyn Camera>, Error> + Send + Sync;

/// What opens the camera that was asked for, and what reads and changes its
/// controls. A device is remembered by its lasting name, so that one plugged in
/// again under another number is found.
pub(crate) fn opener(config: CameraConfig) -> (Box<Opener>, Settings) {
    let device = Arc::new(v4l2::Device::new(&config));
    let settings = match config.source {
        Source::V4l2(_) => Settings::of(Arc::clone(&device)),
        _ => Settings::default(),
    };
    let stall = Arc::new(Mutex::new(stall::Stall::new(&config.device, config.fps)));
    let open = move || {
        let (fps, max_bytes) = (config.fps, config.max_frame_bytes);
        let stall = Arc::clone(&stall);
        let camera: Box<dyn Camera> = match &config.source {
            Source::Demo => Box::new(demo::Demo::open(fps)),
            Source::Pattern { width, height, fps: own } => {
                Box::new(pattern::Pattern::open(*width, *height, own.or(fps)))
            }
            Source::Images(dir) => Box::new(images::Images::open(dir, fps, max_bytes)?),
            Source::File(path) => Box::new(file::File::open(path, fps, max_bytes)?),
            Source::Exec(command) => Box::new(exec::Exec::open(command, stall, max_bytes)?),
            Source::Server(url) => {
                let settings = server::Settings { fps, stall, max_frame_bytes: max_bytes };
                Box::new(server::Server::open(url, settings))
            }
            Source::V4l2(_) => Box::new(device.open()?),
        };
        Ok(camera)
    };
    (Box::new(open), settings)
}

/// Looks at start-up whether a source of files holds pictures at all: a wrong
/// path is a mistake in the command, not a camera that is away for a while.
///
/// # Errors
/// What is wrong with the source, in one line, with what would be right.
pub(crate) fn check(config: &CameraConfig) -> Result<(), Error> {
    match &config.source {
        // A device may come later: that it is away is a state, not a mistake.
        Source::Demo
        | Source::Pattern { .. }
        | Source::V4l2(_)
        | Source::Exec(_)
        | Source::Server(_) => Ok(()),
        Source::Images(dir) => images::check(dir),
        Source::File(path) => file::check(path, config.max_frame_bytes),
    }
}
