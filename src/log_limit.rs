//! Keeps repeated lines from filling the log.

use std::time::{Duration, Instant};

/// How long a repeated line is held back, and the period of a budget.
const PERIOD: Duration = Duration::from_secs(60);

/// Lets a line of one kind pass when it differs from the last one, and once a
/// period when it does not.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    last: Option<(String, Instant)>,
    n_held_back: u64,
}

impl LogLimit {
    /// `None`: the line is held back. Else it passes, because it differs from the
    /// last one or the period is over, and this is how many were held back
    /// before it.
    pub(crate) fn pass(&mut self, line: &str, now: Instant) -> Option<u64> {
        if let Some((last, at)) = &self.last
            && last == line
            && now.saturating_duration_since(*at) < PERIOD
        {
            self.n_held_back += 1;
            return None;
        }
        // How many were held back goes with the next line that passes, whatever it
        // says, so that the log tells of each gap.
        self.last = Some((line.to_owned(), now));
        Some(std::mem::take(&mut self.n_held_back))
    }

    /// Logs the line as a warning, if it passes.
    pub(crate) fn warn(&mut self, line: &str) {
        warn(line, self.pass(line, Instant::now()));
    }
}

/// Logs a line as a warning if it passed, with how many were held back before it.
/// It is a function of its own for callers that must not log under a lock.
pub(crate) fn warn(line: &str, passed: Option<u64>) {
    match passed {
        Some(0) => log::warn!("{line}"),
        Some(n) => log::warn!("{line} (and {n} such lines before)"),
        None => {}
    }
}

/// Reasons that are remembered; the one that was logged first makes room.
const N_REASONS: usize = 16;

/// Lets a line of each reason pass once a period, also when several reasons
/// take turns.
#[derive(Debug, Default)]
pub(crate) struct LogReasons(Vec<Reason>);

#[derive(Debug)]
struct Reason {
    text: String,
    since: Instant,
    n_held_back: u64,
}

impl LogReasons {
    /// `None`: the line is held back. Else it passes, and this is how many of
    /// its reason were held back before it.
    pub(crate) fn pass(&mut self, text: &str, now: Instant) -> Option<u64> {
        if let Some(reason) = self.0.iter_mut().find(|reason| reason.text == text) {
            if now.saturating_duration_since(reason.since) < PERIOD {
                reason.n_held_back += 1;
                return None;
            }
            reason.since = now;
            return Some(std::mem::take(&mut reason.n_held_back));
        }
        if self.0.len() == N_REASONS {
            // The oldest goes. With more reasons than this each may pass again too
            // soon, which costs lines and loses none.
            self.0.remove(0);
        }
        self.0.push(Reason { text: text.to_owned(), since: now, n_held_back: 0 });
        Some(0)
    }

    /// Logs the line as a warning, if its reason passes. The reason leaves out
    /// what differs from line to line, such as the name of a file.
    pub(crate) fn warn(&mut self, reason: &str, line: &str) {
        warn(line, self.pass(reason, Instant::now()));
    }
}

/// Logs a line at the level `info` if it passed, else at `debug`.
pub(crate) fn info(line: &str, passed: Option<u64>) {
    match passed {
        None => log::debug!("{line}"),
        Some(0) => log::info!("{line}"),
        Some(n) => log::info!("{line} (and {n} lines before)"),
    }
}

/// The most different lines of one kind in a period.
const BUDGET: u32 = 30;

/// Keeps a source of many different lines, such as the command of a camera, from
/// filling the log. Lines over the budget are logged at the level `debug`.
#[derive(Debug, Default)]
pub(crate) struct LogBudget {
    since: Option<Instant>,
    n_passed: u32,
    n_held_back: u64,
}

impl LogBudget {
    /// `None`: the line is over the budget. Else how many were held back before
    /// it.
    pub(crate) fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= PERIOD) {
            (self.since, self.n_passed) = (Some(now), 0);
        }
        if self.n_passed == BUDGET {
            self.n_held_back += 1;
            return None;
        }
        self.n_passed += 1;
        Some(std::mem::take(&mut self.n_held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_take_turns_pass_once_a_period_each() {
        let (mut reasons, start) = (LogReasons::default(), Instant::now());
        assert_eq!(reasons.pass("a", start), Some(0));
        assert_eq!(reasons.pass("b", start), Some(0));
        assert_eq!(reasons.pass("a", start), None);
        assert_eq!(reasons.pass("b", start), None);
        assert_eq!(reasons.pass("a", start + PERIOD), Some(1));
        for n in 0..100 {
            assert_eq!(reasons.pass(&format!("{n}"), start), Some(0));
        }
        assert_eq!(reasons.0.len(), N_REASONS);
    }

    #[test]
    fn same_line_passes_once_a_period_with_its_count() {
        let (mut limit, start) = (LogLimit::default(), Instant::now());
        assert_eq!(limit.pass("a", start), Some(0));
        assert_eq!(limit.pass("a", start + PERIOD / 3), None);
        assert_eq!(limit.pass("a", start + PERIOD / 2), None);
        assert_eq!(limit.pass("a", start + PERIOD), Some(2));
        assert_eq!(limit.pass("b", start + PERIOD), Some(0));
    }

    #[test]
    fn different_lines_pass_up_to_a_budget_a_period() {
        let (mut budget, start) = (LogBudget::default(), Instant::now());
        let n_passed = (0..100).filter(|_| budget.pass(start).is_some()).count();
        assert_eq!(n_passed, 30);
        assert_eq!(budget.pass(start + PERIOD), Some(70));
        assert_eq!(budget.pass(start + PERIOD), Some(0));
    }
}
