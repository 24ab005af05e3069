//! Keeps a recording within its bounds by deleting its oldest segments.

use std::time::{Duration, Instant};

use super::store::Store;
use super::store::segment::Segment;
use super::time::{Micros, SECOND};
use crate::config::RecordConfig;
use crate::log_limit::LogReasons;

/// No clock is right that shows an earlier time than this: 2026-01-01, when this
/// program did not exist. Boards without a battery begin in 1970.
const EARLIEST: Micros = 1_767_225_600 * SECOND;
/// The clock was set forwards if it went this much further than the monotonic
/// one from one check to the next. It drifts and slews by far less.
const STEP: Duration = Duration::from_secs(10);

/// Deletes what is out of bounds, and remembers how the clock went meanwhile.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    log: LogReasons,
    clock: Clock,
}

/// Which segments have the time of a clock that was set forwards later.
#[derive(Debug, Default)]
struct Clock {
    /// The wall clock and the monotonic one at the last check.
    last: Option<(Micros, Instant)>,
    /// The number that the first segment written by this process got, or a
    /// lower one that no segment has.
    first_own: u64,
    /// Segments from `first_own` up to this one were written before the step.
    last_before_step: Option<u64>,
}

impl Clock {
    /// Compares the two clocks. `newest` is the last segment that there is.
    fn check(&mut self, now: Micros, monotonic: Instant, newest: u64) {
        let Some((last, at)) = self.last.replace((now, monotonic)) else {
            // Of the segments there are, one at most was written by this
            // process: the checks begin with the first sync.
            self.first_own = newest;
            return;
        };
        let passed = Duration::from_micros(now.saturating_sub(last));
        if passed > monotonic.saturating_duration_since(at) + STEP {
            log::info!("the clock was set forwards; no recording counts as older for that");
            self.last_before_step = Some(newest);
        }
    }

    /// Whether it is known when this segment was recorded.
    fn knows(&self, segment: &Segment, now: Micros) -> bool {
        let is_before_step = self.last_before_step.is_some_and(|last| segment.id <= last);
        let is_wrong = is_before_step && segment.id >= self.first_own;
        // While the clock is in 1970 itself, its times can be compared.
        let is_too_early = now >= EARLIEST && segment.end < EARLIEST;
        !is_wrong && !is_too_early && segment.end <= now
    }
}

impl Cleaner {
    /// Deletes the segments that are out of bounds at the moment `now`, which is
    /// `monotonic` on the other clock.
    pub(super) fn clean(
        &mut self,
        store: &Store,
        config: &RecordConfig,
        now: Micros,
        monotonic: Instant,
    ) {
        let (segments, growing) = store.segments();
        self.clock.check(now, monotonic, segments.last().map_or(0, |segment| segment.id));
        // The list is a copy, so that no lock is held while files are deleted.
        let Some(folder) = store.folder() else { return };
        let max_age = config.max_age.map(|age| u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
        let ends = latest_ends(&segments, &self.clock, now);
        let bounds = Bounds {
            max_bytes: config.max_bytes,
            max_age,
            handed: config.on_segment.is_some().then(|| store.handed()),
            // Where the system does not say how full the disk is, it is not yet.
            n_lacking: folder.n_free_bytes().map_or(0, |n| room(config).saturating_sub(n)),
        };
        for segment in surplus(&segments, &ends, growing, &bounds, now) {
            // The frames go first. If the program ends between the two, the next
            // start removes an index without frames, but it would show frames
            // without an index again.
            let removed =
                folder.remove(&segment.name()).and_then(|()| folder.remove(&segment.index_name()));
            match removed {
                Ok(()) => {
                    log::debug!("{}: deleted, as the recording is full or old", segment.name());
                    store.forget(segment.id);
                    if bounds.waits(&segment) {
                        store.count_lost();
                        let what = "is deleted before it was handed over, as the disk is full";
                        self.log.warn(what, &format!("{}: {what}", segment.name()));
                    }
                }
                Err(e) => {
                    let line = format!("{}: cannot be deleted: {e}", segment.name());
                    self.log.warn(&e.to_string(), &line);
                }
            }
        }
    }
}

/// What a recording may take.
#[derive(Debug)]
struct Bounds {
    max_bytes: u64,
    max_age: Option<Micros>,
    /// The last segment that `--on-segment` has got; `None` without it.
    handed: Option<u64>,
    /// How many bytes the file system has too little. Only for these a segment is
    /// deleted that still waits to be handed over.
    n_lacking: u64,
}

impl Bounds {
    fn waits(&self, segment: &Segment) -> bool {
        self.handed.is_some_and(|handed| segment.id > handed)
    }
}

/// What should be free on the disk while segments wait: as much as the recorder writes
/// between two looks.
fn room(config: &RecordConfig) -> u64 {
    (config.max_bytes / 8).clamp(1 << 20, 64 << 20)
}

/// The latest moment at which each segment can have ended. Its own time says so
/// unless the clock was wrong. The order is certain: a segment ended before all
/// that follow, and after all before it.
fn latest_ends(segments: &[Segment], clock: &Clock, now: Micros) -> Vec<Micros> {
    let mut newest_before = 0;
    let mut ends: Vec<Micros> = segments
        .iter()
        .map(|segment| {
            if clock.knows(segment, now) {
                newest_before = newest_before.max(segment.end);
                newest_before
            } else {
                Micros::MAX
            }
        })
        .collect();
    // A time in the future, which would never get old, becomes that of the
    // next segment here.
    let mut oldest_behind = Micros::MAX;
    for end in ends.iter_mut().rev() {
        oldest_behind = oldest_behind.min(*end);
        *end = oldest_behind;
    }
    ends
}

/// The segments to delete, given all segments in order and the latest moments at
/// which they can have ended. The one that grows is never among them, and the
/// newest never for its age.
fn surplus(
    segments: &[Segment],
    ends: &[Micros],
    growing: Option<u64>,
    bounds: &Bounds,
    now: Micros,
) -> Vec<Segment> {
    let mut n_bytes: u64 = segments.iter().map(Segment::n_disk_bytes).sum();
    let newest = segments.last().map(|segment| segment.id);
    let is_old = |end: Micros| bounds.max_age.is_some_and(|age| end < now.saturating_sub(age));
    let (mut surplus, mut n_lacking) = (Vec::new(), bounds.n_lacking);
    for (segment, end) in segments.iter().zip(ends) {
        let is_old = is_old(*end) && Some(segment.id) != newest;
        let is_too_much = n_bytes > bounds.max_bytes;
        let may = if bounds.waits(segment) {
            is_too_much && n_lacking > 0
        } else {
            is_too_much || is_old
        };
        if Some(segment.id) != growing && may {
            n_bytes -= segment.n_disk_bytes();
            n_lacking = n_lacking.saturating_sub(segment.n_disk_bytes());
            surplus.push(*segment);
        }
    }
    surplus
}

#[cfg(test)]
mod tests {
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
        old_ids(&Clock::default(), segments, growing, max_bytes, max_age, now)
    }

    fn old_ids(
        clock: &Clock,
        segments: &[Segment],
        growing: Option<u64>,
        max_bytes: u64,
        max_age: Option<u64>,
        now: u64,
    ) -> Vec<u64> {
        let (max_age, now) = (max_age.map(|age| age * SECOND), now * SECOND);
        let ends = latest_ends(segments, clock, now);
        let bounds = Bounds { max_bytes, max_age, handed: None, n_lacking: 0 };
        let surplus = surplus(segments, &ends, growing, &bounds, now);
        surplus.iter().map(|segment| segment.id).collect()
    }

    #[test]
    fn what_waits_to_be_handed_over_goes_only_for_a_full_disk() {
        let all: Vec<_> = (1..=6).map(|id| segment(id, id)).collect();
        let ids = |handed, max_bytes, max_age, n_lacking| -> Vec<u64> {
            let bounds = Bounds { max_bytes, max_age, handed: Some(handed), n_lacking };
            let ends: Vec<_> = all.iter().map(|segment| segment.end).collect();
            let surplus = surplus(&all, &ends, Some(6), &bounds, 9999 * SECOND);
            surplus.iter().map(|segment| segment.id).collect()
        };
        assert_eq!(ids(2, 1000, None, 0), [1, 2], "by size");
        assert_eq!(ids(2, 9999, Some(SECOND), 9999), [1, 2], "by age");
        // What was handed over makes room first.
        assert_eq!(ids(2, 1000, None, 1500), [1, 2]);
        assert_eq!(ids(2, 1000, None, 2500), [1, 2, 3]);
        assert_eq!(ids(0, 1000, None, 9999), [1, 2, 3, 4, 5]);
        // The disk is full of something else.
        assert_eq!(ids(0, 6000, None, 9999), [] as [u64; 0]);
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

    /// 2026-11-30.
    const TODAY: u64 = 1_796_000_000;
    const DAY: u64 = 86_400;

    #[test]
    fn what_a_clock_in_1970_recorded_is_as_old_as_what_came_after_it() {
        // The last boot's, then 1970, then the clock is set.
        let old = [segment(1, TODAY - 9 * DAY), segment(2, TODAY - 60)];
        let early = [segment(3, 60), segment(4, 120)];
        let all = [&old[..], &early].concat();
        // While the clock is in 1970, nothing counts as old but by that clock.
        assert_eq!(ids(&all, Some(4), 9999, Some(DAY), 130), [] as [u64; 0]);
        // It is set before the first segment with a right time is there, or after.
        assert_eq!(ids(&all, Some(4), 9999, Some(DAY), TODAY), [1]);
        let all = [&all[..], &[segment(5, TODAY)]].concat();
        assert_eq!(ids(&all, Some(5), 9999, Some(DAY), TODAY), [1]);
        assert_eq!(ids(&all, None, 9999, Some(DAY), TODAY + DAY / 2), [1]);
        // In the end they go, the newest last of all and never by its age.
        assert_eq!(ids(&all, None, 9999, Some(DAY), TODAY + 2 * DAY), [1, 2, 3, 4]);
    }

    #[test]
    fn clock_that_stays_in_1970_still_ages_what_it_recorded() {
        let all = [segment(1, 7000), segment(2, 60), segment(3, 5000)];
        assert_eq!(ids(&all, Some(3), 9999, Some(3600), 5000), [1, 2]);
    }

    #[test]
    fn segments_are_not_older_for_a_step_forwards() {
        // A clock that begins at the last shutdown, and is set a week later.
        let begun = TODAY - 7 * DAY;
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut clock = Clock::default();
        clock.check(begun * SECOND, start, 7);
        clock.check((begun + 60) * SECOND, at(60), 8);
        let before = [segment(6, begun - 9), segment(7, begun + 5), segment(8, begun + 70)];
        clock.check(TODAY * SECOND, at(75), 8);
        // What an earlier process recorded keeps its time; nothing is known of it.
        assert_eq!(old_ids(&clock, &before, Some(8), 9999, Some(DAY), TODAY), [6]);
        let all = [&before[1..], &[segment(9, TODAY + 60)]].concat();
        assert_eq!(old_ids(&clock, &all, Some(9), 9999, Some(DAY), TODAY), [] as [u64; 0]);
        assert_eq!(old_ids(&clock, &all, None, 9999, Some(DAY), TODAY + 2 * DAY), [7, 8]);
    }

    #[test]
    fn step_backwards_deletes_nothing_new() {
        let mut clock = Clock::default();
        let start = Instant::now();
        clock.check(TODAY * SECOND, start, 1);
        clock.check((TODAY - 100 * DAY) * SECOND, start + Duration::from_secs(1), 2);
        let now = TODAY - 100 * DAY;
        let all = [segment(1, TODAY - 60), segment(2, TODAY), segment(3, now)];
        assert_eq!(old_ids(&clock, &all, Some(3), 9999, Some(DAY), now), [] as [u64; 0]);
        assert_eq!(old_ids(&clock, &all, None, 9999, Some(DAY), now + 2 * DAY), [1, 2]);
    }

    #[test]
    fn newest_is_never_deleted_for_its_age() {
        let all = [segment(1, TODAY - 9 * DAY), segment(2, TODAY - 8 * DAY)];
        assert_eq!(ids(&all, None, 9999, Some(DAY), TODAY), [1]);
    }
}
