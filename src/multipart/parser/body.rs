//! The body of a part: by its length if a JPEG ends there, else up to the end of
//! the JPEG or to the delimiter.

use std::mem;

use super::super::bytes::{picture_end, skip_line_ends};
use super::super::{Body, Error, SOI};
use super::{MAX_LINE_BYTES, Parser, State, Step};
use crate::jpeg::{Walk, Walked};

impl Parser {
    /// Decides how to find the end of the body.
    pub(super) fn begin_body(&mut self) -> Result<Step, Error> {
        let max = self.max_frame_bytes;
        let length = match self.part.content_length.filter(|_| !self.is_distrusted) {
            // A length of 0 says nothing, as a picture may follow all the same.
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

    /// Reads as many bytes as the headers say, and doubts the length if no JPEG
    /// ends there.
    pub(super) fn read_length(
        &mut self,
        length: usize,
        input: &mut &[u8],
        body: &mut impl Body,
    ) -> Step {
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

    /// Takes a body back whose length is doubtful, to read it again up to the
    /// delimiter.
    pub(super) fn doubt(&mut self, length: usize, body: &mut impl Body) {
        self.doubted = Some(length);
        self.state = State::Body { length: None };
        self.again.extend_from_slice(body.bytes());
        body.truncate(0);
    }

    /// Reads up to the end of the JPEG, if its markers show it, or to the
    /// delimiter.
    pub(super) fn read_to_delimiter(
        &mut self,
        input: &mut &[u8],
        body: &mut impl Body,
    ) -> Result<Step, Error> {
        skip_line_ends(input, body);
        let Some(boundary) = &self.boundary else { return Ok(Step::More) };
        let line = self.search.take(boundary, input, body);
        let n_bytes = line.as_ref().map_or(body.bytes().len(), |line| line.start);
        let end = self.walk_on(&body.bytes()[..n_bytes]);
        // The last bytes may be a delimiter and not count as body.
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
        // `begin_part` clears the headers, but the caller needs those of the
        // part that ended.
        let part = mem::take(&mut self.part);
        self.begin_part(line.is_closing);
        self.part = part;
        Ok(Step::Part)
    }

    /// Checks the size of a body, which may be `slack` bytes larger.
    pub(super) fn check_size(&self, n_bytes: usize, slack: usize) -> Result<(), Error> {
        let max = self.max_frame_bytes;
        let is_sound = n_bytes <= max.saturating_add(slack);
        if is_sound { Ok(()) } else { Err(Error::TooLarge { n_bytes: n_bytes as u64, max }) }
    }

    /// The end of the JPEG, as soon as its markers show it. The tutorial's server
    /// and many others send the delimiter only with the next picture, so waiting
    /// for it would delay each picture by one.
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
}
