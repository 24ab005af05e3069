//! The live picture to one viewer: the newest one, as fast as it takes them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::{self, Delivery};
use super::options::StreamOptions;
use super::{CHECK_EVERY, REPEAT_AFTER};
use crate::capture::Reader;
use crate::frame::{Frame, HEADERS_END, UP_TO_LENGTH, UP_TO_TIMESTAMP};
use crate::http::transport::StreamSocket;
use crate::http::ustreamer::monotonic;
use crate::http::viewer::{Extras, Layout, Viewer};
use crate::http::viewers::Seat;
use crate::rate::Pace;
use crate::recording::{Micros, micros};
use crate::shutdown::Shutdown;
use crate::slot::Newer;

/// Without a new picture for this long the last one was the final one of a
/// series: a still scene, of which `--drop-same-frames` drops the rest. WebKit
/// paints it when it comes once more (uStreamer's `dual_final_frames`).
const FINAL_AFTER: Duration = Duration::from_millis(100);
/// How often a viewer that asked for few pictures gets the last one again.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// What one live stream needs.
pub(super) struct Live<'a> {
    pub(super) socket: &'a StreamSocket,
    pub(super) options: &'a StreamOptions,
    pub(super) seat: &'a Seat,
    pub(super) reader: Reader,
    pub(super) write_timeout: Duration,
    pub(super) stop: &'a Shutdown,
}

impl Live<'_> {
    /// Serves the viewer until it leaves, stalls, the camera is removed, or the
    /// program stops. A viewer of a recording has had the picture taken at
    /// `after` already.
    ///
    /// # Errors
    /// Why the viewer could not be written to.
    pub(super) fn run(&self, after: Option<Micros>) -> io::Result<()> {
        if self.options.fps.is_none() && self.options.info.extras == Extras::default() {
            self.run_delivered(after)
        } else {
            self.run_alone(after)
        }
    }

    /// Leaves the writing to the thread that publishes, except for what the
    /// viewer does not take at once.
    fn run_delivered(&self, after: Option<Micros>) -> io::Result<()> {
        let delivery =
            Delivery { socket: self.socket.non_blocking(), viewer: Arc::clone(&self.seat.viewer) };
        let subscription = self.reader.subscribe(Box::new(delivery));
        self.socket.on_cut(subscription.closer());
        loop {
            match subscription.wait(REPEAT_AFTER) {
                // The recording's last picture was in the slot already.
                Newer::Frame { frame, .. } if after == Some(micros(frame.meta.at.wall)) => {}
                Newer::Frame { frame, skipped, n_sent } => self.send(&frame, skipped, n_sent)?,
                Newer::Timeout => {
                    self.socket.check_peer()?;
                    subscription.last().map_or(Ok(()), |frame| self.repeat(&frame))?;
                }
                // The camera was removed, or the client has left.
                Newer::Closed => return self.socket.check_peer(),
            }
        }
    }

    /// Writes everything on this thread, for a viewer that asked for few pictures
    /// or for something of its own.
    fn run_alone(&self, after: Option<Micros>) -> io::Result<()> {
        let mut seen = 0;
        let mut last: Option<Arc<Frame>> = None;
        let mut pace = Pace::new(self.options.fps);
        let is_final_dual = self.options.info.extras.dual_final_frames;
        let mut repeat_after = REPEAT_AFTER;
        loop {
            if self.pause(&pace, last.as_deref())? {
                return Ok(());
            }
            match self.reader.wait_newer_at(&pace, seen, repeat_after) {
                Newer::Frame { frame, .. }
                    if seen == 0 && after == Some(micros(frame.meta.at.wall)) =>
                {
                    seen = frame.meta.seq;
                }
                Newer::Frame { frame, skipped, .. } => {
                    seen = frame.meta.seq;
                    // Pictures that the viewer did not ask for are not missed.
                    let skipped = if self.options.fps.is_some() { 0 } else { skipped };
                    self.send(&frame, skipped, 0)?;
                    pace.sent(frame.meta.at.monotonic);
                    last = Some(frame);
                    repeat_after = if is_final_dual { FINAL_AFTER } else { REPEAT_AFTER };
                }
                Newer::Timeout => {
                    self.socket.check_peer()?;
                    last.as_deref().map_or(Ok(()), |frame| self.repeat(frame))?;
                    repeat_after = REPEAT_AFTER;
                }
                Newer::Closed => return Ok(()),
            }
        }
    }

    /// Waits until the next picture may go out, and sends the last one again
    /// now and then: only a write shows that a viewer has left. `true`: the
    /// camera was removed or the program stops.
    fn pause(&self, pace: &Pace, last: Option<&Frame>) -> io::Result<bool> {
        let mut sign_at = Instant::now() + SIGN_OF_LIFE;
        while let Some(wait) = self.reader.wait_at(pace) {
            // A paused reader wants no frames, so that a raw camera that only such
            // viewers watch does not encode what nobody takes.
            let stops = self.reader.pause(|| self.stop.wait_for(wait.min(CHECK_EVERY)));
            if stops || self.reader.is_closed() {
                return Ok(true);
            }
            self.socket.check_peer()?;
            if let Some(frame) = last.filter(|_| Instant::now() >= sign_at) {
                self.repeat(frame)?;
                sign_at = Instant::now() + SIGN_OF_LIFE;
            }
        }
        Ok(false)
    }

    fn repeat(&self, frame: &Frame) -> io::Result<()> {
        let n_bytes = self.write(frame, 0)?;
        self.viewer().repeated(n_bytes);
        Ok(())
    }

    fn viewer(&self) -> &Viewer {
        &self.seat.viewer
    }

    fn send(&self, frame: &Frame, skipped: u64, n_sent: usize) -> io::Result<()> {
        match self.write(frame, n_sent)? {
            0 => self.viewer().skipped(skipped + 1),
            n_bytes => self.viewer().sent(n_bytes, skipped, frame.meta.at.monotonic),
        }
        Ok(())
    }

    /// Writes a part, of which the viewer has `n_sent` bytes already, by one
    /// system call. Returns its length in bytes, or 0 for a picture that this
    /// layout cannot carry.
    fn write(&self, frame: &Frame, n_sent: usize) -> io::Result<usize> {
        let Extras { extra_headers, zero_data, .. } = self.options.info.extras;
        if zero_data || (extra_headers && self.options.info.layout == Layout::Full) {
            return self.write_own(frame);
        }
        let Some(part) = delivery::part(self.options.info.layout, frame) else { return Ok(0) };
        self.socket.write(&[], &part[n_sent..], self.write_timeout)?;
        Ok(part.len())
    }

    /// Writes a part that only this viewer has. Returns its length in bytes.
    // Not inlined: what it takes of the stack would be taken from all viewers.
    #[inline(never)]
    fn write_own(&self, frame: &Frame) -> io::Result<usize> {
        let Extras { extra_headers, zero_data, .. } = self.options.info.extras;
        let n_jpeg_bytes = frame.jpeg().len();
        // The advance layout has the headers of the next part behind the JPEG, and
        // none of its own before it.
        let (head, tail) = match self.options.info.layout {
            Layout::Advance => (String::new(), frame.advance()),
            Layout::Full => {
                let length = if zero_data { 0 } else { n_jpeg_bytes };
                let timestamp = frame.timestamp();
                let extra = if extra_headers { self.extra_headers(frame) } else { String::new() };
                let head = format!(
                    "{UP_TO_LENGTH}{length}{UP_TO_TIMESTAMP}{timestamp}{extra}{HEADERS_END}"
                );
                (head, frame.jpeg_and_delimiter())
            }
        };
        let body = if zero_data { &tail[n_jpeg_bytes..] } else { tail };
        self.socket.write(head.as_bytes(), body, self.write_timeout)?;
        Ok(head.len() + body.len())
    }

    /// uStreamer's headers, those that have a meaning here, each behind the end of
    /// the line before it. Each line is shorter than the 127 bytes that ffmpeg
    /// takes.
    fn extra_headers(&self, frame: &Frame) -> String {
        let report = self.viewer().report();
        let taken = frame.meta.at.monotonic;
        let (grabbed, sent) = (monotonic(taken), monotonic(Instant::now()));
        format!(
            "\r\nX-UStreamer-Online: {}\r\nX-UStreamer-Dropped: {}\r\n\
             X-UStreamer-Width: {}\r\nX-UStreamer-Height: {}\r\n\
             X-UStreamer-Client-FPS: {:.0}\r\nX-UStreamer-Grab-Begin-Time: {grabbed}\r\n\
             X-UStreamer-Grab-End-Time: {grabbed}\r\nX-UStreamer-Send-Time: {sent}\r\n\
             X-UStreamer-Latency: {:.6}",
            !frame.meta.is_status,
            report.served.n_skipped,
            frame.meta.width,
            frame.meta.height,
            report.fps,
            taken.elapsed().as_secs_f64(),
        )
    }
}
