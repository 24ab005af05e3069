//! Motion detection: a thread for each camera with `--motion`, a reader of the slot as the
//! recorder is one. Of each JPEG it reads only the DC coefficients; what moves in them is
//! found by the package in `src/motion_detector`.

mod hold;
mod run;

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::capture::Capture;
use crate::config::MotionConfig;
use crate::events::Source;
use crate::shutdown::{self, Trigger};
use crate::threads;

/// The detector of one camera.
pub(crate) struct Motion {
    status: Arc<Mutex<Status>>,
    thread: Mutex<Option<(JoinHandle<()>, Trigger)>>,
}

/// How it goes, and what was counted since the start of the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// Whether something moves.
    pub(crate) is_moving: bool,
    /// The share of the last picture that moved.
    pub(crate) area: f32,
    /// Pictures that were looked at.
    pub(crate) n_looks: u64,
    /// Pictures that could not be read, and why the last one could not; `None` once one
    /// could.
    pub(crate) n_unreadable: u64,
    pub(crate) cause: Option<String>,
}

impl Motion {
    /// Starts to look. If there is no thread for it, that is a state and no error.
    pub(crate) fn start(config: MotionConfig, capture: Capture, source: Source) -> Self {
        let status = Arc::<Mutex<Status>>::default();
        let (trigger, stop) = shutdown::channel();
        let shared = Arc::clone(&status);
        let run = move || run::run(&config, &capture, &source, &shared, &stop);
        let thread = match threads::spawn("motion", run) {
            Ok(thread) => Some((thread, trigger)),
            Err(e) => {
                let cause = format!("no thread to look for motion: {e}");
                log::error!("{cause}");
                status.lock().cause = Some(cause);
                None
            }
        };
        Self { status, thread: Mutex::new(thread) }
    }

    pub(crate) fn status(&self) -> Status {
        self.status.lock().clone()
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
