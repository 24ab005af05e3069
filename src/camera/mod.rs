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
mod in_vain;
mod kinds;
mod pacer;
mod pattern;
mod recorded;
mod server;
mod stall;
mod v4l2;
mod watched;

use std::fmt;
use std::sync::Arc;

use anyhow::{Result, anyhow, ensure};

pub(crate) use canvas::{Canvas, Colour};
pub(crate) use v4l2::list_devices::{devices_to_text, list_devices};

use crate::config::CameraConfig;
use crate::controls::{Change, ChangeResult, Control};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg;
use crate::mode::Mode;
use crate::shutdown::Shutdown;
pub(crate) use in_vain::given_in_vain;
use kinds::Kind;
pub(crate) use kinds::{Opener, help};
pub(crate) use stall::MAX as MAX_STALL;

/// All drivers, in the order of `--help`. The first that takes a source reads it.
const KINDS: &[Kind] = &[
    v4l2::KIND,
    exec::KIND,
    server::KIND,
    demo::KIND,
    pattern::KIND,
    recorded::KIND,
    // These two say what is right for a bare path, and come behind all others.
    images::KIND,
    file::KIND,
];

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

    /// Takes one picture of the size of `--snapshot-resolution` into the empty
    /// `frame`, for which the device stops its stream. The next call of another
    /// method goes on as before.
    ///
    /// # Errors
    /// As [`Driver::next_frame`]; after a damaged one, another can be asked for. A
    /// device that goes on well without such a picture is no error, but
    /// [`Still::Unable`].
    fn still(&mut self, _frame: &mut FrameBuf, _stop: &Shutdown) -> Result<Still, Error> {
        Ok(Still::Unable("this camera has one size".into()))
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

/// What became of a picture of another size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Still {
    /// It was taken at this time.
    Taken(Timestamp),
    /// Why there is none.
    Unable(String),
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
    /// Close the camera and open it again now, since its pictures will have another
    /// size. Why, as text.
    Reopen(String),
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
    /// The device works, but nothing comes into it, or its output is unusable.
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
            Self::Lost(_, why) | Self::Reopen(why) => f.write_str(why),
            Self::BadFrame(why) => write!(f, "{why}"),
            Self::NotYet => f.write_str("no picture yet"),
            Self::Stopped => f.write_str("asked to stop"),
        }
    }
}

/// Returns what opens the configured camera, and its controls if it has any.
/// Does not touch the device yet. `name` is the camera's own, by which it knows
/// its own stream.
pub(crate) fn opener(config: CameraConfig, name: &str) -> (Box<Opener>, Option<Arc<dyn Controls>>) {
    match kinds::read(config.source.as_str()) {
        Ok(source) => source.camera(config, name),
        // It was checked at the start; here it is a camera that never opens.
        Err(e) => {
            let why = format!("{e:#}");
            (Box::new(move || Err(Error::lost(Cause::Unsupported, why.clone()))), None)
        }
    }
}

/// The device nodes of this machine that are cameras, or may be: those that cannot be opened
/// are among them.
pub(crate) fn nodes() -> Vec<String> {
    v4l2::nodes()
}

/// Checks at start-up whether a source can be read, and whether one of files
/// holds any JPEG: a wrong path is a mistake in the command, not a camera that is
/// away for a while.
///
/// # Errors
/// What is wrong with the source, in one line, with what would be right.
pub(crate) fn check(config: &CameraConfig) -> Result<()> {
    let source = kinds::read(config.source.as_str())?;
    ensure!(
        config.device.snapshot_resolution.is_none() || source.is_device(),
        "--snapshot-resolution: only V4L2 cameras (v4l2:/dev/videoN) change their size; leave it out"
    );
    source.check(config).map_err(|e| anyhow!("{e}"))
}
