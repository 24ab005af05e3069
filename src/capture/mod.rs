//! The capture thread and the handle to it.
//!
//! The thread runs only while somebody reads: the first [`Reader`] starts it,
//! and it closes the camera and ends when there was none for a while. It
//! publishes into the slot and never waits for a reader.

mod run;
mod stats;
mod status_picture;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::camera::{self, Opener, Settings};
pub(crate) use crate::camera::{ALL, Change, Control, Mode, Outcome, Wish};
use crate::config::{CameraSection, CaptureConfig};
use crate::shutdown::Shutdown;
use crate::slot::{FrameSlot, Newer};
#[cfg(test)]
pub(crate) use run::mend;
pub(crate) use stats::{Asked, State, Status};

/// The handle: starts capture, tells of it, stops it.
#[derive(Clone)]
pub(crate) struct Capture(Arc<Shared>);

/// What the handle, the readers and the thread share.
struct Shared {
    config: CaptureConfig,
    /// Opens the camera; tests put their own in.
    open: Box<Opener>,
    /// Of the same camera, whether it is on or off.
    settings: Settings,
    slot: FrameSlot,
    stats: stats::Stats,
    life: Mutex<Life>,
    /// Readers that wait for a picture, or write one and want the next.
    n_wanting: AtomicUsize,
    stop: Shutdown,
}

/// Whether the thread is to run.
struct Life {
    n_readers: usize,
    last_read: Instant,
    is_running: bool,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    /// No thread yet and no camera open, unless it is to be on always.
    pub(crate) fn new(section: &CameraSection, stop: Shutdown) -> Self {
        let (open, settings) = camera::opener(section.camera.clone());
        let config = section.capture.clone();
        let capture = Self::with_opener(Asked::of(section), config, stop, open, settings);
        if capture.0.config.idle_timeout.is_none() {
            capture.0.start(&mut capture.0.life.lock());
        }
        capture
    }

    fn with_opener(
        asked: Asked,
        config: CaptureConfig,
        stop: Shutdown,
        open: Box<Opener>,
        settings: Settings,
    ) -> Self {
        let life =
            Life { n_readers: 0, last_read: Instant::now(), is_running: false, thread: None };
        Self(Arc::new(Shared {
            stats: stats::Stats::new(asked),
            config,
            open,
            settings,
            slot: FrameSlot::default(),
            life: Mutex::new(life),
            n_wanting: AtomicUsize::new(0),
            stop,
        }))
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
        self.0.stats.status(self.0.slot.latest())
    }

    /// The camera's controls, and how they are set; none of a camera that has
    /// none. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be asked now.
    pub(crate) fn controls(&self) -> Result<Vec<Control>, String> {
        self.0.settings.list().map_err(|e| e.to_string())
    }

    /// Sets controls, now and at each later opening of the camera. `None`: it
    /// has none. May take seconds.
    ///
    /// # Errors
    /// Why the camera cannot be set now.
    pub(crate) fn set_controls(&self, changes: &[Change]) -> Result<Option<Vec<Outcome>>, String> {
        self.0.settings.set(changes).map_err(|e| e.to_string())
    }

    /// Wakes all readers, for good.
    pub(crate) fn close(&self) {
        self.0.slot.close();
    }

    /// Returns when the thread is gone. The order to stop must have been given.
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
    /// Starts the thread unless it runs.
    fn start(self: &Arc<Self>, life: &mut Life) {
        if life.is_running || self.stop.is_ordered() {
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

    /// Whether nobody has read for the idle timeout.
    fn is_idle(&self, life: &Life) -> bool {
        let Some(timeout) = self.config.idle_timeout else { return false };
        life.n_readers == 0 && life.last_read.elapsed() >= timeout
    }
}

/// Somebody who reads frames. While there is one, the camera stays on.
pub(crate) struct Reader(Arc<Shared>);

impl Reader {
    /// As [`FrameSlot::wait_newer`].
    pub(crate) fn wait_newer(&self, seen: u64, timeout: Duration) -> Newer {
        self.0.slot.wait_newer(seen, timeout)
    }

    /// Runs `pause`, in which this reader wants no picture: a camera whose
    /// pictures must be encoded is spared the work if nobody wants any.
    pub(crate) fn rest<T>(&self, pause: impl FnOnce() -> T) -> T {
        self.0.n_wanting.fetch_sub(1, SeqCst);
        let end = pause();
        self.0.n_wanting.fetch_add(1, SeqCst);
        end
    }

    /// Why there is no picture, if the camera is lost.
    pub(crate) fn cause(&self) -> Option<String> {
        self.0.stats.cause()
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
