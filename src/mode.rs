//! What a camera set itself to: device, format, size and rate, as plain values.
//!
//! A room of its own, because a driver fills it in and `http` shows it, and
//! `http` must not see a driver.

use std::fmt;

/// What a camera set itself to, as far as it is known before the first frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mode {
    /// Path and name of the device.
    pub(crate) device: Option<String>,
    /// FourCC of the device's frames.
    pub(crate) format: Option<String>,
    /// Width and height in pixels that a device was set to; `None` where none was: the
    /// size of frames is read from each JPEG, so a driver that draws or reads files
    /// leaves it out.
    pub(crate) size: Option<(u32, u32)>,
    /// Frames a second.
    pub(crate) fps: Option<f64>,
    /// The quality of the JPEGs that this program makes of its pictures, 1 to 100;
    /// `None` where the source's own are passed on.
    pub(crate) quality: Option<u8>,
    /// The device that makes these JPEGs; `None` where this program does.
    pub(crate) encoder: Option<String>,
}

impl Mode {
    /// The mode of a camera without a device, which only has a frame rate.
    pub(crate) fn paced(fps: f64) -> Self {
        Self { fps: Some(fps), ..Self::default() }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.device.clone());
        parts.extend(self.format.clone());
        parts.extend(self.size.map(|(width, height)| format!("{width}x{height}")));
        parts.extend(self.fps.map(|fps| format!("{fps:.3} fps").replace(".000", "")));
        parts.extend(self.encoder.as_ref().map(|device| format!("encoded by {device}")));
        f.write_str(&parts.join(", "))
    }
}
