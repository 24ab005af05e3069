//! The thread `on-segment`: hands each finished segment to the command of
//! `--on-segment`, in order, until the command succeeds.
//!
//! "At least once": the number is written behind the command, so one that succeeded
//! just before a power cut gets the segment again.

use std::path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Shared;
use super::store::folder::Folder;
use super::store::segment::Segment;
use super::time::rfc3339;
use crate::back_off::BackOff;
use crate::command::{self, Outcome};
use crate::log_limit::{LogBudget, LogReasons};
use crate::shutdown::Shutdown;

/// How often to look for a segment.
const LOOK: Duration = Duration::from_millis(500);
/// How long a command may take. A segment of 300 MB takes this over a line of 4 Mbit/s.
const LIMIT: Duration = Duration::from_secs(600);
/// The longest pause after a command that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How the handing over goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handover {
    /// Since the start of the program.
    pub(crate) n_done: u64,
    pub(crate) n_failures: u64,
    /// Why the last try failed; `None` once one succeeds.
    pub(crate) cause: Option<String>,
}

/// Runs until the order to stop.
pub(super) fn run(shared: &Shared, command: &str, stop: &Shutdown) {
    let (mut log, budget) = (LogReasons::default(), Arc::<Mutex<LogBudget>>::default());
    let mut back_off = BackOff::up_to(LONGEST_PAUSE);
    loop {
        let Some((folder, segment)) = shared.store.next_to_hand_over() else {
            if stop.wait_for(LOOK) {
                return;
            }
            continue;
        };
        let begun = Instant::now();
        let end = hand_over(shared, &folder, segment, command, &budget, stop);
        if stop.is_ordered() {
            return;
        }
        let cause = match end {
            Ok(()) => {
                back_off = BackOff::up_to(LONGEST_PAUSE);
                note_done(shared, &folder, segment, &mut log);
                None
            }
            Err(cause) => Some(cause),
        };
        let mut handover = shared.handover.lock();
        handover.n_failures += u64::from(cause.is_some());
        handover.cause.clone_from(&cause);
        drop(handover);
        if let Some(cause) = cause {
            let name = segment.name();
            log.warn(&cause, &format!("--on-segment: {name}: {cause}; trying again"));
            if stop.wait_for(back_off.after(begun.elapsed().min(LONGEST_PAUSE))) {
                return;
            }
        }
    }
}

/// Runs the command once.
///
/// # Errors
/// Why it failed.
fn hand_over(
    shared: &Shared,
    folder: &Folder,
    segment: Segment,
    command: &str,
    budget: &Arc<Mutex<LogBudget>>,
    stop: &Shutdown,
) -> Result<(), String> {
    let name = segment.name();
    if folder.read(&name).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
        // Somebody has deleted it, and no try would succeed.
        log::warn!("--on-segment: {name} is gone before it was handed over");
        shared.store.count_lost();
        return Ok(());
    }
    let path = path::absolute(folder.path().join(&name)).map_err(|e| e.to_string())?;
    let variables = [
        ("MJPEGD_SEGMENT", path.display().to_string()),
        ("MJPEGD_CAMERA", shared.config.name.clone()),
        ("MJPEGD_FROM", rfc3339(segment.start)),
        ("MJPEGD_TO", rfc3339(segment.end)),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    match command::run(command, "the command", &variables, LIMIT, stop, budget) {
        Outcome::Done => Ok(()),
        Outcome::Failed(why) => Err(format!("the command failed: {why}")),
        Outcome::TimedOut => Err(format!("the command did not end within {LIMIT:?}")),
        // Nobody asks any more.
        Outcome::Stopped => Err("the program stops".to_owned()),
    }
}

/// Notes it on disk. Where that fails, it is known until the program ends.
fn note_done(shared: &Shared, folder: &Folder, segment: Segment, log: &mut LogReasons) {
    let noted = shared.store.set_handed(folder, segment.id);
    shared.handover.lock().n_done += 1;
    if let Err(e) = noted {
        let line =
            format!("--on-segment: that {} was handed over is not noted: {e}", segment.name());
        log.warn(&e.to_string(), &line);
    }
}
