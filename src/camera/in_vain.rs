//! Options for V4L2 devices that are given to other cameras, where they change nothing.

use super::kinds;
use crate::config::CameraConfig;

/// The options for devices that none of the cameras that have them follows. One that stands
/// above several cameras is for those among them that are devices.
pub(crate) fn given_in_vain<'a>(
    cameras: impl Iterator<Item = &'a CameraConfig>,
) -> Vec<&'static str> {
    let is_device = |camera: &&CameraConfig| {
        kinds::read(camera.source.as_str()).is_ok_and(|source| source.is_device())
    };
    let (devices, others): (Vec<_>, Vec<_>) = cameras.partition(is_device);
    let mut followed: Vec<_> = devices.iter().flat_map(|camera| camera.device.given()).collect();
    let mut in_vain = Vec::new();
    for option in others.iter().flat_map(|camera| camera.device.given()) {
        if !followed.contains(&option) {
            in_vain.push(option);
            followed.push(option);
        }
    }
    in_vain
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{CommandLine, Config};

    fn in_vain(args: &[&str]) -> Vec<&'static str> {
        let typed = [&["mjpegd"], args].concat().into_iter().map(OsString::from);
        let config = Config::read(&CommandLine::parse_from(typed, "").unwrap()).unwrap();
        given_in_vain(config.cameras.iter().map(|options| &options.camera))
    }

    #[test]
    fn only_what_no_device_follows_is_given_in_vain() {
        let (device, other) = ("a=v4l2:/dev/video9", "b=pattern:320x240");
        let given = ["--resolution", "640x480", "--quality", "50"];
        let with = |cameras: &[&str]| {
            let cameras = cameras.iter().flat_map(|camera| ["--camera", camera]);
            in_vain(&cameras.chain(given).collect::<Vec<_>>())
        };
        assert_eq!(with(&[other]), ["--resolution", "--quality"]);
        assert_eq!(with(&[device, other]), [""; 0]);
        assert_eq!(in_vain(&["--camera", other]), [""; 0], "defaults are not given");
    }
}
