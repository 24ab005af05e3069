//! Small steps over bytes.

use memchr::memchr;

use super::{Body, EOI};

/// Appends bytes up to and with a line end. `false`: there is none yet.
pub(super) fn take_line(input: &mut &[u8], line: &mut Vec<u8>) -> bool {
    let end = memchr(b'\n', input);
    let (taken, rest) = input.split_at(end.map_or(input.len(), |at| at + 1));
    line.extend_from_slice(taken);
    *input = rest;
    end.is_some()
}

/// Skips line ends at the start of a body. Some servers write one blank line too
/// many, and no JPEG begins with one.
pub(super) fn skip_line_ends(input: &mut &[u8], body: &impl Body) {
    if body.bytes().is_empty() {
        let n = input.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        *input = &input[n..];
    }
}

/// Where the JPEG at the end of some bytes ends. Behind it may be zeros, which
/// some cameras add, or a line end, which some servers include in the length.
/// `None`: the bytes do not end with a JPEG.
pub(super) fn picture_end(bytes: &[u8]) -> Option<usize> {
    let n_padding = bytes.iter().rev().take_while(|b| matches!(b, 0 | b'\r' | b'\n')).count();
    let end = bytes.len() - n_padding;
    bytes[..end].ends_with(EOI).then_some(end)
}
