//! `v4l2[:DEVICE]`, or the path of a device.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use super::super::kinds::{Kind, Openable, Source, behind, boxed, path};
use super::Device;
use crate::config::CameraConfig;

pub(in crate::camera) const KIND: Kind = Kind {
    form: "v4l2[:DEVICE]",
    help: "a USB webcam or another V4L2 device; the first one if none is named",
    read: |text| Some(read(text).transpose()?.map(|source| Box::new(source) as Box<dyn Source>)),
};

/// A device; `None`: the first one that is a camera.
struct Named(Option<PathBuf>);

fn read(text: &str) -> Result<Option<Named>> {
    // People paste the path of a device, and it can mean nothing else.
    if text.starts_with("/dev/") {
        return Ok(Some(Named(Some(text.into()))));
    }
    match behind("v4l2", text) {
        None => Ok(None),
        Some("") if text == "v4l2" => Ok(Some(Named(None))),
        Some(device) => Ok(Some(Named(Some(path(device, "v4l2:/dev/videoN")?)))),
    }
}

impl Source for Named {
    fn is_device(&self) -> bool {
        true
    }

    fn camera(self: Box<Self>, config: CameraConfig, name: &str) -> Openable {
        // Both share the device, so that the controls reach the device that was
        // opened last, and an opening sets what a request asked for.
        let device = Arc::new(Device::new(name, self.0, config));
        let controls = Arc::clone(&device);
        (boxed(move || device.open()), Some(controls))
    }
}
