//! Limits on the log, so that neither an error that repeats nor a busy client
//! fills it.

use std::time::{Duration, Instant};

/// How long the same line is held back after it was logged.
const PERIOD: Duration = Duration::from_secs(60);

/// Decides for one kind of line whether to log it again.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    last: Option<(String, Instant)>,
    n_held_back: u64,
}

impl LogLimit {
    /// Whether to log the line now: it differs from the last one, or the period
    /// is over. `Some` holds how many lines were held back before it.
    pub(crate) fn pass(&mut self, line: &str, now: Instant) -> Option<u64> {
        if let Some((last, at)) = &self.last
            && last == line
            && now.saturating_duration_since(*at) < PERIOD
        {
            self.n_held_back += 1;
            return None;
        }
        self.last = Some((line.to_owned(), now));
        Some(std::mem::take(&mut self.n_held_back))
    }

    /// Logs the line as a warning, unless it is held back.
    pub(crate) fn warn(&mut self, line: &str) {
        warn(line, self.pass(line, Instant::now()));
    }
}

/// Logs a line that [`LogLimit::pass`] let through, with the number that was
/// held back before it. Apart from `pass`, so that a caller can unlock between.
pub(crate) fn warn(line: &str, passed: Option<u64>) {
    match passed {
        Some(0) => log::warn!("{line}"),
        Some(n) => log::warn!("{line} (and {n} such lines before)"),
        None => {}
    }
}

/// Lines of one kind that are logged in a period, if they differ.
const BUDGET: u32 = 30;

/// Limits one kind of lines to a number in a period. The others are logged at
/// the level `debug`.
#[derive(Debug, Default)]
pub(crate) struct LogBudget {
    since: Option<Instant>,
    n_logged: u32,
    n_held_back: u64,
}

impl LogBudget {
    /// Whether the budget allows a line now. `Some` holds how many lines were
    /// held back before it.
    fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= PERIOD) {
            (self.since, self.n_logged) = (Some(now), 0);
        }
        if self.n_logged == BUDGET {
            self.n_held_back += 1;
            return None;
        }
        self.n_logged += 1;
        Some(std::mem::take(&mut self.n_held_back))
    }

    /// Logs a line at the level `info`, or `debug` above the budget.
    pub(crate) fn info(&mut self, line: &str, now: Instant) {
        match self.pass(now) {
            None => log::debug!("{line}"),
            Some(0) => log::info!("{line}"),
            Some(n) => log::info!("{line} (and {n} lines before)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
