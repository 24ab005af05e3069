//! The names of entries.

use crate::recording::time::rfc3339;

/// Gives every entry a name of its own: the moment it was taken, in UTC. It has
/// no colons, because some file systems refuse them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names {
    last_captured: u64,
    last_named: u64,
    n_steps_back: u32,
}

impl Names {
    /// The name of the next entry. If the entry before has the same time, the name is
    /// one microsecond later. After the clock was set back, a time may come a second
    /// time, so the names get a number.
    pub(super) fn next(&mut self, captured: u64) -> String {
        // Two entries of one name would overwrite each other when they are unpacked.
        if captured < self.last_captured {
            self.n_steps_back += 1;
            self.last_named = captured;
        } else {
            self.last_named = captured.max(self.last_named.saturating_add(1));
        }
        self.last_captured = captured;
        let time = rfc3339(self.last_named).replace(':', "-");
        match self.n_steps_back {
            0 => format!("{time}.jpg"),
            n => format!("{time}_{}.jpg", n + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_a_name_of_its_own() {
        let t = 1_795_256_130_123_456;
        let mut names = Names::default();
        let names: Vec<_> =
            [t, t, t + 1, t + 9, t, t + 9].map(|at| names.next(at)).into_iter().collect();
        assert_eq!(
            names,
            [
                "2026-11-21T10-15-30.123456Z.jpg",
                "2026-11-21T10-15-30.123457Z.jpg",
                "2026-11-21T10-15-30.123458Z.jpg",
                "2026-11-21T10-15-30.123465Z.jpg",
                "2026-11-21T10-15-30.123456Z_2.jpg",
                "2026-11-21T10-15-30.123465Z_2.jpg",
            ]
        );
    }

    #[test]
    fn no_time_is_beyond_names() {
        assert_eq!(Names::default().next(u64::MAX), "9999-12-31T23-59-59.000000Z.jpg");
        assert_eq!(Names::default().next(0), "1970-01-01T00-00-00.000001Z.jpg");
    }
}
