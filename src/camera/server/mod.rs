//! Another server as a camera: its MJPEG stream in any dialect, or a lone
//! picture that is asked for again and again. So a relay is a camera.
//!
//! It is connected only while somebody watches: a chain of relays sleeps and
//! wakes as one.

mod clock;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::pacer::Pacer;
use super::stall::{self, Stall};
use super::{Camera, Cause, Error, Mode};
use crate::fetch::{self, Fault, Fetcher};
use crate::frame::{FrameBuf, Taken};
use crate::jpeg;
use crate::pictures::{Next, Reader, Repeat};
use crate::shutdown::Shutdown;
use crate::url::Url;

/// How often capture looks whether pictures are still wanted.
const TURN: Duration = Duration::from_secs(1);
/// A server that takes longer for the head of its answer is taken for dead.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// How often a lone picture is asked for.
const LONE_FPS: f64 = 1.0;
/// If nothing comes behind a first JPEG for so long, it is all there is, though
/// the server keeps the connection open.
const LONE_PAUSE: Duration = Duration::from_secs(1);
/// Behind a whole picture so much more is read if it is there already: a
/// backlog is left behind, and a server that never pauses is shown all the
/// same.
const MAX_BACKLOG: usize = 1 << 20;

/// How pictures are taken from a server.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Of a lone picture.
    pub(super) fps: Option<f64>,
    pub(super) stall: Arc<Mutex<Stall>>,
    pub(super) max_frame_bytes: usize,
}

/// A server to take pictures from.
pub(super) struct Server {
    url: Url,
    settings: Settings,
    /// `None` before the first call.
    fetcher: Option<Fetcher>,
    /// The answer that is being read.
    answer: Option<Reader>,
    /// Sets the pace, once a lone picture came.
    pacer: Option<Pacer>,
    /// Whether the connection is kept open behind a lone picture.
    is_kept_open: bool,
    /// How many lone pictures in a row were asked for and did not come.
    n_missed: u32,
    /// When the last picture came, or this one was asked for.
    last: Instant,
    /// When the last bytes of a picture came.
    heard: Instant,
    repeat: Repeat,
    n_stale: u64,
    n_wrong_lengths: u64,
}

impl Server {
    /// Does not wait: the connection is made for the first picture.
    pub(super) fn open(url: &Url, settings: Settings) -> Self {
        Self {
            url: url.clone(),
            settings,
            fetcher: None,
            answer: None,
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

    /// Asks for the stream or the picture.
    fn connect(&mut self, stop: &Shutdown) -> Result<Reader, Error> {
        if let Some(pacer) = &mut self.pacer {
            pacer.wait(stop)?;
        }
        self.last = Instant::now();
        self.heard = self.last;
        let patience = {
            let mut stall = self.settings.stall.lock();
            stall.opened();
            stall.silence()
        };
        let until = self.last + patience.min(MAX_CONNECT);
        let new = || Fetcher::new(self.url.clone(), stop.clone());
        let fetched = self.fetcher.get_or_insert_with(new).get(until).map_err(told)?;
        Ok(Reader::new(fetched, self.settings.max_frame_bytes))
    }

    /// Waits for the next picture of an answer, and goes on to the newest that
    /// is there.
    fn newest(&mut self, answer: &mut Reader, frame: &mut FrameBuf) -> Result<Taken, Error> {
        let (turn_ends, mut n_left) = (Instant::now() + TURN, MAX_BACKLOG);
        let mut newest = None;
        loop {
            match answer.next().map_err(|why| Error::lost(Cause::Unsupported, why))? {
                Next::Picture(_) if answer.picture().jpeg().is_empty() => {
                    self.last = Instant::now();
                    if newest.is_none() {
                        return Err(Error::BadFrame(jpeg::Fault::Empty));
                    }
                    continue;
                }
                // A whole one is not given up for what came of another.
                Next::Cut if newest.is_some() => {
                    answer.picture().truncate(0);
                    continue;
                }
                Next::Cut => {
                    self.came();
                    std::mem::swap(frame, answer.picture());
                    answer.picture().truncate(0);
                    newest = Some(Taken::now());
                    continue;
                }
                Next::Picture(part) => {
                    self.came();
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
                (Ok(n), _) => {
                    n_left = n_left.saturating_sub(n);
                    if answer.is_inside() {
                        self.heard = Instant::now();
                    }
                }
                // If it is the end, it comes again.
                (Err(_), Some(taken)) => return Ok(taken),
                (Err(e), None) if e.kind() == ErrorKind::WouldBlock => {}
                (Err(_), None) if answer.is_stopped() => return Err(Error::Stopped),
                (Err(e), None) if e.kind() == ErrorKind::UnexpectedEof => {
                    answer.end();
                    return Err(ended(answer));
                }
                (Err(e), None) => return Err(told(fetch::Error::of_io(&e))),
            }
        }
    }

    /// A picture came.
    fn came(&mut self) {
        self.last = Instant::now();
        self.n_missed = 0;
        self.settings.stall.lock().picture(self.last);
    }

    /// Asks for the next picture when it is due, and not at once.
    fn keep_pace(&mut self) {
        let fps = self.settings.fps.unwrap_or(LONE_FPS);
        self.pacer.get_or_insert_with(|| Pacer::after_one(fps));
    }

    /// Until when more of a picture may be waited for.
    fn may_wait(&self, turn_ends: Instant, answer: &Reader) -> Result<Instant, Error> {
        if answer.is_stopped() {
            return Err(Error::Stopped);
        }
        let (patience, silence) = {
            let stall = self.settings.stall.lock();
            (stall.patience(), stall.silence())
        };
        // A picture that comes slowly is no stall, while it comes.
        let heard = (self.heard + silence).min(self.last + stall::MAX);
        let (now, stalls) = (Instant::now(), (self.last + patience).max(heard));
        let done = self.done_at(answer);
        if now >= stalls {
            self.settings.stall.lock().stalled();
            let what = answer.other_type().map(|name| format!("; its parts are {name}"));
            let what = what.unwrap_or_default();
            let why = format!("the server stalled, no picture for {patience:?}{what}");
            Err(Error::lost(Cause::Stalled, why))
        } else if now >= turn_ends || done.is_some_and(|done| now >= done) {
            Err(Error::NotYet)
        } else {
            Ok(turn_ends.min(stalls).min(done.unwrap_or(stalls)))
        }
    }

    /// When an answer of one JPEG that does not end is taken to be over.
    fn done_at(&self, answer: &Reader) -> Option<Instant> {
        let pause = match answer.n_pictures() {
            1 if self.is_kept_open => Duration::ZERO,
            1 => LONE_PAUSE,
            _ => self.settings.stall.lock().silence(),
        };
        answer.may_be_done().then(|| self.last + pause)
    }

    /// One lone picture that does not come is missed; two in a row are a loss.
    /// An empty answer is missed also if it is the first.
    fn missed(&mut self, error: Error) -> Error {
        let Error::Lost(cause, why) = &error else { return error };
        let is_lone = self.pacer.is_some() || *cause == Cause::Ended;
        if !is_lone || self.n_missed > 0 {
            return error;
        }
        log::debug!("{}: a picture did not come: {why}", self.url);
        self.n_missed += 1;
        self.keep_pace();
        Error::BadFrame(jpeg::Fault::Empty)
    }
}

impl Camera for Server {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        let mut answer = match self.answer.take() {
            Some(answer) => answer,
            None => self.connect(stop).map_err(|error| self.missed(error))?,
        };
        let end = self.newest(&mut answer, frame);
        self.n_wrong_lengths += answer.take_n_wrong_lengths();
        let is_over = answer.is_over();
        let is_done = self.done_at(&answer).is_some_and(|done| Instant::now() >= done);
        if answer.n_pictures() == 1 && (is_over || is_done) {
            self.keep_pace();
            self.is_kept_open |= !is_over;
            // That one came and is shown: what ended is no stream.
            return end.map_err(|error| match error {
                Error::Lost(Cause::Ended, _) => Error::NotYet,
                error => error,
            });
        }
        if answer.n_pictures() == 0 && is_over {
            return end.map_err(|error| self.missed(error));
        }
        if is_done && matches!(end, Err(Error::NotYet)) {
            return Err(ended(&answer));
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

    fn take_n_wrong_lengths(&mut self) -> u64 {
        std::mem::take(&mut self.n_wrong_lengths)
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
