//! Reads one answer: its bytes, and the pictures in them.

use std::io;
use std::ops::Range;
use std::time::Instant;

use super::{Form, Next};
use crate::fetch::{Answer, BodyReader};
use crate::frame::FrameBuf;

/// The most bytes that are read at once.
const PIECE_BYTES: usize = 128 << 10;

/// Reads an answer.
pub(crate) struct PictureReader {
    reading: BodyReader,
    form: Form,
    piece: Vec<u8>,
    /// The part of `piece` that was read and not parsed yet.
    unseen: Range<usize>,
    /// The picture that is being received.
    picture: FrameBuf,
    n_pictures: u64,
    /// Whether the end of the answer was read.
    is_over: bool,
}

impl PictureReader {
    pub(crate) fn new(answer: Answer, max_frame_bytes: usize) -> Self {
        let mut form = Form::new(answer.content_type.as_deref(), max_frame_bytes);
        // Another daemon has checked its pictures, so a relay need not do it again.
        if answer.instance.is_some() {
            form.trust_lengths();
        }
        Self {
            form,
            reading: answer.body,
            // Kept for all reads: zeroing it for each would cost more than the read of a
            // small picture.
            piece: vec![0; PIECE_BYTES],
            unseen: 0..0,
            picture: FrameBuf::new(),
            n_pictures: 0,
            is_over: false,
        }
    }

    /// Searches the bytes that were read for the next picture.
    ///
    /// # Errors
    /// Why the rest of the answer cannot be read.
    pub(crate) fn next(&mut self) -> Result<Next, String> {
        let mut rest = &self.piece[self.unseen.clone()];
        // The bytes that came before the end may hold several pictures, so these come
        // first.
        let next = if self.is_over && rest.is_empty() {
            self.form.finish(&mut self.picture)?
        } else {
            self.form.feed(&mut rest, &mut self.picture)?
        };
        self.unseen.start = self.unseen.end - rest.len();
        self.n_pictures += u64::from(matches!(next, Next::Picture(_) | Next::Cut));
        Ok(next)
    }

    /// The picture that [`PictureReader::next`] found. The caller takes it and leaves an empty
    /// buffer.
    pub(crate) fn picture(&mut self) -> &mut FrameBuf {
        &mut self.picture
    }

    /// Reads more bytes. Call it only after [`PictureReader::next`] has returned `More`.
    ///
    /// # Errors
    /// As of [`BodyReader::read`].
    pub(crate) fn read(&mut self, until: Instant) -> io::Result<usize> {
        let n = self.reading.read(&mut self.piece, until)?;
        self.unseen = 0..n;
        self.is_over |= n == 0;
        Ok(n)
    }

    /// Ends the answer here: the bytes that were read are its last.
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

    /// How many pictures came.
    pub(crate) fn n_pictures(&self) -> u64 {
        self.n_pictures
    }

    /// Whether the answer may be complete although the server keeps the connection open:
    /// it was a single picture, or a stream with a closing delimiter.
    pub(crate) fn may_be_done(&self) -> bool {
        // JPEGs one after the other have no closing delimiter, so behind the second one the
        // stream just goes on.
        let is_bare = matches!(self.form, Form::Jpegs { .. });
        self.form.may_be_done() && (self.n_pictures == 1 || (self.n_pictures > 1 && !is_bare))
    }

    /// Whether a picture has begun and is not complete.
    pub(crate) fn is_inside(&self) -> bool {
        self.form.is_inside(&self.picture)
    }

    /// As [`Form::other_type`].
    pub(crate) fn other_type(&self) -> Option<&str> {
        self.form.other_type()
    }

    /// As [`Form::take_n_wrong_lengths`].
    pub(crate) fn take_n_wrong_lengths(&mut self) -> u64 {
        self.form.take_n_wrong_lengths()
    }
}
