//! Quality: whether each crossing is found in time, and nothing else in an hour.

mod crossings;
mod nothing;
mod scene;

use super::detector::{Activity, Detector};
use crate::Settings;

fn settings() -> Settings {
    Settings { sensitivity: 50, min_size: 0.001, zones: Vec::new(), masks: Vec::new() }
}

/// The pictures in which something moves, by the number of the picture.
fn moving(looks: impl Iterator<Item = Option<Activity>>) -> Vec<(usize, Activity)> {
    looks.enumerate().filter_map(|(n, activity)| Some((n, activity?))).collect()
}
