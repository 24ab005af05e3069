//! Between parts: the delimiter is looked for, and learnt where it is not
//! known.

use super::super::boundary::Boundary;
use super::super::bytes::take_line;
use super::super::search::Search;
use super::super::{EOI, Error};
use super::{Parser, State, Step, TAIL_BYTES};

/// What may stand before the first delimiter.
const MAX_PREAMBLE_BYTES: usize = 64 << 10;

impl Parser {
    /// Passes over what belongs to no part.
    pub(super) fn pass(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
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

    pub(super) fn no_delimiter(&self) -> Error {
        let boundary = self.boundary.as_ref().map(Boundary::shown);
        Error::NoDelimiter { boundary, n_bytes: self.n_passed }
    }

    /// After a part that ended before its delimiter, with what came behind it.
    pub(super) fn end_part(&mut self, behind: &[u8]) {
        self.state = State::Between;
        self.n_passed = behind.len();
        // Some cameras send the delimiter right behind EOI.
        self.passed = [EOI, behind].concat();
    }
}
