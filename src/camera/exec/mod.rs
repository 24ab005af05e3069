//! A command as a camera: what it writes to its standard output is a stream
//! of JPEGs, one after the other.
//!
//! The command line is the shell's. It runs only while somebody watches.

mod process;
mod said;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::stall::Stall;
use super::{Camera, Cause, Error, Mode};
use crate::frame::{FrameBuf, Taken};
use crate::jpeg::{Fault, Found, Splitter};
use crate::shutdown::Shutdown;
use process::{End, Process};

/// How often a wait looks for the order to stop.
const SLICE: Duration = Duration::from_millis(200);
/// How often capture looks whether pictures are still wanted.
const TURN: Duration = Duration::from_secs(1);
/// What a pipe holds unless it was enlarged.
const PIECE_BYTES: usize = 64 << 10;

/// A running command.
pub(super) struct Exec {
    process: Process,
    splitter: Splitter,
    piece: Vec<u8>,
    stall: Arc<Mutex<Stall>>,
    /// When the last picture ended, or the command began.
    last: Instant,
    n_stale: u64,
    /// Found behind a picture that was given out.
    fault: Option<Fault>,
}

impl Exec {
    pub(super) fn open(
        command: &str,
        stall: Arc<Mutex<Stall>>,
        max_bytes: usize,
    ) -> Result<Self, Error> {
        let process = Process::start(command)
            .map_err(|e| Error::lost(Cause::Io, format!("the command does not start: {e}")))?;
        stall.lock().opened();
        Ok(Self {
            process,
            splitter: Splitter::new(max_bytes),
            piece: vec![0; PIECE_BYTES],
            stall,
            last: Instant::now(),
            n_stale: 0,
            fault: None,
        })
    }

    /// Waits until the command has written something.
    fn wait(&mut self, begun: Instant, stop: &Shutdown) -> Result<(), Error> {
        let patience = self.stall.lock().patience();
        loop {
            if stop.is_ordered() {
                return Err(Error::Stopped);
            }
            if self.last.elapsed() >= patience {
                self.stall.lock().stalled();
                let why = format!("the command stalled, no picture for {patience:?}");
                return Err(Error::lost(Cause::Stalled, self.process.with_last_words(why)));
            }
            if begun.elapsed() >= TURN {
                return Err(Error::NotYet);
            }
            if self.process.wait(SLICE).map_err(|e| io(&e))? {
                return Ok(());
            }
        }
    }

    /// Reads once. Returns how many bytes came; `None`: there are none yet.
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

    /// Copies the newest picture at hand into `frame`; `None`: there is none.
    fn newest_at_hand(&mut self, frame: &mut FrameBuf) -> Option<Taken> {
        let mut taken = None;
        loop {
            match self.splitter.next_jpeg() {
                // A whole one is not given up for what came of another.
                Ok(Some(Found { is_whole: false, .. })) if !frame.jpeg().is_empty() => {
                    self.fault = Some(Fault::Truncated);
                }
                Ok(Some(Found { jpeg, is_whole })) => {
                    self.n_stale += u64::from(!frame.jpeg().is_empty());
                    frame.truncate(0);
                    frame.extend(jpeg);
                    if is_whole {
                        frame.mark_walked();
                    }
                    taken = Some(Taken::now());
                }
                Ok(None) => return taken,
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    /// What lies in the pipe by now may be newer than the picture in `frame`.
    /// What comes while that is read is the next turn's: a command that never
    /// pauses would not be shown at all.
    fn catch_up(&mut self, frame: &mut FrameBuf) -> Option<Taken> {
        let (mut newest, mut n_left) = (None, self.process.n_waiting());
        while n_left > 0 {
            let Ok(Some(n @ 1..)) = self.read() else { break };
            n_left = n_left.saturating_sub(n);
            newest = self.newest_at_hand(frame).or(newest);
        }
        newest
    }

    /// Why there is nothing more to read.
    fn ended(&mut self, stop: &Shutdown) -> Error {
        let (cause, why) = match self.process.end(stop) {
            // What the shell says of a command that it does not find or may not start.
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
        Error::lost(cause, self.process.with_last_words(why))
    }
}

impl Camera for Exec {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        let begun = Instant::now();
        loop {
            if let Some(fault) = self.fault.take() {
                return Err(Error::BadFrame(fault));
            }
            self.process.hear(stop);
            self.wait(begun, stop)?;
            if self.read().map_err(|e| io(&e))? == Some(0) {
                if let Some(cut) = self.splitter.take_rest() {
                    // The end comes again at the next call.
                    frame.extend(cut);
                    return Ok(Taken::now());
                }
                return Err(self.ended(stop));
            }
            if let Some(taken) = self.newest_at_hand(frame) {
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

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }
}

fn io(error: &std::io::Error) -> Error {
    Error::lost(Cause::Io, format!("the command's output cannot be read: {error}"))
}
