//! Another server as a camera: its MJPEG stream in any dialect, or a lone
//! picture that is asked for again and again. So a relay is a camera.
//!
//! It is connected only while somebody watches: a chain of relays sleeps and
//! wakes as one.

mod clock;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::pacer::Pacer;
use super::{Camera, Cause, Error, Mode};
use crate::config::Trust;
use crate::fetch::{self, Fault, Fetcher};
use crate::frame::{FrameBuf, Taken};
use crate::pictures::{Next, Reader, Repeat};
use crate::shutdown::Shutdown;
use crate::url::Url;

/// How often capture looks whether pictures are still wanted.
const TURN: Duration = Duration::from_secs(1);
/// A server that takes longer for the head of its answer is taken for dead.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// How often a lone picture is asked for.
const LONE_FPS: f64 = 1.0;
/// Behind a whole picture so much more is read if it is there already: a
/// backlog is left behind, and a server that never pauses is shown all the
/// same.
const MAX_BACKLOG: usize = 1 << 20;

/// How pictures are taken from a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Of a lone picture.
    pub(super) fps: Option<f64>,
    pub(super) stall_timeout: Duration,
    pub(super) max_frame_bytes: usize,
}

/// A server to take pictures from.
pub(super) struct Server {
    url: Url,
    trust: Trust,
    settings: Settings,
    /// `None` before the first call.
    fetcher: Option<Fetcher>,
    /// The answer that is being read.
    answer: Option<Reader>,
    /// Sets the pace, once a lone picture came.
    pacer: Option<Pacer>,
    /// When the last picture came, or this one was asked for.
    last: Instant,
    repeat: Repeat,
    n_stale: u64,
}

impl Server {
    /// Does not wait: the connection is made for the first picture.
    pub(super) fn open(url: &Url, trust: &Trust, settings: Settings) -> Self {
        Self {
            url: url.clone(),
            trust: trust.clone(),
            settings,
            fetcher: None,
            answer: None,
            pacer: None,
            last: Instant::now(),
            repeat: Repeat::default(),
            n_stale: 0,
        }
    }

    /// Asks for the stream or the picture.
    fn connect(&mut self, stop: &Shutdown) -> Result<Reader, Error> {
        if let Some(pacer) = &mut self.pacer {
            pacer.wait(stop)?;
        }
        self.last = Instant::now();
        let until = self.last + self.settings.stall_timeout.min(MAX_CONNECT);
        let new = || Fetcher::new(self.url.clone(), &self.trust, stop.clone());
        let fetched = self.fetcher.get_or_insert_with(new).get(until).map_err(told)?;
        Reader::new(fetched, self.settings.max_frame_bytes)
            .map_err(|why| Error::lost(Cause::Unsupported, why))
    }

    /// Waits for the next picture of an answer, and goes on to the newest that
    /// is there.
    fn newest(&mut self, answer: &mut Reader, frame: &mut FrameBuf) -> Result<Taken, Error> {
        let (turn_ends, mut n_left) = (Instant::now() + TURN, MAX_BACKLOG);
        let mut newest = None;
        loop {
            match answer.next().map_err(|why| Error::lost(Cause::Unsupported, why))? {
                Next::Picture(part) => {
                    self.last = Instant::now();
                    if !self.repeat.is_one(part.timestamp, answer.picture().jpeg()) {
                        self.n_stale += u64::from(newest.is_some());
                        std::mem::swap(frame, answer.picture());
                        newest = Some(clock::taken(part.timestamp));
                    }
                    answer.picture().truncate(0);
                    continue;
                }
                Next::Bad(fault) if newest.is_none() => return Err(Error::BadFrame(fault)),
                Next::Bad(_) => continue,
                Next::More => {}
                Next::End => return newest.ok_or_else(|| ended(answer)),
            }
            // Behind a picture what is there is read, and nothing waited for.
            let until = match newest {
                Some(taken) if n_left == 0 => return Ok(taken),
                Some(_) => Instant::now(),
                None => self.may_wait(turn_ends, answer)?,
            };
            match (answer.read(until), newest) {
                (Ok(n), _) => n_left = n_left.saturating_sub(n),
                // If it is the end, it comes again.
                (Err(_), Some(taken)) => return Ok(taken),
                (Err(e), None) if e.kind() == ErrorKind::WouldBlock => {}
                (Err(_), None) if answer.is_stopped() => return Err(Error::Stopped),
                (Err(e), None) if e.kind() == ErrorKind::UnexpectedEof => {
                    return Err(ended(answer));
                }
                (Err(e), None) => return Err(told(fetch::Error::of_io(&e))),
            }
        }
    }

    /// Until when more of a picture may be waited for.
    fn may_wait(&self, turn_ends: Instant, answer: &Reader) -> Result<Instant, Error> {
        let (now, stalls) = (Instant::now(), self.last + self.settings.stall_timeout);
        if answer.is_stopped() {
            Err(Error::Stopped)
        } else if now >= stalls {
            let time = self.settings.stall_timeout;
            let why = format!("the server stalled, no picture for {time:?}");
            Err(Error::lost(Cause::Stalled, why))
        } else if now >= turn_ends {
            Err(Error::NotYet)
        } else {
            Ok(turn_ends.min(stalls))
        }
    }
}

impl Camera for Server {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        let mut answer = match self.answer.take() {
            Some(answer) => answer,
            None => self.connect(stop)?,
        };
        let end = self.newest(&mut answer, frame);
        if answer.is_lone() && answer.is_over() {
            let fps = self.settings.fps.unwrap_or(LONE_FPS);
            self.pacer.get_or_insert_with(|| Pacer::after_one(fps));
            // That one came and is shown: what ended is no stream.
            return end.map_err(|error| match error {
                Error::Lost(Cause::Ended, _) => Error::NotYet,
                error => error,
            });
        }
        self.answer = Some(answer);
        end
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }
}

fn ended(answer: &Reader) -> Error {
    Error::lost(Cause::Ended, answer.ended())
}

/// What a fetch failed by, as capture counts it.
fn told(error: fetch::Error) -> Error {
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
            };
            Error::lost(cause, why)
        }
    }
}
