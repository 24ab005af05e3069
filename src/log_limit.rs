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
/// One that is held back is there at the level `debug`, for who looks for each.
fn warn(line: &str, passed: Option<u64>) {
    match passed {
        Some(0) => log::warn!("{line}"),
        Some(n) => log::warn!("{line} (and {n} such lines before)"),
        None => log::debug!("{line}"),
    }
}

/// Reasons that are remembered; the one whose line passed longest ago makes room.
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

/// What becomes of a line. To be logged without a lock: see [`Passed::warn`].
#[derive(Debug, PartialEq)]
#[must_use]
pub(crate) struct Passed {
    /// `None`: the line is held back. Else it passes, and this is how many of its
    /// reason were held back before it.
    own: Option<u64>,
    /// Other reasons, each with how many of its lines were held back and not yet
    /// counted in the log.
    others: Vec<(String, u64)>,
}

impl LogReasons {
    /// Decides about a line of this reason. The count of another reason whose
    /// period is over goes with it: that reason may never come again, and the
    /// log would have one line for a burst of thousands.
    pub(crate) fn pass(&mut self, text: &str, now: Instant) -> Passed {
        let is_over = |reason: &Reason| now.saturating_duration_since(reason.since) >= PERIOD;
        let mut others: Vec<_> = self
            .0
            .iter_mut()
            .filter(|reason| reason.text != text && is_over(reason))
            .filter_map(Reason::take_count)
            .collect();
        if let Some(reason) = self.0.iter_mut().find(|reason| reason.text == text) {
            if !is_over(reason) {
                reason.n_held_back += 1;
                return Passed { own: None, others };
            }
            reason.since = now;
            let n = std::mem::take(&mut reason.n_held_back);
            return Passed { own: Some(n), others };
        }
        if self.0.len() == N_REASONS {
            // While more reasons than this take turns, each is forgotten before it
            // comes again, and all lines pass. That fills the log, but no count of
            // lines that were held back is lost.
            let at = (0..N_REASONS).min_by_key(|at| self.0[*at].since).unwrap_or_default();
            others.extend(self.0.remove(at).take_count());
        }
        self.0.push(Reason { text: text.to_owned(), since: now, n_held_back: 0 });
        Passed { own: Some(0), others }
    }

    /// Logs the line as a warning, if its reason passes. The reason leaves out
    /// what differs from line to line, such as the name of a file.
    pub(crate) fn warn(&mut self, reason: &str, line: &str) {
        self.pass(reason, Instant::now()).warn(line);
    }
}

impl Reason {
    /// The text and the count, which is zero from now on; `None` if it was.
    fn take_count(&mut self) -> Option<(String, u64)> {
        let n = std::mem::take(&mut self.n_held_back);
        (n > 0).then(|| (self.text.clone(), n))
    }
}

impl Passed {
    /// Logs the line as a warning if it passed, and the counts of other reasons.
    /// A step of its own for callers that must not log under a lock.
    pub(crate) fn warn(&self, line: &str) {
        for (reason, n) in &self.others {
            log::warn!("{n} such lines were held back: {reason}");
        }
        warn(line, self.own);
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

    fn alone(own: Option<u64>) -> Passed {
        Passed { own, others: Vec::new() }
    }

    #[test]
    fn reasons_that_take_turns_pass_once_a_period_each() {
        let (mut reasons, start) = (LogReasons::default(), Instant::now());
        assert_eq!(reasons.pass("a", start), alone(Some(0)));
        assert_eq!(reasons.pass("b", start), alone(Some(0)));
        assert_eq!(reasons.pass("a", start), alone(None));
        assert_eq!(reasons.pass("a", start + PERIOD), alone(Some(1)));
        for n in 0..100 {
            assert_eq!(reasons.pass(&format!("{n}"), start), alone(Some(0)));
        }
        assert_eq!(reasons.0.len(), N_REASONS);
    }

    #[test]
    fn count_of_a_burst_goes_with_the_next_line_of_any_reason() {
        let (mut reasons, start) = (LogReasons::default(), Instant::now());
        assert_eq!(reasons.pass("burst", start), alone(Some(0)));
        (0..40).for_each(|_| assert_eq!(reasons.pass("burst", start), alone(None)));
        // Within the period it may still grow.
        assert_eq!(reasons.pass("other", start + PERIOD / 2), alone(Some(0)));
        let due = Passed { own: None, others: vec![("burst".into(), 40)] };
        assert_eq!(reasons.pass("other", start + PERIOD), due);
        assert_eq!(reasons.pass("burst", start + PERIOD), alone(Some(0)));
    }

    #[test]
    fn reason_that_makes_room_is_the_oldest_and_leaves_its_count() {
        let (mut reasons, start) = (LogReasons::default(), Instant::now());
        let second = Duration::from_secs(1);
        for n in 0..N_REASONS {
            assert_eq!(reasons.pass(&format!("{n}"), start), alone(Some(0)));
        }
        assert_eq!(reasons.pass("1", start + second), alone(None));
        assert_eq!(reasons.pass("0", start + PERIOD).own, Some(0));
        assert_eq!(reasons.pass("0", start + PERIOD), alone(None));
        // The first in the list has passed last.
        let before: Vec<_> = reasons.0.iter().map(|reason| reason.n_held_back).collect();
        assert_eq!(before, [vec![1], vec![0; N_REASONS - 1]].concat());
        reasons.0[1].n_held_back = 7;
        let due = Passed { own: Some(0), others: vec![("1".into(), 7)] };
        assert_eq!(reasons.pass("17th", start + second), due);
        assert!(reasons.0.iter().any(|reason| reason.text == "0"));
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
