//! uStreamer's cookie, by which a page knows which of the clients in `/state` it
//! is itself.

use std::fmt::Write;

use crate::http::viewer::Viewer;

/// `stream_client[_INSTANCE]=KEY/ID`, for half a minute: a page reads it just
/// after its stream has begun.
pub(super) fn new(instance: &str, viewer: &Viewer) -> String {
    let mark = if instance.is_empty() { "" } else { "_" };
    let (key, id) = (encode(viewer.info.shown_key()), viewer.hex_id());
    format!("stream_client{mark}{instance}={key}/{id}; path=/; max-age=30")
}

/// A key comes from the client, and may be anything: all but plain letters is
/// percent-encoded (RFC 3986 2.1).
fn encode(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_encoded_as_ustreamer_does_it() {
        assert_eq!(encode("a b;c"), "a%20b%3Bc");
        assert_eq!(encode("x\r\nA: \u{fc}/"), "x%0D%0AA%3A%20%C3%BC%2F");
        assert_eq!(encode("Abc-1._~"), "Abc-1._~");
    }
}
