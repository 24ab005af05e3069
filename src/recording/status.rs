//! The state of a recording and its figures.

use std::mem;
use std::time::{Instant, SystemTime};

use parking_lot::Mutex;

use crate::events::{Kind, Source};
use crate::rate::Rate;

/// What the recorder does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum State {
    /// It is switched off.
    #[default]
    Off,
    /// It opens the folder, or waits for the first frame.
    Starting,
    /// Nothing moves (`--record-on motion`).
    Waiting,
    Recording,
    /// It cannot record, and tries again.
    Failed,
}

impl State {
    pub(crate) const ALL: [Self; 5] =
        [Self::Off, Self::Starting, Self::Waiting, Self::Recording, Self::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Recording => "recording",
            Self::Failed => "failed",
        }
    }
}

/// The state and the figures at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// Why it failed; kept until it records again.
    pub(crate) cause: Option<String>,
    pub(crate) since: SystemTime,
    pub(crate) fps: f64,
    /// Since the start of the program: frames and bytes written, frames skipped
    /// because writing was slow, and how often recording failed.
    pub(crate) n_frames: u64,
    pub(crate) n_bytes: u64,
    pub(crate) n_skipped: u64,
    pub(crate) n_failures: u64,
}

/// The recorder keeps it up to date, and anybody may read it. A change of the state is
/// an event.
pub(super) struct Stats {
    inner: Mutex<Inner>,
    source: Source,
}

struct Inner {
    status: Status,
    rate: Rate,
}

impl Stats {
    pub(super) fn new(source: Source) -> Self {
        let status = Status {
            state: State::Starting,
            cause: None,
            since: SystemTime::now(),
            fps: 0.0,
            n_frames: 0,
            n_bytes: 0,
            n_skipped: 0,
            n_failures: 0,
        };
        Self { inner: Mutex::new(Inner { status, rate: Rate::new() }), source }
    }

    pub(super) fn status(&self) -> Status {
        let inner = self.inner.lock();
        Status { fps: inner.rate.per_second(Instant::now()), ..inner.status.clone() }
    }

    /// Sets the state. A failed recording stays failed while it is tried again, so
    /// that its cause can be read.
    pub(super) fn set(&self, state: State) {
        let status = &mut self.inner.lock().status;
        if state == State::Starting && status.state == State::Failed {
            return;
        }
        let before = status.enter(state);
        let is_stop = matches!(state, State::Off | State::Waiting);
        if is_stop && before == State::Recording {
            self.source.emit(Kind::RecordingStopped, &[("frames", status.n_frames.into())]);
        }
        status.cause = None;
    }

    pub(super) fn fail(&self, cause: String) {
        let status = &mut self.inner.lock().status;
        // Once, and not at each try.
        if status.enter(State::Failed) != State::Failed {
            self.source.emit(Kind::RecordingFailed, &[("cause", cause.as_str().into())]);
        }
        status.n_failures += 1;
        status.cause = Some(cause);
    }

    /// Frames that were missed while earlier ones were written.
    pub(super) fn count_skipped(&self, n: u64) {
        self.inner.lock().status.n_skipped += n;
    }

    pub(super) fn count_frame(&self, n_bytes: usize, n_skipped: u64) {
        // One lock for all figures, so that a status is of one moment.
        let mut inner = self.inner.lock();
        inner.rate.event(Instant::now());
        let status = &mut inner.status;
        if status.enter(State::Recording) != State::Recording {
            self.source.emit(Kind::RecordingStarted, &[]);
        }
        status.cause = None;
        status.n_frames += 1;
        status.n_bytes += n_bytes as u64;
        status.n_skipped += n_skipped;
    }
}

impl Status {
    /// Returns the state before.
    fn enter(&mut self, state: State) -> State {
        // Not at each frame: `since` is when the state began.
        if self.state != state {
            self.since = SystemTime::now();
        }
        mem::replace(&mut self.state, state)
    }
}
