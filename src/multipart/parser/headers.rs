//! Reads the headers of a part.

use std::mem;

use super::super::bytes::take_line;
use super::super::{Error, Part};
use super::{Parser, State, Step};

/// The most bytes of all headers of one part.
const MAX_HEADER_BYTES: usize = 16 << 10;

impl Parser {
    /// Begins the part behind a delimiter, or ends the stream.
    pub(super) fn begin_part(&mut self, is_closing: bool) {
        self.has_begun = true;
        // Some servers end each part with the closing delimiter and go on, so this is
        // only remembered.
        self.is_closed = is_closing;
        self.state = if is_closing { State::Between } else { State::Headers };
        self.part = Part::default();
        self.n_header_bytes = 0;
        self.n_skipped = 0;
        self.skipped.clear();
    }

    /// Reads header lines up to the blank line.
    pub(super) fn read_headers(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        loop {
            // A JPEG begins here, since no header begins with FF: this part has neither
            // headers nor the blank line behind them.
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
            // The line is put back, so that its memory serves all lines of the stream.
            let line = mem::take(&mut self.line);
            let step = self.read_header(&line);
            self.line = line;
            self.line.clear();
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Reads one line; `None` if another header follows.
    fn read_header(&mut self, line: &[u8]) -> Option<Result<Step, Error>> {
        if let Some(is_closing) = self.boundary.as_ref().and_then(|b| b.is_line(line)) {
            self.is_confirmed = true;
            self.begin_part(is_closing);
            return Some(Ok(Step::Continue));
        }
        // The line still has its end, LF or CRLF.
        if line.trim_ascii_end().is_empty() {
            return Some(self.begin_body());
        }
        self.part.read(line);
        None
    }
}
