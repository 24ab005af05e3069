//! Times of recordings: whole microseconds since 1970, UTC.

use std::time::{Duration, SystemTime};

use crate::frame::since_epoch;

/// Microseconds since 1970.
pub(crate) type Micros = u64;

pub(crate) const SECOND: Micros = 1_000_000;
/// The end of the year 9999, the last that RFC 3339 can write.
pub(crate) const LAST: Micros = 253_402_300_799 * SECOND;

pub(crate) fn micros(time: SystemTime) -> Micros {
    u64::try_from(since_epoch(time).as_micros()).unwrap_or(LAST).min(LAST)
}

fn time(at: Micros) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.min(LAST))
}

/// `2026-11-21T11:28:35.123456Z`.
pub(crate) fn rfc3339(at: Micros) -> String {
    humantime::format_rfc3339_micros(time(at)).to_string()
}

/// `2026-11-21T11-28-35Z`. It has no colons, because the file systems of USB
/// sticks refuse them.
pub(crate) fn file_time(second: u64) -> String {
    let text = humantime::format_rfc3339_seconds(time(second.min(LAST / SECOND) * SECOND));
    text.to_string().replace(':', "-")
}

/// The second that [`file_time`] wrote; `None` for any other text.
pub(crate) fn parse_file_time(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once('T')?;
    let time = humantime::parse_rfc3339(&format!("{date}T{}", clock.replace('-', ":"))).ok()?;
    let second = since_epoch(time).as_secs();
    // humantime takes more forms, such as fractions. No file of this program has those.
    (file_time(second) == text).then_some(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_times_are_read_back_and_other_texts_are_refused() {
        // For a program of 32 bits humantime reads no later time than the kernel's of 2038.
        let last = if cfg!(target_pointer_width = "32") { 0x7FFF_FFFF } else { LAST / SECOND };
        for second in [0, 1_795_197_222, last] {
            assert_eq!(parse_file_time(&file_time(second)), Some(second));
        }
        assert_eq!(file_time(1_795_260_515), "2026-11-21T11-28-35Z");
        for text in ["", "T", "2026-11-21", "2026-11-21T11:28:35Z", "2026-11-21T11-28-35.0Z", "é"]
        {
            assert_eq!(parse_file_time(text), None, "{text}");
        }
    }

    #[test]
    fn times_beyond_all_years_are_written_without_a_panic() {
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.000000Z");
        assert_eq!(micros(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
