//! Reads the head of an answer as cameras send it, and rewrites it for a strict
//! parser.
//!
//! ureq reads heads with httparse, which refuses much that ffmpeg, curl and browsers
//! accept: lines without a name, blanks before a colon, folded lines, protocols other
//! than HTTP/1.x, a body without any head. httparse has switches for a little of
//! this, but ureq does not pass them on. So this module reads the head first and
//! writes a clean one for ureq. It keeps only the headers that this program reads, so
//! other headers do no harm, whatever their number and bytes.

mod fields;

use std::fmt;
use std::mem;

use memchr::{memchr, memchr2};

use crate::jpeg::START;
use fields::Fields;
pub(crate) use fields::Head;

/// The largest head to read. No real server sends more; curl's limit is 300 kB.
pub(super) const MAX_HEAD_BYTES: usize = 256 << 10;
/// The rest of a longer line is left out. No header that is kept is this long.
const MAX_LINE_BYTES: usize = 16 << 10;
/// How many carriage returns in a row before a line feed still end one line.
const MAX_RETURNS: usize = 8;

/// Reads one head, in any pieces.
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    n_bytes: usize,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
    /// How this server ends lines; `None` until the first line has ended.
    line_end: Option<LineEnd>,
    /// Whether a line feed belongs to the line end before it.
    skips_line_feed: bool,
    fields: Fields,
}

/// Why there is no head.
#[derive(Debug, PartialEq)]
pub(crate) enum HeadError {
    /// The bytes do not begin like a head; the text is how they begin.
    NotHttp(String),
    /// The head does not end within [`MAX_HEAD_BYTES`].
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum LineEnd {
    /// With or without carriage returns before it.
    LineFeed,
    /// A lone carriage return.
    Return,
}

/// The result of one step.
enum Step {
    /// A line was read; another may follow.
    Line,
    /// More bytes are needed.
    More,
    /// The head has ended.
    End,
}

impl HeadReader {
    /// Reads bytes from the front of `input`. Returns how many bytes it consumed, and
    /// the head once it is complete; the remaining bytes are then the body. `is_end`
    /// says that no more bytes will come.
    ///
    /// # Errors
    /// Why the bytes are no head.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        is_end: bool,
    ) -> Result<(usize, Option<Head>), HeadError> {
        let mut rest = input;
        loop {
            let n_before = rest.len();
            let step = self.step(&mut rest, is_end)?;
            self.n_bytes += n_before - rest.len();
            if self.n_bytes > MAX_HEAD_BYTES {
                return Err(HeadError::TooLong);
            }
            let n_done = input.len() - rest.len();
            match step {
                Step::Line => {}
                Step::More => return Ok((n_done, None)),
                // The connection ended before anything came: ureq reports that better.
                Step::End if is_end && rest.is_empty() && !self.has_begun() => {
                    return Ok((n_done, None));
                }
                Step::End if self.fields.is_interim() => {
                    // The limit holds for all of them together: a server may send interim
                    // heads without end.
                    *self = Self { n_bytes: self.n_bytes, ..Self::default() };
                }
                Step::End => return Ok((n_done, Some(self.fields.clean(false)))),
            }
        }
    }

    /// The head so far, if it is that of a redirect with its target: some servers
    /// never end the head of a redirect.
    pub(crate) fn cut_short(&self) -> Option<Head> {
        self.fields.is_redirect().then(|| self.fields.clean(true))
    }

    /// Whether a line of the head was read.
    pub(crate) fn has_begun(&self) -> bool {
        self.fields.has_begun()
    }

    /// Takes a line off the front of `rest`, or the start of one.
    fn step(&mut self, rest: &mut &[u8], is_end: bool) -> Result<Step, HeadError> {
        if self.skips_line_feed && !rest.is_empty() {
            *rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            self.skips_line_feed = false;
        }
        if self.line.is_empty() {
            match **rest {
                [] if is_end => return Ok(Step::End),
                [] => return Ok(Step::More),
                // A delimiter or a JPEG: the server left out the blank line before the
                // body, or the whole head.
                [b'-', b'-', ..] => return Ok(Step::End),
                _ if rest.starts_with(&START) => return Ok(Step::End),
                [b'-' | 0xFF] if !is_end => return Ok(Step::More),
                _ => {}
            }
        }
        let at = match self.line_end {
            Some(LineEnd::LineFeed) => memchr(b'\n', rest),
            Some(LineEnd::Return) => memchr2(b'\n', b'\r', rest),
            None => match self.first_line_end(rest, is_end) {
                Some(Ok(at)) => Some(at),
                Some(Err(at)) => {
                    self.add(&rest[..at]);
                    *rest = &rest[at..];
                    return Ok(Step::More);
                }
                None => None,
            },
        };
        let Some(at) = at else {
            self.add(rest);
            *rest = &[];
            return if is_end { self.take_line() } else { Ok(Step::More) };
        };
        self.add(&rest[..at]);
        self.skips_line_feed = rest[at] == b'\r';
        *rest = &rest[at + 1..];
        self.take_line()
    }

    /// Where the first line ends, which also decides how all lines end. `Err` is the
    /// place of a carriage return when the byte behind it has not come yet: it decides.
    fn first_line_end(&mut self, rest: &[u8], is_end: bool) -> Option<Result<usize, usize>> {
        let at = memchr2(b'\n', b'\r', rest)?;
        let n_returns = rest[at..].iter().take_while(|b| **b == b'\r').count();
        let (kind, at) = match rest.get(at + n_returns) {
            _ if n_returns > MAX_RETURNS => (LineEnd::Return, at),
            Some(b'\n') => (LineEnd::LineFeed, at + n_returns),
            None if !is_end => return Some(Err(at)),
            _ => (LineEnd::Return, at),
        };
        self.line_end = Some(kind);
        Some(Ok(at))
    }

    fn add(&mut self, bytes: &[u8]) {
        // The rest of the line is dropped and not refused: a cookie of any length does no
        // harm.
        let n = bytes.len().min(MAX_LINE_BYTES - self.line.len());
        self.line.extend_from_slice(&bytes[..n]);
    }

    fn take_line(&mut self) -> Result<Step, HeadError> {
        let line = mem::take(&mut self.line);
        let n_returns = line.iter().rev().take_while(|b| **b == b'\r').count();
        let line = &line[..line.len() - n_returns];
        if line.is_empty() {
            // Skip blank lines before the head (RFC 9112, section 2.2, for requests).
            return Ok(if self.has_begun() { Step::End } else { Step::Line });
        }
        // A lone carriage return inside a line ends a header too, where the first line
        // ended with LF: a server that mixes both.
        for line in line.split(|b| *b == b'\r') {
            if !self.fields.take(line) {
                let begin = String::from_utf8_lossy(&line[..line.len().min(40)]);
                return Err(HeadError::NotHttp(begin.into_owned()));
            }
        }
        Ok(Step::Line)
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp(begin) => {
                write!(f, "not an HTTP answer: the response begins with {begin:?}")
            }
            Self::TooLong => {
                write!(f, "the headers of the answer do not end within {MAX_HEAD_BYTES} bytes")
            }
        }
    }
}

impl std::error::Error for HeadError {}

#[cfg(test)]
mod tests;
