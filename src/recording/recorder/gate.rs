//! Whether to record at this moment: always, or while something moves and for a time
//! after it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, never, select};

use crate::config::OnMotion;
use crate::events::{Event, Filter, Kind, Source, Subscription};

/// A motion has two events, so more than the last two say nothing.
const N_WAITING: usize = 4;

/// How late a motion is noticed at most: the recorder looks as often.
pub(super) const LATEST: Duration = Duration::from_secs(1);

/// Opened by `motion-begin`, closed some time after `motion-end`.
pub(crate) struct Gate {
    after: Duration,
    queue: Receiver<Arc<Event>>,
    /// Its end would close the queue. `None`: always open.
    subscription: Option<Subscription>,
    is_moving: bool,
    /// When the last motion began.
    begun: Option<Instant>,
    open_until: Option<Instant>,
}

/// Why a wait ended.
#[derive(Debug, PartialEq)]
pub(super) enum Woken {
    /// By time, by a switch or by motion: look again.
    Look,
    Closed,
}

impl Gate {
    /// Sees the motion from now on.
    pub(crate) fn new(config: Option<OnMotion>, source: &Source) -> Self {
        let kinds = vec![Kind::MotionBegin, Kind::MotionEnd];
        let filter = Filter { kinds, ..Filter::camera(source.camera()) };
        let subscription = config.map(|_| source.events().subscribe(filter, N_WAITING));
        Self {
            after: config.map_or(Duration::ZERO, |config| config.after),
            queue: subscription.as_ref().map_or_else(never, |all| all.queue().clone()),
            subscription,
            is_moving: false,
            begun: None,
            open_until: None,
        }
    }

    pub(super) fn is_open(&mut self, now: Instant) -> bool {
        while let Ok(event) = self.queue.try_recv() {
            self.take(&event, now);
        }
        let is_after = self.open_until.is_some_and(|until| now < until);
        self.subscription.is_none() || self.is_moving || is_after
    }

    /// When the motion began for which it is open; `None`: it is open for another reason.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.begun.filter(|_| self.is_moving)
    }

    fn take(&mut self, event: &Event, now: Instant) {
        self.is_moving = event.kind == Kind::MotionBegin;
        // On a busy machine the event is noticed late, and the clock may be set meanwhile.
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(event.at);
        let age = at.elapsed().unwrap_or_default().min(LATEST);
        self.begun = now.checked_sub(age);
        self.open_until = (!self.is_moving).then(|| now + self.after);
    }

    /// Sleeps until the recording is switched, motion begins or ends, or `time` is over.
    pub(super) fn wait(&mut self, wakeup: &Receiver<()>, time: Duration) -> Woken {
        select! {
            recv(wakeup) -> order => if order.is_err() { return Woken::Closed },
            recv(self.queue) -> event => if let Ok(event) = event {
                self.take(&event, Instant::now());
            },
            default(time) => {}
        }
        Woken::Look
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;

    const AFTER: Duration = Duration::from_secs(5);

    #[test]
    fn gate_is_open_from_begin_until_some_time_after_the_end() {
        let source = Events::default().source("front");
        let config = OnMotion { before: AFTER, max_bytes: 1, after: AFTER };
        let mut gate = Gate::new(Some(config), &source);
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        assert!(!gate.is_open(at(0)));
        source.events().emit("back", Kind::MotionBegin, &[]);
        source.emit(Kind::CameraOn, &[]);
        assert!(!gate.is_open(at(1)), "that is another camera");
        source.emit(Kind::MotionBegin, &[]);
        assert!(gate.is_open(at(2)) && gate.is_open(at(500)));
        let begun = gate.begun().unwrap();
        assert!(begun <= at(2) && at(2) - begun <= LATEST);
        source.emit(Kind::MotionEnd, &[]);
        assert!(gate.is_open(at(600)) && gate.is_open(at(604)) && !gate.is_open(at(605)));
        source.emit(Kind::MotionEnd, &[]);
        assert!(gate.is_open(at(700)), "a begin was missed, and there was motion");
        // Motion within that time goes on in the same stretch.
        source.emit(Kind::MotionBegin, &[]);
        assert!(gate.is_open(at(703)) && gate.is_open(at(900)));
    }

    #[test]
    fn without_motion_to_wait_for_it_is_always_open() {
        let source = Events::default().source("front");
        let mut gate = Gate::new(None, &source);
        source.emit(Kind::MotionEnd, &[]);
        assert!(gate.is_open(Instant::now()));
        let (tx, rx) = crossbeam_channel::bounded(1);
        assert_eq!(gate.wait(&rx, Duration::ZERO), Woken::Look);
        drop(tx);
        assert_eq!(gate.wait(&rx, AFTER), Woken::Closed);
    }

    #[test]
    fn motion_ends_a_wait() {
        let source = Events::default().source("front");
        let config = OnMotion { before: AFTER, max_bytes: 1, after: AFTER };
        let mut gate = Gate::new(Some(config), &source);
        let (_tx, rx) = crossbeam_channel::bounded::<()>(1);
        source.emit(Kind::MotionBegin, &[]);
        assert_eq!(gate.wait(&rx, Duration::from_secs(600)), Woken::Look);
        assert!(gate.is_open(Instant::now()));
    }
}
