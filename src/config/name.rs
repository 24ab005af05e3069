//! Names of cameras, as they stand in addresses.

/// The name of a camera that was given none.
pub(super) const UNNAMED: &str = "camera";
/// Fits a line of the log and a tile of the page.
const MAX_LEN: usize = 32;

/// What stands at the place of a camera's name in addresses, or will.
const RESERVED: [&str; 17] = [
    "api",
    "cameras",
    "controls",
    "download",
    "healthz",
    "metrics",
    "play",
    "playback",
    "record",
    "recording",
    "recordings",
    "snapshot",
    "state",
    "status",
    "stream",
    "video_feed",
    "webcam",
];

/// Whether a camera may have this name.
pub(crate) fn is_name(text: &str) -> bool {
    is_plain(text) && !RESERVED.contains(&text)
}

fn is_plain(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_an_address_can_hold() {
        for right in [UNNAMED, "front", "webcam2", "a-b_C9", &"x".repeat(32)] {
            assert!(is_name(right), "{right}");
        }
        for wrong in
            ["", "a b", "a/b", "style.css", "hinten\u{fc}", &"x".repeat(33), "stream", "webcam"]
        {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
