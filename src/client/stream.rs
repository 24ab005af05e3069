//! One connection to a server, while its frames are read.

use std::io::ErrorKind;
use std::mem;
use std::time::{Duration, Instant};

use super::ClientError;
use crate::fetch::{self, Answer};
use crate::frame::FrameBuf;
use crate::multipart::Part;
use crate::pictures::{Next, PictureReader, Repeat};

/// If no byte follows a complete frame for this time, and the server may have sent all,
/// the stream counts as ended.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// The frames of one answer, without repeats.
pub(super) struct Stream {
    reader: PictureReader,
    repeat: Repeat,
}

impl Stream {
    pub(super) fn new(answer: Answer, max_frame_bytes: usize) -> Self {
        Self { reader: PictureReader::new(answer, max_frame_bytes), repeat: Repeat::default() }
    }

    /// Blocks until the next frame has come, at most up to `until`. Skips parts
    /// that hold no JPEG, and frames that the server sent a second time, as
    /// some do while the camera has no new one.
    pub(super) fn next(&mut self, until: Instant) -> Result<(FrameBuf, Part), ClientError> {
        loop {
            match self.reader.next().map_err(ClientError::Unusable)? {
                Next::Picture(part) => {
                    // The next frame is about as long. A buffer that grows in steps would
                    // copy its beginning several times.
                    let n_bytes = self.reader.picture().jpeg().len();
                    let next = FrameBuf::with_capacity(n_bytes + n_bytes / 8);
                    let buf = mem::replace(self.reader.picture(), next);
                    if !self.repeat.is_repeat(part.timestamp, buf.jpeg()) {
                        return Ok((buf, part));
                    }
                }
                // A picture without its end: this library promises whole frames.
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
            // Return the frames that came before the connection broke first.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => self.reader.end(),
            Err(e) => return Err(ClientError::from_fetch(fetch::Error::from_io(&e))),
        }
        Ok(())
    }
}
