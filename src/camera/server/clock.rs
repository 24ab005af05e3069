//! Derives the time at which a frame of another server was taken.

use std::time::{Duration, SystemTime};

use crate::frame::Timestamp;

/// A timestamp that is further off than this is ignored: some servers send the
/// time since their start in place of the time of day.
const MAX_OFF: Duration = Duration::from_secs(3600);
/// An age above this more likely means that the clocks of the two machines
/// differ than that the frame took this long. Such a frame keeps its wall time,
/// but counts as taken now, since viewers and snapshots compare ages.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The time in the part's header, where it is plausible; otherwise now.
pub(super) fn timestamp(header: Option<SystemTime>) -> Timestamp {
    timestamp_at(header, Timestamp::now())
}

fn timestamp_at(header: Option<SystemTime>, now: Timestamp) -> Timestamp {
    let Some(wall) = header else { return now };
    let age = match now.wall.duration_since(wall) {
        Ok(age) if age > MAX_OFF => return now,
        Err(ahead) if ahead.duration() > MAX_OFF => return now,
        Ok(age) if age <= MAX_AGE => age,
        _ => Duration::ZERO,
    };
    Timestamp { wall, monotonic: now.monotonic.checked_sub(age).unwrap_or(now.monotonic) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn time_of_the_part_is_kept_unless_its_clock_is_not_set() {
        let now = Timestamp::now();
        let ms = Duration::from_millis;
        assert_eq!(timestamp_at(None, now), now);
        let young = now.wall - ms(300);
        let expected = Timestamp { wall: young, monotonic: now.monotonic - ms(300) };
        assert_eq!(timestamp_at(Some(young), now), expected);
        for header in [now.wall - ms(60_000), now.wall + ms(60_000)] {
            let expected = Timestamp { wall: header, monotonic: now.monotonic };
            assert_eq!(timestamp_at(Some(header), now), expected);
        }
        for header in [SystemTime::UNIX_EPOCH + ms(5), now.wall + ms(7_200_000)] {
            assert_eq!(timestamp_at(Some(header), now), now);
        }
    }

    #[test]
    fn age_is_never_negative() {
        let old = Timestamp { wall: SystemTime::UNIX_EPOCH, monotonic: Instant::now() };
        let header = SystemTime::UNIX_EPOCH + MAX_AGE;
        assert_eq!(timestamp_at(Some(header), old).monotonic, old.monotonic);
    }
}
