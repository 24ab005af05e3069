//! Sends frames to subscribed readers from the publishing thread.
//!
//! Waking a thread for every viewer and frame costs more than the write itself
//! (at 10 to 50 viewers, publishing this way takes 0.8 x the CPU). So the
//! publishing thread sends what a reader accepts without waiting, and wakes the
//! reader's own thread only for the bytes that are left.
//!
//! INVARIANT: at each moment one thread may write to a reader, and [`Owner`]
//! says which. Ownership changes under the lock; nothing is written under it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{FrameSlot, Newer};
use crate::frame::Frame;

/// Where the publishing thread sends a reader's frames.
pub(crate) trait Sink: Send + Sync {
    /// Sends as much of `frame` as is possible without waiting. The reader
    /// missed `skipped` frames before it. Returns `None` if the whole frame was
    /// sent, otherwise how many bytes.
    fn try_send(&self, frame: &Frame, skipped: u64) -> Option<usize>;
}

/// A reader's subscription to a slot, which ends when it is dropped.
pub(crate) struct Subscription<'a> {
    slot: &'a FrameSlot,
    subscriber: Arc<Subscriber>,
}

/// What a subscribed reader and the publishing thread share.
pub(super) struct Subscriber {
    sink: Box<dyn Sink>,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    owner: Owner,
    /// The last frame that the reader received, at least in part.
    seen: u64,
    /// When it received that frame, or began to wait. The timeout counts from here.
    at: Instant,
}

/// Who may write to the reader.
enum Owner {
    /// The reader's thread, which writes a frame or works on something else.
    Reader,
    /// Neither: the reader's thread waits, and the publishing thread may take
    /// ownership.
    Idle,
    /// The publishing thread, which is writing.
    Publisher,
    /// Neither, until the reader's thread wakes and takes ownership to send the
    /// rest: the publishing thread sent only the first `n_sent` bytes of `frame`.
    Leftover {
        frame: Arc<Frame>,
        skipped: u64,
        n_sent: usize,
    },
    Closed,
}

impl<'a> Subscription<'a> {
    pub(super) fn new(slot: &'a FrameSlot, subscriber: Arc<Subscriber>) -> Self {
        Self { slot, subscriber }
    }

    /// Lets the publishing thread send, and blocks until it leaves a frame
    /// unfinished, no newer frame arrives for `timeout`, or the slot is closed.
    pub(crate) fn wait(&self, timeout: Duration) -> Newer {
        self.subscriber.wait(self.slot, timeout)
    }

    /// What ends this subscription's waits at once, from any thread.
    pub(crate) fn closer(&self) -> impl Fn() + Send + Sync + 'static {
        let subscriber = Arc::clone(&self.subscriber);
        move || subscriber.close()
    }

    /// The last frame that the reader received, if it is still the newest.
    pub(crate) fn last(&self) -> Option<Arc<Frame>> {
        let seen = self.subscriber.seen();
        self.slot.latest().filter(|frame| frame.meta.seq == seen)
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.slot.unsubscribe(&self.subscriber);
    }
}

impl Subscriber {
    pub(super) fn new(sink: Box<dyn Sink>) -> Self {
        let state = State { owner: Owner::Reader, seen: 0, at: Instant::now() };
        Self { sink, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Sends a frame if the reader is waiting for one. Never blocks; after
    /// `deadline` it leaves the whole frame to the reader's own thread.
    pub(super) fn deliver(&self, frame: &Arc<Frame>, deadline: Instant) {
        let skipped = {
            let mut state = self.state.lock();
            // A reader that still sends an older frame skips this one. It looks for
            // the newest frame in the slot before it waits again.
            if !matches!(state.owner, Owner::Idle) || frame.meta.seq <= state.seen {
                return;
            }
            state.owner = Owner::Publisher;
            super::n_skipped(state.seen, frame.meta.seq)
        };
        let guard = CloseOnPanic(self);
        let now = Instant::now();
        let n_sent = if now < deadline { self.sink.try_send(frame, skipped) } else { Some(0) };
        // No panic: the subscription stays open.
        std::mem::forget(guard);
        let mut state = self.state.lock();
        (state.seen, state.at) = (frame.meta.seq, now);
        // The slot was closed during the send; `Closed` must not be overwritten.
        if matches!(state.owner, Owner::Closed) {
            return;
        }
        state.owner = match n_sent {
            None => Owner::Idle,
            Some(n_sent) => Owner::Leftover { frame: Arc::clone(frame), skipped, n_sent },
        };
        if n_sent.is_some() {
            self.wake.notify_one();
        }
    }

    /// The sequence number of the last frame that the reader received.
    fn seen(&self) -> u64 {
        self.state.lock().seen
    }

    /// Ends every present and future wait with [`Newer::Closed`].
    pub(super) fn close(&self) {
        self.state.lock().owner = Owner::Closed;
        self.wake.notify_one();
    }

    /// As [`Subscription::wait`].
    fn wait(&self, slot: &FrameSlot, timeout: Duration) -> Newer {
        let seen = {
            let mut state = self.state.lock();
            if matches!(state.owner, Owner::Closed) {
                return Newer::Closed;
            }
            state.owner = Owner::Idle;
            state.at = Instant::now();
            state.seen
        };
        // A frame that was published before the owner became idle is not
        // delivered later, so look for it in the slot. Publishing fills the slot
        // before it delivers: either this look or the delivery finds the frame.
        let missed = slot.latest().filter(|frame| frame.meta.seq > seen);
        let mut state = self.state.lock();
        loop {
            match std::mem::replace(&mut state.owner, Owner::Reader) {
                Owner::Closed => {
                    state.owner = Owner::Closed;
                    return Newer::Closed;
                }
                Owner::Leftover { frame, skipped, n_sent } => {
                    return Newer::Frame { frame, skipped, n_sent };
                }
                Owner::Idle | Owner::Reader => {
                    if let Some(frame) = missed.as_ref().filter(|f| f.meta.seq > state.seen) {
                        let skipped = super::n_skipped(state.seen, frame.meta.seq);
                        state.seen = frame.meta.seq;
                        let frame = Arc::clone(frame);
                        return Newer::Frame { frame, skipped, n_sent: 0 };
                    }
                    if state.at.elapsed() >= timeout {
                        return Newer::Timeout;
                    }
                    state.owner = Owner::Idle;
                }
                Owner::Publisher => state.owner = Owner::Publisher,
            }
            // The publishing thread sets `at` only after it has sent, so while it
            // sends, the timeout counts from this moment.
            let is_sending = matches!(state.owner, Owner::Publisher);
            let since = if is_sending { Instant::now() } else { state.at };
            let _ = self.wake.wait_until(&mut state, since + timeout);
        }
    }
}

/// Closes the subscription if the publishing thread panics while it sends: it
/// is then unknown which bytes the reader received, and its thread would wait
/// for ever for an owner that is gone.
struct CloseOnPanic<'a>(&'a Subscriber);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests;
