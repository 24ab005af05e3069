//! A reader that need not be woken: the publishing thread hands it what it
//! takes at once, and its own thread does only what is left.
//!
//! At each moment one thread may write to the reader, and the turn says which.
//! It changes hands under the lock; nothing is written under it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{FrameSlot, Newer};
use crate::frame::Frame;

/// The reader's end, as the publishing thread uses it.
pub(crate) trait Taker: Send + Sync {
    /// Takes as much of a frame as can be had without waiting. `skipped`
    /// frames came and went since the last. `None`: all of it; otherwise how
    /// many bytes.
    fn take(&self, frame: &Frame, skipped: u64) -> Option<usize>;
}

/// One reader's place in the slot.
pub(crate) struct Place {
    taker: Box<dyn Taker>,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    turn: Turn,
    /// The last frame that the reader had, in part or whole, and when.
    seen: u64,
    at: Instant,
}

enum Turn {
    /// The reader's thread writes, or does something else.
    Reader,
    /// It waits: the publishing thread may take the turn.
    Open,
    /// The publishing thread writes.
    Publisher,
    /// It left this frame behind, of which so many bytes are written.
    Left {
        frame: Arc<Frame>,
        skipped: u64,
        n_taken: usize,
    },
    Closed,
}

impl Place {
    pub(super) fn new(taker: Box<dyn Taker>) -> Self {
        let state = State { turn: Turn::Reader, seen: 0, at: Instant::now() };
        Self { taker, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Gives the reader a frame if it waits for one. Never blocks; after
    /// `deadline` the reader's own thread has to do it.
    pub(super) fn offer(&self, frame: &Arc<Frame>, deadline: Instant) {
        let skipped = {
            let mut state = self.state.lock();
            if !matches!(state.turn, Turn::Open) || frame.meta.seq <= state.seen {
                return;
            }
            state.turn = Turn::Publisher;
            super::n_skipped(state.seen, frame.meta.seq)
        };
        let taking = Taking(self);
        let now = Instant::now();
        let left = if now < deadline { self.taker.take(frame, skipped) } else { Some(0) };
        std::mem::forget(taking);
        let mut state = self.state.lock();
        (state.seen, state.at) = (frame.meta.seq, now);
        if matches!(state.turn, Turn::Closed) {
            return;
        }
        state.turn = match left {
            None => Turn::Open,
            Some(n_taken) => Turn::Left { frame: Arc::clone(frame), skipped, n_taken },
        };
        if left.is_some() {
            self.wake.notify_one();
        }
    }

    /// The number of the last frame that the reader had.
    pub(crate) fn seen(&self) -> u64 {
        self.state.lock().seen
    }

    /// Wakes the reader for good.
    pub(super) fn close(&self) {
        self.state.lock().turn = Turn::Closed;
        self.wake.notify_one();
    }

    /// As [`FrameSlot::wait`].
    pub(super) fn wait(&self, slot: &FrameSlot, timeout: Duration) -> Newer {
        let seen = {
            let mut state = self.state.lock();
            if matches!(state.turn, Turn::Closed) {
                return Newer::Closed;
            }
            state.turn = Turn::Open;
            state.at = Instant::now();
            state.seen
        };
        // What was published before the turn was open is not offered again.
        // The slot is filled before frames are offered: one of both sees it.
        let missed = slot.latest().filter(|frame| frame.meta.seq > seen);
        let mut state = self.state.lock();
        loop {
            match std::mem::replace(&mut state.turn, Turn::Reader) {
                Turn::Closed => {
                    state.turn = Turn::Closed;
                    return Newer::Closed;
                }
                Turn::Left { frame, skipped, n_taken } => {
                    return Newer::Frame { frame, skipped, n_taken };
                }
                Turn::Open | Turn::Reader => {
                    if let Some(frame) = missed.as_ref().filter(|f| f.meta.seq > state.seen) {
                        let skipped = super::n_skipped(state.seen, frame.meta.seq);
                        state.seen = frame.meta.seq;
                        let frame = Arc::clone(frame);
                        return Newer::Frame { frame, skipped, n_taken: 0 };
                    }
                    if state.at.elapsed() >= timeout {
                        return Newer::Timeout;
                    }
                    state.turn = Turn::Open;
                }
                Turn::Publisher => state.turn = Turn::Publisher,
            }
            // A frame that is being handed over counts as one of this moment.
            let is_served = matches!(state.turn, Turn::Publisher);
            let since = if is_served { Instant::now() } else { state.at };
            let _ = self.wake.wait_until(&mut state, since + timeout);
        }
    }
}

/// The publishing thread's turn. A panic in it leaves a reader of which nobody
/// knows what it has: it is closed, or it would wait for ever.
struct Taking<'a>(&'a Place);

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use super::super::tests::frame;
    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    /// All that one thread or the other wrote, as number of frame and byte.
    type Wire = Arc<Mutex<Vec<(u64, usize)>>>;

    /// Frames of this many bytes, of which so many are taken at once.
    struct Narrow {
        wire: Wire,
        room: fn(u64) -> usize,
    }
    const N_BYTES: usize = 10;

    fn write(wire: &Wire, seq: u64, from: usize, to: usize) {
        for byte in from..to {
            // A second thread that wrote now would come in between.
            thread::yield_now();
            wire.lock().push((seq, byte));
        }
    }

    impl Taker for Narrow {
        fn take(&self, frame: &Frame, _skipped: u64) -> Option<usize> {
            let n_taken = (self.room)(frame.meta.seq).min(N_BYTES);
            write(&self.wire, frame.meta.seq, 0, n_taken);
            (n_taken < N_BYTES).then_some(n_taken)
        }
    }

    fn narrow(slot: &FrameSlot, room: fn(u64) -> usize) -> (Arc<Place>, Wire) {
        let wire = Wire::default();
        (slot.enter(Box::new(Narrow { wire: Arc::clone(&wire), room })), wire)
    }

    /// Waits until the reader's thread waits, so that it has given its turn up.
    fn until_open(place: &Place) {
        while !matches!(place.state.lock().turn, Turn::Open) {
            thread::yield_now();
        }
    }

    #[test]
    fn panic_of_the_publishing_thread_ends_the_wait() {
        let slot = FrameSlot::default();
        let (place, _wire) = narrow(&slot, |_| panic!("on purpose"));
        thread::scope(|scope| {
            let reader = scope.spawn(|| slot.wait(&place, LONG));
            until_open(&place);
            let deadline = Instant::now() + LONG;
            let offer = || place.offer(&frame(1), deadline);
            assert!(catch_unwind(AssertUnwindSafe(offer)).is_err());
            assert!(matches!(reader.join().unwrap(), Newer::Closed));
        });
    }

    #[test]
    fn only_what_is_not_taken_at_once_wakes_the_reader() {
        let slot = FrameSlot::default();
        let (place, wire) = narrow(&slot, |seq| if seq < 4 { N_BYTES } else { 3 });
        thread::scope(|scope| {
            let reader = scope.spawn(|| slot.wait(&place, LONG));
            until_open(&place);
            let deadline = Instant::now() + LONG;
            (1..=4).for_each(|seq| place.offer(&frame(seq), deadline));
            let end = reader.join().unwrap();
            let Newer::Frame { frame, skipped, n_taken } = end else { panic!("{end:?}") };
            assert_eq!((frame.meta.seq, skipped, n_taken), (4, 0, 3));
        });
        assert_eq!(wire.lock().len(), 3 * N_BYTES + 3);
        assert_eq!(place.seen(), 4);
    }

    #[test]
    fn reader_that_writes_is_given_nothing_and_told_what_it_missed() {
        let slot = FrameSlot::default();
        let (place, wire) = narrow(&slot, |_| N_BYTES);
        slot.publish(&frame(1));
        assert!(matches!(slot.wait(&place, LONG), Newer::Frame { skipped: 0, n_taken: 0, .. }));
        (2..=5).for_each(|seq| slot.publish(&frame(seq)));
        let end = slot.wait(&place, LONG);
        let Newer::Frame { frame, skipped, n_taken } = end else { panic!("{end:?}") };
        assert_eq!((frame.meta.seq, skipped, n_taken), (5, 3, 0));
        assert!(wire.lock().is_empty());
        assert!(matches!(slot.wait(&place, Duration::ZERO), Newer::Timeout));
    }

    #[test]
    fn after_the_deadline_the_reader_does_it_itself() {
        let slot = FrameSlot::default();
        let (place, wire) = narrow(&slot, |_| N_BYTES);
        thread::scope(|scope| {
            let reader = scope.spawn(|| slot.wait(&place, LONG));
            until_open(&place);
            place.offer(&frame(1), Instant::now());
            assert!(matches!(reader.join().unwrap(), Newer::Frame { n_taken: 0, .. }));
        });
        assert!(wire.lock().is_empty());
    }

    #[test]
    fn close_ends_every_wait() {
        let slot = FrameSlot::default();
        let (place, _wire) = narrow(&slot, |_| N_BYTES);
        thread::scope(|scope| {
            let reader = scope.spawn(|| slot.wait(&place, LONG));
            slot.close();
            assert!(matches!(reader.join().unwrap(), Newer::Closed));
        });
        assert!(matches!(slot.wait(&place, LONG), Newer::Closed));
        let (late, _wire) = narrow(&slot, |_| N_BYTES);
        assert!(matches!(slot.wait(&late, LONG), Newer::Closed));
    }

    #[test]
    fn place_that_was_given_up_is_offered_nothing() {
        let slot = FrameSlot::default();
        let (place, wire) = narrow(&slot, |_| N_BYTES);
        slot.leave(&place);
        assert_eq!(Arc::strong_count(&place), 1);
        slot.publish(&frame(1));
        assert!(wire.lock().is_empty());
    }

    #[test]
    fn frames_of_two_threads_come_whole_and_in_order() {
        const N_FRAMES: u64 = 20_000;
        let slot = FrameSlot::default();
        // Whole, in part, and not at all, in turn.
        let (place, wire) = narrow(&slot, |seq| usize::try_from(seq % 4).unwrap() * 4);
        let n_skipped = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut n_skipped = 0;
                while let Newer::Frame { frame, skipped, n_taken } = slot.wait(&place, LONG) {
                    write(&wire, frame.meta.seq, n_taken, N_BYTES);
                    n_skipped += skipped;
                    if frame.meta.seq == N_FRAMES {
                        break;
                    }
                }
                n_skipped
            });
            // The last is never taken at once: the reader sees it and ends.
            (1..=N_FRAMES).for_each(|seq| slot.publish(&frame(seq)));
            reader.join().unwrap()
        });
        let wire = wire.lock();
        let frames: Vec<u64> = wire.chunks(N_BYTES).map(|bytes| bytes[0].0).collect();
        for (bytes, seq) in wire.chunks(N_BYTES).zip(&frames) {
            assert!(bytes.iter().copied().eq((0..N_BYTES).map(|byte| (*seq, byte))), "{bytes:?}");
        }
        assert!(frames.is_sorted_by(|a, b| a < b), "twice or out of order");
        assert!(n_skipped < N_FRAMES - frames.len() as u64 + 1);
    }
}
