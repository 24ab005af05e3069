//! Helpers that take or skip bytes.

use memchr::memchr;

use super::PartBuf;
use crate::jpeg::END;

/// Moves bytes from `input` to `line`, up to and including the first line end. Returns
/// whether the line is complete.
pub(super) fn take_line(input: &mut &[u8], line: &mut Vec<u8>) -> bool {
    let end = memchr(b'\n', input);
    let (taken, rest) = input.split_at(end.map_or(input.len(), |at| at + 1));
    line.extend_from_slice(taken);
    *input = rest;
    end.is_some()
}

/// Skips line ends at the start of a body: some servers write one blank line too many,
/// and no JPEG begins with one.
pub(super) fn skip_line_ends(input: &mut &[u8], body: &impl PartBuf) {
    if body.bytes().is_empty() {
        let n = input.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        *input = &input[n..];
    }
}

/// Where the JPEG ends that `bytes` end with; `None` if they end with something else.
/// The JPEG may be followed by zeros, which some cameras add, and by a line end, which
/// some servers include in the length.
pub(super) fn picture_end(bytes: &[u8]) -> Option<usize> {
    // Zeros come from encoders in hardware, which write whole words.
    let n_padding = bytes.iter().rev().take_while(|b| matches!(b, 0 | b'\r' | b'\n')).count();
    let end = bytes.len() - n_padding;
    bytes[..end].ends_with(&END).then_some(end)
}
