//! The newest frame: capture publishes it here, and every reader waits here.
//!
//! The slot holds one frame and no queue: a slow reader skips frames and learns
//! how many. It knows neither HTTP nor disks nor drivers. A reader may wait in
//! its own thread ([`FrameSlot::wait_newer`]) or subscribe, and then the
//! publishing thread sends it each frame (see [`delivery`]).

mod delivery;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::frame::Frame;
use delivery::Subscriber;
pub(crate) use delivery::{Sink, Subscription};

/// The longest time that one publication sends to subscribers. It is also limited
/// to half of the interval between two frames, because the capture thread must be
/// back for the next frame. The readers' own threads send the rest in parallel.
const DELIVERY: Duration = Duration::from_millis(12);
/// The shortest such time. When two frames arrive in one burst, half of their
/// interval is next to nothing; the publishing thread would then send no frame
/// itself and wake the thread of every subscriber.
const DELIVERY_MIN: Duration = Duration::from_millis(1);

/// The result of a wait.
#[derive(Debug)]
pub(crate) enum Newer {
    /// The newest frame, the number of frames that the reader missed since its
    /// last one, and how many bytes of this frame it already received.
    Frame { frame: Arc<Frame>, skipped: u64, n_sent: usize },
    /// No newer frame within the timeout.
    Timeout,
    /// The camera was removed, or the program stops.
    Closed,
}

/// The newest frame. Readers without a subscription wait on this condvar.
#[derive(Default)]
pub(crate) struct FrameSlot {
    state: Mutex<State>,
    newer: Condvar,
    /// Of readers that are woken when all subscribers have been served.
    served: Condvar,
}

#[derive(Default)]
struct State {
    latest: Option<Arc<Frame>>,
    last_seq: u64,
    closed: bool,
    /// When the last frame was published.
    published_at: Option<Instant>,
    /// Copied on write, because publishing iterates over it without the lock.
    subscribers: Arc<Vec<Arc<Subscriber>>>,
}

impl FrameSlot {
    /// Stores a frame, wakes all waiting readers and sends the frame to the
    /// subscribers. Never blocks on a reader. The frame's `seq` must be above
    /// that of the frame before.
    pub(crate) fn publish(&self, frame: &Arc<Frame>) {
        let now = Instant::now();
        let (old, before, subscribers) = {
            let mut state = self.state.lock();
            state.last_seq = frame.meta.seq;
            let old = state.latest.replace(Arc::clone(frame));
            (old, state.published_at.replace(now), Arc::clone(&state.subscribers))
        };
        self.newer.notify_all();
        // Dropping the last reference frees a whole frame, which takes too long
        // to be done under the lock.
        drop(old);
        let half = before.map_or(DELIVERY, |before| now.duration_since(before) / 2);
        // One deadline for all subscribers: with a time for each, a hundred slow
        // viewers would hold up capture a hundred times as long.
        let deadline = now + half.clamp(DELIVERY_MIN, DELIVERY);
        subscribers.iter().for_each(|subscriber| subscriber.deliver(frame, deadline));
        self.served.notify_all();
    }

    /// Subscribes a reader that has seen no frame: from its first wait on,
    /// frames are sent to `sink` by the publishing thread.
    pub(crate) fn subscribe(&self, sink: Box<dyn Sink>) -> Subscription<'_> {
        let subscriber = Arc::new(Subscriber::new(sink));
        let is_closed = {
            let mut state = self.state.lock();
            Arc::make_mut(&mut state.subscribers).push(Arc::clone(&subscriber));
            state.closed
        };
        // `close` may have copied the list before this subscriber was in it.
        if is_closed {
            subscriber.close();
        }
        Subscription::new(self, subscriber)
    }

    fn unsubscribe(&self, subscriber: &Arc<Subscriber>) {
        let mut state = self.state.lock();
        Arc::make_mut(&mut state.subscribers).retain(|other| !Arc::ptr_eq(other, subscriber));
    }

    /// Empties the slot when the camera closes, since the frame would be stale
    /// for the next reader. The sequence numbers continue.
    pub(crate) fn clear(&self) {
        let old = self.state.lock().latest.take();
        drop(old);
    }

    /// The sequence number of the last frame ever published.
    pub(crate) fn last_seq(&self) -> u64 {
        self.state.lock().last_seq
    }

    /// The newest frame. `None` while the camera is off, before its first frame, and
    /// while capture skips frames that nobody wants, since it clears the slot then.
    pub(crate) fn latest(&self) -> Option<Arc<Frame>> {
        self.state.lock().latest.clone()
    }

    /// Blocks until a frame newer than `seen` exists, `timeout` passes or the
    /// slot is closed. Frames in between are skipped, not queued. A reader that
    /// has seen no frame passes 0 and gets the newest frame at once.
    pub(crate) fn wait_newer(&self, seen: u64, timeout: Duration) -> Newer {
        self.wait(&self.newer, seen, timeout)
    }

    /// As [`FrameSlot::wait_newer`], but a wait ends only when the subscribers have been
    /// served, for a reader that works long on each frame: on a single core it would
    /// take its turn before the publishing thread has sent anything.
    pub(crate) fn wait_newer_served(&self, seen: u64, timeout: Duration) -> Newer {
        self.wait(&self.served, seen, timeout)
    }

    fn wait(&self, condvar: &Condvar, seen: u64, timeout: Duration) -> Newer {
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
                return Newer::Frame { frame: Arc::clone(frame), skipped, n_sent: 0 };
            }
            if condvar.wait_until(&mut state, deadline).timed_out() {
                return if state.closed { Newer::Closed } else { Newer::Timeout };
            }
        }
    }

    /// Whether no frame will come any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Ends every present and future wait with [`Newer::Closed`].
    pub(crate) fn close(&self) {
        let subscribers = {
            let mut state = self.state.lock();
            state.closed = true;
            Arc::clone(&state.subscribers)
        };
        self.newer.notify_all();
        self.served.notify_all();
        subscribers.iter().for_each(|subscriber| subscriber.close());
    }
}

/// How many frames lie between two that a reader received.
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
