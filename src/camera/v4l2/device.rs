//! One device, opened or not: where it is found, and what is asked of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::settings::{Change, Control, Outcome};
use super::super::{Cause, Error};
use super::desired::Wanted;
use super::nodes::{self, Opened};
use super::{V4l2, controls};
use crate::config::{CameraConfig, DeviceConfig, Source};

/// A device that is opened many times.
pub(in crate::camera) struct Device {
    /// As it was typed; `None`: the first that is a camera.
    path: Option<PathBuf>,
    config: DeviceConfig,
    fps: Option<f64>,
    known: Mutex<Option<Remembered>>,
    wanted: Wanted,
}

/// The lasting name of the device that was opened last, so that it is found
/// again when it is plugged in under another number.
#[derive(Clone, Debug)]
struct Remembered {
    name: PathBuf,
    /// When it was first missed.
    away_since: Option<Instant>,
}

/// Somebody who moves a plug from one socket to another takes less.
const RETURN: Duration = Duration::from_secs(10);

impl Device {
    pub(in crate::camera) fn new(config: &CameraConfig) -> Self {
        let path = match &config.source {
            Source::V4l2(path) => path.clone(),
            _ => None,
        };
        Self {
            path,
            config: config.device.clone(),
            fps: config.fps,
            known: Mutex::default(),
            wanted: Wanted::new(config.device.controls.clone()),
        }
    }

    /// Opens the device that is meant, by its lasting name if that is known,
    /// and sets it up.
    pub(in crate::camera) fn open(&self) -> Result<V4l2, Error> {
        // No lock while a device is opened: only one thread does that.
        let mut known = self.known.lock().clone();
        let opened = find(self.path.as_deref(), &mut known);
        *self.known.lock() = known;
        V4l2::set_up(opened?, &self.config, &self.wanted, self.fps)
    }

    /// Opens the device as long as the result lives, to ask or to set what
    /// does not touch the pictures: allowed also while another has them.
    fn look(&self) -> Result<Opened, Error> {
        let known = self.known.lock().as_ref().map(|known| known.name.clone());
        match (known, &self.path) {
            (Some(name), _) if name.exists() => nodes::open(&name),
            (Some(name), _) => Err(unplugged(&name)),
            (None, Some(path)) => nodes::open(path),
            (None, None) => nodes::first(),
        }
    }

    pub(in crate::camera) fn controls(&self) -> Result<Vec<Control>, Error> {
        Ok(controls::list(&self.look()?))
    }

    /// Sets controls at once, and at each opening from now on.
    pub(in crate::camera) fn set(&self, changes: &[Change]) -> Result<Vec<Outcome>, Error> {
        Ok(controls::set_lasting(&self.look()?, changes, &self.wanted))
    }
}

fn find(path: Option<&Path>, known: &mut Option<Remembered>) -> Result<Opened, Error> {
    let opened = match (known.as_mut(), path) {
        (Some(known), _) if known.name.exists() => {
            known.away_since = None;
            return nodes::open(&known.name);
        }
        (_, None) => nodes::first()?,
        (Some(known), Some(path)) => known.replacement(path)?,
        (None, Some(path)) => nodes::open(path)?,
    };
    let name = nodes::lasting_name(&opened.path);
    *known = name.map(|name| Remembered { name, away_since: None });
    Ok(opened)
}

fn unplugged(name: &Path) -> Error {
    Error::lost(Cause::NoDevice, format!("{}: unplugged", name.display()))
}

impl Remembered {
    /// While this camera is away, another one may be under the number that was
    /// typed. It is taken when the first does not come back soon.
    fn replacement(&mut self, path: &Path) -> Result<Opened, Error> {
        let away_since = *self.away_since.get_or_insert_with(Instant::now);
        if away_since.elapsed() < RETURN {
            return Err(unplugged(&self.name));
        }
        nodes::open(path)
    }
}
