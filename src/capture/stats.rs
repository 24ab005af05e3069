//! What capture counts, and what it tells of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use crate::camera::{Cause, Error, Mode};
use crate::config::CameraSection;
use crate::frame::Frame;
use crate::jpeg::Fault;
use crate::rate::Rate;

/// What the camera does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// Nobody watches; the camera is closed.
    Idle,
    /// Opened or being opened, no picture yet.
    Starting,
    /// Pictures come.
    Live,
    /// It failed, and is tried again.
    Lost,
}

impl State {
    pub(crate) const ALL: [Self; 4] = [Self::Idle, Self::Starting, Self::Live, Self::Lost];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Lost => "lost",
        }
    }
}

/// What was wrong with a picture that is shown all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mended {
    /// It had no end.
    Truncated,
    /// The server gave it a wrong length.
    Length,
}

impl Mended {
    /// All of them, in the order of their counters.
    const ALL: [Self; 2] = [Self::Truncated, Self::Length];

    /// The name of the counter.
    fn key(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Length => "length",
        }
    }
}

/// What was asked of the camera; `None`: as it likes.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// How the log calls the camera.
    pub(super) label: String,
    pub(crate) source: String,
    pub(crate) format: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) fps: Option<f64>,
}

impl Asked {
    pub(super) fn of(section: &CameraSection) -> Self {
        let config = &section.camera;
        let fourcc = |f: [u8; 4]| String::from_utf8_lossy(&f).into_owned();
        Self {
            label: section.label(),
            source: config.source.to_string(),
            format: config.device.format.map(fourcc),
            size: config.device.resolution,
            fps: config.fps,
        }
    }
}

/// Counters since the start of the program, and the state.
#[derive(Default)]
pub(super) struct Stats {
    n_captured: AtomicU64,
    n_stale: AtomicU64,
    n_opened: AtomicU64,
    n_dropped: [AtomicU64; Fault::ALL.len()],
    n_mended: [AtomicU64; Mended::ALL.len()],
    n_faults: [AtomicU64; Cause::ALL.len()],
    now: Mutex<Now>,
}

struct Now {
    state: State,
    cause: Option<String>,
    since: SystemTime,
    mode: Mode,
    rate: Rate,
}

/// How the camera does, at one moment.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) asked: Asked,
    /// What the camera set itself to when it was opened last.
    pub(crate) mode: Mode,
    pub(crate) state: State,
    /// Why it is lost.
    pub(crate) cause: Option<String>,
    /// When this state began.
    pub(crate) since: SystemTime,
    pub(crate) fps: f64,
    pub(crate) n_captured: u64,
    pub(crate) n_opened: u64,
    pub(crate) n_dropped: Vec<(&'static str, u64)>,
    /// Pictures that had a fault and are shown, by what it was.
    pub(crate) n_mended: Vec<(&'static str, u64)>,
    pub(crate) n_faults: Vec<(&'static str, u64)>,
    /// The newest picture of the camera, while it is on.
    pub(crate) latest: Option<Arc<Frame>>,
}

impl Default for Now {
    fn default() -> Self {
        Self {
            state: State::Idle,
            cause: None,
            since: SystemTime::now(),
            mode: Mode::default(),
            rate: Rate::new(),
        }
    }
}

impl Stats {
    /// Returns the state before.
    pub(super) fn set_state(&self, state: State, cause: Option<String>) -> State {
        let mut now = self.now.lock();
        let before = now.state;
        if before != state {
            now.since = SystemTime::now();
            // The picture by which it is live was counted before.
            if state != State::Live {
                now.rate = Rate::new();
            }
        }
        now.state = state;
        now.cause = cause;
        before
    }

    pub(super) fn cause(&self) -> Option<String> {
        self.now.lock().cause.clone()
    }

    /// Between two pictures, as it was of late, or as the camera set itself to
    /// if there were no two; `None`: that is not known.
    pub(super) fn interval(&self) -> Option<Duration> {
        let now = self.now.lock();
        let seen = Some(now.rate.per_second(Instant::now())).filter(|fps| *fps > 0.0);
        let fps = seen.or(now.mode.fps).filter(|fps| *fps > 0.0)?;
        Duration::try_from_secs_f64(1.0 / fps).ok()
    }

    pub(super) fn since(&self) -> SystemTime {
        self.now.lock().since
    }

    /// What was opened before is another camera than the one to be opened.
    pub(super) fn changed(&self) {
        self.now.lock().mode = Mode::default();
    }

    pub(super) fn opened(&self, mode: Mode) {
        self.n_opened.fetch_add(1, Relaxed);
        self.now.lock().mode = mode;
    }

    /// Pictures that the device had ready and that were passed over.
    pub(super) fn stale(&self, n: u64) {
        self.n_stale.fetch_add(n, Relaxed);
    }

    pub(super) fn captured(&self, at: Instant) {
        self.n_captured.fetch_add(1, Relaxed);
        self.now.lock().rate.event(at);
    }

    pub(super) fn dropped(&self, fault: Fault) {
        if let Some(i) = Fault::ALL.iter().position(|f| *f == fault) {
            self.n_dropped[i].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn mended(&self, what: Mended, n: u64) {
        if let Some(i) = Mended::ALL.iter().position(|known| *known == what) {
            self.n_mended[i].fetch_add(n, Relaxed);
        }
    }

    pub(super) fn lost(&self, error: &Error) {
        if let Error::Lost(cause, _) = error
            && let Some(i) = Cause::ALL.iter().position(|c| c == cause)
        {
            self.n_faults[i].fetch_add(1, Relaxed);
        }
    }

    /// All but the latest picture, which is not kept here.
    pub(super) fn status(&self, asked: Asked) -> Status {
        let read = |counters: &[AtomicU64], keys: &mut dyn Iterator<Item = &'static str>| {
            keys.zip(counters).map(|(key, n)| (key, n.load(Relaxed))).collect()
        };
        let mut n_dropped: Vec<_> = read(&self.n_dropped, &mut Fault::ALL.iter().map(|f| f.key()));
        n_dropped.push(("stale", self.n_stale.load(Relaxed)));
        let now = self.now.lock();
        Status {
            asked,
            mode: now.mode.clone(),
            state: now.state,
            cause: now.cause.clone(),
            since: now.since,
            fps: now.rate.per_second(Instant::now()),
            n_captured: self.n_captured.load(Relaxed),
            n_opened: self.n_opened.load(Relaxed),
            n_dropped,
            n_mended: read(&self.n_mended, &mut Mended::ALL.iter().map(|m| m.key())),
            n_faults: read(&self.n_faults, &mut Cause::ALL.iter().map(|c| c.key())),
            latest: None,
        }
    }
}
