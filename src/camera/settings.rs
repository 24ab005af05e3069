//! A camera's controls (brightness, exposure, focus and so on), whichever
//! driver has them, and the handle by which they are read and changed.

use std::sync::Arc;

use serde::Serialize;

use super::Error;
use super::v4l2::Device;

/// A control and how it is set now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Control {
    pub(crate) id: u32,
    /// As it is typed: `white_balance_automatic`.
    pub(crate) name: String,
    /// As the device calls it: "White Balance, Automatic".
    pub(crate) label: String,
    pub(crate) group: String,
    /// In the words of v4l2-ctl: `int`, `bool`, `menu`, ...
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) step: u64,
    pub(crate) default: i64,
    /// `None`: it cannot be read.
    pub(crate) value: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) menu: Vec<MenuItem>,
    /// In the words of the kernel: `read_only`, `inactive`, ...
    pub(crate) flags: Vec<&'static str>,
}

/// One of the values that a menu takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MenuItem {
    pub(crate) index: i64,
    pub(crate) label: String,
}

/// What a control is to be set to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    Value(i64),
    /// An item of a menu by its label.
    Item(String),
    Default,
}

/// A control by its name, and what it is to be.
pub(crate) type Change = (String, Wish);

/// The name that means all controls, to be set to their defaults.
pub(crate) const ALL: &str = "*";

/// What became of a change: the value that the device kept, or why not, in
/// words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) end: Result<i64, String>,
}

/// Reads and changes the controls of one camera, whether it is on or off.
#[derive(Default)]
pub(crate) struct Settings(Option<Arc<Device>>);

impl Settings {
    pub(super) fn of(device: Arc<Device>) -> Self {
        Self(Some(device))
    }

    /// All controls; none of a camera that is no device.
    ///
    /// # Errors
    /// Why the device cannot be asked now.
    pub(crate) fn list(&self) -> Result<Vec<Control>, Error> {
        self.0.as_ref().map_or(Ok(Vec::new()), |device| device.controls())
    }

    /// Sets controls, and keeps what was set for each later opening of the
    /// device. `None`: this camera has none.
    ///
    /// # Errors
    /// Why the device cannot be set now: then nothing is kept.
    pub(crate) fn set(&self, changes: &[Change]) -> Result<Option<Vec<Outcome>>, Error> {
        self.0.as_ref().map(|device| device.set(changes)).transpose()
    }
}
