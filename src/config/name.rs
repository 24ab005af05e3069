//! Names of cameras, which are a part of addresses.

use anyhow::{Result, ensure};

/// The name of a camera without a name of its own.
pub(super) const UNNAMED: &str = "camera";
/// The longest name that fits a line of the log and a tile of the page.
const MAX_LEN: usize = 32;

/// Whether a text has the form of a camera's name. Names that are addresses of
/// the program are refused by `http`, which has the table of addresses.
pub(crate) fn is_plain_name(text: &str) -> bool {
    // Nothing that has to be escaped in an address, in a shell or in the name of a folder;
    // and no dot, which the files of the page have.
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_sign)
}

/// Splits `NAME=SOURCE` into the name and the source. A source may hold an equals
/// sign too, but only behind a colon, a slash or an at sign.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        // An empty or wrong name is returned too, so that the error is about it.
        Some((name, source)) if !name.contains([':', '/', '@']) => (Some(name), source),
        _ => (None, text),
    }
}

/// Checks a name of a camera.
///
/// # Errors
/// Why a camera cannot have this name.
pub(super) fn check(text: &str) -> Result<()> {
    ensure!(
        is_plain_name(text),
        "{text:?} is no name for a camera; use up to {MAX_LEN} letters, digits, - and _"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_an_address_can_hold() {
        for right in [UNNAMED, "front", "webcam2", "a-b_C9", &"x".repeat(32)] {
            check(right).unwrap();
        }
        for (wrong, says) in [
            ("", "letters, digits"),
            ("a b", "letters, digits"),
            ("a/b", "letters, digits"),
            ("style.css", "letters, digits"),
            ("hinten\u{fc}", "letters, digits"),
            (&"x".repeat(33), "up to 32"),
        ] {
            let fault = check(wrong).unwrap_err().to_string();
            assert!(fault.contains(says), "{wrong}: {fault}");
        }
    }

    #[test]
    fn sources_may_hold_the_sign_behind_a_name() {
        for (text, name, source) in [
            ("front=demo", Some("front"), "demo"),
            ("front=exec:x a=b", Some("front"), "exec:x a=b"),
            ("a b=demo", Some("a b"), "demo"),
            ("=demo", Some(""), "demo"),
            ("demo", None, "demo"),
            ("exec:x a=b", None, "exec:x a=b"),
            ("http://h/?action=stream", None, "http://h/?action=stream"),
            ("/dev/v4l/by-id/a=b", None, "/dev/v4l/by-id/a=b"),
        ] {
            assert_eq!(split(text), (name, source), "{text}");
        }
    }
}
