//! The parser: delimiter, headers, body, and again. What is done in each of
//! these states has a file.

mod between;
mod body;
mod headers;

use std::mem;

use memchr::memmem;

use super::boundary::Boundary;
use super::search::Search;
use super::{Body, EOI, Error, Part};
use crate::jpeg::Walk;

/// No delimiter line is longer: dashes, name, white space and line ends.
const MAX_LINE_BYTES: usize = 512;
/// How far before a cut the end of the last picture is looked for, and how
/// much is kept of what belongs to no part.
const TAIL_BYTES: usize = MAX_LINE_BYTES;

/// What bytes came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// All were taken, and more are needed.
    More,
    /// A part is whole: its bytes are in the body.
    Part(Part),
}

/// Takes bytes in pieces of any size and gives whole parts.
#[derive(Debug)]
pub(crate) struct Parser {
    state: State,
    /// As the head names it, until a delimiter line was seen.
    boundary: Option<Boundary>,
    is_confirmed: bool,
    /// A delimiter that the head does not name, if the next line is the begin
    /// of a part.
    candidate: Option<(Boundary, Search)>,
    max_frame_bytes: usize,
    search: Search,
    /// The end of the bytes that belong to no part.
    passed: Vec<u8>,
    n_passed: usize,
    /// The line at hand.
    line: Vec<u8>,
    n_header_bytes: usize,
    part: Part,
    /// Over a body; `None`: it is no JPEG.
    walk: Option<Walk>,
    /// A body whose length looked wrong, to be read once more by delimiter.
    again: Vec<u8>,
    n_read_again: usize,
    /// The length that looked wrong.
    doubted: Option<usize>,
    /// How many bytes of its length were left when a picture ended.
    n_unread: usize,
    /// Whether a length of this server was wrong, and how many were.
    is_distrusted: bool,
    n_wrong_lengths: u64,
    has_begun: bool,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Before a delimiter.
    Between,
    Headers,
    Body {
        length: Option<usize>,
    },
}

/// What one step over the bytes came to.
enum Step {
    On,
    More,
    Part,
}

impl Parser {
    /// For a body of this Content-Type. The first line that is the boundary
    /// which it names, or any with two dashes before a part, is the delimiter.
    pub(crate) fn named(content_type: &str, max_frame_bytes: usize) -> Self {
        Self::with(Boundary::of(content_type), max_frame_bytes)
    }

    /// For a body whose Content-Type does not tell its form, such as the
    /// `application/octet-stream` of ffmpeg's listener: the first line that
    /// begins with two dashes is the delimiter.
    pub(crate) fn learning(max_frame_bytes: usize) -> Self {
        Self::with(None, max_frame_bytes)
    }

    fn with(boundary: Option<Boundary>, max_frame_bytes: usize) -> Self {
        Self {
            state: State::Between,
            boundary,
            is_confirmed: false,
            candidate: None,
            max_frame_bytes,
            search: Search::with_dashes(),
            passed: Vec::new(),
            n_passed: 0,
            line: Vec::new(),
            n_header_bytes: 0,
            part: Part::default(),
            walk: None,
            again: Vec::new(),
            n_read_again: 0,
            doubted: None,
            n_unread: 0,
            is_distrusted: false,
            n_wrong_lengths: 0,
            has_begun: false,
            is_closed: false,
        }
    }

    /// Takes bytes off the front of `input`, up to the end of a part. To be
    /// called until it says [`Next::More`]: only then all were taken.
    ///
    /// `body` is empty at the begin of a part, and the same one until the part
    /// is whole: with its last byte if its length is known or it is a sound
    /// JPEG, else with the delimiter line behind it.
    ///
    /// # Errors
    /// Why the stream cannot be read any further.
    pub(crate) fn feed(&mut self, input: &mut &[u8], body: &mut impl Body) -> Result<Next, Error> {
        loop {
            let is_input = self.again.is_empty();
            let next = if is_input { self.parse(input, body)? } else { self.parse_again(body)? };
            if next != Next::More || (is_input && self.again.is_empty()) {
                return Ok(next);
            }
        }
    }

    /// The last part, where the stream ended without a delimiter behind it.
    /// To be called, with an empty body each time but the first, until it
    /// gives `None`.
    ///
    /// # Errors
    /// The stream ended inside a picture, or before the first delimiter.
    pub(crate) fn finish(&mut self, body: &mut impl Body) -> Result<Option<Part>, Error> {
        if let State::Body { length: Some(length) } = self.state {
            // If it was too large, it took other parts for this one.
            self.doubt(length, body);
        }
        if let Next::Part(part) = self.feed(&mut &[][..], body)? {
            return Ok(Some(part));
        }
        if !self.has_begun {
            return Err(self.no_delimiter());
        }
        let was = mem::replace(&mut self.state, State::Between);
        if !matches!(was, State::Body { .. }) || body.bytes().is_empty() {
            return Ok(None);
        }
        // A part of the delimiter may have come behind the picture.
        let tail_at = body.bytes().len().saturating_sub(TAIL_BYTES);
        let end = memmem::rfind(&body.bytes()[tail_at..], EOI).ok_or(Error::Truncated)?;
        body.truncate(tail_at + end + EOI.len());
        self.check_size(body.bytes().len(), 0)?;
        Ok(Some(mem::take(&mut self.part)))
    }

    /// Whether the closing delimiter came last: it is the end, unless another
    /// part comes all the same.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// How many lengths since the last call were not those of their pictures.
    pub(crate) fn take_n_wrong_lengths(&mut self) -> u64 {
        mem::take(&mut self.n_wrong_lengths)
    }

    /// What it holds of the stream beside the body.
    #[cfg(test)]
    pub(crate) fn n_bytes_held(&self) -> usize {
        self.passed.capacity() + self.line.capacity() + self.again.capacity()
    }

    fn parse(&mut self, input: &mut &[u8], body: &mut impl Body) -> Result<Next, Error> {
        loop {
            let step = match self.state {
                State::Between => self.pass(input)?,
                State::Headers => self.read_headers(input)?,
                State::Body { length: Some(length) } => self.read_length(length, input, body),
                State::Body { length: None } => self.read_to_delimiter(input, body)?,
            };
            match step {
                Step::On => {}
                Step::More => return Ok(Next::More),
                Step::Part => return Ok(Next::Part(mem::take(&mut self.part))),
            }
        }
    }

    /// Parses what was put back by [`Self::doubt`].
    fn parse_again(&mut self, body: &mut impl Body) -> Result<Next, Error> {
        let again = mem::take(&mut self.again);
        let mut rest = &again[mem::take(&mut self.n_read_again)..];
        let next = self.parse(&mut rest, body)?;
        if !self.again.is_empty() {
            self.again.extend_from_slice(rest);
        } else if !rest.is_empty() {
            self.n_read_again = again.len() - rest.len();
            self.again = again;
        }
        Ok(next)
    }
}
