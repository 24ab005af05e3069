//! A line on a terminal that is written over again and again.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Often enough to be read, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(200);

/// The last line of the standard error, if that is a terminal; else nothing.
pub(crate) struct Line {
    is_terminal: bool,
    due: Instant,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), due: Instant::now() }
    }

    /// Shows what `text` makes, at most five times a second.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_terminal && Instant::now() >= self.due {
            self.due = Instant::now() + EVERY;
            self.write(&text());
        }
    }

    /// Takes the line away, so that something else can be written.
    pub(crate) fn clear(&mut self) {
        if self.is_terminal {
            self.write("");
        }
    }

    /// A longer line than the terminal is wide could not be written over.
    fn write(&self, text: &str) {
        let width = rustix::termios::tcgetwinsize(stderr()).map_or(80, |size| size.ws_col);
        let width = if width == 0 { 80 } else { usize::from(width) };
        let text: String = text.chars().take(width - 1).collect();
        // Who does not read it misses nothing.
        let _ = write!(stderr(), "\r\x1b[2K{text}");
    }
}
