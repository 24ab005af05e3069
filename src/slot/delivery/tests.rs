use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use super::super::tests::frame;
use super::*;

const LONG: Duration = Duration::from_secs(30);
/// What both threads wrote, as frame number and byte number.
type Wire = Arc<Mutex<Vec<(u64, usize)>>>;

/// The length of a frame on the wire.
const N_BYTES: usize = 10;

/// Accepts the first `room(seq)` bytes of a frame at once.
struct NarrowSink {
    wire: Wire,
    room: fn(u64) -> usize,
}

fn write(wire: &Wire, seq: u64, from: usize, to: usize) {
    for byte in from..to {
        // Gives a second writer the chance to interleave.
        thread::yield_now();
        wire.lock().push((seq, byte));
    }
}

impl Sink for NarrowSink {
    fn try_send(&self, frame: &Frame, _skipped: u64) -> Option<usize> {
        let n_sent = (self.room)(frame.meta.seq).min(N_BYTES);
        write(&self.wire, frame.meta.seq, 0, n_sent);
        (n_sent < N_BYTES).then_some(n_sent)
    }
}

fn subscribe(slot: &FrameSlot, room: fn(u64) -> usize) -> (Subscription<'_>, Wire) {
    let wire = Wire::default();
    (slot.subscribe(Box::new(NarrowSink { wire: Arc::clone(&wire), room })), wire)
}

/// Waits until the reader's thread has given ownership up.
fn until_idle(subscription: &Subscription<'_>) {
    while !matches!(subscription.subscriber.state.lock().owner, Owner::Idle) {
        thread::yield_now();
    }
}

#[test]
fn panic_of_the_publishing_thread_ends_the_wait() {
    let slot = FrameSlot::default();
    let (subscription, _wire) = subscribe(&slot, |_| panic!("on purpose"));
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscription.wait(LONG));
        until_idle(&subscription);
        let deadline = Instant::now() + LONG;
        let deliver = || subscription.subscriber.deliver(&frame(1), deadline);
        assert!(catch_unwind(AssertUnwindSafe(deliver)).is_err());
        assert!(matches!(reader.join().unwrap(), Newer::Closed));
    });
}

#[test]
fn only_what_is_not_sent_at_once_wakes_the_reader() {
    let slot = FrameSlot::default();
    let (subscription, wire) = subscribe(&slot, |seq| if seq < 4 { N_BYTES } else { 3 });
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscription.wait(LONG));
        until_idle(&subscription);
        let deadline = Instant::now() + LONG;
        (1..=4).for_each(|seq| subscription.subscriber.deliver(&frame(seq), deadline));
        let end = reader.join().unwrap();
        let Newer::Frame { frame, skipped, n_sent } = end else { panic!("{end:?}") };
        assert_eq!((frame.meta.seq, skipped, n_sent), (4, 0, 3));
    });
    assert_eq!(wire.lock().len(), 3 * N_BYTES + 3);
    assert_eq!(subscription.subscriber.seen(), 4);
}

#[test]
fn reader_that_writes_receives_nothing_and_learns_what_it_missed() {
    let slot = FrameSlot::default();
    let (subscription, wire) = subscribe(&slot, |_| N_BYTES);
    slot.publish(&frame(1));
    assert!(matches!(subscription.wait(LONG), Newer::Frame { skipped: 0, n_sent: 0, .. }));
    (2..=5).for_each(|seq| slot.publish(&frame(seq)));
    let end = subscription.wait(LONG);
    let Newer::Frame { frame, skipped, n_sent } = end else { panic!("{end:?}") };
    assert_eq!((frame.meta.seq, skipped, n_sent), (5, 3, 0));
    assert!(wire.lock().is_empty());
    assert!(matches!(subscription.wait(Duration::ZERO), Newer::Timeout));
}

#[test]
fn after_the_deadline_the_reader_writes_itself() {
    let slot = FrameSlot::default();
    let (subscription, wire) = subscribe(&slot, |_| N_BYTES);
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscription.wait(LONG));
        until_idle(&subscription);
        subscription.subscriber.deliver(&frame(1), Instant::now());
        assert!(matches!(reader.join().unwrap(), Newer::Frame { n_sent: 0, .. }));
    });
    assert!(wire.lock().is_empty());
}

#[test]
fn close_ends_every_wait() {
    let slot = FrameSlot::default();
    let (subscription, _wire) = subscribe(&slot, |_| N_BYTES);
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscription.wait(LONG));
        slot.close();
        assert!(matches!(reader.join().unwrap(), Newer::Closed));
    });
    assert!(matches!(subscription.wait(LONG), Newer::Closed));
    let (late, _wire) = subscribe(&slot, |_| N_BYTES);
    assert!(matches!(late.wait(LONG), Newer::Closed));
}

#[test]
fn dropped_subscription_receives_nothing() {
    let slot = FrameSlot::default();
    let (subscription, wire) = subscribe(&slot, |_| N_BYTES);
    let subscriber = Arc::clone(&subscription.subscriber);
    drop(subscription);
    assert_eq!(Arc::strong_count(&subscriber), 1);
    slot.publish(&frame(1));
    assert!(wire.lock().is_empty());
}

#[test]
fn frames_of_two_threads_come_whole_and_in_order() {
    const N_FRAMES: u64 = 20_000;
    let slot = FrameSlot::default();
    // Accepts nothing, then parts, then the whole frame, in turn.
    let (subscription, wire) = subscribe(&slot, |seq| usize::try_from(seq % 4).unwrap() * 4);
    let n_skipped = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut n_skipped = 0;
            while let Newer::Frame { frame, skipped, n_sent } = subscription.wait(LONG) {
                write(&wire, frame.meta.seq, n_sent, N_BYTES);
                n_skipped += skipped;
                if frame.meta.seq == N_FRAMES {
                    break;
                }
            }
            n_skipped
        });
        // The last frame is never accepted at once: the reader sees it and ends.
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

/// Takes long, and notes whether another reader came back meanwhile.
struct SlowSink {
    is_back: Arc<AtomicBool>,
    was_early: Arc<AtomicBool>,
}

impl Sink for SlowSink {
    fn try_send(&self, _: &Frame, _skipped: u64) -> Option<usize> {
        let until = Instant::now() + Duration::from_millis(20);
        while Instant::now() < until && !self.is_back.load(SeqCst) {
            thread::yield_now();
        }
        self.was_early.store(self.is_back.load(SeqCst), SeqCst);
        None
    }
}

#[test]
fn reader_that_works_long_is_woken_when_the_subscribers_are_served() {
    let slot = FrameSlot::default();
    let [is_back, was_early] = [false, true].map(|is| Arc::new(AtomicBool::new(is)));
    let sink = SlowSink { is_back: Arc::clone(&is_back), was_early: Arc::clone(&was_early) };
    let subscription = slot.subscribe(Box::new(sink));
    let (slot, is_back) = (&slot, &*is_back);
    let deadline = Instant::now() + LONG;
    thread::scope(|scope| {
        let subscribed = scope.spawn(|| subscription.wait(LONG));
        until_idle(&subscription);
        // One that does not sleep yet finds the frame at once, which is right too.
        for seq in 1.. {
            was_early.store(true, SeqCst);
            is_back.store(false, SeqCst);
            let patient = scope.spawn(move || {
                let end = slot.wait_newer_served(seq - 1, LONG);
                is_back.store(true, SeqCst);
                end
            });
            thread::yield_now();
            slot.publish(&frame(seq));
            assert!(matches!(patient.join().unwrap(), Newer::Frame { .. }));
            if !was_early.load(SeqCst) {
                break;
            }
            assert!(Instant::now() < deadline, "it is always woken before");
        }
        slot.close();
        assert!(matches!(subscribed.join().unwrap(), Newer::Closed));
        assert!(matches!(slot.wait_newer_served(u64::MAX, LONG), Newer::Closed));
    });
}
