//! Moments as they stand in a query: absolute, or relative to the request.

use std::time::{Duration, SystemTime};

use super::reply::Reply;
use crate::recording::{LAST, Micros, SECOND, micros};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    At(Micros),
    /// Before the request.
    Ago(Duration),
}

/// From one moment to another, each as far as it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Period {
    pub(crate) from: Option<When>,
    pub(crate) to: Option<When>,
}

const RIGHT: &str = "is not a time; use 2026-11-21T11:28:35Z, seconds since 1970, or -30s for \
    half a minute ago";

impl When {
    /// # Errors
    /// What would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let found = match text.strip_prefix('-') {
            Some(ago) => humantime::parse_duration(ago).ok().map(Self::Ago),
            None => unix(text).or_else(|| rfc3339(text)).map(Self::At),
        };
        // The text goes back to whoever typed it, but not at any length.
        found.ok_or_else(|| format!("{:?} {RIGHT}", text.chars().take(40).collect::<String>()))
    }

    pub(crate) fn resolve(self, now: SystemTime) -> Micros {
        match self {
            Self::At(at) => at,
            // Longer ago than 1970 is the beginning of the recording: people type
            // -100years for all of it.
            Self::Ago(ago) => now.checked_sub(ago).map_or(0, micros),
        }
    }
}

impl Period {
    /// The first and the last moment. One that was left out has no bound.
    ///
    /// # Errors
    /// The reply to a period that ends before it begins.
    pub(crate) fn resolve(self, now: SystemTime) -> Result<(Micros, Micros), Reply> {
        let from = self.from.map_or(0, |when| when.resolve(now));
        let to = self.to.map_or(LAST, |when| when.resolve(now));
        if from > to {
            return Err(Reply::bad_request("from: use a time before to"));
        }
        Ok((from, to))
    }
}

/// Seconds since 1970, with a point and more digits or without.
fn unix(text: &str) -> Option<Micros> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    // By digits and not by a float, whose rounding could miss a frame by a microsecond.
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole = seconds.parse::<u64>().ok()?.checked_mul(SECOND)?;
    let at = whole.checked_add(fraction.parse().ok()?)?;
    (at <= LAST).then_some(at)
}

/// With `Z`, with an offset, or with neither for UTC. In a query the `+` of an
/// offset that nobody encoded is a blank.
fn rfc3339(text: &str) -> Option<Micros> {
    if !text.is_ascii() {
        return None;
    }
    let (time, offset) = match text.len().checked_sub(6) {
        // By its place from the end, since a time has colons and signs of its own.
        Some(at) if at >= "2026-11-21T11:28:35".len() && text.as_bytes()[at + 3] == b':' => {
            (&text[..at], offset(&text[at..])?)
        }
        _ => (text, 0),
    };
    let time = humantime::parse_rfc3339_weak(time).ok()?;
    micros(time).checked_add_signed(-offset).filter(|at| *at <= LAST)
}

/// Microseconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = text.split_at(1);
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    match sign {
        "+" | " " => Some(seconds * 1_000_000),
        "-" => Some(-seconds * 1_000_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Micros = 1_795_260_515 * SECOND;

    #[test]
    fn one_moment_is_written_in_many_ways() {
        for text in [
            "2026-11-21T11:28:35Z",
            "2026-11-21 11:28:35",
            "2026-11-21T11:28:35.000Z",
            "2026-11-21T12:28:35+01:00",
            "2026-11-21T12:28:35 01:00",
            "2026-11-21T05:58:35.000-05:30",
            "1795260515",
            "1795260515.0",
            "1795260515.0000001",
        ] {
            assert_eq!(When::parse(text), Ok(When::At(AT)), "{text}");
        }
        assert_eq!(When::parse("1795260515.25"), Ok(When::At(AT + SECOND / 4)));
        assert_eq!(When::parse("-1m 30s"), Ok(When::Ago(Duration::from_secs(90))));
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(AT + 30 * SECOND);
        assert_eq!(When::parse("-30s").unwrap().resolve(now), AT);
        assert_eq!(When::parse("-9999years").unwrap().resolve(now), 0);
    }

    #[test]
    fn everything_else_is_told_what_is_right() {
        for text in [
            "",
            "now",
            "-",
            "-30",
            "--30s",
            "2026",
            "2026-13-21T11:28:35Z",
            "1e9",
            "1.",
            ".5",
            "99999999999999999999",
            "1795260515.-1",
            "2026-11-21T11:28:35+99",
            "T",
            "é",
            "0001-01-01T00:00:00+23:59",
            "2026-11-21T11:28:35x01:00",
            "9999999999999",
        ] {
            match When::parse(text) {
                Ok(When::At(at)) if text == "2026" => assert_eq!(at, 2026 * SECOND),
                found => assert!(found.is_err_and(|e| e.contains("2026-11-21T")), "{text}"),
            }
        }
    }

    #[test]
    fn period_has_its_beginning_before_its_end() {
        let now = SystemTime::now();
        let at = |at| Some(When::At(at));
        assert_eq!(Period::default().resolve(now), Ok((0, LAST)));
        assert_eq!(Period { from: at(5), to: at(5) }.resolve(now), Ok((5, 5)));
        assert!(Period { from: at(6), to: at(5) }.resolve(now).is_err());
    }
}
