//! Who has waited for how long, and what is to be done about it. Knows neither
//! sockets nor a clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::counts::Cut;
use crate::config::Limits;

/// From one look to the next while somebody waits...
const TICK: Duration = Duration::from_millis(250);
/// ...and while bytes come or lie unread.
pub(super) const SHORT_TICK: Duration = Duration::from_millis(100);
/// A connection that was cut is gone within milliseconds, unless its thread
/// never looks at it again.
const LEAK_AFTER: Duration = Duration::from_secs(3);
/// Connections of our own at one look, and for one that waits: each one frees
/// one, so that more are wanted only where some were for others.
const MAX_KICKS: usize = 64;
const MAX_KICKS_EACH: u32 = 8;

/// A connection that has sent no whole request, as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub(super) cookie: u64,
    pub(super) is_closed: bool,
    pub(super) n_received: u64,
    pub(super) n_unread: u64,
}

impl Sighting {
    /// Whether a thread of tiny_http's has read anything of it.
    fn was_read(&self) -> bool {
        self.n_received > self.n_unread
    }
}

/// The connections that have sent a whole request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    pub(super) n_answered: usize,
    /// Whether no such request still lay in tiny_http's queue, at some time
    /// since the last look.
    pub(super) are_claimed: bool,
}

/// All of them, with what was seen of them earlier.
#[derive(Default)]
pub(super) struct Watch(HashMap<u64, Watched>);

struct Watched {
    since: Instant,
    /// When it was cut, by us or by its client.
    closed: Option<Instant>,
    had_unread: bool,
    n_kicks: u32,
    is_leaked: bool,
}

/// What one look came to.
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

impl Watch {
    /// Judges all connections that wait, beside those that do not.
    pub(super) fn look(
        &mut self,
        now: Instant,
        seen: &[Sighting],
        others: Others,
        limits: &Limits,
    ) -> Round {
        let mut round = Round::default();
        let mut earlier = std::mem::take(&mut self.0);
        let mut open = Vec::new();
        let mut is_busy = false;
        for sighting in seen {
            let known = earlier.remove(&sighting.cookie);
            round.has_new |= known.is_none();
            let mut watched = known.unwrap_or_else(|| Watched::new(now));
            if let Some(why) = watched.judge(now, sighting, (others, limits), &mut round) {
                round.cuts.push((sighting.cookie, why));
            } else if watched.closed.is_none() {
                open.push((watched.since, sighting.cookie));
            }
            is_busy |= !watched.is_leaked && (watched.had_unread || watched.closed.is_some());
            self.0.insert(sighting.cookie, watched);
        }
        let n_over = (others.n_answered + open.len()).saturating_sub(limits.max_connections);
        open.sort_unstable();
        for (_, cookie) in open.drain(..n_over.min(open.len())) {
            round.cuts.push((cookie, Cut::Crowd));
            if let Some(watched) = self.0.get_mut(&cookie) {
                watched.closed = Some(now);
            }
        }
        round.n_kicks = round.n_kicks.min(MAX_KICKS);
        round.n_waiting = open.len();
        is_busy |= !round.cuts.is_empty();
        let is_over = self.0.values().all(|watched| watched.is_leaked);
        round.next = (!is_over).then_some(if is_busy { SHORT_TICK } else { TICK });
        round
    }
}

impl Watched {
    fn new(since: Instant) -> Self {
        Self { since, closed: None, had_unread: false, n_kicks: 0, is_leaked: false }
    }

    fn judge(
        &mut self,
        now: Instant,
        seen: &Sighting,
        (others, limits): (Others, &Limits),
        round: &mut Round,
    ) -> Option<Cut> {
        let has_unread = seen.n_unread > 0;
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
        let is_due = seen.was_read() && others.are_claimed;
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
            None if seen.n_received > limits.max_head_bytes => Some(Cut::HeadSize),
            None if now.duration_since(self.since) >= limits.head_timeout => Some(Cut::HeadTimeout),
            None => None,
        };
        self.closed = self.closed.or(why.map(|_| now));
        why
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
