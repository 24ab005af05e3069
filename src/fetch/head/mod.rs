//! The head of an answer as cameras send it, made into one that a strict
//! parser takes.
//!
//! ureq reads heads with httparse, which refuses what ffmpeg, curl and browsers
//! take: lines without a name, blanks before a colon, folded lines, other
//! protocols than HTTP/1.x, a body without any head. ureq passes on none of
//! httparse's switches for it, and they cover little of this. So the head is
//! read here first, and a clean one is written for ureq. Only headers that
//! somebody reads are kept: no number of others and no byte in them does harm.

mod fields;

use std::fmt;
use std::mem;

use memchr::{memchr, memchr2};

use fields::Fields;
pub(crate) use fields::Head;

/// The largest head to read. No real server sends more; curl takes 300 kB.
pub(super) const MAX_HEAD_BYTES: usize = 256 << 10;
/// The rest of a longer line is left out. No header that is kept is so long.
const MAX_LINE_BYTES: usize = 16 << 10;
/// How many carriage returns in a row before a line feed still end one line.
const MAX_RETURNS: usize = 8;

/// Reads one head, in any pieces.
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    n_bytes: usize,
    /// The begin of a line whose end has not come.
    line: Vec<u8>,
    /// What ends lines; the first one tells.
    line_end: Option<LineEnd>,
    /// Whether a line feed belongs to the line end before it.
    skips_line_feed: bool,
    fields: Fields,
}

/// Why there is no head.
#[derive(Debug, PartialEq)]
pub(crate) enum HeadError {
    /// It does not begin like one; with how it begins.
    NotHttp(String),
    /// It does not end.
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum LineEnd {
    /// With or without carriage returns before it.
    LineFeed,
    /// A lone carriage return.
    Return,
}

/// What a step of reading came to.
enum Step {
    Line,
    More,
    End,
}

impl HeadReader {
    /// Reads bytes from the front of `input`. Gives how many are done with, and
    /// the head once it is whole; what is left then is the body. `is_end` says
    /// that no more will come.
    ///
    /// # Errors
    /// Why this is no head.
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
                // The end of a connection on which nothing came.
                Step::End if is_end && rest.is_empty() && !self.has_begun() => {
                    return Ok((n_done, None));
                }
                Step::End if self.fields.is_interim() => {
                    *self = Self { n_bytes: self.n_bytes, ..Self::default() };
                }
                Step::End => return Ok((n_done, Some(self.fields.clean(false)))),
            }
        }
    }

    /// A redirect is good as soon as it says where to: some servers never end
    /// the head of one.
    pub(crate) fn cut_short(&self) -> Option<Head> {
        self.fields.is_redirect().then(|| self.fields.clean(true))
    }

    /// Whether anything came.
    pub(crate) fn has_begun(&self) -> bool {
        self.fields.has_begun()
    }

    /// Takes a line off the front of `rest`, or its begin.
    fn step(&mut self, rest: &mut &[u8], is_end: bool) -> Result<Step, HeadError> {
        if self.skips_line_feed && !rest.is_empty() {
            *rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            self.skips_line_feed = false;
        }
        if self.line.is_empty() {
            match **rest {
                [] if is_end => return Ok(Step::End),
                [] => return Ok(Step::More),
                // A delimiter or a JPEG: the blank line before the body is
                // missing, or the whole head.
                [b'-', b'-', ..] | [0xFF, 0xD8, ..] => return Ok(Step::End),
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

    /// Where the first line ends; `Err`: a carriage return stands there, and
    /// what is behind it has not come.
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
        let n = bytes.len().min(MAX_LINE_BYTES - self.line.len());
        self.line.extend_from_slice(&bytes[..n]);
    }

    fn take_line(&mut self) -> Result<Step, HeadError> {
        let line = mem::take(&mut self.line);
        let n_returns = line.iter().rev().take_while(|b| **b == b'\r').count();
        let line = &line[..line.len() - n_returns];
        if line.is_empty() {
            // Blank lines before a head are none of it.
            return Ok(if self.has_begun() { Step::End } else { Step::Line });
        }
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
            Self::NotHttp(begin) => write!(f, "the response begins with {begin:?}"),
            Self::TooLong => {
                write!(f, "the headers of the answer do not end within {MAX_HEAD_BYTES} bytes")
            }
        }
    }
}

impl std::error::Error for HeadError {}

#[cfg(test)]
mod tests;
