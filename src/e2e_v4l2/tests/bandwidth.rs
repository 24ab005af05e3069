//! A webcam that claims bandwidth before it streams, as nearly all do, on a bus without free bandwidth. As with real
//! hardware, uvcvideo gets ENOSPC when it selects the alternate setting, and returns it from VIDIOC_STREAMON.

use crate::machine::machine;
use crate::machine::pictures;
use crate::tests::daemon::start;
use crate::tests::helpers::capture::{Request, capture, capture_that};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, camera_that, get};

const LARGE: &str = "1280x720";
const SMALL: &str = "640x480";

#[test]
fn only_what_fits_on_the_bus_streams() {
    let machine = machine();
    let webcam = Webcam::plug_in_isochronous(&machine, 0, "0001");
    let device = webcam.device();
    let small = Request { n_frames: 15, ..Request::mjpeg(&device) };
    let large = Request { width: 1280, height: 720, ..small };
    for (mode, request, size) in [("normal", large, LARGE), ("crowded", small, SMALL)] {
        webcam.set_mode(mode);
        capture_that(&machine, &request, |c| c.is_in_order(15, pictures::of_size(size)));
    }
    let refused = capture(&machine, &large);
    assert!(
        refused.log.contains("VIDIOC_STREAMON returned -1 (No space left on device)"),
        "{}",
        refused.log
    );
    assert_eq!(refused.frames.len(), 0);
}

#[test]
fn lack_of_bandwidth_is_told_and_heals() {
    let machine = machine();
    let webcam = Webcam::plug_in_isochronous(&machine, 0, "0001");
    let is_of_camera = |jpeg: &[u8]| pictures::of_size(LARGE).iter().any(|p| p == jpeg);
    let options = |size| format!("--camera {} --resolution {size} --fps 15", webcam.device());
    webcam.set_mode("crowded");
    let server = start(&machine, &options(LARGE));
    let mut viewer = Viewer::open(&machine);
    viewer.next_that("the status picture", |jpeg| !is_of_camera(jpeg));

    let lost = camera_that(&machine, "a camera that is lost", |camera| camera["state"] == "lost");
    let says = ": not enough USB bandwidth (ENOSPC); use a lower --resolution or --fps, --format \
                MJPG, or another USB controller";
    // The device stands before it, by its number, or by its lasting name once that is known.
    let cause = lost["cause"].as_str().expect("a lost camera has a cause");
    assert!(cause.starts_with("/dev/") && cause.ends_with(says), "{cause}");
    server.wait_for_log(says);
    let n_lost = lost["faults"]["bandwidth"].as_u64().expect("a counter is a number");
    let metrics = String::from_utf8(get(&machine, "/metrics")).expect("metrics are text");
    let counted = metrics.lines().find_map(|line| {
        let value = line.strip_prefix("mjpegd_camera_faults_total{")?.split_once("} ")?;
        value.0.contains("cause=\"bandwidth\"").then(|| value.1.parse::<u64>().ok())?
    });
    assert!(
        n_lost > 0 && counted >= Some(n_lost),
        "{n_lost} in the status, {counted:?} in\n{metrics}"
    );

    webcam.set_mode("normal");
    viewer.next_that("a picture", is_of_camera);
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    drop((viewer, server));

    // The remedy in the message works.
    webcam.set_mode("crowded");
    let _server = start(&machine, &options(SMALL));
    let mut viewer = Viewer::open(&machine);
    viewer.read_in_a_row(5, pictures::of_size(SMALL));
}
