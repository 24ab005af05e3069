//! The headers of one part.

use std::borrow::Cow;
use std::iter::repeat;
use std::time::{Duration, SystemTime};

use crate::frame::{JPEG_TYPE, TIMESTAMP};

/// The headers of a part that this program uses. It ignores all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) content_type: Option<Cow<'static, str>>,
    /// The length that the server announced. The body may have another one.
    pub(crate) content_length: Option<u64>,
    /// When the picture was taken, by the server's clock: `X-Timestamp` in
    /// seconds since 1970.
    pub(crate) timestamp: Option<SystemTime>,
    /// How many pictures the server skipped for this viewer:
    /// `X-UStreamer-Dropped`.
    pub(crate) n_dropped: Option<u64>,
}

impl Part {
    /// The longest type to keep; no known type is longer.
    const MAX_TYPE: usize = 128;

    /// Whether a line is a header at which a part begins. Behind a delimiter any header
    /// counts, elsewhere only Content-Type and Content-Length.
    pub(super) fn is_header(line: &[u8], is_behind_delimiter: bool) -> bool {
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        let name = line[..colon].trim_ascii();
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        name.eq_ignore_ascii_case(b"Content-Type")
            || name.eq_ignore_ascii_case(b"Content-Length")
            || (is_behind_delimiter && !name.is_empty() && name.iter().all(is_token))
    }

    /// Reads one header line. Ignores a line without a colon and a value that cannot be
    /// parsed: the picture is useful without its headers.
    pub(super) fn read(&mut self, line: &[u8]) {
        let Some(colon) = memchr::memchr(b':', line) else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let Ok(value) = std::str::from_utf8(value) else { return };
        if name.eq_ignore_ascii_case(b"Content-Length") {
            // A length has no sign (RFC 9110 8.6), though `parse` takes one.
            let digits = value.bytes().all(|b| b.is_ascii_digit());
            self.content_length = value.parse().ok().filter(|_| digits);
        } else if name.eq_ignore_ascii_case(b"Content-Type") {
            // Nearly all parts of all cameras have this type: it costs no memory.
            self.content_type = match value {
                JPEG_TYPE => Some(Cow::Borrowed(JPEG_TYPE)),
                _ => (value.len() <= Self::MAX_TYPE).then(|| Cow::Owned(value.to_owned())),
            };
        } else if name.eq_ignore_ascii_case(TIMESTAMP.as_bytes()) {
            self.timestamp = timestamp(value);
        } else if name.eq_ignore_ascii_case(b"X-UStreamer-Dropped") {
            self.n_dropped = value.parse().ok();
        }
    }
}

/// Reads seconds since 1970 with decimals.
fn timestamp(text: &str) -> Option<SystemTime> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(decimals) {
        return None;
    }
    // Digits behind the nanoseconds are cut off.
    let digits = decimals.bytes().map(|b| u32::from(b - b'0')).chain(repeat(0));
    let nanos = digits.take(9).fold(0, |nanos, digit| nanos * 10 + digit);
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(lines: &[&str]) -> Part {
        let mut part = Part::default();
        lines.iter().for_each(|line| part.read(line.as_bytes()));
        part
    }

    #[test]
    fn headers_are_known_in_any_case_and_order() {
        let seen = part(&[
            "x-timestamp:1795197222.490963",
            "CONTENT-LENGTH : 12 ",
            "content-type: a/b",
            "x-ustreamer-dropped: 3",
        ]);
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_795_197_222, 490_963_000);
        let is = Part {
            content_type: Some("a/b".into()),
            content_length: Some(12),
            timestamp: Some(at),
            n_dropped: Some(3),
        };
        assert_eq!(seen, is);
    }

    #[test]
    fn unreadable_header_is_ignored() {
        for line in [
            "no colon",
            ": no name",
            "Content-Length: -1",
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "X-Timestamp: yesterday",
            "X-Timestamp: -1.5",
            "X-Timestamp: 1e9",
            "X-Timestamp: 18446744073709551615.0",
            "X-Timestamp: 18446744073709551616.0",
            "X-Timestamp: ",
        ] {
            assert_eq!(part(&[line]), Part::default(), "{line}");
        }
        assert_eq!(part(&[&format!("Content-Type: {}", "x".repeat(200))]), Part::default());
    }

    #[test]
    fn times_have_any_number_of_decimals() {
        for (text, nanos) in [("1", 0), ("1.5", 500_000_000), ("1.0000000019", 1)] {
            let is = SystemTime::UNIX_EPOCH + Duration::new(1, nanos);
            assert_eq!(timestamp(text), Some(is), "{text}");
        }
    }
}
