//! The counters and the state of one capture, as shown in the status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use crate::camera::{Cause, Error};
use crate::config::CameraOptions;
use crate::frame::Frame;
use crate::jpeg;
use crate::mode::Mode;
use crate::rate::Rate;

/// What the camera does now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// There is no reader; the camera is closed.
    Idle,
    /// The camera is being opened, or gave no frame yet.
    Starting,
    /// The camera gives frames.
    Live,
    /// The camera failed; it is opened again after a while.
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

/// What was wrong with a frame that is shown all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Repair {
    /// It had no end.
    Truncated,
    /// The server announced a wrong length.
    Length,
}

impl Repair {
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

/// The requested source and mode; `None` leaves the choice to the camera.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The name of the camera in the log.
    pub(super) label: String,
    pub(crate) source: String,
    pub(crate) format: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) fps: Option<f64>,
    /// The size of snapshots, where it is not that of the stream.
    pub(crate) still_size: Option<(u32, u32)>,
}

impl Asked {
    pub(super) fn from_section(section: &CameraOptions) -> Self {
        let config = &section.camera;
        let fourcc = |f: [u8; 4]| String::from_utf8_lossy(&f).into_owned();
        Self {
            label: section.label(),
            source: config.source.to_string(),
            format: config.device.format.map(fourcc),
            size: config.device.resolution,
            fps: config.fps,
            still_size: config.device.snapshot_resolution,
        }
    }

    pub(super) fn of_variant(label: String) -> Self {
        let source = "variant".into();
        Self { label, source, format: None, size: None, fps: None, still_size: None }
    }
}

/// Counters since the start of the program, and the present state.
#[derive(Default)]
pub(super) struct Stats {
    n_captured: AtomicU64,
    n_stale: AtomicU64,
    n_same: AtomicU64,
    n_opened: AtomicU64,
    n_dropped: [AtomicU64; jpeg::Error::ALL.len()],
    n_repaired: [AtomicU64; Repair::ALL.len()],
    n_faults: [AtomicU64; Cause::ALL.len()],
    stills: Mutex<StillCounts>,
    now: Mutex<Now>,
}

/// Pictures of another size than the stream's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StillCounts {
    pub(crate) n_taken: u64,
    /// Tries that gave none.
    pub(crate) n_failed: u64,
    /// How long the last one stopped the stream.
    pub(crate) last_pause: Option<Duration>,
}

struct Now {
    state: State,
    cause: Option<String>,
    since: SystemTime,
    mode: Mode,
    /// Width and height of the last picture of this setup.
    size: Option<(u16, u16)>,
    rate: Rate,
}

/// The state and the counters at one moment.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) asked: Asked,
    /// What the camera set itself to when it was last opened.
    pub(crate) mode: Mode,
    pub(crate) state: State,
    /// Why the camera is lost.
    pub(crate) cause: Option<String>,
    /// When this state began.
    pub(crate) since: SystemTime,
    /// Frames a second, measured over the last few frames.
    pub(crate) fps: f64,
    pub(crate) n_captured: u64,
    pub(crate) n_opened: u64,
    /// Damaged and stale frames, by the name of their counter.
    pub(crate) n_dropped: Vec<(&'static str, u64)>,
    /// Frames that had a fault and are shown, by what it was.
    pub(crate) n_repaired: Vec<(&'static str, u64)>,
    /// How often the camera was lost, by cause.
    pub(crate) n_faults: Vec<(&'static str, u64)>,
    pub(crate) stills: StillCounts,
    /// The newest frame, while the camera is on. `None` also while it is live, where
    /// nobody watches a camera whose frames would have to be encoded: those are
    /// skipped, and none in the slot is the newest. It is never a status picture.
    pub(crate) latest: Option<Arc<Frame>>,
}

impl Default for Now {
    fn default() -> Self {
        Self {
            state: State::Idle,
            cause: None,
            since: SystemTime::now(),
            mode: Mode::default(),
            size: None,
            rate: Rate::new(),
        }
    }
}

impl Stats {
    /// Returns the previous state. `cause` is why the camera is lost.
    pub(super) fn set_state(&self, state: State, cause: Option<String>) -> State {
        let mut now = self.now.lock();
        let before = now.state;
        // Frames before a change of state say nothing about the rate after it.
        if before != state {
            now.since = SystemTime::now();
            // The frame that made the camera live was counted before.
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

    /// The recent time between two frames, or the one that the camera set itself to
    /// while there were no two; `None`: neither is known.
    pub(super) fn interval(&self) -> Option<Duration> {
        let now = self.now.lock();
        // What was seen wins: in the dark a webcam gives fewer frames than it was set to,
        // because each is exposed for longer.
        let seen = Some(now.rate.per_second(Instant::now())).filter(|fps| *fps > 0.0);
        let fps = seen.or(now.mode.fps).filter(|fps| *fps > 0.0)?;
        Duration::try_from_secs_f64(1.0 / fps).ok()
    }

    pub(super) fn since(&self) -> SystemTime {
        self.now.lock().since
    }

    /// Resets the mode and the size, which belong to a camera that was replaced.
    pub(super) fn forget_mode(&self) {
        let mut now = self.now.lock();
        (now.mode, now.size) = (Mode::default(), None);
    }

    pub(super) fn size(&self) -> Option<(u16, u16)> {
        self.now.lock().size
    }

    pub(super) fn opened(&self, mode: Mode) {
        self.n_opened.fetch_add(1, Relaxed);
        self.now.lock().mode = mode;
    }

    /// Counts frames that the driver skipped because a newer one was ready.
    pub(super) fn stale(&self, n: u64) {
        self.n_stale.fetch_add(n, Relaxed);
    }

    /// Counts a frame with the bytes of the last one, which is not shown.
    pub(super) fn same(&self) {
        self.n_same.fetch_add(1, Relaxed);
    }

    pub(super) fn captured(&self, at: Instant, size: Option<(u16, u16)>) {
        self.n_captured.fetch_add(1, Relaxed);
        let mut now = self.now.lock();
        now.rate.event(at);
        now.size = size.or(now.size);
    }

    pub(super) fn dropped(&self, why: jpeg::Error) {
        if let Some(i) = jpeg::Error::ALL.iter().position(|f| *f == why) {
            self.n_dropped[i].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn repaired(&self, what: Repair, n: u64) {
        if let Some(i) = Repair::ALL.iter().position(|known| *known == what) {
            self.n_repaired[i].fetch_add(n, Relaxed);
        }
    }

    pub(super) fn lost(&self, error: &Error) {
        if let Error::Lost(cause, _) = error
            && let Some(i) = Cause::ALL.iter().position(|c| c == cause)
        {
            self.n_faults[i].fetch_add(1, Relaxed);
        }
    }

    /// Changes the counts of pictures of another size.
    pub(super) fn stills(&self, change: impl FnOnce(&mut StillCounts)) {
        change(&mut self.stills.lock());
    }

    /// All but the latest frame, which is in the slot.
    pub(super) fn status(&self, asked: Asked) -> Status {
        // Relaxed is enough, since each counter stands alone: no other memory depends on it.
        let read = |counters: &[AtomicU64], keys: &mut dyn Iterator<Item = &'static str>| {
            keys.zip(counters).map(|(key, n)| (key, n.load(Relaxed))).collect()
        };
        let mut n_dropped: Vec<_> =
            read(&self.n_dropped, &mut jpeg::Error::ALL.iter().map(|f| f.key()));
        n_dropped.push(("stale", self.n_stale.load(Relaxed)));
        n_dropped.push(("same", self.n_same.load(Relaxed)));
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
            n_repaired: read(&self.n_repaired, &mut Repair::ALL.iter().map(|m| m.key())),
            n_faults: read(&self.n_faults, &mut Cause::ALL.iter().map(|c| c.key())),
            stills: *self.stills.lock(),
            latest: None,
        }
    }
}
