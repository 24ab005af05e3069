//! Motion detection: a thread for each camera with `--motion`, a reader of the slot as the
//! recorder is one. Of each JPEG it reads only the DC coefficients; what moves in them is
//! found by the package in `src/motion_detector`.

mod areas;
mod hold;
mod live;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;

use mjpegd_motion_detector::View;
use parking_lot::Mutex;

pub(crate) use areas::Areas;
pub(crate) use live::Look;

use crate::capture::Capture;
use crate::config::MotionConfig;
use crate::events::Source;
use crate::shutdown::{self, Trigger};
use crate::threads;
use live::Live;

/// The detector of one camera.
pub(crate) struct Motion {
    shared: Arc<Shared>,
    /// Held while the areas are written to disk: two who draw at once take turns.
    saving: Mutex<()>,
    thread: Mutex<Option<(JoinHandle<()>, Trigger)>>,
}

/// What the handle and the thread share.
struct Shared {
    config: MotionConfig,
    status: Mutex<Status>,
    live: Mutex<Live>,
    /// What people have drawn.
    drawn: Mutex<Areas>,
    /// The detector does not know them yet.
    are_areas_new: AtomicBool,
}

/// How it goes, and what was counted since the start of the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// Whether something moves, and how often that has begun.
    pub(crate) is_moving: bool,
    pub(crate) n_begun: u64,
    /// The share of the last picture that moved.
    pub(crate) area: f32,
    /// Pictures that were looked at.
    pub(crate) n_looks: u64,
    /// Pictures that could not be read, and why the last one could not; `None` once one
    /// could.
    pub(crate) n_unreadable: u64,
    pub(crate) cause: Option<String>,
}

/// Why areas were not taken.
pub(crate) enum AreasError {
    /// They are none; with what would be right.
    Wrong(String),
    /// They are used until the program ends.
    NotKept(String),
}

impl Motion {
    /// Starts to look. If there is no thread for it, that is a state and no error.
    pub(crate) fn start(config: MotionConfig, capture: Capture, source: Source) -> Self {
        let (trigger, stop) = shutdown::channel();
        let read = config.areas.as_ref().map(|path| (path, Areas::read(path)));
        let drawn = match read {
            Some((path, Err(e))) => {
                log::warn!("{}: zones and masks cannot be read: {e}", path.display());
                Areas::default()
            }
            Some((_, Ok(drawn))) => drawn,
            None => Areas::default(),
        };
        let shared = Arc::new(Shared {
            config,
            status: Mutex::default(),
            live: Mutex::default(),
            drawn: Mutex::new(drawn),
            are_areas_new: AtomicBool::new(false),
        });
        let looking = Arc::clone(&shared);
        let run = move || run::run(&looking, &capture, &source, &stop);
        let thread = match threads::spawn("motion", run) {
            Ok(thread) => Some((thread, trigger)),
            Err(e) => {
                let cause = format!("no thread to look for motion: {e}");
                log::error!("{cause}");
                shared.status.lock().cause = Some(cause);
                None
            }
        };
        Self { shared, saving: Mutex::default(), thread: Mutex::new(thread) }
    }

    pub(crate) fn status(&self) -> Status {
        self.shared.status.lock().clone()
    }

    /// What was seen after a time, and the grid with the next picture for those who want it.
    pub(crate) fn since(&self, from: f64, wants_view: bool) -> (Vec<Look>, Option<View>) {
        self.shared.live.lock().since(from, wants_view)
    }

    /// The smallest thing that counts, as a share of the picture.
    pub(crate) fn min_size(&self) -> f64 {
        self.shared.config.detector.min_size
    }

    /// What the configuration says, and what people have drawn.
    pub(crate) fn areas(&self) -> (Areas, Areas) {
        (Areas::of(&self.shared.config.detector), self.shared.drawn.lock().clone())
    }

    /// Whether what people draw is there after a restart.
    pub(crate) fn keeps_areas(&self) -> bool {
        self.shared.config.areas.is_some()
    }

    /// Changes what people have drawn, as a JSON object says.
    ///
    /// # Errors
    /// [`AreasError`]: nothing is changed by a bad object, but what cannot be kept is used.
    pub(crate) fn draw(&self, json: &[u8]) -> Result<(), AreasError> {
        let _turn = self.saving.lock();
        let mut drawn = self.shared.drawn.lock().clone();
        drawn.change(json).map_err(AreasError::Wrong)?;
        *self.shared.drawn.lock() = drawn.clone();
        self.shared.are_areas_new.store(true, SeqCst);
        let Some(path) = &self.shared.config.areas else { return Ok(()) };
        drawn.write(path).map_err(|e| {
            let why = format!("{}: zones and masks cannot be kept: {e}", path.display());
            log::warn!("{why}");
            AreasError::NotKept(why)
        })
    }

    /// Returns when the thread has ended. Capture must be closed before.
    pub(crate) fn stop(&self) {
        let Some((thread, trigger)) = self.thread.lock().take() else { return };
        drop(trigger);
        if thread.join().is_err() {
            log::error!("the motion thread panicked");
        }
    }
}
