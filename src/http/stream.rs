//! A stream to one viewer: the newest picture, as fast as it takes them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::direct::{self, Direct};
use super::reply::{Code, Head};
use super::route::{Layout, StreamRequest};
use super::viewers::{Seat, Viewer};
use crate::capture::Reader;
use crate::frame::{DELIMITER, Frame, SHORT_HEADERS, STREAM_TYPE, UP_TO_LENGTH, UP_TO_TIMESTAMP};
use crate::rate::Pace;
use crate::recording::{Micros, micros};
use crate::shutdown::Shutdown;
use crate::slot::Newer;

/// With no new picture for a second, the last one goes out again: Chromium
/// and WebKit hold the last part of layout B back until another comes, and
/// proxies and readers give up on a silent stream. A fifth is added so that a
/// camera of one picture a second is not sent twice.
pub(super) const REPEAT_AFTER: Duration = Duration::from_millis(1200);

/// How often a viewer that wants few pictures is looked after...
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// ...and sent the last one again.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The head of a stream. The body ends with the connection.
pub(super) fn head(request: &StreamRequest, allow_origin: Option<&str>) -> Vec<u8> {
    let content_type = if request.is_raw { "application/octet-stream" } else { STREAM_TYPE };
    Head::new(Code::Ok, allow_origin)
        .with("Content-Type", content_type)
        .never_stored()
        // nginx would hold pictures back until its buffers are full.
        .with("X-Accel-Buffering", "no")
        .finish()
}

/// The head, and what stands before the first JPEG.
pub(super) fn opening(request: &StreamRequest, allow_origin: Option<&str>) -> Vec<u8> {
    let mut opening = head(request, allow_origin);
    opening.extend_from_slice(DELIMITER);
    if request.layout == Layout::Advance {
        opening.extend_from_slice(SHORT_HEADERS);
    }
    opening
}

/// What one stream needs.
pub(super) struct Stream<'a> {
    pub(super) client: &'a Connection,
    pub(super) request: &'a StreamRequest,
    pub(super) seat: &'a Seat,
    pub(super) reader: Reader,
    pub(super) write_timeout: Duration,
    pub(super) stop: &'a Shutdown,
}

impl Stream<'_> {
    /// Serves the viewer until it leaves, stalls, or the program stops.
    ///
    /// # Errors
    /// Why the viewer could not be written to.
    pub(super) fn run(&self, allow_origin: Option<&str>) -> io::Result<()> {
        self.client.write(&opening(self.request, allow_origin), &[], self.write_timeout)?;
        self.go_on(None)
    }

    /// Serves a viewer that has had pictures already, the last one taken at
    /// `after`.
    ///
    /// # Errors
    /// As [`Stream::run`].
    pub(super) fn go_on(&self, after: Option<Micros>) -> io::Result<()> {
        if self.request.fps.is_none() && !self.request.has_extra_headers {
            self.be_served(after)
        } else {
            self.serve(after)
        }
    }

    /// Leaves the writing to the thread that publishes, but for what a viewer
    /// does not take at once.
    fn be_served(&self, after: Option<Micros>) -> io::Result<()> {
        let direct = Direct {
            socket: self.client.at_once(),
            layout: self.request.layout,
            viewer: Arc::clone(&self.seat.viewer),
        };
        let subscription = self.reader.subscribe(Box::new(direct));
        loop {
            match subscription.wait(REPEAT_AFTER) {
                // It was in the slot already, and so is not handed over.
                Newer::Frame { frame, .. } if after == Some(micros(frame.meta.at.wall)) => {}
                Newer::Frame { frame, skipped, n_sent } => self.send(&frame, skipped, n_sent)?,
                Newer::Timeout => {
                    self.client.look()?;
                    subscription.last().map_or(Ok(()), |frame| self.repeat(&frame))?;
                }
                Newer::Closed => return Ok(()),
            }
        }
    }

    /// Writes all that the viewer gets: one that wants few pictures or headers
    /// of its own.
    fn serve(&self, after: Option<Micros>) -> io::Result<()> {
        let mut seen = 0;
        let mut last: Option<Arc<Frame>> = None;
        let mut pace = Pace::new(self.request.fps);
        loop {
            if self.rest(&pace, last.as_deref())? {
                return Ok(());
            }
            match self.reader.wait_newer(seen, REPEAT_AFTER) {
                Newer::Frame { frame, .. }
                    if seen == 0 && after == Some(micros(frame.meta.at.wall)) =>
                {
                    seen = frame.meta.seq;
                }
                Newer::Frame { frame, skipped, .. } => {
                    seen = frame.meta.seq;
                    // What a viewer did not want is not what it missed.
                    let skipped = if self.request.fps.is_some() { 0 } else { skipped };
                    self.send(&frame, skipped, 0)?;
                    last = Some(frame);
                    pace.sent(Instant::now());
                }
                Newer::Timeout => {
                    self.client.look()?;
                    last.as_deref().map_or(Ok(()), |frame| self.repeat(frame))?;
                }
                Newer::Closed => return Ok(()),
            }
        }
    }

    /// Holds back until the next picture may go out. A viewer that wants few
    /// is sent the last one again now and then: that it left is seen only by
    /// writing to it. `true`: the camera is there no more or the program stops.
    fn rest(&self, pace: &Pace, last: Option<&Frame>) -> io::Result<bool> {
        let mut sign_at = Instant::now() + SIGN_OF_LIFE;
        while let Some(wait) = pace.wait(Instant::now()) {
            let stops = self.reader.pause(|| self.stop.wait_for(wait.min(LOOK_EVERY)));
            if stops || self.reader.is_closed() {
                return Ok(true);
            }
            self.client.look()?;
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

    fn send(&self, frame: &Frame, skipped: u64, n_taken: usize) -> io::Result<()> {
        match self.write(frame, n_taken)? {
            0 => self.viewer().skipped(skipped + 1),
            n_bytes => self.viewer().sent(n_bytes, skipped, frame.meta.at.monotonic),
        }
        Ok(())
    }

    /// Writes a part, of which the viewer has `n_taken` bytes already, by one
    /// system call, and returns its length: 0 for a picture that this layout
    /// cannot carry.
    fn write(&self, frame: &Frame, n_taken: usize) -> io::Result<usize> {
        let extra;
        let (head, body) = if self.request.has_extra_headers {
            extra = self.extra_headers(frame);
            (extra.as_bytes(), frame.jpeg_and_delimiter())
        } else {
            match direct::part(self.request.layout, frame) {
                Some(part) => (&[][..], part),
                None => return Ok(0),
            }
        };
        self.client.write(head, &body[n_taken..], self.write_timeout)?;
        Ok(head.len() + body.len())
    }

    /// uStreamer's headers, as far as there is something to say. Each line is
    /// below the 127 bytes that ffmpeg takes.
    fn extra_headers(&self, frame: &Frame) -> String {
        let report = self.viewer().report();
        let age = frame.meta.at.monotonic.elapsed().as_secs_f64();
        format!(
            "{UP_TO_LENGTH}{}{UP_TO_TIMESTAMP}{}\r\n\
             X-UStreamer-Online: {}\r\nX-UStreamer-Dropped: {}\r\n\
             X-UStreamer-Width: {}\r\nX-UStreamer-Height: {}\r\n\
             X-UStreamer-Client-FPS: {:.0}\r\nX-UStreamer-Grab-End-Time: {}\r\n\
             X-UStreamer-Latency: {age:.6}\r\n\r\n",
            frame.jpeg().len(),
            frame.timestamp(),
            !frame.meta.is_status,
            report.served.n_skipped,
            frame.meta.width,
            frame.meta.height,
            report.fps,
            frame.timestamp(),
        )
    }
}
