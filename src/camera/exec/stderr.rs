//! What a command says on its standard error, line by line to the log.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;
use std::time::Instant;

use crate::log_limit::LogBudget;
use crate::url::mask;

/// A line that is longer is cut.
const MAX_LINE_BYTES: usize = 500;
/// At a time: a command that says without end must not keep pictures waiting.
const PIECE_BYTES: usize = 16 << 10;

/// The lines of one running command.
pub(super) struct Said {
    /// `None` after its end.
    pipe: Option<ChildStderr>,
    line: Vec<u8>,
    last: Option<String>,
    budget: LogBudget,
}

impl Said {
    pub(super) fn new(pipe: Option<ChildStderr>) -> Self {
        Self { pipe, line: Vec::new(), last: None, budget: LogBudget::default() }
    }

    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// The last line that said something.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Logs what is there. Does not wait.
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
        // ffmpeg ends the lines of its progress by a carriage return.
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
        // No control characters into a terminal that shows the log.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.line.clear();
        if text.trim().is_empty() {
            return;
        }
        let line = mask(&text).into_owned();
        self.budget.info(&format!("the command says: {line}"), Instant::now());
        self.last = Some(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_bounded_and_without_passwords() {
        let mut said = Said::new(None);
        said.push(b"one\ntw");
        assert_eq!(said.last(), Some("one"));
        said.push(b"o\r\r\n  \n");
        assert_eq!(said.last(), Some("two"));
        said.push(&[b'x'; 3000]);
        said.push(&[b'y'; 3000]);
        said.push(b"\n");
        assert_eq!(said.last(), Some("x".repeat(MAX_LINE_BYTES).as_str()));
        said.push(b"\x1b[31mrtsp://me:secret@camera/: \xff\n");
        assert_eq!(said.last(), Some("[31mrtsp://***@camera/: \u{fffd}"));
    }
}
