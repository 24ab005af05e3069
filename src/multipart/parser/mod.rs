//! The parser is a state machine: between parts, in headers, in a body. Each state has
//! a file.

mod between;
mod body;
mod headers;
#[cfg(test)]
mod tests;

use std::mem;

use memchr::memmem;

use super::boundary::Boundary;
use super::search::Search;
use super::{Error, Part, PartBuf};
use crate::jpeg::{END, Walk};

/// The longest delimiter line: dashes, name, white space and line ends.
const MAX_LINE_BYTES: usize = 512;
/// The end of the last picture is searched for in this many bytes at the end of a
/// stream; and this many are kept of the bytes that belong to no part.
const TAIL_BYTES: usize = MAX_LINE_BYTES;

/// The result of feeding bytes.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// All bytes were taken, and more are needed.
    More,
    /// A part is whole: its bytes are in the body.
    Part(Part),
}

/// Takes bytes in pieces of any size and returns whole parts.
#[derive(Debug)]
pub(crate) struct Parser {
    state: State,
    /// The boundary in use; until a delimiter line confirms one, that of the
    /// Content-Type.
    boundary: Option<Boundary>,
    is_confirmed: bool,
    /// A line that may be a delimiter with another boundary than the Content-Type names.
    /// It is one if the next line begins a part.
    candidate: Option<(Boundary, Search)>,
    max_frame_bytes: usize,
    search: Search,
    /// The last of the bytes that belong to no part, and how many there were in all.
    skipped: Vec<u8>,
    n_skipped: usize,
    /// The line that is being read.
    line: Vec<u8>,
    n_header_bytes: usize,
    part: Part,
    /// Follows the markers of a body; `None` if it is no JPEG.
    walk: Option<Walk>,
    /// Bytes that are parsed again: a body whose length looked wrong, or what followed a
    /// picture within its announced length. `n_reparsed` of them are done.
    to_reparse: Vec<u8>,
    n_reparsed: usize,
    /// The length of this body, if no JPEG ended there. It is wrong if the delimiter
    /// comes elsewhere.
    suspect_length: Option<usize>,
    /// How many announced bytes were left when the picture ended by its markers.
    n_after_end: usize,
    /// Whether this server checks its pictures as this program does.
    trusts_lengths: bool,
    /// Whether this server sent a wrong length. Then all its lengths are ignored.
    ignores_lengths: bool,
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

/// The result of one step.
enum Step {
    /// Continue with the next state.
    Continue,
    /// More bytes are needed.
    More,
    /// A part is complete.
    Part,
}

impl Parser {
    /// A parser for a body of this Content-Type. The delimiter is the first line
    /// that is the boundary which the type names, or any line that begins with two
    /// dashes and stands before a part.
    pub(crate) fn new(content_type: &str, max_frame_bytes: usize) -> Self {
        Self::with(Boundary::from_content_type(content_type), max_frame_bytes)
    }

    /// A parser for a body whose Content-Type names no boundary, such as the
    /// `application/octet-stream` of ffmpeg's listener. The first line that begins with
    /// two dashes is the delimiter.
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
            skipped: Vec::new(),
            n_skipped: 0,
            line: Vec::new(),
            n_header_bytes: 0,
            part: Part::default(),
            walk: None,
            to_reparse: Vec::new(),
            n_reparsed: 0,
            suspect_length: None,
            n_after_end: 0,
            trusts_lengths: false,
            ignores_lengths: false,
            n_wrong_lengths: 0,
            has_begun: false,
            is_closed: false,
        }
    }

    /// Takes bytes off the front of `input`, up to the end of a part. Call it until it
    /// returns [`Next::More`]: only then all bytes were taken.
    ///
    /// Pass an empty `body` at the start of a part, and the same one until the part is
    /// complete. A part is complete with its last byte if its length is known or it is a
    /// valid JPEG, otherwise with the delimiter line behind it.
    ///
    /// # Errors
    /// Why the stream cannot be read any further.
    pub(crate) fn feed(
        &mut self,
        input: &mut &[u8],
        body: &mut impl PartBuf,
    ) -> Result<Next, Error> {
        loop {
            // Bytes that were put back came before those in `input`.
            let is_input = self.to_reparse.is_empty();
            let next = if is_input { self.parse(input, body)? } else { self.reparse(body)? };
            if next != Next::More || (is_input && self.to_reparse.is_empty()) {
                return Ok(next);
            }
        }
    }

    /// Returns the last parts of a stream that ended without a delimiter. Call it until
    /// it returns `None`: first with the body so far, then each time with an empty one.
    ///
    /// # Errors
    /// The stream ended inside a picture, or before the first delimiter.
    pub(crate) fn finish(&mut self, body: &mut impl PartBuf) -> Result<Option<Part>, Error> {
        // More announced than came: the length was wrong, or the stream broke off. The
        // delimiters show which.
        if let State::Body { length: Some(length) } = self.state {
            // If the length was too large, the body holds further parts.
            self.take_back(length, body);
        }
        if let Next::Part(part) = self.feed(&mut &[][..], body)? {
            return Ok(Some(part));
        }
        if !self.has_begun {
            return Err(self.no_delimiter());
        }
        // The parser is at its end in any case, whether or not a part is left.
        let was = mem::replace(&mut self.state, State::Between);
        if !matches!(was, State::Body { .. }) || body.bytes().is_empty() {
            return Ok(None);
        }
        // The start of a delimiter may have come behind the picture.
        let tail_at = body.bytes().len().saturating_sub(TAIL_BYTES);
        let end = memmem::rfind(&body.bytes()[tail_at..], &END).ok_or(Error::Truncated)?;
        body.truncate(tail_at + end + END.len());
        // Now exactly: the slack was for a delimiter that did not come.
        self.check_size(body.bytes().len(), 0)?;
        Ok(Some(mem::take(&mut self.part)))
    }

    /// Takes a picture that ends at its announced length as whole, without a walk over its
    /// markers. For a server that has walked over them: another daemon of this program.
    pub(crate) fn trust_lengths(&mut self) {
        self.trusts_lengths = true;
    }

    /// Whether the closing delimiter came last. Some servers send it behind every part,
    /// so another part may follow nevertheless.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// How many wrong lengths came since the last call.
    pub(crate) fn take_n_wrong_lengths(&mut self) -> u64 {
        mem::take(&mut self.n_wrong_lengths)
    }

    fn parse(&mut self, input: &mut &[u8], body: &mut impl PartBuf) -> Result<Next, Error> {
        loop {
            let step = match self.state {
                State::Between => self.skip_to_part(input)?,
                State::Headers => self.read_headers(input)?,
                State::Body { length: Some(length) } => self.read_length(length, input, body),
                State::Body { length: None } => self.read_to_delimiter(input, body)?,
            };
            match step {
                Step::Continue => {}
                Step::More => return Ok(Next::More),
                Step::Part => return Ok(Next::Part(mem::take(&mut self.part))),
            }
        }
    }

    /// Parses the bytes in `to_reparse`. Parsing may put some of them back, which then
    /// stand before those that remain.
    fn reparse(&mut self, body: &mut impl PartBuf) -> Result<Next, Error> {
        let to_reparse = mem::take(&mut self.to_reparse);
        // `to_reparse` is taken out, since parsing may put bytes back and needs the field
        // for it.
        let mut remaining = &to_reparse[mem::take(&mut self.n_reparsed)..];
        let next = self.parse(&mut remaining, body)?;
        if !self.to_reparse.is_empty() {
            self.to_reparse.extend_from_slice(remaining);
        } else if !remaining.is_empty() {
            self.n_reparsed = to_reparse.len() - remaining.len();
            self.to_reparse = to_reparse;
        }
        Ok(next)
    }
}
