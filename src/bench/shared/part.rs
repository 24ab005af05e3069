//! The daemon's stream on the wire, and the small JPEG that pictures are made
//! from.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// A valid picture of a few kB.
pub(crate) const SMALL_JPEG: &[u8] = include_bytes!("../../camera/demo/1.jpg");
/// What the daemon writes after each JPEG in its layout with lengths.
pub(crate) const DELIMITER: &[u8] = b"\r\n--frame\r\n";
/// The head of the reply and the first delimiter. As long as the daemon's, so that sizes compare.
pub(crate) const OPENING: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\
Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\
Cache-Control: no-store, no-cache, must-revalidate, max-age=0\r\nPragma: no-cache\r\n\
X-Accel-Buffering: no\r\n\r\n--frame\r\n";

/// The header of a part.
pub(crate) fn part_head(n_bytes: usize, captured: SystemTime) -> String {
    let t = captured.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (t.as_secs(), t.subsec_micros());
    format!(
        "Content-Type: image/jpeg\r\nContent-Length: {n_bytes}\r\n\
         X-Timestamp: {seconds}.{micros:06}\r\n\r\n"
    )
}

/// The moment in an `X-Timestamp`: seconds since 1970 with six decimals.
///
/// # Errors
/// The text is no such number.
pub(crate) fn parse_timestamp(text: &str) -> Result<SystemTime> {
    let (seconds, micros) = text.trim_end().split_once('.').context("a time without decimals")?;
    let since = Duration::from_secs(seconds.parse()?) + Duration::from_micros(micros.parse()?);
    Ok(SystemTime::UNIX_EPOCH + since)
}

/// Appends a comment segment (T.81 B.2.4.5). `text` has at most 65,533 bytes.
pub(crate) fn push_comment(jpeg: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    jpeg.extend([0xFF, 0xFE]);
    jpeg.extend(length.to_be_bytes());
    jpeg.extend_from_slice(text);
}
