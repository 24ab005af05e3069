//! One connection while it is read.

use std::io::ErrorKind;
use std::mem;
use std::ops::Range;
use std::time::Instant;

use super::ClientError;
use crate::fetch::{self, Answer, Reading};
use crate::frame::FrameBuf;
use crate::multipart::Part;
use crate::pictures::{Body, Next, Repeat};

/// What is read at once.
const PIECE_BYTES: usize = 128 << 10;

/// The bytes of an answer, and what was found in them.
pub(super) struct Stream {
    reading: Reading,
    body: Body,
    piece: Vec<u8>,
    /// Of `piece`, what was not looked at yet.
    unseen: Range<usize>,
    picture: FrameBuf,
    repeat: Repeat,
    is_over: bool,
    n_pictures: u64,
}

impl Stream {
    pub(super) fn new(answer: Answer, max_frame_bytes: usize) -> Result<Self, ClientError> {
        Ok(Self {
            body: Body::of(answer.content_type.as_deref(), max_frame_bytes)
                .map_err(ClientError::Unusable)?,
            reading: answer.body,
            piece: vec![0; PIECE_BYTES],
            unseen: 0..0,
            picture: FrameBuf::new(),
            repeat: Repeat::default(),
            is_over: false,
            n_pictures: 0,
        })
    }

    /// The next picture that is not the one before sent again. Waits for it
    /// up to `until`; what is no picture is passed over.
    pub(super) fn next(&mut self, until: Instant) -> Result<(FrameBuf, Part), ClientError> {
        loop {
            match self.look().map_err(ClientError::Unusable)? {
                Next::Picture(part) => {
                    let picture = mem::replace(&mut self.picture, FrameBuf::new());
                    self.n_pictures += 1;
                    if !self.repeat.is_one(part.timestamp, picture.jpeg()) {
                        return Ok((picture, part));
                    }
                }
                Next::Bad(_) => {}
                Next::End => return Err(self.ended()),
                Next::More => self.read(until)?,
            }
        }
    }

    /// Looks for a picture in what was read.
    fn look(&mut self) -> Result<Next, String> {
        let mut rest = &self.piece[self.unseen.clone()];
        let next = if self.is_over && rest.is_empty() {
            self.body.finish(&mut self.picture)?
        } else {
            self.body.feed(&mut rest, &mut self.picture)?
        };
        self.unseen.start = self.unseen.end - rest.len();
        Ok(next)
    }

    fn read(&mut self, until: Instant) -> Result<(), ClientError> {
        let n = match self.reading.read(&mut self.piece, until) {
            Ok(n) => n,
            Err(_) if self.reading.is_stopped() => return Err(ClientError::Stopped),
            // The connection broke: what came before is given first.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => 0,
            Err(e) => return Err(ClientError::of(fetch::Error::of_io(&e))),
        };
        self.unseen = 0..n;
        self.is_over |= n == 0;
        Ok(())
    }

    fn ended(&self) -> ClientError {
        let why = match self.n_pictures {
            0 => "the server's answer ended without a whole picture",
            _ => "the server ended the stream",
        };
        ClientError::Ended(why.into())
    }
}
