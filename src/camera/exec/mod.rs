//! A command as a camera: it writes concatenated JPEGs to its standard output.
//!
//! The shell interprets the command line. The command runs only while capture has
//! readers.

mod source;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::stall::Stall;
use super::{Cause, Driver, Error};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::{self, Found, Splitter};
use crate::log_limit::LogBudget;
use crate::mode::Mode;
use crate::process::{End, Process, SHELL};
use crate::shutdown::Shutdown;
pub(super) use source::KIND;

/// How often a wait checks for the order to stop.
const SLICE: Duration = Duration::from_millis(200);
/// How long a call waits before it returns [`Error::NotYet`], so that capture can check
/// whether frames are still wanted.
const NOT_YET_AFTER: Duration = Duration::from_secs(1);
/// The capacity of a pipe, unless it was enlarged (pipe(7)).
const PIECE_BYTES: usize = 64 << 10;

/// What the system has to have for a command to run.
const NEEDED: [&str; 2] = [SHELL, "/dev/null"];

/// What all openings of one camera share.
#[derive(Clone)]
struct Lasting {
    stall: Arc<Mutex<Stall>>,
    /// For what the command writes to standard error.
    log: Arc<Mutex<LogBudget>>,
}

/// A running command.
struct Exec {
    process: Process,
    splitter: Splitter,
    piece: Vec<u8>,
    stall: Arc<Mutex<Stall>>,
    /// When the last frame was complete, or the command was started.
    last: Instant,
    n_stale: u64,
    /// The error of a later picture, kept for the next call: this one returned a
    /// good frame.
    bad_frame: Option<jpeg::Error>,
}

impl Exec {
    fn open(
        command: &str,
        Lasting { stall, log }: Lasting,
        max_bytes: usize,
    ) -> Result<Self, Error> {
        let process = Process::start(command, log).map_err(|e| {
            // A container may hold nothing but this program.
            let missing = NEEDED.iter().find(|path| !Path::new(path).exists());
            let why = missing.map_or(e.to_string(), |path| format!("there is no {path} here"));
            Error::lost(Cause::Io, format!("cannot start the command: {why}"))
        })?;
        stall.lock().opened();
        Ok(Self {
            process,
            splitter: Splitter::new(max_bytes),
            piece: vec![0; PIECE_BYTES],
            stall,
            last: Instant::now(),
            n_stale: 0,
            bad_frame: None,
        })
    }

    /// Waits until the command has written something, at most until [`NOT_YET_AFTER`] after
    /// `begun`.
    fn wait(&mut self, begun: Instant, stop: &Shutdown) -> Result<(), Error> {
        let patience = self.stall.lock().patience();
        loop {
            if stop.is_ordered() {
                return Err(Error::Stopped);
            }
            if self.last.elapsed() >= patience {
                self.stall.lock().stalled();
                let why = format!("the command stalled, no picture for {patience:?}");
                return Err(Error::lost(Cause::Stalled, self.process.with_last_line(why)));
            }
            // Capture has to learn that there is no frame, or it could not end this wait
            // when the last reader leaves.
            if begun.elapsed() >= NOT_YET_AFTER {
                return Err(Error::NotYet);
            }
            if self.process.wait(SLICE).map_err(|e| io(&e))? {
                return Ok(());
            }
        }
    }

    /// Reads once. Returns the number of bytes, `None` if there are none yet.
    fn read(&mut self) -> std::io::Result<Option<usize>> {
        match self.process.read(&mut self.piece) {
            Ok(n) => {
                self.splitter.push(&self.piece[..n]);
                Ok(Some(n))
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Copies the newest complete JPEG into `frame`; `None` if there is none.
    fn newest_complete(&mut self, frame: &mut FrameBuf) -> Option<Timestamp> {
        let mut taken = None;
        loop {
            match self.splitter.next_jpeg() {
                // A whole picture is better than a part of a newer one.
                Ok(Some(Found { is_whole: false, .. })) if !frame.jpeg().is_empty() => {
                    self.bad_frame = Some(jpeg::Error::Truncated);
                }
                Ok(Some(Found { jpeg, is_whole })) => {
                    self.n_stale += u64::from(!frame.jpeg().is_empty());
                    frame.truncate(0);
                    frame.extend(jpeg);
                    if is_whole {
                        frame.mark_walked();
                    }
                    taken = Some(Timestamp::now());
                }
                Ok(None) => return taken,
                Err(why) => self.bad_frame = Some(why),
            }
        }
    }

    /// Replaces `frame` if the pipe holds a newer JPEG. Reads only the bytes that are
    /// in the pipe now: behind a command that writes faster than it is read, reading
    /// until the pipe is empty would never end.
    fn catch_up(&mut self, frame: &mut FrameBuf) -> Option<Timestamp> {
        let (mut newest, mut n_left) = (None, self.process.n_waiting());
        while n_left > 0 {
            let Ok(Some(n @ 1..)) = self.read() else { break };
            n_left = n_left.saturating_sub(n);
            newest = self.newest_complete(frame).or(newest);
        }
        newest
    }

    /// Why the output ended.
    fn ended(&mut self, stop: &Shutdown) -> Error {
        let (cause, why) = match self.process.end(stop) {
            // The shell's exit codes for a command that it cannot find or execute.
            Some(End::Code(code @ 126..=127)) => {
                (Cause::NoDevice, format!("the command ended with status {code}"))
            }
            Some(End::Code(code)) => {
                (Cause::Ended, format!("the command ended with status {code}"))
            }
            Some(End::Signal(signal)) => {
                (Cause::Ended, format!("the command was ended by signal {signal}"))
            }
            None => (Cause::Ended, "the command closed its output".into()),
        };
        Error::lost(cause, self.process.with_last_line(why))
    }
}

impl Driver for Exec {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        let begun = Instant::now();
        loop {
            if let Some(why) = self.bad_frame.take() {
                return Err(Error::BadFrame(why));
            }
            // Before anything that can fail, since an error drops the process.
            self.process.set_shutdown(stop);
            self.wait(begun, stop)?;
            if self.read().map_err(|e| io(&e))? == Some(0) {
                if let Some(cut) = self.splitter.take_rest() {
                    // The next call reads the end again.
                    frame.extend(cut);
                    return Ok(Timestamp::now());
                }
                return Err(self.ended(stop));
            }
            if let Some(taken) = self.newest_complete(frame) {
                let taken = self.catch_up(frame).unwrap_or(taken);
                self.last = Instant::now();
                self.stall.lock().picture(self.last);
                return Ok(taken);
            }
        }
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }

    fn may_relay(&self) -> bool {
        true
    }

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }
}

fn io(error: &std::io::Error) -> Error {
    Error::lost(Cause::Io, format!("cannot read the command's output: {error}"))
}
