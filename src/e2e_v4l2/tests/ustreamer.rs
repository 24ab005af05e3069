//! uStreamer on the same camera, for comparison.

use crate::machine::pictures;
use crate::machine::server::Server;
use crate::machine::{Machine, SERVICE_PORT, machine};
use crate::tests::daemon;
use crate::tests::helpers::cpu::while_watched;
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, camera, control};
use std::time::Duration;

/// CPU time of a server per frame received by one viewer, in milliseconds, and the number of frames.
fn cost(machine: &Machine, server: &Server<'_>, span: Duration) -> (f64, u64) {
    let url = format!("http://127.0.0.1:{SERVICE_PORT}/stream");
    let watched = while_watched(machine, server.pid(), &url, span);
    let frames = watched.bytes / u64::try_from(pictures::of_size("1280x720")[0].len()).unwrap();
    assert!(frames > 0 && watched.cpu() > Duration::ZERO, "{watched:?}\n{}", server.log());
    (watched.cpu().as_secs_f64() * 1000.0 / f64::from(u32::try_from(frames).unwrap()), frames)
}

fn ustreamer<'m>(machine: &'m Machine, device: &str) -> Server<'m> {
    let options = "--format MJPEG --resolution 1280x720 --desired-fps 30 --host 0.0.0.0";
    Server::start(machine, &format!("ustreamer --device {device} {options} --port {SERVICE_PORT}"))
}

#[test]
fn ustreamer_serves_the_same_camera() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let server = ustreamer(&machine, webcam.link());
    let (_, frames) = cost(&machine, &server, Duration::from_secs(5));
    assert!(webcam.log().contains("commit MJPG 1280x720 30 fps"), "{}", server.log());
    assert!(frames > 20, "{frames} frames: {}", server.log());
    assert_eq!(server.stop(), 0);
}

#[test]
fn its_command_line_sets_up_the_camera_for_mjpegd() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    machine.sh(&format!("v4l2-ctl -d {} -c contrast=90", webcam.device()));
    // The webcam calls its JPEGs MJPG.
    let options = "--format JPEG --resolution 640x480 --desired-fps 15 --host 0.0.0.0 \
                   --brightness 20 --contrast default --white-balance auto";
    let device = webcam.link();
    let command = format!("mjpegd ustreamer --device {device} {options} --port {SERVICE_PORT}");
    let server = Server::start(&machine, &command);
    let mut viewer = Viewer::open(&machine);
    viewer.read_in_a_row(10, pictures::of_size("640x480"));
    let got = &camera(&machine)["got"];
    assert_eq!((&got["format"], &got["fps"]), (&"MJPG".into(), &15.0.into()));
    for (name, value) in [("brightness", 20), ("contrast", 32), ("white_balance_automatic", 1)] {
        assert_eq!(control(&machine, name)["value"], value, "{}", server.log());
    }
    drop(viewer);
    assert_eq!(server.stop(), 0);
}

/// A measurement without a limit: prints the CPU time per frame of both, which take turns in one machine.
#[test]
#[ignore = "a measurement, see `make bench-v4l2`"]
fn cpu_beside_ustreamer_at_720p30() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera v4l2:{} --resolution 1280x720 --fps 30", webcam.link());
    let mut ratios = Vec::new();
    for round in 1..=5 {
        let server = daemon::start(&machine, &options);
        let (ours, n_ours) = cost(&machine, &server, Duration::from_secs(10));
        assert_eq!(server.stop(), 0);
        let server = ustreamer(&machine, webcam.link());
        let (theirs, n_theirs) = cost(&machine, &server, Duration::from_secs(10));
        assert_eq!(server.stop(), 0);
        eprintln!(
            "round {round}: mjpegd {ours:.2} ms a frame ({n_ours} frames), uStreamer {theirs:.2} ({n_theirs})"
        );
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    eprintln!(
        "mjpegd / uStreamer, median of 5: {:.2}, from {:.2} to {:.2}",
        ratios[2], ratios[0], ratios[4]
    );
}
