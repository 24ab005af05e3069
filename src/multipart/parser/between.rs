//! Between parts, the parser searches for the delimiter. The first delimiter line
//! decides what the boundary is, not the Content-Type: many servers write another name
//! there, or the same name in another case or with other dashes.

use std::mem;

use super::super::boundary::Boundary;
use super::super::bytes::take_line;
use super::super::search::Search;
use super::super::{Error, Part};
use super::{MAX_LINE_BYTES, Parser, State, Step, TAIL_BYTES};
use crate::jpeg::END;

/// The most bytes before the first delimiter, if the limit of a picture is smaller.
const MAX_PREAMBLE_BYTES: usize = 64 << 10;

/// How a line before the first part is understood.
enum Opening {
    /// Perhaps a delimiter of this boundary, with dashes or without.
    Delimiter(Box<(Boundary, Search)>),
    /// A header of a part: some servers leave out the first delimiter.
    Header,
    Nothing,
}

impl Parser {
    /// Skips the bytes that belong to no part.
    pub(super) fn skip_to_part(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        // Also behind a closing delimiter: some servers write every delimiter as a
        // closing one.
        if !self.is_confirmed || self.is_closed {
            return self.find_first_delimiter(input);
        }
        let Some(boundary) = &self.boundary else { return Err(self.no_delimiter()) };
        let n_before = input.len();
        let line = self.search.take(boundary, input, &mut self.skipped);
        let n_taken = n_before - input.len();
        self.n_skipped += n_taken;
        // Up to a whole picture may come here: if its length was too small, its rest
        // follows.
        if self.n_skipped > self.max_frame_bytes {
            return Err(self.no_delimiter());
        }
        if let Some(line) = line {
            let n_behind = self.skipped.len() - line.start;
            self.check_length_at_delimiter(self.n_skipped - n_behind);
            self.begin_part(line.is_closing);
            return Ok(Step::Continue);
        }
        // Twice as many, so that a stream in small pieces does not move the tail for each.
        if !self.search.is_unsure() && self.skipped.len() > 2 * TAIL_BYTES {
            let n_old = self.skipped.len() - TAIL_BYTES;
            self.skipped.drain(..n_old);
        }
        Ok(Step::More)
    }

    /// Searches for the first line that can be a delimiter, or is a header.
    fn find_first_delimiter(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let max = self.max_frame_bytes.max(MAX_PREAMBLE_BYTES);
        loop {
            // A picture right behind a line proves that the line is a delimiter.
            if self.line.is_empty() && self.candidate.is_some() && input.first() == Some(&0xFF) {
                self.confirm_candidate();
                return Ok(Step::Continue);
            }
            let n_before = input.len();
            let is_whole = take_line(input, &mut self.line);
            self.n_skipped += n_before - input.len();
            if self.n_skipped > max {
                return Err(self.no_delimiter());
            }
            if !is_whole {
                // Bound the memory. No delimiter is longer, so the rest is not needed.
                self.line.truncate(MAX_LINE_BYTES);
                return Ok(Step::More);
            }
            let line = mem::take(&mut self.line);
            match self.opening(&line) {
                Opening::Delimiter(found) => {
                    let is_named = self.boundary.as_ref().is_some_and(|b| b.is_same(&found.0));
                    self.candidate = Some(*found);
                    if is_named {
                        self.confirm_candidate();
                        return Ok(Step::Continue);
                    }
                }
                Opening::Header => {
                    self.confirm_candidate();
                    self.part.read(&line);
                    return Ok(Step::Continue);
                }
                // Behind a delimiter without headers comes a blank line.
                Opening::Nothing if self.candidate.is_some() && line.trim_ascii().is_empty() => {
                    self.confirm_candidate();
                    return self.begin_body();
                }
                Opening::Nothing if !line.trim_ascii().is_empty() => self.candidate = None,
                Opening::Nothing => {}
            }
        }
    }

    fn opening(&self, line: &[u8]) -> Opening {
        let text = line.trim_ascii();
        if line.len() >= MAX_LINE_BYTES || text.is_empty() {
            return Opening::Nothing;
        }
        if Part::is_header(line, self.candidate.is_some()) {
            return Opening::Header;
        }
        let bare = self.boundary.as_ref().filter(|boundary| boundary.is_bare_line(text));
        let found = match bare {
            Some(boundary) => Some((boundary.clone(), Search::without_dashes())),
            None if line.starts_with(b"--") => {
                Boundary::new(text).map(|boundary| (boundary, Search::with_dashes()))
            }
            None => None,
        };
        found.map_or(Opening::Nothing, |found| Opening::Delimiter(Box::new(found)))
    }

    /// Begins the first part. Uses the boundary of the candidate from now on, if there
    /// is one.
    fn confirm_candidate(&mut self) {
        if let Some((boundary, search)) = self.candidate.take() {
            (self.boundary, self.search) = (Some(boundary), search);
            self.is_confirmed = true;
        }
        self.begin_part(false);
    }

    /// The error if no delimiter came.
    pub(super) fn no_delimiter(&self) -> Error {
        let boundary = self.boundary.as_ref().map(Boundary::text);
        Error::NoDelimiter { boundary, n_bytes: self.n_skipped }
    }

    /// Ends a part before its delimiter came. `behind` are the bytes behind its picture.
    pub(super) fn end_part(&mut self, behind: &[u8]) {
        self.state = State::Between;
        self.n_skipped = behind.len();
        // Keep EOI before them: some cameras send the delimiter directly behind EOI, and
        // the search accepts it only there or at the start of a line.
        self.skipped.clear();
        self.skipped.extend_from_slice(&END);
        self.skipped.extend_from_slice(behind);
    }
}
