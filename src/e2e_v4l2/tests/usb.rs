//! The working USB webcam: what it sends arrives through uvcvideo.

use crate::machine::machine;
use crate::machine::pictures;
use crate::tests::helpers::capture::{Capture, Request, capture, capture_that};
use crate::tests::helpers::usb::Webcam;

#[test]
fn has_a_capture_node_and_a_metadata_node() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    assert_eq!(webcam.link(), "/dev/v4l/by-id/usb-mjpegd_Test_Camera_0001-video-index0");
    let capabilities = |device: &str| {
        let info = machine.sh(&format!("v4l2-ctl -d {device} --info"));
        info.split_once("Device Caps").map(|(_, rest)| rest.to_string()).unwrap_or(info)
    };
    let (video, metadata) =
        (capabilities(&webcam.device()), capabilities(&webcam.metadata_device()));
    assert!(video.contains("Video Capture") && video.contains("Streaming"), "{video}");
    assert!(
        metadata.contains("Metadata Capture") && !metadata.contains("Video Capture"),
        "{metadata}"
    );
}

#[test]
fn every_frame_at_15_fps_is_byte_identical() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    for (width, height, size) in [(640, 480, "640x480"), (1280, 720, "1280x720")] {
        let request = Request { width, height, ..Request::mjpeg(&device) };
        capture_that(&machine, &request, |c| c.is_in_order(30, pictures::of_size(size)));
    }
}

/// The longest run of frames without one that the camera or the driver lost.
fn longest_row(capture: &Capture, pictures: &[Vec<u8>]) -> usize {
    let place = |frame: &Vec<u8>| pictures.iter().position(|picture| picture == frame);
    let (mut longest, mut row, mut next) = (0, 0, None);
    for (frame, sequence) in capture.frames.iter().zip(&capture.sequence) {
        let place = place(frame).expect("what came is not one of the camera's pictures");
        row = if next == Some((place, *sequence)) { row + 1 } else { 1 };
        longest = longest.max(row);
        next = Some(((place + 1) % pictures.len(), sequence + 1));
    }
    longest
}

#[test]
fn frames_come_in_a_row_at_30_fps() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let request = Request { fps: 30, n_frames: 300, ..Request::mjpeg(&device) };
    // A slow machine may cause gaps, but each picture must be one of the camera's.
    capture_that(&machine, &request, |capture| {
        let in_a_row = longest_row(capture, pictures::of_size("640x480"));
        capture.frames.len() == 300 && in_a_row >= 30 && (26.0..36.0).contains(&capture.fps())
    });
}

#[test]
fn frames_come_at_the_negotiated_rate() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    for (fps, n_frames) in [(5, 12), (10, 20)] {
        let request = Request { fps, n_frames, ..Request::mjpeg(&device) };
        let desired = f64::from(fps);
        capture_that(&machine, &request, |capture| {
            capture.frames.len() == n_frames && (capture.fps() - desired).abs() < desired * 0.2
        });
    }
    let log = webcam.log();
    assert!(
        log.contains("commit MJPG 640x480 5 fps") && log.contains("commit MJPG 640x480 10 fps"),
        "{log}"
    );
}

#[test]
fn yuyv_is_a_ramp_that_moves() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let capture = capture(
        &machine,
        &Request { format: "YUYV", n_frames: 5, ..Request::mjpeg(&webcam.device()) },
    );
    assert_eq!(capture.frames.len(), 5, "{}", capture.log);
    for (number, frame) in capture.frames.iter().enumerate() {
        assert_eq!(frame.len(), 640 * 480 * 2);
        let expected = |at: usize| {
            if at.is_multiple_of(2) { (at % 1280 / 2 + number).to_le_bytes()[0] } else { 128 }
        };
        let wrong = frame.iter().enumerate().find(|&(at, &byte)| byte != expected(at));
        assert!(wrong.is_none(), "frame {number}: byte and its place: {wrong:?}");
    }
}

#[test]
fn what_the_camera_has_not_becomes_the_nearest_it_has() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let request =
        Request { width: 1000, height: 700, fps: 11, n_frames: 5, ..Request::mjpeg(&device) };
    let capture = capture(&machine, &request);
    assert_eq!(capture.frames.len(), 5, "{}", capture.log);
    assert!(
        webcam.log().contains("commit MJPG 1280x720 10 fps"),
        "{}\n{}",
        webcam.log(),
        capture.log
    );
}

#[test]
fn two_cameras_stream_at_a_time() {
    let machine = machine();
    let (first, second) =
        (Webcam::plug_in(&machine, 0, "0001"), Webcam::plug_in(&machine, 1, "0002"));
    let pictures = pictures::of_size("640x480");
    let expected = pictures.iter().cycle().take(30).cloned().collect::<Vec<_>>().concat();
    // As in `capture_that`: what the cameras lose to each other, they lose each time.
    let are_both_right = |_| {
        let other = Request { polls: false, ..Request::mjpeg(second.link()) }.start(&machine);
        let capture = capture(&machine, &Request::mjpeg(first.link()));
        capture.is_in_order(30, pictures) && other.wait_for_frames() == expected
    };
    assert!((0..8).any(are_both_right), "one of the cameras loses frames each time");
}

#[test]
fn controls_arrive_in_the_camera() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    machine.sh(&format!(
        "v4l2-ctl -d {device} -c brightness=-20 -c white_balance_automatic=0 -c auto_exposure=1"
    ));
    machine.sh(&format!(
        "v4l2-ctl -d {device} -c white_balance_temperature=5000 -c exposure_time_absolute=300"
    ));
    for line in [
        "set brightness -20",
        "set white_balance_automatic 0",
        "set auto_exposure 1",
        "set white_balance_temperature 5000",
        "set exposure_time_absolute 300",
    ] {
        assert!(webcam.log().contains(line), "'{line}' is not in\n{}", webcam.log());
    }
    assert_eq!(machine.sh(&format!("v4l2-ctl -d {device} -C brightness")), "brightness: -20");
}

#[test]
fn the_driver_clamps_rounds_and_refuses() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    machine.sh(&format!("v4l2-ctl -d {device} -c contrast=1000 -c saturation=51"));
    assert_eq!(
        machine.sh(&format!("v4l2-ctl -d {device} -C contrast,saturation")),
        "contrast: 95\nsaturation: 52"
    );
    // Inactive while the automatic white balance is on.
    let outcome = machine.run(&format!("v4l2-ctl -d {device} -c white_balance_temperature=5000"));
    assert!(outcome.text.contains("Permission denied"), "{outcome:?}");
}
