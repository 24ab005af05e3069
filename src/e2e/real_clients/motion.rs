//! motion, with a network camera.

use std::fs;
use std::process::Command;

use super::process::Process;
use crate::support::{TempDir, colour, eventually};

/// The first picture that motion saves of a stream.
pub(super) fn saved_picture(url: &str, login: Option<&str>) -> Vec<u8> {
    let dir = TempDir::new();
    let login = login.map_or(String::new(), |login| format!("netcam_userpass {login}\n"));
    let config = format!(
        "netcam_url {url}\n{login}width 640\nheight 480\nframerate 10\ntarget_dir {}\n\
         snapshot_interval 1\nsnapshot_filename saved\npicture_output off\nmovie_output off\n\
         webcontrol_port 0\nstream_port 0\n",
        dir.path().display()
    );
    let file = dir.write("motion.conf", config);
    let mut command = Command::new("motion");
    command.arg("-n").arg("-c").arg(file);
    let mut process = Process::start(&mut command, dir.path());
    eventually("motion saves a whole picture", || {
        assert!(process.is_running(), "motion has ended");
        let jpeg = fs::read(dir.path().join("saved.jpg")).ok()?;
        jpeg.ends_with(b"\xFF\xD9").then_some(jpeg)
    })
}

/// Checks that a picture has one of the colours of a camera.
pub(super) fn check_colour(jpeg: &[u8]) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((info.width, info.height), (640, 480));
    let centre = (240 * 640 + 320) * 3;
    // motion draws the time into a corner.
    let rgb = [0, 1, 2].map(|i| i64::from(pixels[centre + i]));
    assert!(colour(rgb).is_some(), "{rgb:?}");
}
