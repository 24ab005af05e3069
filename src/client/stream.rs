//! One connection while it is read.

use std::io::ErrorKind;
use std::mem;
use std::time::Instant;

use super::ClientError;
use crate::fetch::{self, Answer};
use crate::frame::FrameBuf;
use crate::multipart::Part;
use crate::pictures::{Next, Reader, Repeat};

/// The pictures of an answer, each once.
pub(super) struct Stream {
    reader: Reader,
    repeat: Repeat,
}

impl Stream {
    pub(super) fn new(answer: Answer, max_frame_bytes: usize) -> Result<Self, ClientError> {
        let reader = Reader::new(answer, max_frame_bytes).map_err(ClientError::Unusable)?;
        Ok(Self { reader, repeat: Repeat::default() })
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
                Next::Bad(_) => {}
                Next::End => return Err(ClientError::Ended(self.reader.ended().into())),
                Next::More => self.read(until)?,
            }
        }
    }

    fn read(&mut self, until: Instant) -> Result<(), ClientError> {
        match self.reader.read(until) {
            Ok(_) => {}
            Err(_) if self.reader.is_stopped() => return Err(ClientError::Stopped),
            // The connection broke: what came before is given first.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => self.reader.end(),
            Err(e) => return Err(ClientError::of(fetch::Error::of_io(&e))),
        }
        Ok(())
    }
}
