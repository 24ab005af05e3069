//! Copies a command's standard error to the log, line by line.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::log_limit::{self, LogBudget};
use crate::secrets::Known;
use crate::url::mask;

/// Longer lines are cut.
const MAX_LINE_BYTES: usize = 500;
/// The most bytes to read at once, so that a command that writes to standard error
/// without end does not delay frames.
const PIECE_BYTES: usize = 16 << 10;

/// The standard error of one running command.
pub(super) struct Stderr {
    /// `None` once it was closed.
    pipe: Option<ChildStderr>,
    line: Vec<u8>,
    last: Option<String>,
    /// Limits how many lines are logged, since a command may write any number. It is
    /// that of all openings: a command that is started again each second would
    /// otherwise begin with a new budget each time.
    budget: Arc<Mutex<LogBudget>>,
    /// Who speaks, in the log.
    label: String,
    secrets: Known,
}

impl Stderr {
    /// `command` is what writes there; none of its secrets is shown.
    pub(super) fn new(
        pipe: Option<ChildStderr>,
        label: &str,
        command: &str,
        budget: Arc<Mutex<LogBudget>>,
    ) -> Self {
        let (label, secrets) = (label.to_owned(), Known::of(command));
        Self { pipe, line: Vec::new(), last: None, budget, label, secrets }
    }

    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// The last line that was not blank.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Logs the complete lines that are there. Does not wait.
    pub(super) fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut piece = [0; PIECE_BYTES];
        match pipe.read(&mut piece) {
            Ok(0) => {
                self.pipe = None;
                self.end_line();
            }
            Ok(n) => self.push(&piece[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.pipe = None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // ffmpeg ends its progress lines with a carriage return.
        for (i, piece) in bytes.split(|b| matches!(b, b'\n' | b'\r')).enumerate() {
            if i > 0 {
                self.end_line();
            }
            let room = MAX_LINE_BYTES - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        // Control characters could change the terminal that shows the log.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.line.clear();
        if text.trim().is_empty() {
            return;
        }
        let line = self.secrets.hide(&mask(&text));
        let passed = self.budget.lock().pass(Instant::now());
        log_limit::info(&format!("{} says: {line}", self.label), passed);
        self.last = Some(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_bounded_and_without_passwords() {
        let mut stderr =
            Stderr::new(None, "the command", "cam --login you:TOPSECRET", Arc::default());
        stderr.push(b"one\ntw");
        assert_eq!(stderr.last(), Some("one"));
        stderr.push(b"o\r\r\n  \n");
        assert_eq!(stderr.last(), Some("two"));
        stderr.push(&[b'x'; 3000]);
        stderr.push(&[b'y'; 3000]);
        stderr.push(b"\n");
        assert_eq!(stderr.last(), Some("x".repeat(MAX_LINE_BYTES).as_str()));
        stderr.push(b"\x1b[31mrtsp://me:secret@camera/: \xff\n");
        assert_eq!(stderr.last(), Some("[31mrtsp://***@camera/: \u{fffd}"));
        stderr.push(b"trying TOPSECRET\n");
        assert_eq!(stderr.last(), Some("trying ***"));
    }

    #[test]
    fn budget_of_lines_is_that_of_all_openings() {
        let budget = Arc::<Mutex<LogBudget>>::default();
        for _ in 0..100 {
            let mut stderr = Stderr::new(None, "the command", "cam", Arc::clone(&budget));
            stderr.push(b"a line at each start\n");
        }
        assert_eq!(budget.lock().pass(Instant::now()), None, "it is used up");
    }
}
