//! Cookies by which a page knows itself: uStreamer's says which of the clients in
//! `/state` it is, and one for each key which server sends the stream.

use std::fmt::Write;

use crate::http::viewer::Viewer;
use crate::instance;

/// `stream_client[_INSTANCE]=KEY/ID`, for half a minute: a page reads it just
/// after its stream has begun.
pub(super) fn new(instance: &str, viewer: &Viewer) -> String {
    let mark = if instance.is_empty() { "" } else { "_" };
    let (key, id) = (encode(viewer.info.shown_key()), viewer.hex_id());
    format!("stream_client{mark}{instance}={key}/{id}; path=/; max-age=30")
}

/// `mjpegd_KEY=INSTANCE`: behind a balancer, `/status` may come from another server
/// than the stream. `None` for a viewer without a key.
pub(super) fn of_instance(viewer: &Viewer) -> Option<String> {
    let key = Some(&viewer.info.key).filter(|key| !key.is_empty())?;
    let (key, instance) = (encode(key), instance::of_process());
    Some(format!("mjpegd_{key}={instance}; path=/; max-age=30; SameSite=Lax"))
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
