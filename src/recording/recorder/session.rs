//! The time from opening the folder to the end or the first error.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::before::Before;
use super::gate::{Gate, LATEST, Woken};
use super::output::Output;
use crate::capture::Reader;
use crate::rate::Pace;
use crate::recording::Shared;
use crate::recording::status::State;
use crate::slot::Newer;

/// How often the recorder checks whether it was switched off, and whether a sync is
/// due, while no frame comes.
const CHECK_EVERY: Duration = LATEST;

/// Why a recording ended without an error.
pub(super) enum End {
    SwitchedOff,
    /// No frame will come any more.
    Closed,
}

pub(super) struct Session<'a> {
    shared: &'a Shared,
    pub(super) output: Output<'a>,
    /// What was not recorded yet.
    before: Before,
    /// Whether the gate is open; `None` before the first look.
    is_open: Option<bool>,
    pace: Pace,
    /// The last frame that was taken.
    seen: u64,
    /// Whether no frame was taken since the gate opened or closed. Those between were
    /// not missed.
    is_first: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, output: Output<'a>) -> Self {
        let before = Before::new(shared.config.on_motion);
        let pace = Pace::new(shared.config.fps);
        Self { shared, output, before, is_open: None, pace, seen: 0, is_first: true }
    }

    /// Records whenever the gate is open, until it is switched off or no frame comes any
    /// more.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(super) fn record(
        &mut self,
        reader: &Reader,
        wakeup: &Receiver<()>,
        gate: &mut Gate,
    ) -> io::Result<End> {
        let end = loop {
            if !self.shared.is_wanted() {
                break End::SwitchedOff;
            }
            let now = Instant::now();
            let is_open = self.shared.is_always() || gate.is_open(now);
            if self.is_open.replace(is_open) != Some(is_open) {
                self.turn(is_open, gate.begun().unwrap_or(now))?;
            }
            // One by one, so that no new frame is missed meanwhile.
            if is_open && let Some(frame) = self.before.pop() {
                self.output.write(&frame, 0)?;
            }
            self.output.sync_if_due()?;
            let has_backlog = is_open && !self.before.is_empty();
            let needs_none = !is_open && !self.before.is_kept();
            let pause = reader.wait_at(&self.pace).or(needs_none.then_some(CHECK_EVERY));
            let is_closed = match pause {
                Some(_) if has_backlog => false,
                Some(pause) => reader.pause(|| gate.wait(wakeup, pause)) == Woken::Closed,
                None => !self.take(reader, is_open, has_backlog)?,
            };
            if is_closed {
                break End::Closed;
            }
        };
        if self.is_open == Some(true) {
            self.write_backlog()?;
        }
        Ok(end)
    }

    /// Begins a stretch, for what began at `begun`, or ends one.
    fn turn(&mut self, is_open: bool, begun: Instant) -> io::Result<()> {
        self.is_first = true;
        if is_open {
            self.before.prune(begun);
            if self.before.is_empty() {
                // The first picture comes at once, or a short motion would have none.
                self.pace = Pace::new(self.shared.config.fps);
            }
            return Ok(());
        }
        // A disk that is slow may still owe the beginning.
        self.write_backlog()?;
        self.output.end_segment()?;
        self.shared.stats.set(State::Waiting);
        Ok(())
    }

    fn write_backlog(&mut self) -> io::Result<()> {
        while let Some(frame) = self.before.pop() {
            self.output.write(&frame, 0)?;
        }
        Ok(())
    }

    /// Waits for the next frame. `false`: none will come any more.
    fn take(&mut self, reader: &Reader, is_open: bool, has_backlog: bool) -> io::Result<bool> {
        let timeout = if has_backlog { Duration::ZERO } else { CHECK_EVERY };
        match reader.wait_newer_at(&self.pace, self.seen, timeout) {
            // A status picture says why the camera shows nothing. It does not come
            // from the camera, so it is not recorded.
            Newer::Frame { frame, .. } if frame.meta.is_status => self.seen = frame.meta.seq,
            Newer::Frame { frame, skipped, .. } => {
                // With `--record-fps`, frames are left out on purpose.
                let is_on_purpose = self.shared.config.fps.is_some() || self.is_first;
                let skipped = if is_on_purpose { 0 } else { skipped };
                self.is_first = false;
                self.seen = frame.meta.seq;
                self.pace.sent(frame.meta.at.monotonic);
                if has_backlog {
                    self.shared.stats.count_skipped(skipped);
                    self.before.push(frame);
                } else if is_open {
                    self.output.write(&frame, skipped)?;
                } else {
                    self.before.keep(frame, &self.shared.config.name);
                }
            }
            // A segment of a camera that has stalled ends, so that it can be handed over.
            Newer::Timeout if !has_backlog && self.output.is_stale() => {
                self.output.end_segment()?;
            }
            Newer::Timeout => {}
            Newer::Closed => return Ok(false),
        }
        Ok(true)
    }
}
