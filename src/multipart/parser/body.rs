//! The body of a part: up to the end of the picture, if its markers show it;
//! else by its length if a JPEG ends there, or up to the delimiter.

use std::mem;

use super::super::bytes::{picture_end, skip_line_ends};
use super::super::{Body, Error, SOI};
use super::{MAX_LINE_BYTES, Parser, State, Step};
use crate::jpeg::{Walk, Walked};

impl Parser {
    /// Decides how to find the end of the body.
    pub(super) fn begin_body(&mut self) -> Result<Step, Error> {
        let max = self.max_frame_bytes;
        let length = match self.part.content_length.filter(|_| !self.ignores_lengths) {
            // A length of 0 says nothing, as a picture may follow all the same.
            None | Some(0) => None,
            Some(n_bytes) => {
                let length = usize::try_from(n_bytes).ok().filter(|n| *n <= max);
                Some(length.ok_or(Error::TooLarge { n_bytes, max })?)
            }
        };
        self.state = State::Body { length };
        self.walk = Some(Walk::default());
        self.suspect_length = None;
        self.n_after_end = 0;
        Ok(Step::On)
    }

    /// Reads as many bytes as the headers say, or up to the end of the picture
    /// if its markers show an earlier one.
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
        if let Some(end) = self.advance_walk(body.bytes()) {
            self.n_after_end = length - end;
            self.end_picture(end, body);
            Step::Part
        } else if taken.len() < missing {
            Step::More
        } else if let Some(end) = picture_end(body.bytes()) {
            body.truncate(end);
            self.end_part(&[]);
            Step::Part
        } else {
            self.take_back(length, body);
            Step::More
        }
    }

    /// Takes a body back whose length is doubtful, to read it again up to the
    /// delimiter.
    pub(super) fn take_back(&mut self, length: usize, body: &mut impl Body) {
        self.suspect_length = Some(length);
        self.state = State::Body { length: None };
        self.walk = Some(Walk::default());
        self.to_reparse.extend_from_slice(body.bytes());
        body.truncate(0);
    }

    /// Ends the part with the end of its picture, and puts back the bytes behind.
    fn end_picture(&mut self, end: usize, body: &mut impl Body) {
        self.to_reparse.extend_from_slice(&body.bytes()[end..]);
        body.truncate(end);
        body.mark_walked();
        self.end_part(&[]);
    }

    /// Reads up to the end of the JPEG, if its markers show it, or to the
    /// delimiter.
    pub(super) fn read_to_delimiter(
        &mut self,
        input: &mut &[u8],
        body: &mut impl Body,
    ) -> Result<Step, Error> {
        skip_line_ends(input, body);
        let Some(boundary) = self.boundary.as_ref().filter(|_| self.is_confirmed) else {
            return self.read_to_end(input, body);
        };
        let line = self.search.take(boundary, input, body);
        let n_bytes = line.as_ref().map_or(body.bytes().len(), |line| line.start);
        let end = self.advance_walk(&body.bytes()[..n_bytes]);
        // The last bytes may be a delimiter and not count as body.
        let slack = if line.is_none() && end.is_none() { MAX_LINE_BYTES } else { 0 };
        self.check_size(end.unwrap_or(n_bytes), slack)?;
        let Some(line) = line else {
            let Some(end) = end else { return Ok(Step::More) };
            self.check_length(end);
            self.search.cut_front(end);
            self.end_part(&body.bytes()[end..]);
            body.truncate(end);
            body.mark_walked();
            return Ok(Step::Part);
        };
        self.check_length(end.unwrap_or(line.start));
        let is_walked = end.is_some();
        let end = end.or_else(|| picture_end(&body.bytes()[..n_bytes]));
        body.truncate(end.unwrap_or(n_bytes));
        if is_walked {
            body.mark_walked();
        }
        // `begin_part` clears the headers, but the caller needs those of the
        // part that ended.
        let part = mem::take(&mut self.part);
        self.begin_part(line.is_closing);
        self.part = part;
        Ok(Step::Part)
    }

    /// Reads up to the end of the picture, while the delimiter is not known.
    fn read_to_end(&mut self, input: &mut &[u8], body: &mut impl Body) -> Result<Step, Error> {
        body.add(mem::take(input));
        if let Some(end) = self.advance_walk(body.bytes()) {
            self.check_size(end, 0)?;
            self.check_length(end);
            self.end_picture(end, body);
            return Ok(Step::Part);
        }
        self.check_size(body.bytes().len(), 0)?;
        if body.bytes().len() >= SOI.len()
            && (self.walk.is_none() || !body.bytes().starts_with(SOI))
        {
            // This is no picture, so a delimiter may be among its lines.
            self.end_picture(0, body);
        }
        Ok(Step::More)
    }

    /// Counts a length that is not that of the picture. From then on, no length
    /// of this server is used.
    fn check_length(&mut self, end: usize) {
        let claimed = self.suspect_length.or_else(|| {
            let claimed = self.part.content_length.filter(|n| *n > 0 && self.ignores_lengths)?;
            usize::try_from(claimed).ok()
        });
        if claimed.is_some_and(|length| length != end) {
            self.ignore_lengths();
        }
    }

    /// Judges a length by where the delimiter came behind the picture. Some
    /// servers include the line end before the delimiter.
    pub(super) fn check_length_at_delimiter(&mut self, n_between: usize) {
        if mem::take(&mut self.n_after_end) > n_between + 2 {
            self.ignore_lengths();
        }
    }

    fn ignore_lengths(&mut self) {
        self.ignores_lengths = true;
        self.n_wrong_lengths += 1;
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
    fn advance_walk(&mut self, jpeg: &[u8]) -> Option<usize> {
        if !jpeg.starts_with(SOI) {
            return None;
        }
        match self.walk.as_mut()?.advance(jpeg) {
            Walked::More => None,
            Walked::Bad(_) => {
                self.walk = None;
                None
            }
            Walked::End(end) => Some(end),
        }
    }
}
