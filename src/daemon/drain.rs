//! The viewers leave before the program: `--drain-timeout`.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use crate::http::Server;
use crate::shutdown::{self, Trigger};
use crate::threads;

/// The thread that disconnects the viewers one after the other. Dropping it ends it.
pub(super) struct Drain {
    has_ended: Receiver<()>,
    stop: Option<Trigger>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    /// Lets no new viewer in from now on.
    pub(super) fn start(server: &Server, time: Duration) -> Self {
        log::info!("draining: no new viewers, and those who watch are disconnected in {time:?}");
        let drainer = server.drainer();
        let (trigger, stop) = shutdown::channel();
        let (end, has_ended) = bounded(1);
        let run = move || {
            drainer.run(time, &stop);
            // Nobody waits for it where the program ends for another reason.
            let _ = end.send(());
        };
        match threads::spawn("drain", run) {
            Ok(thread) => Self { has_ended, stop: Some(trigger), thread: Some(thread) },
            Err(e) => {
                // The end of the channel is the end of the draining: all leave at once.
                log::error!("cannot disconnect the viewers one after the other: {e}");
                Self { has_ended, stop: None, thread: None }
            }
        }
    }

    /// Gets a message, or ends, when the last viewer has left or the time is over.
    pub(super) fn has_ended(&self) -> &Receiver<()> {
        &self.has_ended
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that disconnects viewers panicked");
        }
    }
}
