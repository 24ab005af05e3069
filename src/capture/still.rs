//! Pictures of another size than the stream's: those who ask wait here, and the capture
//! thread takes one for all of them between two pictures of the stream.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::frame::Frame;

/// What is asked for, and what came.
#[derive(Default)]
pub(super) struct Stills {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Who waits. Nobody does while a round is not wanted.
    n_waiting: usize,
    is_wanted: bool,
    /// How many rounds have ended, with a picture or without.
    n_rounds: u64,
    /// Of the last round. Kept only while somebody waits: these pictures are large.
    last: Option<Arc<Frame>>,
}

impl Stills {
    /// Waits for a picture that was taken at `oldest` or later. `None`: there is none until
    /// `deadline`, or the camera cannot take one.
    pub(super) fn wait(&self, oldest: Instant, deadline: Instant) -> Option<Arc<Frame>> {
        let mut state = self.state.lock();
        state.n_waiting += 1;
        let found = loop {
            state.is_wanted = true;
            let before = state.n_rounds;
            while state.n_rounds == before {
                if self.changed.wait_until(&mut state, deadline).timed_out() {
                    break;
                }
            }
            let is_new = |frame: &Arc<Frame>| frame.meta.at.monotonic >= oldest;
            match state.last.clone() {
                Some(frame) if state.n_rounds != before && is_new(&frame) => break Some(frame),
                // Of a round that had begun before this wait.
                Some(_) if state.n_rounds != before => {}
                _ => break None,
            }
        };
        state.n_waiting -= 1;
        if state.n_waiting == 0 {
            (state.is_wanted, state.last) = (false, None);
        }
        found
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state.lock().is_wanted
    }

    /// Ends the round. All who wait get this answer, those for whom the picture is too old
    /// ask again.
    pub(super) fn answer(&self, frame: Option<Arc<Frame>>) {
        let mut state = self.state.lock();
        state.is_wanted = false;
        state.n_rounds += 1;
        state.last = frame.filter(|_| state.n_waiting > 0);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::frame::{FrameBuf, Meta, Timestamp};

    const LONG: Duration = Duration::from_secs(30);

    fn frame() -> Arc<Frame> {
        let at = Timestamp::now();
        let meta = Meta { seq: 1, at, width: 8, height: 8, is_status: false };
        Arc::new(FrameBuf::new().finish(meta))
    }

    fn wait_for(stills: &Stills, n: usize) {
        while stills.state.lock().n_waiting < n {
            thread::yield_now();
        }
    }

    #[test]
    fn all_who_ask_share_one_and_nothing_is_kept() {
        let stills = Stills::default();
        let now = Instant::now();
        let got: Vec<_> = thread::scope(|scope| {
            let askers: Vec<_> =
                (0..3).map(|_| scope.spawn(|| stills.wait(now, now + LONG))).collect();
            wait_for(&stills, 3);
            assert!(stills.is_wanted());
            stills.answer(Some(frame()));
            askers.into_iter().map(|asker| asker.join().unwrap().unwrap()).collect()
        });
        assert!(got.iter().all(|frame| Arc::ptr_eq(frame, &got[0])));
        assert!(!stills.is_wanted() && stills.state.lock().last.is_none());
    }

    #[test]
    fn who_asks_during_a_round_gets_a_picture_of_later() {
        let stills = Stills::default();
        let old = frame();
        let asked = Instant::now();
        thread::scope(|scope| {
            let asker = scope.spawn(|| stills.wait(asked, asked + LONG));
            wait_for(&stills, 1);
            stills.answer(Some(old));
            while !stills.is_wanted() {
                thread::yield_now();
            }
            let new = frame();
            stills.answer(Some(Arc::clone(&new)));
            assert!(Arc::ptr_eq(&asker.join().unwrap().unwrap(), &new));
        });
    }

    #[test]
    fn nobody_waits_for_what_does_not_come() {
        let stills = Stills::default();
        let now = Instant::now();
        assert!(stills.wait(now, now).is_none());
        assert!(!stills.is_wanted(), "nobody wants it any more");
        thread::scope(|scope| {
            let asker = scope.spawn(|| stills.wait(now, now + LONG));
            wait_for(&stills, 1);
            stills.answer(None);
            assert!(asker.join().unwrap().is_none());
        });
    }
}
