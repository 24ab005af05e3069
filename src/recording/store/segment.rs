//! A segment: what is known of it without opening it, and the names of its
//! files.

use super::index_record::IndexRecord;
use crate::recording::time::{Micros, SECOND, file_time, parse_file_time};

/// The shortest time without a frame that counts as a gap...
const SHORTEST_GAP: Micros = 2 * SECOND;
/// ...or this many intervals between frames, if that is longer.
const GAP_INTERVALS: u64 = 3;

/// Far above the number of segments that any recording reaches, and far enough
/// below the largest integer that counting on never overflows.
const LAST_ID: u64 = u64::MAX / 2;

/// One file of frames without a gap inside, in the order of their times. A
/// recording may hold ten thousand segments in memory, so a segment holds
/// nothing per frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment {
    /// Counts up by one a segment. It gives the order, as the clock may be set.
    pub(crate) id: u64,
    /// The second in its name, since 1970.
    pub(crate) named: u64,
    /// When its first and its last frame were taken.
    pub(crate) start: Micros,
    pub(crate) end: Micros,
    pub(crate) n_frames: u64,
    pub(crate) n_bytes: u64,
}

impl Segment {
    pub(crate) const DATA: &str = ".mjpeg";
    pub(crate) const INDEX: &str = ".idx";
    pub(crate) const UNFINISHED: &str = ".tmp";

    /// A segment that begins with this frame.
    pub(crate) fn begin(id: u64, first: &IndexRecord) -> Self {
        Self {
            id,
            named: first.captured / SECOND,
            start: first.captured,
            end: first.captured,
            n_frames: 0,
            n_bytes: 0,
        }
    }

    /// The name without extension: the time is for people and for sorting, the
    /// number for the order and so that no two names are equal.
    fn stem(&self) -> String {
        format!("{}_{:06}", file_time(self.named), self.id)
    }

    /// The name of the file with its frames.
    pub(crate) fn name(&self) -> String {
        self.stem() + Self::DATA
    }

    pub(crate) fn index_name(&self) -> String {
        self.stem() + Self::INDEX
    }

    pub(crate) fn unfinished_name(&self) -> String {
        self.stem() + Self::UNFINISHED
    }

    /// Time and number in the name of a file of a segment; `None` for every other
    /// name.
    pub(crate) fn parse(name: &str, extension: &str) -> Option<(u64, u64)> {
        let (time, number) = name.strip_suffix(extension)?.split_once('_')?;
        let (named, id) = (parse_file_time(time)?, number.parse().ok()?);
        // One spelling of a number, or two files could be the same segment.
        let is_own = id <= LAST_ID && format!("{id:06}") == number;
        is_own.then_some((named, id))
    }

    /// Bytes on disk, with those of the index.
    pub(crate) fn n_disk_bytes(&self) -> u64 {
        self.n_bytes + (self.n_frames + 1) * IndexRecord::N_BYTES as u64
    }

    /// The mean time from frame to frame; `None` for one frame.
    pub(crate) fn interval(&self) -> Option<Micros> {
        (self.end - self.start).checked_div(self.n_frames.checked_sub(1)?)
    }

    /// How long after its last frame the next one may come without a gap.
    pub(crate) fn patience(&self) -> Micros {
        patience(self.interval())
    }

    /// Whether there is a gap, or a step of the clock, between this segment
    /// and the next.
    pub(crate) fn has_gap_before(&self, next: &Self) -> bool {
        // The longer of the two: where the rate changes, one of them says little of the time
        // between.
        let patience = self.patience().max(next.patience());
        next.start < self.end || next.start - self.end > patience
    }
}

/// How long after a frame the next one may come without a gap, when frames came
/// at this interval.
pub(crate) fn patience(interval: Option<Micros>) -> Micros {
    SHORTEST_GAP.max(interval.unwrap_or(0).saturating_mul(GAP_INTERVALS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: Segment = Segment {
        id: 42,
        named: 1_795_260_515,
        start: 1_795_260_515 * SECOND,
        end: 1_795_260_516 * SECOND,
        n_frames: 11,
        n_bytes: 1000,
    };

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        assert_eq!(SEGMENT.name(), "2026-11-21T11-28-35Z_000042.mjpeg");
        assert_eq!(
            Segment::parse(&SEGMENT.name(), Segment::DATA),
            Some((SEGMENT.named, SEGMENT.id))
        );
        for name in [
            "2026-11-21T11-28-35Z_42.mjpeg",
            "2026-11-21T11-28-35Z_+00042.mjpeg",
            "2026-11-21T11-28-35Z_000042.avi",
            "2026-11-21T11-28-35Z_99999999999999999999.mjpeg",
            "2026-11-21T11-28-35Z_18446744073709551615.mjpeg",
            "../2026-11-21T11-28-35Z_000042.mjpeg",
            "_000042.mjpeg",
            ".mjpeg",
        ] {
            assert_eq!(Segment::parse(name, Segment::DATA), None, "{name}");
        }
    }

    #[test]
    fn slow_frames_are_no_gap_and_a_clock_set_back_is_one() {
        let after = |us| Segment { start: SEGMENT.end + us, end: SEGMENT.end + us, ..SEGMENT };
        assert!(!SEGMENT.has_gap_before(&after(100_000)));
        assert!(SEGMENT.has_gap_before(&after(3 * SECOND)));
        let slow = Segment { end: SEGMENT.start + 100 * SECOND, ..SEGMENT };
        let next =
            Segment { start: slow.end + 29 * SECOND, end: slow.end + 29 * SECOND, ..SEGMENT };
        assert!(!slow.has_gap_before(&next));
        let back = Segment { start: SEGMENT.start, ..SEGMENT };
        assert!(SEGMENT.has_gap_before(&back));
    }
}
