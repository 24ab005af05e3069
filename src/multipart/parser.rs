//! The parser: delimiter, headers, body, and again.

use std::mem;

use memchr::memmem;

use super::boundary::{Boundary, is_multipart};
use super::bytes::{picture_end, skip_line_ends, take_line};
use super::search::Search;
use super::{Body, EOI, Error, Part, SOI};
use crate::jpeg::{Walk, Walked};

/// Of all headers of one part.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// What may stand before the first delimiter.
const MAX_PREAMBLE_BYTES: usize = 64 << 10;
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
    /// The closing delimiter came: what follows is passed over.
    End,
}

/// Takes bytes in pieces of any size and gives whole parts.
#[derive(Debug)]
pub(crate) struct Parser {
    state: State,
    /// `None` until it was learnt from the first delimiter.
    boundary: Option<Boundary>,
    max_frame_bytes: usize,
    search: Search,
    /// The end of the bytes that belong to no part.
    passed: Vec<u8>,
    n_passed: usize,
    /// The line at hand.
    line: Vec<u8>,
    n_header_bytes: usize,
    part: Part,
    /// Over a body whose length is not known; `None`: it is no JPEG.
    walk: Option<Walk>,
    /// A body whose length looked wrong, to be read once more by delimiter.
    again: Vec<u8>,
    n_read_again: usize,
    /// The length that looked wrong.
    doubted: Option<usize>,
    /// Whether a length of this server was wrong.
    is_distrusted: bool,
    has_begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Before a delimiter.
    Between,
    Headers,
    Body {
        length: Option<usize>,
    },
    /// Behind the closing delimiter.
    End,
}

/// What one step over the bytes came to.
enum Step {
    On,
    More,
    Part,
    End,
}

impl Parser {
    /// For a body of this Content-Type. If it names no boundary, the first
    /// line that begins with two dashes is the delimiter.
    ///
    /// # Errors
    /// [`Error::NotMultipart`].
    pub(crate) fn new(content_type: &str, max_frame_bytes: usize) -> Result<Self, Error> {
        if is_multipart(content_type) {
            Ok(Self::with(Boundary::of(content_type), max_frame_bytes))
        } else {
            Err(Error::NotMultipart(content_type.chars().take(100).collect()))
        }
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
            max_frame_bytes,
            search: Search::default(),
            passed: Vec::new(),
            n_passed: 0,
            line: Vec::new(),
            n_header_bytes: 0,
            part: Part::default(),
            walk: None,
            again: Vec::new(),
            n_read_again: 0,
            doubted: None,
            is_distrusted: false,
            has_begun: false,
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
        let was = mem::replace(&mut self.state, State::End);
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
                State::End => {
                    *input = &[];
                    Step::End
                }
            };
            match step {
                Step::On => {}
                Step::More => return Ok(Next::More),
                Step::Part => return Ok(Next::Part(mem::take(&mut self.part))),
                Step::End => return Ok(Next::End),
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

    /// Passes over what belongs to no part.
    fn pass(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let n_before = input.len();
        let is_closing = match &self.boundary {
            Some(boundary) => {
                let line = self.search.take(boundary, input, &mut self.passed);
                if !self.search.is_unsure() {
                    let n_old = self.passed.len().saturating_sub(TAIL_BYTES);
                    self.passed.drain(..n_old);
                }
                line.map(|line| line.is_closing)
            }
            None => self.learn(input),
        };
        self.n_passed += n_before - input.len();
        // Behind a length that was too small comes the rest of a picture.
        let max = if self.has_begun { self.max_frame_bytes } else { MAX_PREAMBLE_BYTES };
        match is_closing {
            _ if self.n_passed > max => Err(self.no_delimiter()),
            Some(is_closing) => {
                self.begin_part(is_closing);
                Ok(Step::On)
            }
            None => Ok(Step::More),
        }
    }

    /// Looks for a first line that can be a delimiter.
    fn learn(&mut self, input: &mut &[u8]) -> Option<bool> {
        while take_line(input, &mut self.line) {
            if self.line.starts_with(b"--") {
                self.boundary = Boundary::new(&self.line);
            }
            self.line.clear();
            if self.boundary.is_some() {
                self.search = Search::with_dashes();
                return Some(false);
            }
        }
        None
    }

    fn no_delimiter(&self) -> Error {
        let boundary = self.boundary.as_ref().map(Boundary::shown);
        Error::NoDelimiter { boundary, n_bytes: self.n_passed }
    }

    /// What follows a delimiter.
    fn begin_part(&mut self, is_closing: bool) {
        self.has_begun = true;
        self.state = if is_closing { State::End } else { State::Headers };
        self.part = Part::default();
        self.n_header_bytes = 0;
        self.n_passed = 0;
        self.passed.clear();
    }

    fn read_headers(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        loop {
            // No header begins like a JPEG: here are neither headers nor the
            // blank line behind them.
            if self.line.is_empty() && input.first() == Some(&0xFF) {
                return self.begin_body();
            }
            let n_before = input.len();
            let is_whole = take_line(input, &mut self.line);
            self.n_header_bytes += n_before - input.len();
            if self.n_header_bytes > MAX_HEADER_BYTES {
                return Err(Error::LongHeaders { max: MAX_HEADER_BYTES });
            }
            if !is_whole {
                return Ok(Step::More);
            }
            let line = mem::take(&mut self.line);
            let is_delimiter = self.boundary.as_ref().and_then(|b| b.is_line(&line));
            if let Some(is_closing) = is_delimiter {
                self.begin_part(is_closing);
                return Ok(Step::On);
            }
            if line.trim_ascii_end().is_empty() {
                return self.begin_body();
            }
            self.part.read(&line);
        }
    }

    fn begin_body(&mut self) -> Result<Step, Error> {
        let max = self.max_frame_bytes;
        let length = match self.part.content_length.filter(|_| !self.is_distrusted) {
            None | Some(0) => None,
            Some(n_bytes) => {
                let length = usize::try_from(n_bytes).ok().filter(|n| *n <= max);
                Some(length.ok_or(Error::TooLarge { n_bytes, max })?)
            }
        };
        self.state = State::Body { length };
        self.walk = Some(Walk::default());
        self.doubted = None;
        Ok(Step::On)
    }

    /// Reads as many bytes as the headers say.
    fn read_length(&mut self, length: usize, input: &mut &[u8], body: &mut impl Body) -> Step {
        skip_line_ends(input, body);
        let missing = length.saturating_sub(body.bytes().len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        body.add(taken);
        *input = rest;
        if taken.len() < missing {
            Step::More
        } else if let Some(end) = picture_end(body.bytes()) {
            body.truncate(end);
            self.end_part(&[]);
            Step::Part
        } else {
            self.doubt(length, body);
            Step::More
        }
    }

    /// Puts a body back that does not end with its length like a picture.
    fn doubt(&mut self, length: usize, body: &mut impl Body) {
        self.doubted = Some(length);
        self.state = State::Body { length: None };
        self.again.extend_from_slice(body.bytes());
        body.truncate(0);
    }

    fn read_to_delimiter(
        &mut self,
        input: &mut &[u8],
        body: &mut impl Body,
    ) -> Result<Step, Error> {
        skip_line_ends(input, body);
        let Some(boundary) = &self.boundary else { return Ok(Step::More) };
        let line = self.search.take(boundary, input, body);
        let n_bytes = line.as_ref().map_or(body.bytes().len(), |line| line.start);
        let end = self.walk_on(&body.bytes()[..n_bytes]);
        // What may be a delimiter is not yet a part of the body.
        let slack = if line.is_none() && end.is_none() { MAX_LINE_BYTES } else { 0 };
        self.check_size(end.unwrap_or(n_bytes), slack)?;
        let Some(line) = line else {
            let Some(end) = end else { return Ok(Step::More) };
            self.search.cut_front(end);
            self.end_part(&body.bytes()[end..]);
            body.truncate(end);
            return Ok(Step::Part);
        };
        let end = end.or_else(|| picture_end(&body.bytes()[..n_bytes]));
        self.is_distrusted |= self.doubted.is_some_and(|length| length != line.start);
        body.truncate(end.unwrap_or(n_bytes));
        let part = mem::take(&mut self.part);
        self.begin_part(line.is_closing);
        self.part = part;
        Ok(Step::Part)
    }

    fn check_size(&self, n_bytes: usize, slack: usize) -> Result<(), Error> {
        let max = self.max_frame_bytes;
        let is_sound = n_bytes <= max.saturating_add(slack);
        if is_sound { Ok(()) } else { Err(Error::TooLarge { n_bytes: n_bytes as u64, max }) }
    }

    /// The end of the picture, if its markers tell it: the tutorial's server
    /// and many after it send the delimiter only with the next picture.
    fn walk_on(&mut self, jpeg: &[u8]) -> Option<usize> {
        if !jpeg.starts_with(SOI) {
            return None;
        }
        match self.walk.as_mut()?.go_on(jpeg) {
            Walked::More => None,
            Walked::Bad(_) => {
                self.walk = None;
                None
            }
            Walked::End(end) => {
                self.is_distrusted |= self.doubted.is_some_and(|length| length != end);
                Some(end)
            }
        }
    }

    /// After a part that ended before its delimiter, with what came behind it.
    fn end_part(&mut self, behind: &[u8]) {
        self.state = State::Between;
        self.n_passed = behind.len();
        // Some cameras send the delimiter right behind EOI.
        self.passed = [EOI, behind].concat();
    }
}
