//! What the transport and its neighbours have seen and done, in figures.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use serde::Serialize;

use crate::by_name::ByName;
use crate::panics;

/// Why a connection was cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::http) enum Cut {
    /// No whole request came in time.
    HeadTimeout,
    /// More bytes came than a head may have.
    HeadSize,
    /// There are too many connections, and this one has waited longest.
    Crowd,
    /// It sent one request after the other without waiting for a reply.
    Pipelined,
    /// A viewer that took no picture in time.
    Stalled,
}

impl Cut {
    const ALL: [(Self, &'static str); 5] = [
        (Self::HeadTimeout, "head_timeout"),
        (Self::HeadSize, "head_size"),
        (Self::Crowd, "crowd"),
        (Self::Pipelined, "pipelined"),
        (Self::Stalled, "stalled"),
    ];
}

/// Figures of all connections, since the start unless said otherwise.
#[derive(Default)]
pub(in crate::http) struct Counts {
    /// Those that wait with no whole request, when the guard last looked.
    pub(in crate::http) waiting: AtomicUsize,
    cut: [AtomicU64; Cut::ALL.len()],
    /// Connections of our own that woke one which no thread served.
    pub(in crate::http) kicked: AtomicU64,
    /// Threads and sockets of tiny_http's that will never come back.
    pub(in crate::http) leaked: AtomicU64,
    /// Requests that must not be dropped, for their claimed length.
    pub(in crate::http) forgotten: AtomicU64,
    /// Requests with a byte above 127 in their head, read past the library.
    pub(in crate::http) non_ascii: AtomicU64,
    /// Requests refused as too many of their kind were being answered.
    pub(in crate::http) refused: AtomicU64,
    pub(in crate::http) wrong_passwords: AtomicU64,
    /// Passwords not looked at, as their address guesses too fast.
    pub(in crate::http) slowed_guesses: AtomicU64,
    /// Images of this process before this one.
    pub(in crate::http) restarts: AtomicU64,
    /// Times the listener's thread was replaced.
    pub(in crate::http) renewed: AtomicU64,
}

/// `/status` tells it.
#[derive(Debug, Serialize)]
pub(in crate::http) struct ConnectionsReport {
    pub(in crate::http) max: usize,
    pub(in crate::http) answered: usize,
    pub(in crate::http) waiting: usize,
    pub(in crate::http) cut: ByName,
    pub(in crate::http) kicked: u64,
    pub(in crate::http) leaked: u64,
    pub(in crate::http) forgotten: u64,
    pub(in crate::http) non_ascii: u64,
    pub(in crate::http) listener_renewed: u64,
    pub(in crate::http) restarts: u64,
    pub(in crate::http) panics: u64,
    pub(in crate::http) refused: u64,
    pub(in crate::http) wrong_passwords: u64,
    pub(in crate::http) slowed_guesses: u64,
}

impl Counts {
    /// Replaces the number of those that wait at one listener.
    pub(super) fn change_waiting(&self, before: &mut usize, now: usize) {
        let before = std::mem::replace(before, now);
        // Wraps around in between where there are fewer now, and comes out right.
        self.waiting.fetch_add(now.wrapping_sub(before), Relaxed);
    }

    /// Counts a connection that was cut.
    pub(in crate::http) fn cut(&self, why: Cut) {
        // Relaxed, here and below: each figure stands for itself, and nothing is
        // decided by two of them.
        self.cut[why as usize].fetch_add(1, Relaxed);
    }

    /// All figures, beside how many connections there may be, and how many are
    /// being answered.
    pub(in crate::http) fn report(&self, max: usize, answered: usize) -> ConnectionsReport {
        // All causes, also those with 0: a graph of one begins before its first case.
        let cut = Cut::ALL.map(|(why, name)| (name, self.cut[why as usize].load(Relaxed)));
        ConnectionsReport {
            max,
            answered,
            waiting: self.waiting.load(Relaxed),
            cut: ByName(cut.into()),
            kicked: self.kicked.load(Relaxed),
            leaked: self.leaked.load(Relaxed),
            forgotten: self.forgotten.load(Relaxed),
            non_ascii: self.non_ascii.load(Relaxed),
            listener_renewed: self.renewed.load(Relaxed),
            restarts: self.restarts.load(Relaxed),
            // Counted by the hook of the whole program, and shown here because the HTTP
            // library causes most of them.
            panics: panics::count(),
            refused: self.refused.load(Relaxed),
            wrong_passwords: self.wrong_passwords.load(Relaxed),
            slowed_guesses: self.slowed_guesses.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_counted_by_its_name() {
        let counts = Counts::default();
        for (n, (why, _)) in Cut::ALL.into_iter().enumerate() {
            (0..=n).for_each(|_| counts.cut(why));
        }
        let cut = serde_json::to_value(counts.report(9, 0).cut).unwrap();
        assert_eq!((&cut["head_timeout"], &cut["pipelined"]), (&1.into(), &4.into()));
    }
}
