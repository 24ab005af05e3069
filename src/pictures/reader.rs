//! One answer while it is read: its bytes, and the pictures found in them.

use std::io;
use std::ops::Range;
use std::time::Instant;

use super::{Body, Next};
use crate::fetch::{Answer, Reading};
use crate::frame::FrameBuf;

/// What is read at once.
const PIECE_BYTES: usize = 128 << 10;

/// Reads an answer.
pub(crate) struct Reader {
    reading: Reading,
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

impl Reader {
    /// # Errors
    /// What is wrong with an answer that holds no pictures.
    pub(crate) fn new(answer: Answer, max_frame_bytes: usize) -> Result<Self, String> {
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
    pub(crate) fn next(&mut self) -> Result<Next, String> {
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

    /// The picture that [`Reader::next`] found; to be taken, and left empty.
    pub(crate) fn picture(&mut self) -> &mut FrameBuf {
        &mut self.picture
    }

    /// Reads more, once all that was read has been looked at.
    ///
    /// # Errors
    /// As of [`Reading::read`].
    pub(crate) fn read(&mut self, until: Instant) -> io::Result<usize> {
        let n = self.reading.read(&mut self.piece, until)?;
        self.unseen = 0..n;
        self.is_over |= n == 0;
        Ok(n)
    }

    /// No more will be read: what is left is the end.
    pub(crate) fn end(&mut self) {
        self.unseen = 0..0;
        self.is_over = true;
    }

    /// Why there is no further picture.
    pub(crate) fn ended(&self) -> &'static str {
        match self.n_pictures {
            0 => "the server's answer ended without a whole picture",
            _ => "the server ended the stream",
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.reading.is_stopped()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether this is one picture and no stream, as far as is known.
    pub(crate) fn is_lone(&self) -> bool {
        self.body.may_be_lone() && self.n_pictures == 1
    }
}
