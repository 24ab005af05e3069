//! A stream to one viewer: the newest picture, as fast as it takes them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::reply::{Code, Head};
use super::route::{Layout, StreamRequest};
use super::viewers::{Seat, Viewer};
use crate::capture::Reader;
use crate::frame::{DELIMITER, Frame, SHORT_HEADERS};
use crate::shutdown::Shutdown;
use crate::slot::Newer;

/// With no new picture for a second, the last one goes out again: Chromium
/// and WebKit hold the last part of layout B back until another comes, and
/// proxies and readers give up on a silent stream. A fifth is added so that a
/// camera of one picture a second is not sent twice.
const REPEAT_AFTER: Duration = Duration::from_millis(1200);

/// How often a viewer that wants few pictures is looked after...
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// ...and sent the last one again.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The head of a stream. The body ends with the connection.
pub(super) fn head(request: &StreamRequest, allow_origin: Option<&str>) -> Vec<u8> {
    let content_type = if request.is_raw {
        "application/octet-stream"
    } else {
        // `boundary` first, last, unquoted and without dashes: Gecko, ffmpeg,
        // ZoneMinder and aiohttp each take no other form.
        "multipart/x-mixed-replace; boundary=frame"
    };
    Head::new(Code::Ok, allow_origin)
        .with("Content-Type", content_type)
        .never_stored()
        // nginx would hold pictures back until its buffers are full.
        .with("X-Accel-Buffering", "no")
        .finish()
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
        let mut opening = head(self.request, allow_origin);
        opening.extend_from_slice(DELIMITER);
        if self.request.layout == Layout::Advance {
            opening.extend_from_slice(SHORT_HEADERS);
        }
        self.client.write(&opening, &[], self.write_timeout)?;
        let mut last: Option<Arc<Frame>> = None;
        let mut pace = Pace::new(self.request.fps);
        loop {
            if self.rest(&pace, last.as_deref())? {
                return Ok(());
            }
            let seen = last.as_ref().map_or(0, |frame| frame.meta.seq);
            match self.reader.wait_newer(seen, REPEAT_AFTER) {
                Newer::Frame { frame, skipped } => {
                    // What a viewer did not want is not what it missed.
                    let skipped = if self.request.fps.is_some() { 0 } else { skipped };
                    self.send(&frame, skipped)?;
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
    /// writing to it. `true`: the program stops.
    fn rest(&self, pace: &Pace, last: Option<&Frame>) -> io::Result<bool> {
        let mut sign_at = Instant::now() + SIGN_OF_LIFE;
        while let Some(wait) = pace.wait(Instant::now()) {
            if self.reader.rest(|| self.stop.wait_for(wait.min(LOOK_EVERY))) {
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
        let n_bytes = self.write(frame)?;
        self.viewer().repeated(n_bytes);
        Ok(())
    }

    fn viewer(&self) -> &Viewer {
        &self.seat.viewer
    }

    fn send(&self, frame: &Frame, skipped: u64) -> io::Result<()> {
        match self.write(frame)? {
            0 => self.viewer().skipped(skipped + 1),
            n_bytes => self.viewer().sent(n_bytes, skipped, frame.meta.at.taken),
        }
        Ok(())
    }

    /// Writes a part, by one system call, and returns its length: 0 for a
    /// picture that this layout cannot carry.
    fn write(&self, frame: &Frame) -> io::Result<usize> {
        let extra;
        let (head, body) = match self.request.layout {
            Layout::Advance if frame.holds_delimiter() => return Ok(0),
            Layout::Advance => (&[][..], frame.advance()),
            Layout::Full if self.request.has_extra_headers => {
                extra = self.extra_headers(frame);
                (extra.as_bytes(), frame.jpeg_and_delimiter())
            }
            Layout::Full => (&[][..], frame.full()),
        };
        self.client.write(head, body, self.write_timeout)?;
        Ok(head.len() + body.len())
    }

    /// uStreamer's headers, as far as there is something to say. Each line is
    /// below the 127 bytes that ffmpeg takes.
    fn extra_headers(&self, frame: &Frame) -> String {
        let report = self.viewer().report();
        let age = frame.meta.at.taken.elapsed().as_secs_f64();
        format!(
            "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}\r\n\
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

/// When the next picture may go out, for a viewer that wants few.
#[derive(Debug)]
struct Pace {
    interval: Option<Duration>,
    due: Option<Instant>,
}

impl Pace {
    fn new(fps: Option<f64>) -> Self {
        Self { interval: fps.map(|fps| Duration::from_secs_f64(1.0 / fps)), due: None }
    }

    /// How long to hold back; `None`: not at all.
    fn wait(&self, now: Instant) -> Option<Duration> {
        self.due.and_then(|due| due.checked_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Counts on from when the picture was due, so that the rate is met on
    /// average; but not from long ago, so that there is never a burst.
    fn sent(&mut self, now: Instant) {
        self.due = self.interval.map(|interval| {
            let due = self.due.unwrap_or(now) + interval;
            if due < now { now + interval } else { due }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_met_on_average_and_never_made_up_for() {
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        let mut pace = Pace::new(Some(10.0));
        assert_eq!(pace.wait(start), None);
        pace.sent(start);
        assert_eq!(pace.wait(start), Some(Duration::from_millis(100)));
        pace.sent(ms(130));
        assert_eq!(pace.due, Some(ms(200)));
        pace.sent(ms(900));
        assert_eq!(pace.due, Some(ms(1000)));
        let mut free = Pace::new(None);
        free.sent(start);
        assert_eq!(free.wait(start), None);
    }
}
