//! Keeps a recording within its bounds by deleting its oldest segments.

use super::store::Store;
use super::store::segment::Segment;
use super::time::Micros;
use crate::config::RecordConfig;
use crate::log_limit::LogLimit;

/// Deletes the segments that are out of bounds at the moment `now`.
pub(super) fn clean(store: &Store, config: &RecordConfig, now: Micros, log: &mut LogLimit) {
    let (segments, growing) = store.segments();
    // The list is a copy, so that no lock is held while files are deleted.
    let Some(folder) = store.folder() else { return };
    let max_age = config.max_age.map(|age| u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
    for segment in surplus(&segments, growing, config.max_bytes, max_age, now) {
        // The frames go first. If the program ends between the two, the next
        // start removes an index without frames, but it would show frames
        // without an index again.
        let removed =
            folder.remove(&segment.name()).and_then(|()| folder.remove(&segment.index_name()));
        match removed {
            Ok(()) => {
                log::debug!("{}: deleted, as the recording is full or old", segment.name());
                store.forget(segment.id);
            }
            Err(e) => log.warn(&format!("{}: cannot be deleted: {e}", segment.name())),
        }
    }
}

/// The segments to delete, given all segments in order. The one that grows is
/// never among them.
fn surplus(
    segments: &[Segment],
    growing: Option<u64>,
    max_bytes: u64,
    max_age: Option<Micros>,
    now: Micros,
) -> Vec<Segment> {
    let mut n_bytes: u64 = segments.iter().map(Segment::n_disk_bytes).sum();
    // A clock that was wrong at first leaves segments with times in the future,
    // which would never get old. So a segment counts as at least as old as the
    // ones that were recorded after it.
    let mut oldest_behind = Micros::MAX;
    let mut ends: Vec<Micros> = segments
        .iter()
        .rev()
        .map(|segment| {
            oldest_behind = oldest_behind.min(segment.end);
            oldest_behind
        })
        .collect();
    ends.reverse();
    let is_old = |end: Micros| max_age.is_some_and(|age| end < now.saturating_sub(age));
    let mut surplus = Vec::new();
    for (segment, end) in segments.iter().zip(ends) {
        if Some(segment.id) != growing && (n_bytes > max_bytes || is_old(end)) {
            n_bytes -= segment.n_disk_bytes();
            surplus.push(*segment);
        }
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::super::time::SECOND;
    use super::*;

    /// A segment of 1000 bytes on disk that ended then.
    fn segment(id: u64, end: u64) -> Segment {
        let (start, end) = (end * SECOND, end * SECOND);
        Segment { id, named: start, start, end, n_frames: 1, n_bytes: 1000 - 64 }
    }

    fn ids(
        segments: &[Segment],
        growing: Option<u64>,
        max_bytes: u64,
        max_age: Option<u64>,
        now: u64,
    ) -> Vec<u64> {
        let max_age = max_age.map(|age| age * SECOND);
        let surplus = surplus(segments, growing, max_bytes, max_age, now * SECOND);
        surplus.iter().map(|segment| segment.id).collect()
    }

    #[test]
    fn oldest_go_until_the_others_fit() {
        let all: Vec<_> = (1..=5).map(|id| segment(id, id)).collect();
        assert_eq!(ids(&all, None, 5000, None, 10), [] as [u64; 0]);
        assert_eq!(ids(&all, None, 4999, None, 10), [1]);
        assert_eq!(ids(&all, None, 2500, None, 10), [1, 2, 3]);
        assert_eq!(ids(&all, Some(5), 0, None, 10), [1, 2, 3, 4]);
    }

    #[test]
    fn old_ones_go_whatever_the_clock_did() {
        let all = [segment(1, 900), segment(2, 100), segment(3, 150), segment(4, 200)];
        assert_eq!(ids(&all, Some(4), 9999, Some(60), 200), [1, 2]);
        assert_eq!(ids(&all, Some(4), 9999, Some(3600), 200), [] as [u64; 0]);
        assert_eq!(ids(&all, Some(4), 9999, Some(10), 5000), [1, 2, 3]);
    }
}
