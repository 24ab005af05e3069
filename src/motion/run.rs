//! The thread `motion`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use mjpegd_jpeg_codec::{DcReader, TranscodeError};
use mjpegd_motion_detector::{Activity, Detector, Grid};
use parking_lot::Mutex;
use serde_json::Value;

use super::areas::Areas;
use super::hold::{Change, Hold};
use super::{Shared, Status};
use crate::capture::{Capture, Reader};
use crate::events::{Kind, Source, seconds};
use crate::log_limit::LogReasons;
use crate::panics::text;
use crate::rate::Pace;
use crate::shutdown::Shutdown;
use crate::slot::Newer;

/// How often to check whether a motion is over while no picture comes.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Looks for motion until the order to stop.
pub(super) fn run(shared: &Shared, capture: &Capture, source: &Source, stop: &Shutdown) {
    let mut hold = Hold::new(shared.config.hold);
    let mut log = LogReasons::default();
    loop {
        let reader = capture.read();
        let look = || look(shared, &reader, source, &mut hold, &mut log, stop);
        // A panic is a bug of this program. The background is learnt again.
        let Err(panic) = catch_unwind(AssertUnwindSafe(look)) else { break };
        let cause = format!("the detector panicked: {}", text(&*panic));
        log.warn(&cause, &format!("camera {}: {cause}; it begins again", source.camera()));
        if stop.wait_for(CHECK_EVERY) {
            break;
        }
    }
    tell(source, &shared.status, hold.end().as_ref());
}

fn look(
    shared: &Shared,
    reader: &Reader,
    source: &Source,
    hold: &mut Hold,
    log: &mut LogReasons,
    stop: &Shutdown,
) {
    let Shared { config, status, .. } = shared;
    let mut pace = Pace::new(Some(config.fps));
    let mut eye = Eye {
        reader: DcReader::new(),
        grid: Grid::default(),
        detector: Detector::new(config.detector.clone()),
    };
    shared.are_areas_new.store(true, SeqCst);
    let mut seen = 0;
    while !stop.is_ordered() {
        if let Some(pause) = reader.wait_at(&pace) {
            // A paused reader wants no frames, so that a raw camera that nobody watches
            // encodes those few that are looked at.
            if reader.pause(|| stop.wait_for(pause)) {
                return;
            }
            continue;
        }
        let activity = match reader.wait_newer_at(&pace, seen, CHECK_EVERY) {
            // A status picture does not come from the camera.
            Newer::Frame { frame, .. } if frame.meta.is_status => {
                seen = frame.meta.seq;
                None
            }
            Newer::Frame { frame, .. } => {
                seen = frame.meta.seq;
                pace.sent(frame.meta.at.monotonic);
                if shared.are_areas_new.swap(false, SeqCst) {
                    let all = Areas::of(&config.detector).and(shared.drawn.lock().clone());
                    eye.detector.set_areas(all.zones, all.masks);
                }
                let looked = eye.look(frame.jpeg());
                if let Ok(activity) = &looked {
                    shared.live.lock().take(&eye.detector, activity.as_ref());
                }
                if let Err(cause) = &looked {
                    let line = format!("camera {}: no motion is seen: {cause}", source.camera());
                    log.warn(cause, &line);
                }
                count(status, looked)
            }
            Newer::Timeout => None,
            Newer::Closed => return,
        };
        let change = hold.update(Instant::now(), activity);
        tell(source, status, change.as_ref());
        status.lock().is_moving = hold.is_moving();
    }
}

/// What turns pictures into what moves in them.
struct Eye {
    reader: DcReader,
    grid: Grid,
    detector: Detector,
}

impl Eye {
    /// # Errors
    /// Why the picture cannot be read.
    fn look(&mut self, jpeg: &[u8]) -> Result<Option<Activity>, String> {
        let dc = self.reader.read(jpeg).map_err(|e| match e {
            TranscodeError::Unsupported(why) => format!("pictures of this kind ({why})"),
            TranscodeError::Damaged(why) => format!("a damaged picture ({why})"),
            TranscodeError::TooLarge => "pictures that are too large".to_owned(),
        })?;
        self.grid.average((dc.width, dc.height), dc.values);
        Ok(self.detector.look(&self.grid))
    }
}

fn count(status: &Mutex<Status>, looked: Result<Option<Activity>, String>) -> Option<Activity> {
    let mut status = status.lock();
    match looked {
        Ok(activity) => {
            status.n_looks += 1;
            status.cause = None;
            status.area = activity.map_or(0.0, |activity| activity.area);
            activity
        }
        Err(cause) => {
            status.n_unreadable += 1;
            status.cause = Some(cause);
            None
        }
    }
}

fn tell(source: &Source, status: &Mutex<Status>, change: Option<&Change>) {
    // Four digits are more than a cell.
    let share = |share: f32| Value::from((f64::from(share) * 10_000.0).round() / 10_000.0);
    match change {
        Some(Change::Begin(at)) => {
            status.lock().n_begun += 1;
            let data = [
                ("x", share(at.x)),
                ("y", share(at.y)),
                ("width", share(at.width)),
                ("height", share(at.height)),
                ("area", share(at.area)),
            ];
            source.emit(Kind::MotionBegin, &data);
        }
        Some(Change::End(time, area)) => {
            status.lock().is_moving = false;
            let data = [("duration_s", seconds(*time)), ("area", share(*area))];
            source.emit(Kind::MotionEnd, &data);
        }
        None => {}
    }
}
