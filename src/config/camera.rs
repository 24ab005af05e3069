//! What a driver needs to know of its camera.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::device::DeviceConfig;
use crate::trust::Trust;
use crate::url::mask_source;

/// What a driver needs to know of its camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraConfig {
    pub(crate) source: Source,
    /// Pictures a second; `None`: the source's own pace.
    pub(crate) fps: Option<f64>,
    /// The largest JPEG to accept in bytes. Memory must stay bounded, whatever a
    /// source sends.
    pub(crate) max_frame_bytes: usize,
    /// The time without a picture after which the camera is opened again, at most
    /// a day. `None`: a source that proves to be slow may take longer than others.
    pub(crate) stall_timeout: Option<Duration>,
    pub(crate) device: DeviceConfig,
    /// Which certificates of a server are accepted.
    pub(crate) trust: Trust,
    /// Whether a folder is watched for new files; `None`: it is played in a loop.
    pub(crate) watch: Option<Watch>,
}

/// How a folder is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Watch {
    /// Whether each file is deleted once it was read.
    pub(crate) removes: bool,
}

/// Where pictures come from: the text behind `--camera`, without the name. It is
/// read by the drivers, which alone know what they can take.
#[derive(Clone, PartialEq)]
pub(crate) struct Source(String);

impl Source {
    pub(super) fn new(typed: &str) -> Self {
        Self(typed.to_owned())
    }

    /// As it was typed, with its passwords.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Source {
    /// A device by its path.
    pub(crate) fn device(path: &str) -> Self {
        Self::new(path)
    }

    /// The folder of a recording that others write, which is more than a source of
    /// pictures: what was recorded is played too.
    pub(crate) fn recorded_folder(&self) -> Option<&Path> {
        self.0.strip_prefix("recording:").map(Path::new)
    }
}

/// Without its passwords.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_source(&self.0))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_shown_as_typed_but_without_passwords() {
        for (text, shown) in [
            ("pattern:1280x720@12.5", "pattern:1280x720@12.5"),
            ("images:/a b:c", "images:/a b:c"),
            ("/dev/v4l/by-id/usb-a=b", "/dev/v4l/by-id/usb-a=b"),
            ("exec:ffmpeg -i a:b | cat", "exec:ffmpeg -i a:b | cat"),
            ("http://camera.local:8080/stream", "http://camera.local:8080/stream"),
            ("http://me:secret@camera/stream", "http://***@camera/stream"),
            ("exec:ffmpeg -i rtsp://me:secret@camera/ -", "exec:ffmpeg -i rtsp://***@camera/ -"),
        ] {
            assert_eq!(Source::new(text).to_string(), shown);
            assert_eq!(format!("{:?}", Source::new(text)), shown);
        }
    }
}
