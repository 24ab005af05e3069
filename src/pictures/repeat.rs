//! Recognises pictures that a server sends again while it has no new one.

use std::time::SystemTime;

/// How many bytes at the end are compared. They differ if two pictures differ at all:
/// every byte of a scan depends on those before it.
const N_TAIL: usize = 256;

/// The last picture, as far as a repeat is recognised by it.
#[derive(Debug, Default)]
pub(crate) struct Repeat {
    stamp: Option<SystemTime>,
    len: usize,
    tail: Vec<u8>,
}

impl Repeat {
    /// Whether this is the last picture again: it has the same time, length and last
    /// bytes. A picture without a time always counts as new, since a still scene may
    /// give equal pictures.
    pub(crate) fn is_repeat(&mut self, stamp: Option<SystemTime>, jpeg: &[u8]) -> bool {
        let tail = &jpeg[jpeg.len().saturating_sub(N_TAIL)..];
        // The cheap comparisons first: nearly every picture has another time.
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
