//! One V4L2 device, open or not: how it is found, opened and asked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::{Cause, Controls, Error};
use super::desired::Desired;
use super::nodes::{self, Opened};
use super::{V4l2, controls};
use crate::config::DeviceConfig;
use crate::controls::{Change, ChangeResult, Control};

/// A device that is opened many times.
pub(in crate::camera) struct Device {
    /// As it was typed; `None` stands for the first node that is a camera.
    path: Option<PathBuf>,
    config: DeviceConfig,
    fps: Option<f64>,
    known: Mutex<Option<Known>>,
    desired: Desired,
}

/// The device that was opened last. It keeps its lasting name when it is plugged
/// in again, but may get another number.
#[derive(Clone, Debug)]
struct Known {
    lasting_name: PathBuf,
    /// When it was first missed.
    away_since: Option<Instant>,
}

/// How long to wait for a device that was unplugged before another device with
/// its number is used. Moving a plug from one socket to another takes less.
const RETURN: Duration = Duration::from_secs(10);

impl Device {
    pub(in crate::camera) fn new(
        path: Option<PathBuf>,
        config: DeviceConfig,
        fps: Option<f64>,
    ) -> Self {
        let desired = Desired::new(config.controls.clone());
        Self { path, config, fps, known: Mutex::default(), desired }
    }

    /// Opens the device for capture, by its lasting name if that is known, and
    /// sets it up.
    pub(in crate::camera) fn open(&self) -> Result<V4l2, Error> {
        // Only the capture thread opens the device for capture, so the lock need
        // not be held meanwhile.
        let mut known = self.known.lock().clone();
        let opened = find(self.path.as_deref(), &mut known);
        *self.known.lock() = known;
        V4l2::set_up(opened?, &self.config, &self.desired, self.fps)
    }

    /// Opens the device beside the capture thread, for what V4L2 allows while
    /// another descriptor streams: to list and set controls.
    fn open_for_controls(&self) -> Result<Opened, Error> {
        let name = self.known.lock().as_ref().map(|known| known.lasting_name.clone());
        match (name, &self.path) {
            (Some(name), _) if name.exists() => nodes::open(&name),
            (Some(name), _) => Err(unplugged(&name)),
            (None, Some(path)) => nodes::open(path),
            (None, None) => nodes::first(),
        }
    }
}

impl Controls for Device {
    fn list(&self) -> Result<Vec<Control>, Error> {
        Ok(controls::list(&self.open_for_controls()?))
    }

    fn set(&self, changes: &[Change]) -> Result<Vec<ChangeResult>, Error> {
        Ok(controls::set_lasting(&self.open_for_controls()?, changes, &self.desired))
    }
}

fn find(path: Option<&Path>, known: &mut Option<Known>) -> Result<Opened, Error> {
    let opened = match (known.as_mut(), path) {
        (Some(known), _) if known.lasting_name.exists() => {
            known.away_since = None;
            return nodes::open(&known.lasting_name);
        }
        (_, None) => nodes::first()?,
        (Some(known), Some(path)) => known.open_replacement(path)?,
        (None, Some(path)) => nodes::open(path)?,
    };
    let name = nodes::lasting_name(&opened.path);
    *known = name.map(|lasting_name| Known { lasting_name, away_since: None });
    Ok(opened)
}

fn unplugged(name: &Path) -> Error {
    Error::lost(Cause::NoDevice, format!("{}: unplugged", name.display()))
}

impl Known {
    /// Opens the device at `path`, once this one is away for [`RETURN`]. Until
    /// then another camera may have taken the number that was typed, and this
    /// one may still come back under a new number.
    fn open_replacement(&mut self, path: &Path) -> Result<Opened, Error> {
        let away_since = *self.away_since.get_or_insert_with(Instant::now);
        if away_since.elapsed() < RETURN {
            return Err(unplugged(&self.lasting_name));
        }
        nodes::open(path)
    }
}
