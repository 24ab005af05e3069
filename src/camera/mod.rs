//! Cameras: every source of JPEGs, behind the trait [`Driver`].
//!
//! A driver knows its device and nothing else: neither who watches nor where
//! the frames go. Capture opens it, asks for one frame after the other, and
//! decides by the [`Error`] what to do next.

mod canvas;
mod demo;
mod exec;
mod file;
mod images;
mod pacer;
mod pattern;
mod server;
mod stall;
mod v4l2;
mod watched;

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use canvas::{Canvas, Colour};
pub(crate) use v4l2::list_devices::{devices_to_text, list_devices};

use crate::config::{CameraConfig, Source, Watch};
use crate::controls::{Change, ChangeResult, Control};
use crate::frame::{FrameBuf, Timestamp};
use crate::instance;
use crate::jpeg;
use crate::mode::Mode;
use crate::shutdown::Shutdown;

/// One opened camera. Dropping it closes the device.
pub(crate) trait Driver {
    /// Waits for the next frame, puts its JPEG into the empty `frame` and
    /// returns when it was taken. Blocks for as long as the camera takes;
    /// sleeps end early with [`Error::Stopped`] when `stop` is ordered.
    ///
    /// # Errors
    /// What went wrong, by what the caller does next. After any error but
    /// [`Error::BadFrame`] and [`Error::NotYet`] the driver must be dropped.
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error>;

    /// What the camera set itself to.
    fn mode(&self) -> Mode;

    /// How many frames the driver skipped since the last call because a newer
    /// one was ready.
    fn take_n_stale(&mut self) -> u64 {
        0
    }

    /// How many frames since the last call did not have the length that the
    /// source announced.
    fn take_n_wrong_lengths(&mut self) -> u64 {
        0
    }

    /// Whether its pictures may come from another daemon, which marks those that
    /// it draws while its own camera is lost.
    fn may_relay(&self) -> bool {
        false
    }

    /// Waits for the next frame and discards it, if that saves work (such as
    /// encoding). `false` if it saves none: then call [`Driver::next_frame`].
    ///
    /// # Errors
    /// As [`Driver::next_frame`].
    fn skip_frame(&mut self, _stop: &Shutdown) -> Result<bool, Error> {
        Ok(false)
    }
}

/// Reads and sets the controls of one camera, whether it is open or not.
///
/// Separate from [`Driver`], because a request may come while the capture thread
/// owns the driver, or while the camera is closed. A camera without controls has
/// no such object.
pub(crate) trait Controls: Send + Sync {
    /// All controls with their values. May take seconds.
    ///
    /// # Errors
    /// Why the device cannot be asked now.
    fn list(&self) -> Result<Vec<Control>, Error>;

    /// Sets controls, and sets them again at each later opening of the camera.
    /// The result has an entry for each change. May take seconds.
    ///
    /// # Errors
    /// Why the device cannot be set now; then no change is kept.
    fn set(&self, changes: &[Change]) -> Result<Vec<ChangeResult>, Error>;
}

/// What keeps a camera from giving a frame, by what capture does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Error {
    /// Close the camera and try again later. Why, as a counter and as text.
    Lost(Cause, String),
    /// This frame is damaged, the next may be good: drop it and continue.
    BadFrame(jpeg::Error),
    /// There is no frame yet: check whether one is still wanted, and ask again.
    NotYet,
    /// The order to stop came while waiting.
    Stopped,
}

/// Why a camera is lost; each cause has a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    /// The device does not exist, or was unplugged.
    NoDevice,
    /// Another program uses the device.
    Busy,
    /// The device stopped giving frames.
    Stalled,
    /// The device works, but its output is unusable.
    NoSignal,
    /// The device is not a camera, or none that this program supports.
    Unsupported,
    /// The bus lacks the bandwidth for the requested mode.
    Bandwidth,
    /// Reading failed.
    Io,
    /// The source ended by itself.
    Ended,
    /// The source wants a login, or another one.
    Denied,
    /// The server that is relayed has lost its own camera.
    Upstream,
    /// The source is the stream that this camera makes itself.
    Itself,
}

impl Cause {
    /// All causes, in the order of their counters.
    pub(crate) const ALL: [Self; 11] = [
        Self::NoDevice,
        Self::Busy,
        Self::Stalled,
        Self::NoSignal,
        Self::Unsupported,
        Self::Bandwidth,
        Self::Io,
        Self::Ended,
        Self::Denied,
        Self::Upstream,
        Self::Itself,
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
            Self::Upstream => "upstream",
            Self::Itself => "itself",
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
            Self::BadFrame(why) => write!(f, "{why}"),
            Self::NotYet => f.write_str("no picture yet"),
            Self::Stopped => f.write_str("asked to stop"),
        }
    }
}

/// Opens the same camera again at each call.
pub(crate) type Opener = dyn Fn() -> Result<Box<dyn Driver>, Error> + Send + Sync;

/// Returns what opens the configured camera, and its controls if it has any.
/// Does not touch the device yet. `name` is the camera's own, by which it knows
/// its own stream.
pub(crate) fn opener(config: CameraConfig, name: &str) -> (Box<Opener>, Option<Arc<dyn Controls>>) {
    let CameraConfig { source, fps, max_frame_bytes: max_bytes, device, trust, watch } = config;
    // Shared by all openings, so that what was learnt of the pace is kept.
    let stall = Arc::new(Mutex::new(stall::Stall::new(&device, fps)));
    let open = match source {
        Source::V4l2(path) => {
            // Both share the device, so that the controls reach the device that
            // was opened last, and an opening sets what a request asked for.
            let device = Arc::new(v4l2::Device::new(name, path, device, fps));
            let controls = Arc::clone(&device);
            return (boxed(move || device.open()), Some(controls));
        }
        Source::Demo => boxed(move || Ok(demo::Demo::open(fps))),
        Source::Pattern { width, height, fps: own } => {
            boxed(move || Ok(pattern::Pattern::open(width, height, own.or(fps))))
        }
        Source::Images(dir) => match watch {
            None => boxed(move || images::Images::open(&dir, fps, max_bytes)),
            Some(Watch { removes }) => {
                boxed(move || watched::Watched::open(&dir, removes, max_bytes))
            }
        },
        Source::File(path) => boxed(move || file::File::open(&path, fps, max_bytes)),
        Source::Exec(command) => {
            let lasting = exec::Lasting { stall, log: Arc::default() };
            boxed(move || exec::Exec::open(&command, lasting.clone(), max_bytes))
        }
        Source::Server(url) => {
            let own = instance::id(name);
            let options = server::Options { fps, stall, max_frame_bytes: max_bytes, own };
            boxed(move || Ok(server::Server::open(&url, &trust, options.clone())))
        }
    };
    (open, None)
}

fn boxed<D: Driver + 'static>(
    open: impl Fn() -> Result<D, Error> + Send + Sync + 'static,
) -> Box<Opener> {
    Box::new(move || Ok(Box::new(open()?)))
}

/// Checks at start-up whether a source of files holds any JPEG: a wrong path is
/// a mistake in the command, not a camera that is away for a while.
///
/// # Errors
/// What is wrong with the source, in one line, with what would be right.
pub(crate) fn check(config: &CameraConfig) -> Result<(), Error> {
    match &config.source {
        // A device or server may appear later: its absence is a state, not a
        // mistake.
        Source::Demo
        | Source::Pattern { .. }
        | Source::V4l2(_)
        | Source::Exec(_)
        | Source::Server(_) => Ok(()),
        Source::Images(dir) if config.watch.is_some() => watched::check(dir),
        Source::Images(dir) => images::check(dir),
        Source::File(path) => file::check(path, config.max_frame_bytes),
    }
}
