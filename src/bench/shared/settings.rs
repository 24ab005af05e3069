//! Durations and numbers of rounds, from the environment.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};

/// Settings that a quick run may lower.
pub(crate) struct Settings {
    /// `BENCH_ROUNDS`: the number of turns of each server.
    pub(crate) n_rounds: usize,
    /// `BENCH_SECONDS`: the measured time of a turn.
    pub(crate) turn: Duration,
    /// `BENCH_IDLE_SECONDS`: the measured time without viewers.
    pub(crate) idle: Duration,
    /// `BENCH_VIEWERS`: measures only the load with this number of viewers.
    pub(crate) n_viewers: Option<usize>,
}

impl Settings {
    /// # Errors A variable is not a whole number above 0.
    pub(crate) fn from_env() -> Result<Self> {
        let n_viewers = std::env::var_os("BENCH_VIEWERS").map(|_| number("BENCH_VIEWERS", 1));
        Ok(Self {
            n_viewers: n_viewers.transpose()?.map(usize::try_from).transpose()?,
            n_rounds: usize::try_from(number("BENCH_ROUNDS", 5)?)?,
            turn: Duration::from_secs(number("BENCH_SECONDS", 4)?),
            idle: Duration::from_secs(number("BENCH_IDLE_SECONDS", 10)?),
        })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_rounds, turn, idle, .. } = self;
        write!(f, "{n_rounds} rounds of {turn:?}, {idle:?} at rest")
    }
}

/// A whole number above 0 from the environment.
///
/// # Errors The variable is something else.
pub(crate) fn number(name: &str, default: u64) -> Result<u64> {
    let Ok(text) = std::env::var(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|n| *n > 0);
    number.with_context(|| format!("{name}={text}: a whole number above 0 is needed"))
}
