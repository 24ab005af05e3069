//! Pictures that a server sends again for want of a new one.

use std::time::SystemTime;

/// Of two pictures that differ at all, the ends differ: every byte of a scan
/// depends on those before it.
const N_TAIL: usize = 256;

/// What is remembered of the last picture.
#[derive(Debug, Default)]
pub(crate) struct Repeat {
    stamp: Option<SystemTime>,
    len: usize,
    tail: Vec<u8>,
}

impl Repeat {
    /// Whether this is the last picture once more: of the same time, length
    /// and end. One without a time is always new.
    pub(crate) fn is_repeat(&mut self, stamp: Option<SystemTime>, jpeg: &[u8]) -> bool {
        let tail = &jpeg[jpeg.len().saturating_sub(N_TAIL)..];
        if stamp.is_some() && (stamp, jpeg.len()) == (self.stamp, self.len) && tail == self.tail {
            return true;
        }
        (self.stamp, self.len) = (stamp, jpeg.len());
        self.tail.clear();
        self.tail.extend_from_slice(tail);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_picture_of_the_same_time_is_a_repeat() {
        let mut repeat = Repeat::default();
        let times = [1, 2].map(|s| Some(SystemTime::UNIX_EPOCH + std::time::Duration::new(s, 0)));
        assert!(!repeat.is_repeat(times[0], b"one"));
        assert!(repeat.is_repeat(times[0], b"one"));
        assert!(!repeat.is_repeat(times[1], b"one"));
        assert!(!repeat.is_repeat(times[1], b"two"));
        assert!(!repeat.is_repeat(None, b"two"));
        assert!(!repeat.is_repeat(None, b"two"));
    }
}
