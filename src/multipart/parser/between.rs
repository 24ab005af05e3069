//! Between parts: the parser searches for the delimiter, and learns it from the
//! stream if the server did not name it.

use super::super::boundary::Boundary;
use super::super::bytes::take_line;
use super::super::search::Search;
use super::super::{EOI, Error};
use super::{Parser, State, Step, TAIL_BYTES};

/// The most bytes before the first delimiter.
const MAX_PREAMBLE_BYTES: usize = 64 << 10;

impl Parser {
    /// Skips the bytes that belong to no part.
    pub(super) fn skip_to_part(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let n_before = input.len();
        let is_closing = match &self.boundary {
            Some(boundary) => {
                let line = self.search.take(boundary, input, &mut self.skipped);
                if !self.search.is_unsure() {
                    let n_old = self.skipped.len().saturating_sub(TAIL_BYTES);
                    self.skipped.drain(..n_old);
                }
                line.map(|line| line.is_closing)
            }
            None => self.learn(input),
        };
        self.n_skipped += n_before - input.len();
        // Behind a length that was too small the rest of a picture follows.
        let max = if self.has_begun { self.max_frame_bytes } else { MAX_PREAMBLE_BYTES };
        match is_closing {
            _ if self.n_skipped > max => Err(self.no_delimiter()),
            Some(is_closing) => {
                self.begin_part(is_closing);
                Ok(Step::On)
            }
            None => Ok(Step::More),
        }
    }

    /// Reads lines until one can be a delimiter, and takes its boundary.
    fn learn(&mut self, input: &mut &[u8]) -> Option<bool> {
        while take_line(input, &mut self.line) {
            if self.line.starts_with(b"--") {
                self.boundary = Boundary::new(&self.line);
            }
            self.line.clear();
            if self.boundary.is_some() {
                // It was recognized by its dashes, so all others have them too.
                self.search = Search::with_dashes();
                return Some(false);
            }
        }
        None
    }

    /// The error where no delimiter came.
    pub(super) fn no_delimiter(&self) -> Error {
        let boundary = self.boundary.as_ref().map(Boundary::text);
        Error::NoDelimiter { boundary, n_bytes: self.n_skipped }
    }

    /// Ends a part before its delimiter came; `behind` are the bytes behind it.
    pub(super) fn end_part(&mut self, behind: &[u8]) {
        self.state = State::Between;
        self.n_skipped = behind.len();
        // Some cameras send the delimiter right behind EOI.
        self.skipped = [EOI, behind].concat();
    }
}
