//! The capture thread and the handle to it.
//!
//! The thread runs only while somebody reads: the first [`Reader`] starts it,
//! and it closes the camera and ends when there was none for a while. It
//! publishes into the slot and never waits for a reader.

mod judge;
mod run;
mod stats;
mod status_picture;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::camera::{self, Opener, Settings};
pub(crate) use crate::camera::{ALL, Change, Control, Mode, Outcome, Wish};
use crate::config::{CameraSection, CaptureConfig};
use crate::frame::Frame;
use crate::shutdown::{self, Shutdown, Trigger};
use crate::slot::{FrameSlot, Newer, Place, Taker};
#[cfg(test)]
pub(crate) use run::mend;
pub(crate) use stats::{Asked, State, Status};

/// The handle: starts capture, tells of it, stops it.
#[derive(Clone)]
pub(crate) struct Capture(Arc<Shared>);

/// What the handle, the readers and the thread share.
struct Shared {
    slot: FrameSlot,
    stats: stats::Stats,
    life: Mutex<Life>,
    /// Readers that wait for a picture, or write one and want the next.
    n_wanting: AtomicUsize,
}

/// Which camera, and how long it stays on. Another one may take its place
/// while people watch.
struct Setup {
    asked: Asked,
    config: CaptureConfig,
    /// Opens the camera; tests put their own in.
    open: Box<Opener>,
    /// Of the same camera, whether it is on or off.
    settings: Settings,
    /// Ordered when this setup is not to be used any more.
    stop: Shutdown,
}

/// Whether the thread is to run.
struct Life {
    n_readers: usize,
    last_read: Instant,
    is_running: bool,
    /// For good.
    is_closed: bool,
    thread: Option<JoinHandle<()>>,
    setup: Arc<Setup>,
    /// Ends the setup.
    trigger: Option<Trigger>,
}

impl Setup {
    fn of(section: &CameraSection) -> (Trigger, Self) {
        let (open, settings) = camera::opener(section.camera.clone());
        Self::new(Asked::of(section), section.capture.clone(), open, settings)
    }

    fn new(
        asked: Asked,
        config: CaptureConfig,
        open: Box<Opener>,
        settings: Settings,
    ) -> (Trigger, Self) {
        let (trigger, stop) = shutdown::channel();
        (trigger, Self { asked, config, open, settings, stop })
    }
}

impl Capture {
    /// No thread yet and no camera open, unless it is to be on always.
    pub(crate) fn new(section: &CameraSection) -> Self {
        Self::with_setup(Setup::of(section))
    }

    fn with_setup((trigger, setup): (Trigger, Setup)) -> Self {
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
            slot: FrameSlot::default(),
            life: Mutex::new(life),
            n_wanting: AtomicUsize::new(0),
        }));
        capture.0.start_if_always_on(&mut capture.0.life.lock());
        capture
    }

    /// Takes another camera, or the same with other settings, in the place of
    /// this one. Readers stay and see its pictures next.
    pub(crate) fn change(&self, section: &CameraSection) {
        self.change_setup(Setup::of(section));
    }

    fn change_setup(&self, (trigger, setup): (Trigger, Setup)) {
        let mut life = self.0.life.lock();
        if life.is_closed {
            return;
        }
        let before =
            (life.trigger.replace(trigger), mem::replace(&mut life.setup, Arc::new(setup)));
        if !life.is_running {
            self.0.stats.changed();
        }
        self.0.start_if_always_on(&mut life);
        drop(life);
        // The thread hears it and takes the new one.
        drop(before);
    }

    /// Begins to read: starts the camera if it is off.
    pub(crate) fn read(&self) -> Reader {
        let mut life = self.0.life.lock();
        life.n_readers += 1;
        self.0.n_wanting.fetch_add(1, SeqCst);
        self.0.start(&mut life);
        Reader(Arc::clone(&self.0))
    }

    /// How the camera does.
    pub(crate) fn status(&self) -> Status {
        let status = self.0.stats.status(self.0.setup().asked.clone());
        // Looked for after the state, as the slot is emptied before that says
        // so: or it would be a picture of the camera before.
        let latest = self.0.slot.latest().filter(|frame| !frame.meta.is_status);
        Status { latest, ..status }
    }

    /// The camera's controls, and how they are set; none of a camera that has
    /// none. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be asked now.
    pub(crate) fn controls(&self) -> Result<Vec<Control>, String> {
        self.0.setup().settings.list().map_err(|e| e.to_string())
    }

    /// Sets controls, now and at each later opening of the camera. `None`: it
    /// has none. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be set now.
    pub(crate) fn set_controls(&self, changes: &[Change]) -> Result<Option<Vec<Outcome>>, String> {
        self.0.setup().settings.set(changes).map_err(|e| e.to_string())
    }

    /// Wakes all readers and lets the thread end, for good.
    pub(crate) fn close(&self) {
        let trigger = {
            let mut life = self.0.life.lock();
            life.is_closed = true;
            life.trigger.take()
        };
        drop(trigger);
        self.0.slot.close();
    }

    /// Returns when the thread is gone. To be closed before.
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

    /// Starts the thread unless it runs.
    fn start(self: &Arc<Self>, life: &mut Life) {
        if life.is_running || life.is_closed {
            return;
        }
        if let Some(ended) = life.thread.take() {
            // It ended for want of readers: this returns at once.
            let _ = ended.join();
        }
        let shared = Arc::clone(self);
        self.stats.set_state(State::Starting, None);
        match thread::Builder::new().name("capture".into()).spawn(move || run::run(&shared)) {
            Ok(thread) => {
                life.is_running = true;
                life.thread = Some(thread);
            }
            // Out of threads or memory: the next reader tries again.
            Err(e) => {
                let cause = format!("the capture thread does not start: {e}");
                log::error!("{cause}");
                self.stats.set_state(State::Lost, Some(cause));
            }
        }
    }
}

impl Life {
    /// Whether nobody has read for the idle timeout.
    fn is_idle(&self) -> bool {
        let Some(timeout) = self.setup.config.idle_timeout else { return false };
        self.n_readers == 0 && self.last_read.elapsed() >= timeout
    }
}

/// Somebody who reads frames. While there is one, the camera stays on.
pub(crate) struct Reader(Arc<Shared>);

impl Reader {
    /// As [`FrameSlot::wait_newer`].
    pub(crate) fn wait_newer(&self, seen: u64, timeout: Duration) -> Newer {
        self.0.slot.wait_newer(seen, timeout)
    }

    /// Takes a place in the slot: frames are handed over to `taker`.
    pub(crate) fn enter(&self, taker: Box<dyn Taker>) -> Placed<'_> {
        Placed { slot: &self.0.slot, place: self.0.slot.enter(taker) }
    }

    /// Runs `pause`, in which this reader wants no picture: a camera whose
    /// pictures must be encoded is spared the work if nobody wants any.
    pub(crate) fn rest<T>(&self, pause: impl FnOnce() -> T) -> T {
        self.0.n_wanting.fetch_sub(1, SeqCst);
        let end = pause();
        self.0.n_wanting.fetch_add(1, SeqCst);
        end
    }

    /// Whether there will be no picture any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.slot.is_closed()
    }

    /// How long the next picture may take, by the pace of the last ones or as
    /// the camera set itself to; `None`: nothing is known of it yet.
    #[cfg_attr(not(test), expect(dead_code, reason = "a snapshot of a slow camera will ask"))]
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.0.stats.interval()
    }

    /// Why there is no picture, if the camera is lost.
    pub(crate) fn cause(&self) -> Option<String> {
        self.0.stats.cause()
    }
}

/// A place, given up when dropped.
pub(crate) struct Placed<'a> {
    slot: &'a FrameSlot,
    place: Arc<Place>,
}

impl Placed<'_> {
    /// As [`FrameSlot::wait`].
    pub(crate) fn wait(&self, timeout: Duration) -> Newer {
        self.slot.wait(&self.place, timeout)
    }

    /// The last frame that the reader had, while there is no newer one.
    pub(crate) fn last(&self) -> Option<Arc<Frame>> {
        let seen = self.place.seen();
        self.slot.latest().filter(|frame| frame.meta.seq == seen)
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        self.slot.leave(&self.place);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.n_wanting.fetch_sub(1, SeqCst);
        let mut life = self.0.life.lock();
        life.n_readers -= 1;
        life.last_read = Instant::now();
    }
}

#[cfg(test)]
mod tests;
