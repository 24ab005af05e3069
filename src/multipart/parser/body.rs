//! Finds the end of a part's body: by the markers of the picture, by the announced
//! length if a JPEG ends there, or by the delimiter, in this order.

use std::mem;

use super::super::bytes::{picture_end, skip_line_ends};
use super::super::{Error, PartBuf};
use super::{MAX_LINE_BYTES, Parser, State, Step};
use crate::jpeg::{END, START, Walk, Walked};

impl Parser {
    /// Decides how to find the end of the body.
    pub(super) fn begin_body(&mut self) -> Result<Step, Error> {
        let max = self.max_frame_bytes;
        let length = match self.part.content_length.filter(|_| !self.ignores_lengths) {
            // Some servers announce 0 and send a picture all the same.
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
        Ok(Step::Continue)
    }

    /// Reads the announced number of bytes, or fewer if the picture ends earlier by its
    /// markers.
    pub(super) fn read_length(
        &mut self,
        length: usize,
        input: &mut &[u8],
        body: &mut impl PartBuf,
    ) -> Step {
        skip_line_ends(input, body);
        let missing = length.saturating_sub(body.bytes().len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        body.add(taken);
        *input = rest;
        if self.trusts_lengths {
            if taken.len() < missing {
                return Step::More;
            }
            if body.bytes().starts_with(&START) && body.bytes().ends_with(&END) {
                self.end_picture(length, body);
                return Step::Part;
            }
            // Not what was expected: from here on as for any server.
            self.trusts_lengths = false;
        }
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

    /// Takes back a body whose length is suspect, to parse it again by its delimiter.
    pub(super) fn take_back(&mut self, length: usize, body: &mut impl PartBuf) {
        self.suspect_length = Some(length);
        self.state = State::Body { length: None };
        self.walk = Some(Walk::default());
        self.to_reparse.extend_from_slice(body.bytes());
        body.truncate(0);
    }

    /// Ends the part at the end of its picture, and puts back the bytes behind it.
    fn end_picture(&mut self, end: usize, body: &mut impl PartBuf) {
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
        body: &mut impl PartBuf,
    ) -> Result<Step, Error> {
        skip_line_ends(input, body);
        let Some(boundary) = self.boundary.as_ref().filter(|_| self.is_confirmed) else {
            return self.read_to_end(input, body);
        };
        let line = self.search.take(boundary, input, body);
        let n_bytes = line.as_ref().map_or(body.bytes().len(), |line| line.start);
        let end = self.advance_walk(&body.bytes()[..n_bytes]);
        // The last bytes may be the start of a delimiter, which does not count as body.
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
        // The delimiter came with the picture, but too far behind it. Had the bytes between
        // come in pieces, the search for it would have been given up.
        if let Some(end) = end.filter(|end| body.bytes().len() - end > self.max_frame_bytes) {
            self.end_picture(end, body);
            return Ok(Step::Part);
        }
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

    /// Reads up to the end of the picture while the delimiter is not known.
    fn read_to_end(&mut self, input: &mut &[u8], body: &mut impl PartBuf) -> Result<Step, Error> {
        body.add(mem::take(input));
        // The walk goes no further than the largest picture. Otherwise damage behind this
        // limit would be found or not, depending on how many bytes have arrived.
        let n_bytes = body.bytes().len();
        let n_walked = n_bytes.min(self.max_frame_bytes.saturating_add(1));
        if let Some(end) = self.advance_walk(&body.bytes()[..n_walked]) {
            self.check_size(end, 0)?;
            self.check_length(end);
            self.end_picture(end, body);
            return Ok(Step::Part);
        }
        if n_bytes >= START.len() && (self.walk.is_none() || !body.bytes().starts_with(&START)) {
            // This is no picture. A delimiter may be among its lines, so parse the bytes
            // again as bytes between parts.
            self.end_picture(0, body);
            return Ok(Step::More);
        }
        self.check_size(n_bytes, 0)?;
        Ok(Step::More)
    }

    /// Counts the announced length as wrong if the body really ends at `end`.
    fn check_length(&mut self, end: usize) {
        // The length that this body was read by, or the one that was ignored from the
        // start: wrong lengths are counted in both cases.
        let claimed = self.suspect_length.or_else(|| {
            let claimed = self.part.content_length.filter(|n| *n > 0 && self.ignores_lengths)?;
            usize::try_from(claimed).ok()
        });
        if claimed.is_some_and(|length| length != end) {
            self.ignore_lengths();
        }
    }

    /// Checks the length of a picture that ended by its markers, when the delimiter
    /// comes `n_between` bytes later. The bytes between may belong to the length. Some
    /// servers also include the line end before the delimiter: 2 bytes.
    pub(super) fn check_length_at_delimiter(&mut self, n_between: usize) {
        if mem::take(&mut self.n_after_end) > n_between + 2 {
            self.ignore_lengths();
        }
    }

    /// Ignores the lengths of this server from now on: a program that computes one
    /// length wrong does so for all pictures.
    fn ignore_lengths(&mut self) {
        self.ignores_lengths = true;
        self.n_wrong_lengths += 1;
    }

    /// Checks the size of a body, which may exceed the limit by `slack` bytes.
    pub(super) fn check_size(&self, n_bytes: usize, slack: usize) -> Result<(), Error> {
        let max = self.max_frame_bytes;
        let is_sound = n_bytes <= max.saturating_add(slack);
        if is_sound { Ok(()) } else { Err(Error::TooLarge { n_bytes: n_bytes as u64, max }) }
    }

    /// Continues the walk over the markers, and returns the end of the JPEG once it is
    /// found. Many servers send the delimiter only with the next picture, so waiting for
    /// the delimiter would delay each picture by one frame.
    fn advance_walk(&mut self, jpeg: &[u8]) -> Option<usize> {
        if !jpeg.starts_with(&START) {
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
