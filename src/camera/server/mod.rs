//! Another server as a camera: its MJPEG stream in any dialect, or a single
//! picture that is requested again and again. So a relay is a camera.
//!
//! The connection exists only while capture has readers, so in a chain of relays no
//! camera is on unless somebody watches at its end.

mod clock;
mod source;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::pacer::Pacer;
use super::stall::{self, Stall};
use super::{Cause, Driver, Error};
use crate::fetch::{self, Fetcher};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg;
use crate::mode::Mode;
use crate::pictures::{Next, PictureReader, Repeat};
use crate::shutdown::Shutdown;
use crate::trust::Trust;
use crate::url::Url;
pub(super) use source::KIND;

/// How long a call waits before it returns [`Error::NotYet`], so that capture can check
/// whether frames are still wanted.
const NOT_YET_AFTER: Duration = Duration::from_secs(1);
/// A server that takes longer to send its response headers is considered dead.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// How often to request a single picture, in requests a second.
const LONE_FPS: f64 = 1.0;
/// After this time without a byte behind the first JPEG, it is the only one, although
/// the server keeps the connection open.
const LONE_PAUSE: Duration = Duration::from_secs(1);
/// After a complete picture, up to this many bytes that already arrived are read in
/// search of a newer one. This skips a backlog; the limit is for a server that sends
/// faster than it is read, whose pictures would otherwise never be shown.
const MAX_BACKLOG: usize = 1 << 20;

/// How to take pictures from a server.
#[derive(Clone, Debug)]
struct Options {
    /// Requests a second of a single picture.
    fps: Option<f64>,
    stall: Arc<Mutex<Stall>>,
    max_frame_bytes: usize,
    /// The number of this camera, see [`crate::instance`].
    own: u64,
}

/// A server to take pictures from.
struct Server {
    url: Url,
    trust: Trust,
    options: Options,
    /// `None` before the first frame.
    fetcher: Option<Fetcher>,
    /// The response that is being read.
    response: Option<PictureReader>,
    /// Paces the requests, once the server turned out to send a single picture.
    pacer: Option<Pacer>,
    /// Whether the server keeps the connection open behind a single picture.
    is_kept_open: bool,
    /// How many requests in a row of a single picture brought none.
    n_missed: u32,
    /// When the last picture arrived, or the present response was requested.
    last: Instant,
    /// When the last bytes of a picture came.
    heard: Instant,
    repeat: Repeat,
    n_stale: u64,
    n_wrong_lengths: u64,
}

impl Server {
    /// Does not connect: that happens for the first frame.
    fn open(url: &Url, trust: &Trust, options: Options) -> Self {
        Self {
            url: url.clone(),
            trust: trust.clone(),
            options,
            fetcher: None,
            response: None,
            pacer: None,
            is_kept_open: false,
            n_missed: 0,
            last: Instant::now(),
            heard: Instant::now(),
            repeat: Repeat::default(),
            n_stale: 0,
            n_wrong_lengths: 0,
        }
    }

    /// Requests the stream or the picture.
    fn connect(&mut self, stop: &Shutdown) -> Result<PictureReader, Error> {
        if let Some(pacer) = &mut self.pacer {
            pacer.wait(stop)?;
        }
        self.last = Instant::now();
        self.heard = self.last;
        let patience = {
            let mut stall = self.options.stall.lock();
            stall.opened();
            stall.silence()
        };
        let until = self.last + patience.min(MAX_CONNECT);
        let new = || Fetcher::new(self.url.clone(), &self.trust, stop.clone());
        let fetched = self.fetcher.get_or_insert_with(new).get(until).map_err(camera_error)?;
        // Such a camera would be its own viewer, and so never be closed again.
        if fetched.instance == Some(self.options.own) {
            let why = "this is the stream of this camera itself; name another server";
            return Err(Error::lost(Cause::Itself, why));
        }
        Ok(PictureReader::new(fetched, self.options.max_frame_bytes))
    }

    /// Waits for the next picture of a response, then skips to the newest one that
    /// already arrived.
    fn newest(
        &mut self,
        response: &mut PictureReader,
        frame: &mut FrameBuf,
    ) -> Result<Timestamp, Error> {
        let (not_yet_at, mut n_left) = (Instant::now() + NOT_YET_AFTER, MAX_BACKLOG);
        let (mut newest, mut has_read) = (None, false);
        loop {
            match response.next().map_err(|why| Error::lost(Cause::Unsupported, why))? {
                Next::Picture(_) if response.picture().jpeg().is_empty() => {
                    self.last = Instant::now();
                    if newest.is_none() {
                        return Err(Error::BadFrame(jpeg::Error::Empty));
                    }
                    continue;
                }
                // A whole picture is better than a part of a newer one.
                Next::Cut if newest.is_some() => {
                    response.picture().truncate(0);
                    continue;
                }
                Next::Cut => {
                    self.picture_came();
                    std::mem::swap(frame, response.picture());
                    response.picture().truncate(0);
                    newest = Some(Timestamp::now());
                    continue;
                }
                Next::Picture(part) => {
                    self.picture_came();
                    if !self.repeat.is_repeat(part.timestamp, response.picture().jpeg()) {
                        self.n_stale += u64::from(newest.is_some());
                        std::mem::swap(frame, response.picture());
                        newest = Some(clock::timestamp(part.timestamp));
                    }
                    response.picture().truncate(0);
                    continue;
                }
                Next::Bad(why) if newest.is_none() => return Err(Error::BadFrame(why)),
                Next::Bad(_) => continue,
                // Only now is it known whether the bytes that were read belong to a picture.
                Next::More if has_read && response.is_inside() => self.heard = Instant::now(),
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
                (Ok(n), _) => {
                    n_left = n_left.saturating_sub(n);
                    has_read = true;
                }
                // The next call meets the same error again.
                (Err(_), Some(timestamp)) => return Ok(timestamp),
                (Err(e), None) if e.kind() == ErrorKind::WouldBlock => {}
                (Err(_), None) if response.is_stopped() => return Err(Error::Stopped),
                (Err(e), None) if e.kind() == ErrorKind::UnexpectedEof => {
                    response.end();
                    return Err(ended(response));
                }
                (Err(e), None) => return Err(camera_error(fetch::Error::from_io(&e))),
            }
        }
    }

    /// Notes that a picture came.
    fn picture_came(&mut self) {
        self.last = Instant::now();
        self.n_missed = 0;
        self.options.stall.lock().picture(self.last);
    }

    /// Requests the next picture when it is due, and not at once.
    fn keep_pace(&mut self) {
        let fps = self.options.fps.unwrap_or(LONE_FPS);
        self.pacer.get_or_insert_with(|| Pacer::after_one(fps));
    }

    /// Until when to wait for more of a picture.
    fn may_wait(&self, not_yet_at: Instant, response: &PictureReader) -> Result<Instant, Error> {
        if response.is_stopped() {
            return Err(Error::Stopped);
        }
        let (patience, silence) = {
            let stall = self.options.stall.lock();
            (stall.patience(), stall.silence())
        };
        // A picture whose bytes come slowly is no stall.
        let heard = (self.heard + silence).min(self.last + stall::MAX);
        let (now, stalls) = (Instant::now(), (self.last + patience).max(heard));
        let done = self.done_at(response);
        if now >= stalls {
            self.options.stall.lock().stalled();
            let what = response.other_type().map(|name| format!("; its parts are {name}"));
            let what = what.unwrap_or_default();
            let why = format!("the server stalled, no picture for {patience:?}{what}");
            Err(Error::lost(Cause::Stalled, why))
        } else if now >= not_yet_at || done.is_some_and(|done| now >= done) {
            Err(Error::NotYet)
        } else {
            Ok(not_yet_at.min(stalls).min(done.unwrap_or(stalls)))
        }
    }

    /// When a response that does not end is considered complete: behind a single JPEG,
    /// or behind the closing delimiter of a stream.
    fn done_at(&self, response: &PictureReader) -> Option<Instant> {
        // Asked for each picture, so without a lock in a stream that goes on.
        if !response.may_be_done() {
            return None;
        }
        let pause = match response.n_pictures() {
            1 if self.is_kept_open => Duration::ZERO,
            1 => LONE_PAUSE,
            _ => self.options.stall.lock().silence(),
        };
        Some(self.last + pause)
    }

    /// Turns the first failed request of a single picture into a dropped frame: only
    /// two in a row are a loss. This holds for an empty first response too.
    fn missed(&mut self, error: Error) -> Error {
        let Error::Lost(cause, why) = &error else { return error };
        let is_lone = self.pacer.is_some() || *cause == Cause::Ended;
        if !is_lone || self.n_missed > 0 {
            return error;
        }
        log::debug!("{}: no picture for this request: {why}", self.url);
        self.n_missed += 1;
        self.keep_pace();
        Error::BadFrame(jpeg::Error::Empty)
    }
}

impl Driver for Server {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        let mut response = match self.response.take() {
            Some(response) => response,
            None => self.connect(stop).map_err(|error| self.missed(error))?,
        };
        let end = self.newest(&mut response, frame);
        self.n_wrong_lengths += response.take_n_wrong_lengths();
        let is_over = response.is_over();
        let is_done = self.done_at(&response).is_some_and(|done| Instant::now() >= done);
        if response.n_pictures() == 1 && (is_over || is_done) {
            self.keep_pace();
            self.is_kept_open |= !is_over;
            // A single picture was complete and is shown already: its end is not the
            // end of a stream.
            return end.map_err(|error| match error {
                Error::Lost(Cause::Ended, _) => Error::NotYet,
                error => error,
            });
        }
        if response.n_pictures() == 0 && is_over {
            return end.map_err(|error| self.missed(error));
        }
        if is_done && matches!(end, Err(Error::NotYet)) {
            return Err(ended(&response));
        }
        self.response = Some(response);
        end
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

    fn take_n_wrong_lengths(&mut self) -> u64 {
        std::mem::take(&mut self.n_wrong_lengths)
    }
}

fn ended(response: &PictureReader) -> Error {
    Error::lost(Cause::Ended, response.ended())
}

/// Translates the error of a fetch into the one that capture acts on.
fn camera_error(error: fetch::Error) -> Error {
    match error {
        fetch::Error::Stopped => Error::Stopped,
        fetch::Error::Failed(fault, why) => {
            let cause = match fault {
                fetch::Cause::Away => Cause::NoDevice,
                fetch::Cause::Denied => Cause::Denied,
                fetch::Cause::Busy => Cause::Busy,
                fetch::Cause::Late => Cause::Stalled,
                fetch::Cause::Unusable => Cause::Unsupported,
                fetch::Cause::Io => Cause::Io,
                fetch::Cause::Upstream => Cause::Upstream,
            };
            Error::lost(cause, why)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::shutdown;

    /// A slow picture may come in two pieces with a long pause between them.
    #[test]
    fn first_bytes_of_a_picture_show_that_it_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let answering = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            assert!(peer.read(&mut [0; 1024]).unwrap() > 0);
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\xFF\xD8\xFF").unwrap();
            peer
        });
        let options = Options {
            fps: None,
            stall: Arc::new(Mutex::new(Stall::new(Some(Duration::from_secs(60)), None))),
            max_frame_bytes: 1000,
            own: 0,
        };
        let mut server = Server::open(&url, &Trust::Public, options);
        let (_trigger, stop) = shutdown::channel();
        while !server.response.as_ref().is_some_and(PictureReader::is_inside) {
            let end = server.next_frame(&mut FrameBuf::new(), &stop);
            assert!(matches!(end, Err(Error::NotYet)), "{end:?}");
        }
        assert!(server.heard > server.last, "noted as heard, though nothing is whole");
        drop(answering.join().unwrap());
    }
}
