//! The strings of the wire: what stands before and behind each JPEG of a stream, and the
//! headers of this program's own. They are spelt nowhere else.

/// `concat!` accepts macros but no constants, so a macro lets the program spell each
/// string only once.
macro_rules! wire {
    // Letters alone: see `STREAM_TYPE`.
    (boundary) => {
        "frame"
    };
    (delimiter) => {
        concat!("--", wire!(boundary), wire!(line_end))
    };
    (line_end) => {
        "\r\n"
    };
    (jpeg_type) => {
        "image/jpeg"
    };
    (type_line) => {
        concat!("Content-Type: ", wire!(jpeg_type), wire!(line_end))
    };
    (short_headers) => {
        concat!(wire!(type_line), wire!(line_end))
    };
    (up_to_length) => {
        concat!(wire!(type_line), "Content-Length: ")
    };
    // As mjpg-streamer and uStreamer call it, whose clients read it.
    (timestamp) => {
        "X-Timestamp"
    };
    (status) => {
        "X-Mjpegd-Status"
    };
    (lost) => {
        "lost; "
    };
}

/// The Content-Type of a stream. `boundary` is the last parameter, and its value
/// has neither quotes nor dashes: Gecko, ffmpeg, `ZoneMinder` and aiohttp each
/// fail on some other form, and all accept this one.
pub(crate) const STREAM_TYPE: &str =
    concat!("multipart/x-mixed-replace; boundary=", wire!(boundary));
/// The Content-Type of one picture.
pub(crate) const JPEG_TYPE: &str = wire!(jpeg_type);
/// The name of the header that says when a picture was taken, in seconds since
/// 1970 with six decimals.
pub(crate) const TIMESTAMP: &str = wire!(timestamp);

/// The name of the header that says why a snapshot has no picture: `lost; CAUSE`.
pub(crate) const STATUS: &str = wire!(status);
/// What stands in it before the cause.
pub(crate) const LOST: &str = wire!(lost);
/// That header up to the cause, as it stands in the comment of a status picture.
pub(crate) const STATUS_UP_TO_CAUSE: &str = concat!(wire!(status), ": ", wire!(lost));
/// The name of the header by which a daemon knows its own camera's pictures.
pub(crate) const INSTANCE: &str = "X-Mjpegd-Instance";
/// The header with the age of a live snapshot, in milliseconds. `Age` has whole
/// seconds only, and proxies write their own.
pub(crate) const AGE: &str = "X-Frame-Age-Ms";

/// The delimiter line that opens every stream body.
pub(crate) const DELIMITER: &[u8] = wire!(delimiter).as_bytes();
/// The headers of a part without a length, with the blank line.
pub(crate) const SHORT_HEADERS: &[u8] = wire!(short_headers).as_bytes();
/// The end of line behind a JPEG. It belongs to the delimiter (RFC 2046 5.1.1).
pub(crate) const LINE_END: &[u8] = wire!(line_end).as_bytes();
/// The delimiter line and the short headers of the part behind it, without the
/// [`LINE_END`] that precedes a delimiter.
pub(crate) const NEXT_PART: &[u8] = concat!(wire!(delimiter), wire!(short_headers)).as_bytes();

/// The headers of a part up to the value of its length...
pub(crate) const UP_TO_LENGTH: &str = wire!(up_to_length);
/// ...from there to the value of its time...
pub(crate) const UP_TO_TIMESTAMP: &str = concat!(wire!(line_end), wire!(timestamp), ": ");
/// ...and the end of that line, with the blank line.
pub(crate) const HEADERS_END: &str = concat!(wire!(line_end), wire!(line_end));
/// The start of a part in the full layout: the delimiter line before it, and its
/// headers up to the value of the length.
pub(crate) const PART_START: &str = concat!(wire!(delimiter), wire!(up_to_length));

/// What follows each JPEG: [`LINE_END`], then [`NEXT_PART`]. Chromium and WebKit
/// paint a picture only when the headers of the next part arrive (Chromium bug
/// 527446), so these headers follow the JPEG at once.
pub(super) const END_AND_NEXT_PART: &[u8] =
    concat!(wire!(line_end), wire!(delimiter), wire!(short_headers)).as_bytes();
/// How many of these bytes belong to the delimiter.
pub(super) const N_DELIMITER_BYTES: usize = END_AND_NEXT_PART.len() - SHORT_HEADERS.len();

/// What a relay says of a server that has lost its camera for this cause. The sentence
/// comes once, however long the chain of relays is: each of them passes on the text of
/// the one before, which has it already.
pub(crate) fn upstream_loss(cause: &str) -> String {
    const THERE: &str = "the server has lost its camera: ";
    format!("{THERE}{}", cause.trim_start_matches(THERE))
}

#[cfg(test)]
mod tests {
    #[test]
    fn loss_is_said_once_however_many_relays_pass_it_on() {
        let said = "the server has lost its camera: no device";
        let (one, two) = (
            super::upstream_loss("no device"),
            super::upstream_loss(&super::upstream_loss("no device")),
        );
        assert_eq!((&*one, &*two, &*super::upstream_loss(&two)), (said, said, said));
    }
}
