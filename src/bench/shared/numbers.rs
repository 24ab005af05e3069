//! Medians, percentiles and units.

use std::time::Duration;

/// Several measurements of one quantity, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Series {
    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The value that `percent` of the measurements do not exceed. NaN if there
    /// are none.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }

    /// The lowest and the highest value, as text.
    pub(crate) fn spread(&self) -> String {
        let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        format!("{:.2}..{:.2}", end(self.0.first()), end(self.0.last()))
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
