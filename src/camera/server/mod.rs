//! Another server as a camera: its MJPEG stream in any dialect, or a single
//! picture that is requested again and again. So a relay is a camera.
//!
//! The connection exists only while capture has readers, so in a chain of relays no
//! camera is on unless somebody watches at its end.

mod clock;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::pacer::Pacer;
use super::{Cause, Driver, Error};
use crate::fetch::{self, Fault, Fetcher};
use crate::frame::{FrameBuf, Timestamp};
use crate::mode::Mode;
use crate::pictures::{Next, Reader, Repeat};
use crate::shutdown::Shutdown;
use crate::url::Url;

/// How long a call waits before it returns [`Error::NotYet`], so that capture can check
/// whether frames are still wanted.
const NOT_YET_AFTER: Duration = Duration::from_secs(1);
/// A server that takes longer to send its response headers is considered dead.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// How often to request a single picture, in requests a second.
const LONE_FPS: f64 = 1.0;
/// After a complete picture, up to this many bytes that already arrived are read in
/// search of a newer one. This skips a backlog; the limit is for a server that sends
/// faster than it is read, whose pictures would otherwise never be shown.
const MAX_BACKLOG: usize = 1 << 20;

/// How to take pictures from a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Requests a second of a single picture.
    pub(super) fps: Option<f64>,
    pub(super) stall_timeout: Duration,
    pub(super) max_frame_bytes: usize,
    /// The number of this camera, see [`crate::instance`].
    pub(super) own: u64,
}

/// A server to take pictures from.
pub(super) struct Server {
    url: Url,
    options: Options,
    /// `None` before the first frame.
    fetcher: Option<Fetcher>,
    /// The response that is being read.
    response: Option<Reader>,
    /// Paces the requests, once the server turned out to send a single picture.
    pacer: Option<Pacer>,
    /// When the last picture arrived, or the present response was requested.
    last: Instant,
    repeat: Repeat,
    n_stale: u64,
}

impl Server {
    /// Does not connect: that happens for the first frame.
    pub(super) fn open(url: &Url, options: Options) -> Self {
        Self {
            url: url.clone(),
            options,
            fetcher: None,
            response: None,
            pacer: None,
            last: Instant::now(),
            repeat: Repeat::default(),
            n_stale: 0,
        }
    }

    /// Requests the stream or the picture.
    fn connect(&mut self, stop: &Shutdown) -> Result<Reader, Error> {
        if let Some(pacer) = &mut self.pacer {
            pacer.wait(stop)?;
        }
        self.last = Instant::now();
        let until = self.last + self.options.stall_timeout.min(MAX_CONNECT);
        let new = || Fetcher::new(self.url.clone(), stop.clone());
        let fetched = self.fetcher.get_or_insert_with(new).get(until).map_err(camera_error)?;
        if fetched.instance == Some(self.options.own) {
            let why = "this is the stream of this camera itself; name another server";
            return Err(Error::lost(Cause::Itself, why));
        }
        Reader::new(fetched, self.options.max_frame_bytes)
            .map_err(|why| Error::lost(Cause::Unsupported, why))
    }

    /// Waits for the next picture of a response, then skips to the newest one that
    /// already arrived.
    fn newest(&mut self, response: &mut Reader, frame: &mut FrameBuf) -> Result<Timestamp, Error> {
        let (not_yet_at, mut n_left) = (Instant::now() + NOT_YET_AFTER, MAX_BACKLOG);
        let mut newest = None;
        loop {
            match response.next().map_err(|why| Error::lost(Cause::Unsupported, why))? {
                Next::Picture(part) => {
                    self.last = Instant::now();
                    if !self.repeat.is_one(part.timestamp, response.picture().jpeg()) {
                        self.n_stale += u64::from(newest.is_some());
                        std::mem::swap(frame, response.picture());
                        newest = Some(clock::timestamp(part.timestamp));
                    }
                    response.picture().truncate(0);
                    continue;
                }
                Next::Bad(why) if newest.is_none() => return Err(Error::BadFrame(why)),
                Next::Bad(_) => continue,
                Next::More => {}
                Next::End => return newest.ok_or_else(|| ended(response)),
            }
            // After a picture, read what already arrived, without waiting.
            let until = match newest {
                Some(timestamp) if n_left == 0 => return Ok(timestamp),
                Some(_) => Instant::now(),
                None => self.may_wait(not_yet_at, response)?,
            };
            match (response.read(until), newest) {
                (Ok(n), _) => n_left = n_left.saturating_sub(n),
                // The next call meets the same error again.
                (Err(_), Some(timestamp)) => return Ok(timestamp),
                (Err(e), None) if e.kind() == ErrorKind::WouldBlock => {}
                (Err(_), None) if response.is_stopped() => return Err(Error::Stopped),
                (Err(e), None) if e.kind() == ErrorKind::UnexpectedEof => {
                    return Err(ended(response));
                }
                (Err(e), None) => return Err(camera_error(fetch::Error::of_io(&e))),
            }
        }
    }

    /// Until when to wait for more of a picture.
    fn may_wait(&self, not_yet_at: Instant, response: &Reader) -> Result<Instant, Error> {
        let (now, stalls) = (Instant::now(), self.last + self.options.stall_timeout);
        if response.is_stopped() {
            Err(Error::Stopped)
        } else if now >= stalls {
            let time = self.options.stall_timeout;
            let why = format!("the server stalled, no picture for {time:?}");
            Err(Error::lost(Cause::Stalled, why))
        } else if now >= not_yet_at {
            Err(Error::NotYet)
        } else {
            Ok(not_yet_at.min(stalls))
        }
    }
}

impl Driver for Server {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        let mut response = match self.response.take() {
            Some(response) => response,
            None => self.connect(stop)?,
        };
        let end = self.newest(&mut response, frame);
        if response.is_lone() && response.is_over() {
            let fps = self.options.fps.unwrap_or(LONE_FPS);
            self.pacer.get_or_insert_with(|| Pacer::after_one(fps));
            // A single picture was complete and is shown already: its end is not the
            // end of a stream.
            return end.map_err(|error| match error {
                Error::Lost(Cause::Ended, _) => Error::NotYet,
                error => error,
            });
        }
        self.response = Some(response);
        end
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }
}

fn ended(response: &Reader) -> Error {
    Error::lost(Cause::Ended, response.ended())
}

/// Translates the error of a fetch into the one that capture acts on.
fn camera_error(error: fetch::Error) -> Error {
    match error {
        fetch::Error::Stopped => Error::Stopped,
        fetch::Error::Failed(fault, why) => {
            let cause = match fault {
                Fault::Away => Cause::NoDevice,
                Fault::Denied => Cause::Denied,
                Fault::Busy => Cause::Busy,
                Fault::Late => Cause::Stalled,
                Fault::Unusable => Cause::Unsupported,
                Fault::Io => Cause::Io,
                Fault::Upstream => Cause::Upstream,
            };
            Error::lost(cause, why)
        }
    }
}
