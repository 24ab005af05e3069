//! What `mjpegd probe` measured, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::client::{ClientError, Frame};
use crate::frame::TIMESTAMP;

/// What was measured of one frame.
pub(super) struct Measured {
    at: Instant,
    n_bytes: usize,
    size: Option<(u16, u16)>,
    age: Option<Duration>,
    n_dropped: Option<u64>,
    lost_camera: Option<String>,
}

impl Measured {
    pub(super) fn new(frame: &Frame) -> Self {
        Self {
            at: Instant::now(),
            n_bytes: frame.jpeg().len(),
            size: frame.size(),
            age: frame.age(),
            n_dropped: frame.n_dropped_by_server(),
            lost_camera: frame.lost_camera(),
        }
    }
}

/// Everything measured so far.
#[derive(Default)]
pub(super) struct Totals {
    first: Option<Instant>,
    last: Option<Instant>,
    n_frames: u64,
    n_bytes: u64,
    min_bytes: usize,
    max_bytes: usize,
    size: Option<(u16, u16)>,
    ages_us: Vec<u32>,
    /// The server's count in this connection, and the sum of its counts in all
    /// earlier ones.
    n_dropped: Option<u64>,
    n_dropped_before: u64,
    errors: BTreeMap<String, u64>,
}

/// The result. Its fields are those of the JSON text.
#[derive(Serialize)]
pub(super) struct Summary {
    seconds: f64,
    pictures: u64,
    fps: f64,
    width: Option<u16>,
    height: Option<u16>,
    bytes: Option<Bytes>,
    kbit_per_second: f64,
    age_ms: Option<Ages>,
    skipped: Option<u64>,
    errors: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Bytes {
    min: usize,
    mean: u64,
    max: usize,
}

#[derive(Serialize)]
struct Ages {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl Totals {
    pub(super) fn n_frames(&self) -> u64 {
        self.n_frames
    }

    pub(super) fn add(&mut self, frame: &Measured) {
        self.first.get_or_insert(frame.at);
        self.last = Some(frame.at);
        self.min_bytes =
            if self.n_frames == 0 { frame.n_bytes } else { self.min_bytes.min(frame.n_bytes) };
        self.max_bytes = self.max_bytes.max(frame.n_bytes);
        self.n_frames += 1;
        self.n_bytes += frame.n_bytes as u64;
        // It came, but it is none of the camera's.
        if let Some(cause) = &frame.lost_camera {
            *self.errors.entry(format!("drawn, as the camera is lost: {cause}")).or_default() += 1;
        }
        // A frame whose size cannot be read is still one; the last known size stays.
        self.size = frame.size.or(self.size);
        // Four bytes a frame, because percentiles need all of them: an hour at 30
        // frames a second is 400 kB.
        let age = frame.age.map(|age| u32::try_from(age.as_micros()).unwrap_or(u32::MAX));
        self.ages_us.extend(age);
        self.n_dropped = frame.n_dropped.or(self.n_dropped);
    }

    pub(super) fn add_error(&mut self, error: &ClientError) {
        // Equal errors are counted: a server that is away gives the same one at each
        // try.
        *self.errors.entry(error.to_string()).or_default() += 1;
        // The server counts from 0 again in the next connection.
        if let Some(n) = &mut self.n_dropped {
            self.n_dropped_before += std::mem::take(n);
        }
    }

    /// One line of text after `elapsed`, while the probe goes on.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs();
        let Some(mean) = self.n_bytes.checked_div(self.n_frames) else {
            return format!("{seconds} s, no picture");
        };
        let (fps, kbit) = self.rates();
        let n = self.n_frames;
        let mut line = format!(
            "{seconds} s  {n} pictures  {fps:.1} fps  {:.1} kB  {kbit:.0} kbit/s",
            kilo(mean)
        );
        if let Some(age_us) = self.ages_us.last() {
            let _ = write!(line, "  age {:.1} ms", f64::from(*age_us) / 1000.0);
        }
        match self.errors.values().sum() {
            0 => {}
            1 => line.push_str("  1 error"),
            n => line.push_str(&format!("  {n} errors")),
        }
        line
    }

    /// Frames a second and kbit/s, between the first frame and the last, so that
    /// the wait for the first does not count. Both are 0 before the second frame.
    fn rates(&self) -> (f64, f64) {
        let span = self.last.zip(self.first).map_or(0.0, |(b, a)| (b - a).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a count of pictures or bytes")]
        let rate = |n: u64| if span > 0.0 { n as f64 / span } else { 0.0 };
        // Between n frames there are n - 1 intervals.
        let (n, mean) = (self.n_frames.saturating_sub(1), self.n_bytes / self.n_frames.max(1));
        (rate(n), rate(n * mean) * 8.0 / 1000.0)
    }

    pub(super) fn summary(&self, elapsed: Duration) -> Summary {
        let (fps, kbit_per_second) = self.rates();
        let mean = self.n_bytes.checked_div(self.n_frames);
        Summary {
            seconds: elapsed.as_secs_f64(),
            pictures: self.n_frames,
            fps,
            width: self.size.map(|(width, _)| width),
            height: self.size.map(|(_, height)| height),
            // Without a frame there is no smallest one; JSON says null rather than 0.
            bytes: mean.map(|mean| Bytes { min: self.min_bytes, mean, max: self.max_bytes }),
            kbit_per_second,
            age_ms: ages(self.ages_us.clone()),
            skipped: self.n_dropped.map(|n| n + self.n_dropped_before),
            errors: self.errors.clone(),
        }
    }
}

/// Percentiles by the nearest-rank method, in ms; `None` without an age.
fn ages(mut sorted: Vec<u32>) -> Option<Ages> {
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    let p = |percent: usize| {
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        f64::from(sorted[rank.min(last)]) / 1000.0
    };
    Some(Ages { p50: p(50), p95: p(95), p99: p(99) })
}

impl Summary {
    /// The result as a table for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<10}{value}");
        };
        row("pictures", format!("{} in {:.1} s", self.pictures, self.seconds));
        row("rate", format!("{:.2} fps, {:.0} kbit/s", self.fps, self.kbit_per_second));
        if let Some(bytes) = &self.bytes {
            let pixels = match (self.width, self.height) {
                (Some(width), Some(height)) => format!("{width}x{height}, "),
                _ => String::new(),
            };
            let (mean, min) = (kilo(bytes.mean), kilo(bytes.min as u64));
            let max = kilo(bytes.max as u64);
            row("size", format!("{pixels}{mean:.1} kB ({min:.1} to {max:.1})"));
        }
        row(
            "age",
            self.age_ms.as_ref().map_or_else(
                || format!("unknown (the server sends no {TIMESTAMP})"),
                |age| {
                    format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", age.p50, age.p95, age.p99)
                },
            ),
        );
        let skipped = self.skipped.map(|n| n.to_string());
        row("skipped", skipped.unwrap_or("unknown (try ?extra_headers=1)".into()));
        let n_errors: u64 = self.errors.values().sum();
        row("errors", n_errors.to_string());
        for (error, n) in &self.errors {
            row("", format!("{n} x {error}"));
        }
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "the size of a picture")]
fn kilo(n_bytes: u64) -> f64 {
    n_bytes as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(at: Instant, n_bytes: usize, age_ms: u64, n_dropped: u64) -> Measured {
        let age = Some(Duration::from_millis(age_ms));
        Measured {
            at,
            n_bytes,
            size: Some((64, 48)),
            age,
            n_dropped: Some(n_dropped),
            lost_camera: None,
        }
    }

    #[test]
    fn rate_is_that_between_first_and_last() {
        let (start, mut totals) = (Instant::now(), Totals::default());
        for i in 0..101 {
            totals.add(&frame(start + Duration::from_millis(40 * i), 1000, 1 + i, 0));
        }
        let summary = totals.summary(Duration::from_secs(60));
        assert!(
            (summary.fps - 25.0).abs() < 1e-6 && (summary.kbit_per_second - 200.0).abs() < 1e-6
        );
        let age = summary.age_ms.unwrap();
        assert_eq!([age.p50, age.p95, age.p99], [51.0, 96.0, 100.0]);
    }

    #[test]
    fn skipped_count_over_connections() {
        let mut totals = Totals::default();
        totals.add(&frame(Instant::now(), 1, 0, 5));
        totals.add_error(&ClientError::Ended("gone".into()));
        totals.add(&frame(Instant::now(), 3, 0, 2));
        let summary = totals.summary(Duration::ZERO);
        assert_eq!(summary.skipped, Some(7));
        assert!(summary.text().contains("1 x gone") && summary.text().contains("(0.0 to 0.0)"));
        assert!(totals.line(Duration::ZERO).ends_with("age 0.0 ms  1 error"));
    }

    #[test]
    fn nothing_seen_is_no_division_by_zero() {
        let second = Duration::from_secs(1);
        assert_eq!(Totals::default().line(second), "1 s, no picture");
        let summary = Totals::default().summary(second);
        assert!(summary.text().contains("0.00 fps"));
        assert!(summary.bytes.is_none() && summary.age_ms.is_none());
    }
}
