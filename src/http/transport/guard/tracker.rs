//! How long each connection has waited, and what follows from it. Pure logic:
//! it knows neither sockets nor a clock.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::http::transport::counts::Cut;

/// From one look to the next while a connection waits...
const TICK: Duration = Duration::from_millis(250);
/// ...and while bytes come or lie unread.
pub(super) const SHORT_TICK: Duration = Duration::from_millis(100);
/// A connection that was cut is gone within milliseconds, unless its thread
/// never looks at it again.
const LEAK_AFTER: Duration = Duration::from_secs(3);
/// Most kicks (connections to ourselves) at one look, and for one connection that
/// waits. A kick frees one connection, which may be another than the one that it
/// was meant for, so one that waits may need several.
const MAX_KICKS: usize = 64;
const MAX_KICKS_EACH: u32 = 8;

/// A connection that has sent no whole request, as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) cookie: u64,
    pub(super) is_closed: bool,
    /// `None` where the kernel is too old to say it.
    pub(super) n_received: Option<u64>,
    pub(super) n_unread: u64,
    /// Since bytes last came, or since it was opened.
    pub(super) silent_ms: u32,
}

impl Observation {
    /// Whether a thread of tiny_http's has read anything of it.
    fn was_read(&self) -> bool {
        // Without the figure, one that left nothing unread was most likely read.
        self.n_received.map_or(self.n_unread == 0, |n| n > self.n_unread)
    }
}

/// What is known of the connections that have sent a whole request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) n: usize,
    /// Whether tiny_http's queue of requests was empty at some time since the
    /// last look.
    pub(super) is_queue_empty: bool,
}

/// All connections that wait, with what was observed of them earlier.
#[derive(Default)]
pub(super) struct Tracker(HashMap<u64, Tracked>);

struct Tracked {
    since: Instant,
    /// When it was cut, by us or by its client.
    closed: Option<Instant>,
    had_unread: bool,
    n_kicks: u32,
    is_leaked: bool,
}

/// What follows from one look.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Round {
    pub(super) cuts: Vec<(u64, Cut)>,
    pub(super) n_kicks: usize,
    pub(super) n_leaked: u64,
    /// Those that are still expected to send a request.
    pub(super) n_waiting: usize,
    /// Whether any came since the last look.
    pub(super) has_new: bool,
    /// When to look again; `None`: when a connection comes in.
    pub(super) next: Option<Duration>,
}

impl Tracker {
    /// Judges all connections that wait.
    pub(super) fn look(
        &mut self,
        now: Instant,
        seen: &[Observation],
        answered: Answered,
        limits: &Limits,
    ) -> Round {
        let mut round = Round::default();
        // Built again from what is there now, so that what has gone needs no deletion:
        // a cookie is never used twice.
        let mut earlier = std::mem::take(&mut self.0);
        let mut open = Vec::new();
        let mut is_busy = false;
        for observation in seen {
            let known = earlier.remove(&observation.cookie);
            round.has_new |= known.is_none();
            let mut tracked = known.unwrap_or_else(|| Tracked::new(now));
            if let Some(why) = tracked.judge(now, observation, (answered, limits), &mut round) {
                round.cuts.push((observation.cookie, why));
            } else if tracked.closed.is_none() {
                // Cookies alone tell no order: each processor numbers sockets by itself.
                open.push((tracked.since, Reverse(observation.silent_ms), observation.cookie));
            }
            is_busy |= !tracked.is_leaked && (tracked.had_unread || tracked.closed.is_some());
            self.0.insert(observation.cookie, tracked);
        }
        let n_over = (answered.n + open.len()).saturating_sub(limits.max_connections);
        // The oldest are cut, and not the newest: a crowd of silent clients would
        // otherwise keep everybody else out until the head timeout.
        open.sort_unstable();
        for (.., cookie) in open.drain(..n_over.min(open.len())) {
            round.cuts.push((cookie, Cut::Crowd));
            if let Some(tracked) = self.0.get_mut(&cookie) {
                tracked.closed = Some(now);
            }
        }
        round.n_kicks = round.n_kicks.min(MAX_KICKS);
        round.n_waiting = open.len();
        is_busy |= !round.cuts.is_empty();
        let is_over = self.0.values().all(|tracked| tracked.is_leaked);
        round.next = (!is_over).then_some(if is_busy { SHORT_TICK } else { TICK });
        round
    }
}

impl Tracked {
    fn new(since: Instant) -> Self {
        Self { since, closed: None, had_unread: false, n_kicks: 0, is_leaked: false }
    }

    fn judge(
        &mut self,
        now: Instant,
        seen: &Observation,
        (answered, limits): (Answered, &Limits),
        round: &mut Round,
    ) -> Option<Cut> {
        let has_unread = seen.n_unread > 0;
        // Unread at two looks in a row: no thread of the library looks at it. One look
        // proves nothing, as bytes may just have come.
        let is_stuck = self.closed.is_some() || (self.had_unread && has_unread);
        self.had_unread = has_unread;
        if seen.is_closed {
            self.closed.get_or_insert(now);
        }
        if self.is_leaked {
            return None;
        }
        // On a busy machine it may only not have had its turn: no thread has
        // read it yet, or its request is in the queue.
        let is_due = seen.was_read() && answered.is_queue_empty;
        if is_due && self.closed.is_some_and(|at| now.duration_since(at) >= LEAK_AFTER) {
            self.is_leaked = true;
            round.n_leaked += 1;
            return None;
        }
        if is_stuck && self.n_kicks < MAX_KICKS_EACH {
            self.n_kicks += 1;
            round.n_kicks += 1;
        }
        let why = match self.closed {
            Some(_) => None,
            // Without the figure, the head timeout is the limit.
            None if seen.n_received.is_some_and(|n| n > limits.max_head_bytes) => {
                Some(Cut::HeadSize)
            }
            None if now.duration_since(self.since) >= limits.head_timeout => Some(Cut::HeadTimeout),
            None => None,
        };
        self.closed = self.closed.or(why.map(|_| now));
        why
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
