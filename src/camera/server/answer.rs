//! One answer of a server while it is read.

use std::io;
use std::ops::Range;
use std::time::Instant;

use super::{Cause, Error};
use crate::fetch;
use crate::frame::FrameBuf;
use crate::pictures::{Body, Next};

/// What is read at once.
const PIECE_BYTES: usize = 128 << 10;

/// The bytes of an answer, and what was found in them.
pub(super) struct Answer {
    reading: fetch::Reading,
    body: Body,
    piece: Vec<u8>,
    /// Of `piece`, what was read and not looked at yet.
    unseen: Range<usize>,
    /// The picture that is coming.
    picture: FrameBuf,
    n_pictures: u64,
    /// Whether the end was read.
    is_over: bool,
}

impl Answer {
    /// # Errors
    /// What is wrong with an answer that holds no pictures.
    pub(super) fn new(answer: fetch::Answer, max_frame_bytes: usize) -> Result<Self, String> {
        Ok(Self {
            body: Body::of(answer.content_type.as_deref(), max_frame_bytes)?,
            reading: answer.body,
            piece: vec![0; PIECE_BYTES],
            unseen: 0..0,
            picture: FrameBuf::new(),
            n_pictures: 0,
            is_over: false,
        })
    }

    /// Looks for the next picture in what was read.
    ///
    /// # Errors
    /// Why nothing more can be found.
    pub(super) fn next(&mut self) -> Result<Next, String> {
        let mut rest = &self.piece[self.unseen.clone()];
        let next = if self.is_over && rest.is_empty() {
            self.body.finish(&mut self.picture)?
        } else {
            self.body.feed(&mut rest, &mut self.picture)?
        };
        self.unseen.start = self.unseen.end - rest.len();
        self.n_pictures += u64::from(matches!(next, Next::Picture(_)));
        Ok(next)
    }

    /// The picture that [`Answer::next`] found; to be taken, and left empty.
    pub(super) fn picture(&mut self) -> &mut FrameBuf {
        &mut self.picture
    }

    /// Reads more, once all that was read has been looked at.
    ///
    /// # Errors
    /// As of [`fetch::Reading::read`].
    pub(super) fn read(&mut self, until: Instant) -> io::Result<usize> {
        let n = self.reading.read(&mut self.piece, until)?;
        self.unseen = 0..n;
        self.is_over |= n == 0;
        Ok(n)
    }

    /// Why there is no further picture.
    pub(super) fn ended(&self) -> Error {
        let why = match self.n_pictures {
            0 => "the server's answer ended without a whole picture",
            _ => "the server ended the stream",
        };
        Error::lost(Cause::Ended, why)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.reading.is_stopped()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether this is one picture and no stream, as far as is known.
    pub(super) fn is_lone(&self) -> bool {
        self.body.may_be_lone() && self.n_pictures == 1
    }
}
