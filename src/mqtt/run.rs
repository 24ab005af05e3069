//! The thread `mqtt`: one connection after another, until the order to stop.

use std::time::{Duration, Instant};

use super::Shared;
use super::pictures::Pictures;
use super::publisher::{Memory, Publisher};
use super::session::Session;
use crate::back_off::BackOff;
use crate::cameras::Cameras;
use crate::fetch::Error;
use crate::log_limit::{self, LogLimit, LogReasons};
use crate::shutdown::Shutdown;

/// The longest pause between two tries. Short, as a broker is a program of the same house
/// that is back within seconds of a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

pub(super) fn run(
    shared: &Shared,
    cameras: &Cameras,
    n_viewers: &dyn Fn(&str) -> usize,
    stop: &Shutdown,
) {
    let (mut memory, mut back_off) = (Memory::default(), BackOff::up_to(LONGEST_PAUSE));
    let (mut log, mut connected_log) = (LogReasons::default(), LogLimit::default());
    let url = &shared.config.url;
    loop {
        let begun = Instant::now();
        let end = Session::open(&shared.config, &shared.topics, stop).and_then(|session| {
            let line = format!("connected to {url}, topics begin with {}", shared.config.prefix);
            log_limit::info(&line, connected_log.pass(&line, begun));
            let mut status = shared.status.lock();
            (status.is_connected, status.error) = (true, None);
            drop(status);
            let publisher = Publisher {
                shared,
                cameras,
                n_viewers,
                memory: &mut memory,
                session,
                pictures: Pictures::default(),
                n_old: shared.subscription.queue().len(),
                looked_at: None,
            };
            publisher.run(stop)
        });
        let mut status = shared.status.lock();
        status.is_connected = false;
        let Err(Error::Failed(_, why)) = end else { return };
        status.n_failures += 1;
        status.error = Some(why.clone());
        drop(status);
        // Also after the last words, which had no time left.
        if stop.is_ordered() {
            return log::warn!("the last messages for {url} may be lost: {why}");
        }
        log.warn(&why, &format!("no connection to {url}, trying again: {why}"));
        if stop.wait_for(back_off.after(begun.elapsed())) {
            return;
        }
    }
}
