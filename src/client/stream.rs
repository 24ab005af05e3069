//! One connection while it is read.

use std::io::ErrorKind;
use std::mem;
use std::time::{Duration, Instant};

use super::ClientError;
use crate::fetch::{self, Answer};
use crate::frame::FrameBuf;
use crate::multipart::Part;
use crate::pictures::{Next, Reader, Repeat};

/// If nothing comes for so long behind what may be the last picture, it is.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// The pictures of an answer, each once.
pub(super) struct Stream {
    reader: Reader,
    repeat: Repeat,
}

impl Stream {
    pub(super) fn new(answer: Answer, max_frame_bytes: usize) -> Self {
        Self { reader: Reader::new(answer, max_frame_bytes), repeat: Repeat::default() }
    }

    /// The next picture that is not the one before sent again. Waits for it
    /// up to `until`; what is no picture is passed over.
    pub(super) fn next(&mut self, until: Instant) -> Result<(FrameBuf, Part), ClientError> {
        loop {
            match self.reader.next().map_err(ClientError::Unusable)? {
                Next::Picture(part) => {
                    let picture = mem::replace(self.reader.picture(), FrameBuf::new());
                    if !self.repeat.is_one(part.timestamp, picture.jpeg()) {
                        return Ok((picture, part));
                    }
                }
                Next::Cut => self.reader.picture().truncate(0),
                Next::Bad(_) => {}
                Next::End => return Err(ClientError::Ended(self.reader.ended().into())),
                Next::More => self.read(until)?,
            }
        }
    }

    fn read(&mut self, until: Instant) -> Result<(), ClientError> {
        let may_be_done = self.reader.may_be_done();
        let until = if may_be_done { until.min(Instant::now() + LAST_PAUSE) } else { until };
        match self.reader.read(until) {
            Ok(_) => {}
            Err(e) if may_be_done && e.kind() == ErrorKind::WouldBlock => self.reader.end(),
            Err(_) if self.reader.is_stopped() => return Err(ClientError::Stopped),
            // The connection broke: what came before is given first.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => self.reader.end(),
            Err(e) => return Err(ClientError::of(fetch::Error::of_io(&e))),
        }
        Ok(())
    }
}
