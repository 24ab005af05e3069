//! This program under the names of uStreamer and mjpg-streamer, started with the
//! lines of crowsnest 5 and of OctoPi's webcamd. Only the ports are others, as
//! several tests run at a time.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Daemon, Dir, TempDir, free_port};

/// What the page of a user's own folder says.
pub(super) const PAGE: &str = "their page";

/// The program, started.
pub(super) struct Launched {
    pub(super) daemon: Daemon,
    /// Whether there is a camera behind it. Without a device, what viewers of
    /// uStreamer get is a drawn picture.
    pub(super) has_camera: bool,
    _dir: TempDir,
}

/// Runs a line of a script in a folder with a link to this program.
fn launch(link: &str, page: &str, line: &str, has_camera: bool) -> Launched {
    let dir = TempDir::new();
    dir.write(&format!("{page}/index.html"), PAGE);
    symlink(env!("CARGO_BIN_EXE_mjpegd"), dir.path().join(link)).unwrap();
    let mut command = Command::new("sh");
    // Without options of the environment.
    for (name, value) in Daemon::command(&["--bind"]).get_envs() {
        if value.is_none() {
            command.env_remove(name);
        }
    }
    command.args(["-c", &format!("exec {line}")]).stdin(Stdio::null()).current_dir(dir.path());
    Launched { daemon: Daemon::spawn(command), has_camera, _dir: dir }
}

/// As crowsnest 5 starts uStreamer. No machine of these tests has a V4L2 device
/// (those of `make test-v4l2` have), and this option names nothing else, so the
/// camera is one that is unplugged.
pub(super) fn crowsnest() -> Launched {
    let line = format!(
        "./ustreamer.bin --host 127.0.0.1 --port {} --resolution 640x480 --desired-fps 15 \
         --allow-origin '*' --static 'resources/ustreamer-www' \
         --device /dev/v4l/by-id/usb-no-such-camera-video-index0 --device-timeout 2 \
         --format MJPEG --encoder HW",
        free_port()
    );
    launch("ustreamer.bin", "resources/ustreamer-www", &line, false)
}

/// As OctoPi's webcamd starts mjpg-streamer.
fn octopi(input: &str, options: &str, has_camera: bool) -> Launched {
    let line = format!(
        "env LD_LIBRARY_PATH=. ./mjpg_streamer \
         -o 'output_http.so -w ./www-octopi -n --listen 127.0.0.1 -p {} {options}' -i '{input}'",
        free_port()
    );
    launch("mjpg_streamer", "www-octopi", &line, has_camera)
}

/// Its line for USB cameras, where there is none.
pub(super) fn webcamd_with_a_device() -> Launched {
    octopi("input_uvc.so -r 640x480 -f 10 -d /dev/no-such-camera", "", false)
}

/// With the pictures of a folder in place of a USB camera, and with more options
/// of its `camera_http_options`.
pub(super) fn webcamd(dir: &Dir, options: &str) -> Launched {
    let input = |path: &Path| format!("input_file.so -e -d 0.1 -f {}", path.display());
    octopi(&input(dir.path()), options, true)
}
