//! A comment in a status picture by which another daemon knows it.
//!
//! It lies in the picture and not in the headers of its part: the layout for
//! browsers has sent these before the picture is known, and the comment also
//! comes through `exec:` and through servers between the two.

use super::check::segment;
use crate::frame::STATUS_UP_TO_CAUSE;

/// The marker of a comment segment.
const COM: u8 = 0xFE;
/// The start of the comment, before the cause. It reads as the header does with
/// which a snapshot is refused.
const NAME: &[u8] = STATUS_UP_TO_CAUSE.as_bytes();
/// A longer cause is cut: the buffer of a picture has 432 bytes before it.
const MAX_CAUSE: usize = 384;
/// Where the segment belongs: right behind SOI.
pub(crate) const MARK_AT: usize = 2;

/// The segment that marks a status picture, to be inserted at [`MARK_AT`].
#[cfg(any(test, feature = "daemon"))]
pub(crate) fn status_mark(cause: &str) -> Vec<u8> {
    let mut text = NAME.to_vec();
    let end = (0..=MAX_CAUSE).rfind(|&at| cause.is_char_boundary(at)).unwrap_or(0);
    text.extend_from_slice(&cause.as_bytes()[..end]);
    let length = u16::try_from(text.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    [&[0xFF, COM][..], &length, &text].concat()
}

/// The cause in a status picture; `None`: it is a picture of a camera.
pub(crate) fn status_cause(jpeg: &[u8]) -> Option<String> {
    let (COM, at) = segment(jpeg, MARK_AT).ok()?? else { return None };
    let text = jpeg[at].get(2..)?.strip_prefix(NAME)?;
    // It goes into a log: no line ends, nothing for a terminal.
    let text = String::from_utf8_lossy(&text[..text.len().min(MAX_CAUSE)]).into_owned();
    Some(text.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = include_bytes!("../camera/demo/1.jpg");

    fn marked(mark: &[u8]) -> Vec<u8> {
        [&JPEG[..MARK_AT], mark, &JPEG[MARK_AT..]].concat()
    }

    #[test]
    fn cause_is_read_from_a_marked_picture_only() {
        let picture = marked(&status_mark("the cable is out\r\n\u{1b}[2Jé"));
        assert_eq!(status_cause(&picture).as_deref(), Some("the cable is out   [2Jé"));
        assert!(super::super::check(&picture).is_ok());
        let long = status_cause(&marked(&status_mark(&"é".repeat(999)))).unwrap();
        assert_eq!(long, "é".repeat(MAX_CAUSE / 2));
        for other in
            [JPEG, &marked(b"\xFF\xFE\0\x04hi"), &marked(b"\xFF\xFE\0\x01"), &JPEG[..3], b""]
        {
            assert_eq!(status_cause(other), None);
        }
    }
}
