//! Where capture leaves the newest frame and every reader picks it up.
//!
//! There is one frame in it and no queue: a reader that is slow misses frames
//! and is told how many. It knows neither HTTP nor disks nor cameras. A reader
//! with a place in it is given frames by the thread that publishes them.

mod delivery;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::frame::Frame;
pub(crate) use delivery::{Place, Taker};

/// So long publishing hands a frame out, and for half of the time between two
/// frames at most: then the readers' own threads take over, beside each other.
const HAND_OUT: Duration = Duration::from_millis(12);
/// After two frames that came in one burst, too.
const HAND_OUT_MIN: Duration = Duration::from_millis(1);

/// What a wait came to.
#[derive(Debug)]
pub(crate) enum Newer {
    /// The newest frame, how many came and went unseen since the last, and how
    /// many bytes of it the reader was given already.
    Frame { frame: Arc<Frame>, skipped: u64, n_taken: usize },
    /// Nothing new in time.
    Timeout,
    /// The camera is there no more, or the program stops.
    Closed,
}

/// The newest frame, guarded by the condvar that all wait on who have no place.
#[derive(Default)]
pub(crate) struct FrameSlot {
    state: Mutex<State>,
    newer: Condvar,
}

#[derive(Default)]
struct State {
    latest: Option<Arc<Frame>>,
    last_seq: u64,
    closed: bool,
    /// When the last one was published.
    at: Option<Instant>,
    /// Changed as a copy while publishing goes through it.
    places: Arc<Vec<Arc<Place>>>,
}

impl FrameSlot {
    /// Puts a frame in, wakes all that wait and hands it to those with a
    /// place. Never blocks on a reader. The frame's `seq` must be above that of
    /// the frame before.
    pub(crate) fn publish(&self, frame: &Arc<Frame>) {
        let now = Instant::now();
        let (old, before, places) = {
            let mut state = self.state.lock();
            state.last_seq = frame.meta.seq;
            let old = state.latest.replace(Arc::clone(frame));
            (old, state.at.replace(now), Arc::clone(&state.places))
        };
        self.newer.notify_all();
        // The last holder of a frame gives its memory back: not under the lock.
        drop(old);
        let half = before.map_or(HAND_OUT, |before| now.duration_since(before) / 2);
        let deadline = now + half.clamp(HAND_OUT_MIN, HAND_OUT);
        places.iter().for_each(|place| place.offer(frame, deadline));
    }

    /// Takes a place for a reader that has seen no frame.
    pub(crate) fn enter(&self, taker: Box<dyn Taker>) -> Arc<Place> {
        let place = Arc::new(Place::new(taker));
        let is_closed = {
            let mut state = self.state.lock();
            Arc::make_mut(&mut state.places).push(Arc::clone(&place));
            state.closed
        };
        if is_closed {
            place.close();
        }
        place
    }

    /// Gives a place up.
    pub(crate) fn leave(&self, place: &Arc<Place>) {
        let mut state = self.state.lock();
        Arc::make_mut(&mut state.places).retain(|other| !Arc::ptr_eq(other, place));
    }

    /// As [`FrameSlot::wait_newer`] for a reader with a place: returns with a
    /// frame of which publishing could not hand all over, or when there was no
    /// newer one for `timeout`.
    pub(crate) fn wait(&self, place: &Place, timeout: Duration) -> Newer {
        place.wait(self, timeout)
    }

    /// Empties the slot, when the camera is closed: what lies in it would be
    /// stale for the next reader. The sequence goes on.
    pub(crate) fn clear(&self) {
        let old = self.state.lock().latest.take();
        drop(old);
    }

    /// The sequence number of the last frame ever published.
    pub(crate) fn last_seq(&self) -> u64 {
        self.state.lock().last_seq
    }

    /// The newest frame, if the camera is on.
    pub(crate) fn latest(&self) -> Option<Arc<Frame>> {
        self.state.lock().latest.clone()
    }

    /// Blocks until a frame newer than `seen` exists, `timeout` passes or the
    /// slot is closed. Frames in between are skipped, not queued. A reader
    /// that has seen none passes 0 and gets the newest at once.
    pub(crate) fn wait_newer(&self, seen: u64, timeout: Duration) -> Newer {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return Newer::Closed;
            }
            if let Some(frame) = state.latest.as_ref().filter(|f| f.meta.seq > seen) {
                let skipped = n_skipped(seen, frame.meta.seq);
                // Clone the Arc and unlock before writing: a slow viewer must
                // never hold up capture.
                return Newer::Frame { frame: Arc::clone(frame), skipped, n_taken: 0 };
            }
            if self.newer.wait_until(&mut state, deadline).timed_out() {
                return if state.closed { Newer::Closed } else { Newer::Timeout };
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Wakes all readers for good.
    pub(crate) fn close(&self) {
        let places = {
            let mut state = self.state.lock();
            state.closed = true;
            Arc::clone(&state.places)
        };
        self.newer.notify_all();
        places.iter().for_each(|place| place.close());
    }
}

/// How many frames lie between two that a reader got.
fn n_skipped(seen: u64, seq: u64) -> u64 {
    if seen == 0 { 0 } else { seq - seen - 1 }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::frame::{FrameBuf, Meta, Timestamp};

    pub(super) fn frame(seq: u64) -> Arc<Frame> {
        Arc::new(FrameBuf::new().finish(Meta {
            seq,
            at: Timestamp::now(),
            width: 0,
            height: 0,
            is_status: false,
        }))
    }

    fn expect(slot: &FrameSlot, seen: u64) -> (u64, u64) {
        match slot.wait_newer(seen, Duration::from_secs(10)) {
            Newer::Frame { frame, skipped, .. } => (frame.meta.seq, skipped),
            other => panic!("no frame but {other:?}"),
        }
    }

    #[test]
    fn first_read_gets_the_newest_and_skips_nothing() {
        let slot = FrameSlot::default();
        slot.publish(&frame(41));
        slot.publish(&frame(42));
        assert_eq!(expect(&slot, 0), (42, 0));
    }

    #[test]
    fn no_frame_is_given_twice() {
        let slot = FrameSlot::default();
        slot.publish(&frame(1));
        assert_eq!(expect(&slot, 0), (1, 0));
        assert!(matches!(slot.wait_newer(1, Duration::ZERO), Newer::Timeout));
    }

    #[test]
    fn stale_frames_are_skipped_and_counted() {
        let slot = FrameSlot::default();
        (1..=5).for_each(|seq| slot.publish(&frame(seq)));
        assert_eq!(expect(&slot, 2), (5, 2));
    }

    #[test]
    fn publish_wakes_all_that_wait() {
        let slot = Arc::new(FrameSlot::default());
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let slot = Arc::clone(&slot);
                thread::spawn(move || expect(&slot, 0))
            })
            .collect();
        slot.publish(&frame(7));
        for reader in readers {
            assert_eq!(reader.join().unwrap(), (7, 0));
        }
    }

    #[test]
    fn a_cleared_slot_keeps_counting() {
        let slot = FrameSlot::default();
        slot.publish(&frame(9));
        slot.clear();
        assert!(slot.latest().is_none());
        assert_eq!(slot.last_seq(), 9);
        assert!(matches!(slot.wait_newer(0, Duration::ZERO), Newer::Timeout));
    }

    #[test]
    fn close_wakes_all_for_good() {
        let slot = Arc::new(FrameSlot::default());
        let reader = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.wait_newer(0, Duration::from_secs(60)))
        };
        slot.close();
        assert!(matches!(reader.join().unwrap(), Newer::Closed));
        assert!(matches!(slot.wait_newer(0, Duration::from_secs(60)), Newer::Closed));
    }
}
