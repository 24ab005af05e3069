//! When a picture of another server was taken.

use std::time::{Duration, SystemTime};

use crate::frame::Taken;

/// A clock that is further off than this is not set: some servers give the
/// time since their start. What it says is left out.
const MAX_OFF: Duration = Duration::from_secs(3600);
/// An age above this is rather a clock that is off than a picture that took so
/// long: for ages and for a fresh snapshot it is taken now.
const MAX_AGE: Duration = Duration::from_secs(2);

/// By the time in the part, where that can be.
pub(super) fn taken(stamp: Option<SystemTime>) -> Taken {
    at(stamp, Taken::now())
}

fn at(stamp: Option<SystemTime>, now: Taken) -> Taken {
    let Some(captured) = stamp else { return now };
    let age = match now.captured.duration_since(captured) {
        Ok(age) if age > MAX_OFF => return now,
        Err(ahead) if ahead.duration() > MAX_OFF => return now,
        Ok(age) if age <= MAX_AGE => age,
        _ => Duration::ZERO,
    };
    Taken { captured, taken: now.taken.checked_sub(age).unwrap_or(now.taken) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn time_of_the_part_is_kept_unless_its_clock_is_not_set() {
        let now = Taken::now();
        let ms = Duration::from_millis;
        assert_eq!(at(None, now), now);
        let young = now.captured - ms(300);
        assert_eq!(at(Some(young), now), Taken { captured: young, taken: now.taken - ms(300) });
        for stamp in [now.captured - ms(60_000), now.captured + ms(60_000)] {
            assert_eq!(at(Some(stamp), now), Taken { captured: stamp, taken: now.taken });
        }
        for stamp in [SystemTime::UNIX_EPOCH + ms(5), now.captured + ms(7_200_000)] {
            assert_eq!(at(Some(stamp), now), now);
        }
    }

    #[test]
    fn age_is_never_negative() {
        let old = Taken { captured: SystemTime::UNIX_EPOCH, taken: Instant::now() };
        assert_eq!(at(Some(SystemTime::UNIX_EPOCH + MAX_AGE), old).taken, old.taken);
    }
}
