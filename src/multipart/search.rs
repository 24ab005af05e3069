//! The search for a delimiter line in bytes that come in pieces of any size.

use super::PartBuf;
use super::boundary::{Boundary, LineEnd, line_end};
use crate::jpeg::END;

/// The most dashes before the name: the two of the delimiter, and those that
/// belong to the boundary.
const MAX_DASHES: usize = 64;

/// Copies bytes to a body until a delimiter line stands at its end.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Where the name of the boundary begins in the body, while too few bytes have come
    /// to decide whether its line is a delimiter.
    candidate: Option<usize>,
    /// Whether delimiters may come without dashes, because the first one did.
    is_bare: bool,
    /// The bytes on both sides of the border between two pieces. A field, to reuse the
    /// memory.
    seam: Vec<u8>,
}

/// A delimiter line at the end of a body.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// Where it begins, including the line end before it.
    pub(super) start: usize,
    pub(super) is_closing: bool,
}

impl Search {
    /// For a stream whose first delimiter had dashes.
    pub(super) fn with_dashes() -> Self {
        Self { is_bare: false, ..Self::default() }
    }

    /// For a stream whose first delimiter had no dashes.
    pub(super) fn without_dashes() -> Self {
        Self { is_bare: true, ..Self::default() }
    }

    /// Whether the end of the body may be the start of a delimiter line, and so
    /// must not be cut off.
    pub(super) fn is_unsure(&self) -> bool {
        self.candidate.is_some()
    }

    /// Adapts to a body from which `n` bytes were cut off at the front, with EOI
    /// put in their place.
    pub(super) fn cut_front(&mut self, n: usize) {
        self.candidate = self.candidate.and_then(|at| (at + END.len()).checked_sub(n));
    }

    /// Moves bytes from the front of `input` to the end of `body`, up to and including
    /// a delimiter line. Returns `None` if there was none; then all bytes were moved.
    pub(super) fn take(
        &mut self,
        boundary: &Boundary,
        input: &mut &[u8],
        body: &mut impl PartBuf,
    ) -> Option<Line> {
        loop {
            while let Some(name_at) = self.candidate {
                // The name is rare inside pictures, so it costs little to take the bytes
                // behind it one by one.
                take(1, input, body)?;
                let before = &body.bytes()[..name_at];
                let may_be = self.is_bare || before.ends_with(b"-");
                let start = start(before).filter(|_| may_be);
                match (start, line_end(&body.bytes()[name_at + boundary.len()..])) {
                    (_, LineEnd::More) => {}
                    (Some(start), LineEnd::Line { is_closing }) => {
                        self.candidate = None;
                        return Some(Line { start, is_closing });
                    }
                    _ => self.candidate = None,
                }
            }
            let Some(n) = self.find_end(boundary, input, body.bytes()) else {
                take(input.len(), input, body);
                return None;
            };
            take(n, input, body);
            self.candidate = Some(body.bytes().len() - boundary.len());
        }
    }

    /// How many bytes of `input` there are up to and including the boundary's name,
    /// which may begin in `body`.
    fn find_end(&mut self, boundary: &Boundary, input: &[u8], body: &[u8]) -> Option<usize> {
        // One byte less than the name: a name that lies in the body alone was judged
        // before and must not be found a second time.
        let n = boundary.len() - 1;
        let tail = &body[body.len().saturating_sub(n)..];
        self.seam.clear();
        self.seam.extend_from_slice(tail);
        self.seam.extend_from_slice(&input[..n.min(input.len())]);
        match boundary.find(&self.seam) {
            Some(at) => Some(at + boundary.len() - tail.len()),
            None => boundary.find(input).map(|at| at + boundary.len()),
        }
    }
}

/// Moves `n` bytes. Returns `None` and moves nothing if `input` has fewer.
fn take(n: usize, input: &mut &[u8], body: &mut impl PartBuf) -> Option<()> {
    let (taken, rest) = input.split_at_checked(n)?;
    body.add(taken);
    *input = rest;
    Some(())
}

/// Where a delimiter line begins, if the name of the boundary follows `before`. The
/// line begins at the start of the bytes, with the line end before it, or directly
/// behind a picture, as some cameras send it. `None` if `before` fits none of these.
fn start(before: &[u8]) -> Option<usize> {
    // One more than allowed is enough to know: this is asked again for each byte behind
    // the name, and a server may send dashes without end.
    let last = before.iter().rev().take(MAX_DASHES + 1);
    let n_dashes = last.take_while(|b| **b == b'-').count();
    if n_dashes == 1 || n_dashes > MAX_DASHES {
        return None;
    }
    let before = &before[..before.len() - n_dashes];
    if let Some(line) = before.strip_suffix(b"\n") {
        return Some(line.strip_suffix(b"\r").unwrap_or(line).len());
    }
    let is_behind_picture = n_dashes >= 2 && before.ends_with(&END);
    (before.is_empty() || is_behind_picture).then_some(before.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body and the line found, with what is left, for each way to cut.
    fn search(bytes: &[u8]) -> (Vec<u8>, Option<Line>, usize) {
        let boundary = Boundary::new(b"frame").unwrap();
        let mut seen = Vec::new();
        for cut in 0..=bytes.len() {
            let (mut search, mut body) = (Search::without_dashes(), Vec::new());
            let (mut a, mut b) = bytes.split_at(cut);
            let mut line = search.take(&boundary, &mut a, &mut body);
            if line.is_none() {
                assert!(a.is_empty());
                line = search.take(&boundary, &mut b, &mut body);
            }
            seen.push((body, line, a.len() + b.len()));
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]), "{}: {seen:?}", bytes.escape_ascii());
        seen.swap_remove(0)
    }

    #[test]
    fn delimiter_lines_are_found_across_any_cut() {
        for (bytes, start, is_closing, n_left) in [
            (&b"abc\r\n--frame\r\nrest"[..], 3, false, 4),
            (b"abc\n--frame\nrest", 3, false, 4),
            (b"abc\nframe \t\r\n", 3, false, 0),
            (b"--frame\r\n", 0, false, 0),
            (b"abc\r\n----frame--\r\nx", 3, true, 1),
            (b"abc\xFF\xD9--frame\r\n", 5, false, 0),
            (b"\r\n\r\n--frame\r\n", 2, false, 0),
            (b"--frame--frame\r\n--frame\r\n", 14, false, 0),
            (b"--framed\r\n--frame\r\n", 8, false, 0),
            (b"fframe\nframe\n", 6, false, 0),
        ] {
            let (body, line, left) = search(bytes);
            assert_eq!(line, Some(Line { start, is_closing }), "{}", bytes.escape_ascii());
            assert_eq!((body.len(), left), (bytes.len() - n_left, n_left));
        }
    }

    #[test]
    fn what_only_looks_like_a_delimiter_is_body() {
        for bytes in [
            &b"abc--frame\r\n"[..],
            b"\r\n--frame",
            b"\r\n--frame2\r\n",
            b"\r\n--frame-\r\n",
            b"\r\n-- frame\r\n",
            b"\r\n-frame\r\n",
            b"\xFF\xD9frame\r\n",
            b"\r\n--fram\r\n",
        ] {
            assert_eq!(search(bytes), (bytes.to_vec(), None, 0));
        }
    }
}
