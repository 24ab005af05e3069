//! Passwords in texts that are shown: logs, status, page, errors.

use std::borrow::Cow;

/// A text in which each `://user:password@` is made `://***@`.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut pieces = text.split("://");
    masked.extend(pieces.next());
    for piece in pieces {
        masked.push_str("://");
        let end = piece
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''))
            .unwrap_or(piece.len());
        match piece[..end].rfind('@') {
            Some(at) => masked.extend(["***", &piece[at..]]),
            None => masked.push_str(piece),
        }
    }
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_a_text_are_masked() {
        for (text, masked) in [
            ("plain", "plain"),
            ("http://h/a@b", "http://h/a@b"),
            ("x http://me:a@b@h/, rtsp://u@c", "x http://***@h/, rtsp://***@c"),
            ("'http://me:x@h'", "'http://***@h'"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }
}
