//! The capture thread and the handle to it.
//!
//! The thread runs only while somebody reads: the first [`Reader`] starts it,
//! and it closes the camera and ends when there was no reader for the idle
//! timeout. It publishes into the slot and never waits for a reader.

mod filter;
mod judge;
pub(crate) mod normalize;
mod overlay;
mod reader;
mod run;
mod stats;
mod status_picture;
mod still;
mod take_still;
mod transform;
mod turn;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::camera::{self, Controls, Opener};
use crate::config::{CameraOptions, CaptureConfig, Turn};
use crate::controls::{Change, ChangeResult, Control};
use crate::events::{Kind, Source};
use crate::shutdown::{self, Shutdown, Trigger};
use crate::slot::FrameSlot;
use crate::threads;
pub(crate) use reader::Reader;
pub(crate) use stats::{Asked, State, Status, StillCounts};
use still::Stills;

/// No driver waits longer for a picture, unless `--stall-timeout` says so.
pub(crate) const MAX_SILENCE: Duration = camera::MAX_STALL;

/// The handle of one camera's capture: starts it, reports on it, stops it.
#[derive(Clone)]
pub(crate) struct Capture(Arc<Shared>);

/// What the handle, the readers and the thread share.
struct Shared {
    slot: FrameSlot,
    stats: stats::Stats,
    source: Source,
    life: Mutex<Life>,
    /// Readers that are not paused. If there are none, frames need not be
    /// encoded.
    n_wanting: AtomicUsize,
    stills: Stills,
}

/// Which camera to capture, and how long to keep it open without readers.
/// Replaced as a whole when the configuration changes.
struct Setup {
    asked: Asked,
    config: CaptureConfig,
    /// Opens the camera. A closure, so that tests can put their own camera in.
    open: Box<Opener>,
    /// Of the same camera; `None` if it has no controls.
    controls: Option<Arc<dyn Controls>>,
    /// How pictures are turned now: as the options say, until a control changes it.
    turn: Mutex<Turn>,
    /// Ordered when this setup is replaced or capture is closed.
    stop: Shutdown,
    role: Role,
}

/// A camera that is known and not yet captured, with what stops its capture. All are made
/// before the first one is opened: a driver then sees which device each of them means.
pub(crate) struct Prepared(Trigger, Setup);

/// What a capture thread is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Camera,
    Variant,
}

impl Role {
    fn thread_name(self) -> &'static str {
        match self {
            Self::Camera => "capture",
            Self::Variant => "variant",
        }
    }

    /// The level of the lines that say when it begins and ends. A variant comes and
    /// goes with a viewer, which has a line of its own.
    fn log_level(self) -> log::Level {
        match self {
            Self::Camera => log::Level::Info,
            Self::Variant => log::Level::Debug,
        }
    }
}

/// Whether the thread runs, and why it should.
struct Life {
    n_readers: usize,
    last_read: Instant,
    is_running: bool,
    /// Never to be started again.
    is_closed: bool,
    thread: Option<JoinHandle<()>>,
    setup: Arc<Setup>,
    /// Orders `setup.stop` when dropped.
    trigger: Option<Trigger>,
}

impl Prepared {
    pub(crate) fn new(section: &CameraOptions) -> Self {
        let (open, controls) = camera::opener(section.camera.clone(), &section.name);
        let asked = Asked::from_section(section);
        let (trigger, setup) = Setup::new(asked, section.capture.clone(), open, controls);
        Self(trigger, setup)
    }
}

impl Setup {
    fn new(
        asked: Asked,
        config: CaptureConfig,
        open: Box<Opener>,
        controls: Option<Arc<dyn Controls>>,
    ) -> (Trigger, Self) {
        let (trigger, stop) = shutdown::channel();
        let turn = Mutex::new(config.turn);
        (trigger, Self { asked, config, open, controls, turn, stop, role: Role::Camera })
    }

    fn set_device(&self, changes: &[Change]) -> Result<Vec<ChangeResult>, String> {
        match &self.controls {
            Some(controls) => controls.set(changes).map_err(|e| e.to_string()),
            None => Ok(turn::without_device(changes)),
        }
    }
}

impl Capture {
    /// Starts no thread and opens no camera yet, unless the camera has no idle
    /// timeout and so is always on.
    pub(crate) fn new(Prepared(trigger, setup): Prepared, source: Source) -> Self {
        Self::with_setup((trigger, setup), source)
    }

    /// The capture of pictures that `open` makes of another camera's, for as long as
    /// somebody reads them. What happens to it is no event.
    pub(crate) fn of_variant(label: String, idle_timeout: Duration, open: Box<Opener>) -> Self {
        let asked = Asked::of_variant(label);
        let (trigger, setup) =
            Setup::new(asked, CaptureConfig::of_variant(idle_timeout), open, None);
        let source = Source::default();
        Self::with_setup((trigger, Setup { role: Role::Variant, ..setup }), source)
    }

    fn with_setup((trigger, setup): (Trigger, Setup), source: Source) -> Self {
        let life = Life {
            n_readers: 0,
            last_read: Instant::now(),
            is_running: false,
            is_closed: false,
            thread: None,
            setup: Arc::new(setup),
            trigger: Some(trigger),
        };
        let capture = Self(Arc::new(Shared {
            stats: stats::Stats::default(),
            source,
            slot: FrameSlot::default(),
            life: Mutex::new(life),
            n_wanting: AtomicUsize::new(0),
            stills: Stills::default(),
        }));
        capture.0.start_if_always_on(&mut capture.0.life.lock());
        capture
    }

    /// Replaces the camera by another one, or by the same with other settings.
    /// Readers stay and receive its frames next.
    pub(crate) fn change(&self, Prepared(trigger, setup): Prepared) {
        self.change_setup((trigger, setup));
    }

    fn change_setup(&self, (trigger, setup): (Trigger, Setup)) {
        let mut life = self.0.life.lock();
        if life.is_closed {
            return;
        }
        if setup.config.turn == life.setup.config.turn {
            *setup.turn.lock() = *life.setup.turn.lock();
        }
        let before =
            (life.trigger.replace(trigger), mem::replace(&mut life.setup, Arc::new(setup)));
        if !life.is_running {
            self.0.stats.forget_mode();
        }
        self.0.start_if_always_on(&mut life);
        drop(life);
        // Dropping the old trigger makes the running thread take the new setup.
        drop(before);
    }

    /// Adds a reader, and starts the thread if it does not run.
    pub(crate) fn read(&self) -> Reader {
        // Counted under the lock, so that the thread cannot decide in between to end.
        self.0.add_reader(&mut self.0.life.lock())
    }

    /// As [`Capture::read`], where the camera is on for others or always: `None` where
    /// this reader alone would keep it on.
    #[cfg(feature = "mqtt")]
    pub(crate) fn read_beside_others(&self) -> Option<Reader> {
        let mut life = self.0.life.lock();
        let is_on = life.n_readers > 0 || life.setup.config.idle_timeout.is_none();
        is_on.then(|| self.0.add_reader(&mut life))
    }

    /// The state and the counters of the camera at this moment.
    pub(crate) fn status(&self) -> Status {
        let status = self.0.stats.status(self.0.setup().asked.clone());
        // The thread empties the slot before it changes the state. So the state
        // is read first: otherwise the frame could belong to the camera before.
        let latest = self.0.slot.latest().filter(|frame| !frame.meta.is_status);
        Status { latest, ..status }
    }

    /// Width and height of the last picture since the setup was changed; `None` before
    /// the first one.
    pub(crate) fn size(&self) -> Option<(u16, u16)> {
        self.0.stats.size()
    }

    /// Whether this is a handle of the same capture.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether there is a thread that reads the camera.
    pub(crate) fn is_running(&self) -> bool {
        self.0.life.lock().is_running
    }

    /// Whether [`Capture::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.life.lock().is_closed
    }

    /// A number that grows with each picture and each fault; 0 while the camera is off.
    pub(crate) fn n_events(&self) -> u64 {
        let status = self.status();
        let sum = |counters: &[(&str, u64)]| counters.iter().map(|(_, n)| n).sum::<u64>();
        let n_faults = sum(&status.n_dropped) + sum(&status.n_faults);
        let is_on = status.state != State::Idle;
        u64::from(is_on) * (1 + status.n_captured + status.n_opened + n_faults)
    }

    /// The camera's controls with their values: those of the device, and behind
    /// them those of its pictures. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be asked now.
    pub(crate) fn controls(&self) -> Result<Vec<Control>, String> {
        let setup = self.0.setup();
        let list = setup.controls.as_ref().map(|device| device.list()).transpose();
        let mut controls = list.map_err(|e| e.to_string())?.unwrap_or_default();
        controls.extend(turn::controls(*setup.turn.lock(), setup.config.turn));
        Ok(controls)
    }

    /// Sets controls, now and at each later opening of the camera. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be set now. Controls of its pictures are set all the same.
    pub(crate) fn set_controls(&self, changes: &[Change]) -> Result<Vec<ChangeResult>, String> {
        let setup = self.0.setup();
        let mut of_device = changes.to_vec();
        let mut results = turn::set(&mut of_device, &mut setup.turn.lock(), setup.config.turn);
        if !of_device.is_empty() {
            results.extend(setup.set_device(&of_device)?);
        }
        for (name, result) in &results {
            if let Ok(value) = result {
                let data = [("control", name.as_str().into()), ("value", (*value).into())];
                self.0.source.emit(Kind::ControlChanged, &data);
            }
        }
        Ok(results)
    }

    /// Ends all reads for good and orders the thread to stop.
    pub(crate) fn close(&self) {
        let trigger = {
            let mut life = self.0.life.lock();
            life.is_closed = true;
            life.trigger.take()
        };
        drop(trigger);
        self.0.slot.close();
        self.0.stills.answer(None);
    }

    /// Returns when the thread has ended. Call [`Capture::close`] before.
    pub(crate) fn stop(&self) {
        let thread = self.0.life.lock().thread.take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the capture thread panicked");
        }
    }
}

impl Shared {
    fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.life.lock().setup)
    }

    fn start_if_always_on(self: &Arc<Self>, life: &mut Life) {
        if life.setup.config.idle_timeout.is_none() {
            self.start(life);
        }
    }

    fn add_reader(self: &Arc<Self>, life: &mut Life) -> Reader {
        life.n_readers += 1;
        self.n_wanting.fetch_add(1, SeqCst);
        self.start(life);
        Reader(Arc::clone(self))
    }

    /// Starts the thread unless it runs.
    fn start(self: &Arc<Self>, life: &mut Life) {
        if life.is_running || life.is_closed {
            return;
        }
        if let Some(ended) = life.thread.take() {
            // `is_running` is false, so that thread is in its last lines: this
            // does not block.
            let _ = ended.join();
        }
        let shared = Arc::clone(self);
        self.stats.set_state(State::Starting, None);
        // A thread for each time that somebody watches: while nobody does, the camera costs
        // no memory for a stack.
        let name = life.setup.role.thread_name();
        match threads::spawn(name, move || run::run(&shared)) {
            Ok(thread) => {
                life.is_running = true;
                life.thread = Some(thread);
            }
            // The system is out of threads or memory; the next reader tries again.
            Err(e) => {
                let cause = format!("cannot start the capture thread: {e}");
                log::error!("{cause}");
                self.stats.set_state(State::Lost, Some(cause));
            }
        }
    }
}

impl Life {
    /// Whether there was no reader for the idle timeout.
    fn is_idle(&self) -> bool {
        let Some(timeout) = self.setup.config.idle_timeout else { return false };
        self.n_readers == 0 && self.last_read.elapsed() >= timeout
    }
}

#[cfg(test)]
mod tests;
