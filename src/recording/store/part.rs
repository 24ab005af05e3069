//! One frame in a segment: the bytes of the wire, from its delimiter line to
//! the end of line behind its JPEG.
//!
//! ```text
//! delimiter line, Content-Type, Content-Length, X-Timestamp, blank line, JPEG, CRLF
//! ```
//! A part ends here and not behind the next delimiter line, because ffmpeg
//! complains of a delimiter at the end of a file: so a segment ends with a whole
//! part, whichever frame is its last.

use std::io::IoSlice;

use crate::config::MAX_FRAME_BYTES;
use crate::frame::{DELIMITER, Frame, HEADERS_END, PART_START, UP_TO_TIMESTAMP};
use crate::recording::time::{LAST, Micros, SECOND};

/// Bytes of [`crate::frame::LINE_END`], which stands behind a JPEG.
pub(crate) const N_END: u32 = 2;
/// Above the longest head: delimiter, three lines, blank line.
pub(crate) const HEAD_ROOM: usize = 160;
/// The most that `--max-frame-size` allows, and room for the Huffman tables
/// that capture inserts.
pub(crate) const MAX_JPEG: u32 = MAX_FRAME_BYTES + 1024;
/// The start of every part: a scan searches for it behind damaged bytes.
pub(crate) const MARK: &[u8] = PART_START.as_bytes();

/// The two slices of a frame that make its part. A frame ends with the
/// delimiter of the next part, so that one is cut off and the same bytes are
/// written in front.
pub(crate) fn slices(frame: &Frame) -> [IoSlice<'_>; 2] {
    let full = frame.full();
    [IoSlice::new(DELIMITER), IoSlice::new(&full[..full.len() - DELIMITER.len()])]
}

/// What the head of a part says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head {
    /// Bytes before the JPEG.
    pub(crate) n_head: u16,
    pub(crate) n_jpeg: u32,
    pub(crate) captured: Micros,
}

impl Head {
    /// Reads the head at the start of some bytes. It takes only what this
    /// program writes: any other form is a sign of damage.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MARK)?;
        let n_jpeg = u32::try_from(number(&mut rest, 9)?).ok()?;
        rest = rest.strip_prefix(UP_TO_TIMESTAMP.as_bytes())?;
        let seconds = number(&mut rest, 12)?;
        rest = rest.strip_prefix(b".")?;
        let before = rest.len();
        let fraction = number(&mut rest, 6)?;
        // All six digits, or ".5" would be read as five microseconds.
        if before - rest.len() != 6 {
            return None;
        }
        rest = rest.strip_prefix(HEADERS_END.as_bytes())?;
        let captured = seconds.checked_mul(SECOND)? + fraction;
        let n_head = u16::try_from(bytes.len() - rest.len()).ok()?;
        let is_sound = (4..=MAX_JPEG).contains(&n_jpeg) && captured <= LAST;
        is_sound.then_some(Self { n_head, n_jpeg, captured })
    }

    /// The length of the whole part in bytes.
    pub(crate) fn n_part(self) -> u32 {
        u32::from(self.n_head) + self.n_jpeg + N_END
    }
}

/// Takes a number of at most `max_digits` digits off the front.
fn number(bytes: &mut &[u8], max_digits: usize) -> Option<u64> {
    let n = bytes.iter().take(max_digits).take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(n);
    *bytes = rest;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether bytes are a JPEG at both ends, with the end of line behind it.
pub(crate) fn is_closed(start: &[u8], end: &[u8]) -> bool {
    start.starts_with(&[0xFF, 0xD8]) && end.ends_with(&[0xFF, 0xD9, b'\r', b'\n'])
}

/// Whether bytes are one whole part.
pub(crate) fn is_whole(part: &[u8]) -> bool {
    Head::parse(part).is_some_and(|head| {
        head.n_part() as usize == part.len() && is_closed(&part[head.n_head.into()..], part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &[u8] = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\
        X-Timestamp: 1795197222.490963\r\n\r\n\xFF\xD8\xFF\xD9\r\n";

    #[test]
    fn own_head_is_read() {
        let head = Head::parse(PART).unwrap();
        assert_eq!((head.n_jpeg, head.captured), (4, 1_795_197_222_490_963));
        assert_eq!(head.n_part() as usize, PART.len());
        assert!(is_whole(PART));
    }

    #[test]
    fn every_other_head_is_refused() {
        for n in 0..PART.len() {
            assert!(!is_whole(&PART[..n]), "cut at {n}");
        }
        let text = String::from_utf8_lossy(&PART[..PART.len() - 6]).into_owned();
        for (from, to) in [
            ("Length: 4", "Length: -4"),
            ("Length: 4", "Length: 999999999"),
            ("Length: 4", "Length: 4 "),
            ("Length: 4", "Length: "),
            (".490963", ".49096"),
            (".490963", ".4909630"),
            ("1795197222", "999999999999"),
            ("jpeg", "png"),
        ] {
            assert_eq!(Head::parse(text.replace(from, to).as_bytes()), None, "{to}");
        }
    }
}
