//! The one place that prints: results to the standard output; the error of the
//! program, behind the last line of the log, and the progress of a subcommand
//! to the standard error.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{Error, hints};
use crate::log_queue::LogQueue;
use crate::url::{mask, mask_error};

/// Fast enough to look alive, and slow enough to be read.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Prints what is not a line of the log.
pub(super) struct Output {
    log: Option<LogQueue>,
}

impl Output {
    /// `log`: the queue that the log goes through, so that an error is printed
    /// after the lines before it.
    pub(super) fn new(log: Option<LogQueue>) -> Self {
        Self { log }
    }

    /// Prints the result of a subcommand.
    ///
    /// # Errors
    /// The standard output is closed or full. `println!` would panic.
    pub(super) fn print(&self, text: &str) -> Result<(), Error> {
        let written = stdout().write_all(text.as_bytes());
        Ok(written.context("cannot write to the standard output")?)
    }

    /// Prints the one error of the program.
    pub(super) fn print_error(&mut self, error: &Error) {
        let line = format!("mjpegd: {}\n", mask_error(&error.to_string()));
        // A closed standard error must not change the exit code, as the panic
        // of `eprintln!` would.
        let _ = match &mut self.log {
            Some(queue) => queue.write_all(line.as_bytes()),
            None => stderr().write_all(line.as_bytes()),
        };
    }

    /// Waits until everything is printed, for at most a second: a stopped
    /// terminal takes nothing.
    pub(super) fn flush(&self) {
        if let Some(queue) = &self.log {
            queue.flush_soon();
        }
    }
}

/// Ends the process with what clap says: the help, or an error without the
/// secrets in the arguments that it repeats.
#[expect(clippy::exit, reason = "nothing has been started yet")]
pub(super) fn exit_with(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let hint = hints::of(error).map_or_else(String::new, |hint| hint + "\n");
    // Without colours, because the text is not clap's any more.
    let _ = stderr().write_all(mask(&(error.to_string() + &hint)).as_bytes());
    process::exit(error.exit_code())
}

/// Prints a text that was asked for and returns the exit code of the program.
pub(super) fn print_and_exit(text: &str) -> ExitCode {
    // A reader that has seen enough, such as `head`, is no failure.
    let _ = stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Prints why a command line of another program cannot be used, and returns the
/// exit code that those programs have.
pub(super) fn refuse(error: &str) -> ExitCode {
    let _ = writeln!(stderr(), "{error}");
    ExitCode::FAILURE
}

/// A line that shows how far the work is: the last one on the standard error,
/// written over again and again. Nothing is shown if that is no terminal.
pub(super) struct Progress {
    is_terminal: bool,
    due: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), due: Instant::now() }
    }

    /// Shows what `text` returns, at most five times a second.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_terminal && Instant::now() >= self.due {
            self.due = Instant::now() + PROGRESS_INTERVAL;
            self.write(&text());
        }
    }

    /// Clears the line, so that something else can be printed.
    pub(super) fn clear(&mut self) {
        if self.is_terminal {
            self.write("");
        }
    }

    /// Cuts the text to the width of the terminal: a line that wraps could not
    /// be written over.
    fn write(&self, text: &str) {
        let width = rustix::termios::tcgetwinsize(stderr()).map_or(80, |size| size.ws_col);
        let width = if width == 0 { 80 } else { usize::from(width) };
        let text: String = text.chars().take(width - 1).collect();
        // A line that cannot be shown is no reason to stop the work.
        let _ = write!(stderr(), "\r\x1b[2K{text}");
    }
}
