//! Who this process is, so that a daemon knows its own stream when it meets it.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// A number for a camera of this process, another one in each process: the
/// hasher's keys are random. It tells a reader nothing about the name.
pub(crate) fn id(camera: &str) -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    KEYS.get_or_init(RandomState::new).hash_one(camera)
}

/// The same number as it stands in a header.
pub(crate) fn text(camera: &str) -> String {
    format!("{:016x}", id(camera))
}

/// The number of this process, whatever its cameras are.
pub(crate) fn of_process() -> String {
    // No camera has an empty name.
    text("")
}

/// The number in a header; `None`: it is none.
pub(crate) fn parse(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_knows_itself_and_no_other() {
        assert_eq!(parse(&text("front")), Some(id("front")));
        assert_ne!(id("front"), id("back"));
        assert_eq!(parse("not hexadecimal"), None);
    }
}
