//! Faults of the USB webcam, as a program sees them through the kernel.

use crate::machine::machine;
use crate::machine::pictures;
use crate::tests::helpers::capture::{DEADLINE, Request, capture};
use crate::tests::helpers::usb::Webcam;

#[test]
fn bad_frames_arrive_without_a_flag() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let frames_in_mode = |mode: &str| {
        webcam.set_mode(mode);
        let capture =
            capture(&machine, &Request { n_frames: 5, ..Request::mjpeg(&webcam.device()) });
        assert_eq!(capture.frames.len(), 5, "mode {mode}: {}", capture.log);
        capture.frames
    };
    let pictures = &pictures::of_size("640x480")[..5];
    let spoiled = |spoil: fn(&[u8]) -> Vec<u8>| {
        pictures.iter().map(|picture| spoil(picture)).collect::<Vec<_>>()
    };

    assert!(frames_in_mode("truncate") == spoiled(|picture| picture[..picture.len() / 2].to_vec()));
    assert!(frames_in_mode("pad") == spoiled(|picture| [picture, &[0; 5000]].concat()));
    assert!(
        frames_in_mode("garbage")
            .iter()
            .all(|frame| frame.len() > 10_000 && !frame.starts_with(&[0xff, 0xd8]))
    );

    let has_tables = |jpeg: &[u8]| jpeg.windows(2).take(1000).any(|two| two == [0xff, 0xc4]);
    let is_whole = |jpeg: &[u8]| jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]);
    assert!(pictures.iter().all(|picture| is_whole(picture) && has_tables(picture)));
    assert!(frames_in_mode("nodht").iter().all(|frame| is_whole(frame) && !has_tables(frame)));
}

#[test]
fn frames_that_the_driver_drops_look_like_a_stall() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    for mode in ["stall", "empty", "error"] {
        webcam.set_mode(mode);
        let capture = capture(&machine, &Request { fps: 30, ..Request::mjpeg(&webcam.device()) });
        assert_eq!(capture.frames.len(), 0, "mode {mode}: {}", capture.log);
    }
    // The camera streamed each time, and made frames in each mode except the stall.
    let log = webcam.log();
    assert_eq!(log.matches("commit MJPG 640x480 30 fps").count(), 3, "{log}");
}

#[test]
fn a_camera_can_recover_while_it_streams() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    webcam.set_mode("stall");
    let request = Request { polls: false, ..Request::mjpeg(webcam.link()) };
    let capture = request.start_blindly(&machine);
    machine.wait_for("the stream", DEADLINE, &format!("grep commit {}", webcam.log_file()));
    webcam.set_mode("normal");
    let frames = capture.wait_for_frames();
    assert!(frames.starts_with(&[0xff, 0xd8]) && frames.ends_with(&[0xff, 0xd9]));
}

#[test]
fn a_camera_can_refuse_its_controls() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    webcam.set_mode("refuse");
    let outcome = machine.run(&format!("v4l2-ctl -d {} -c brightness=7", webcam.device()));
    assert!(outcome.text.contains("Input/output error"), "{outcome:?}");
    assert!(!webcam.log().contains("set brightness"), "{}", webcam.log());
}

#[test]
fn an_unplug_ends_a_running_capture() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let (device, link) = (webcam.device(), webcam.link().to_string());
    let capture = Request { polls: true, ..Request::holder(&device) }.start(&machine);
    webcam.unplug();
    let log = capture.wait();
    assert!(log.contains("No such device"), "{log}");
    machine.sh(&format!("[ ! -e {device} ] && [ ! -L {link} ]"));
}

#[test]
fn a_camera_comes_back_under_the_same_link() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let (device, link) = (webcam.device(), webcam.link().to_string());
    // As long as a program has the node open, its number is not used again.
    machine.sh(&format!("sleep 1000 <{device} >/dev/null 2>&1 & echo $! >/tmp/holder"));
    webcam.unplug();
    let webcam = Webcam::plug_in(&machine, 3, "0001");
    machine.sh("kill $(cat /tmp/holder)");
    assert_eq!(webcam.link(), link);
    assert_ne!(webcam.device(), device);
    let capture = capture(&machine, &Request { n_frames: 5, ..Request::mjpeg(&link) });
    assert!(capture.is_in_order(5, pictures::of_size("640x480")), "{}", capture.log);
}

#[test]
fn a_name_can_be_cut_inside_a_character() {
    let machine = machine();
    // The driver keeps 31 bytes: fifteen letters of two bytes and the first half of the next.
    let webcam = Webcam::plug_in_as(&machine, 0, &"é".repeat(20), "0001");
    machine
        .sh(&format!("cat /sys/class/video4linux/$(basename {})/name >/tmp/name", webcam.device()));
    let name = machine.read("/tmp/name");
    assert!(std::str::from_utf8(&name).is_err(), "{name:?}");
}

#[test]
fn a_busy_camera_says_so() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _holder = Request::holder(webcam.link()).start(&machine);
    // v4l2-ctl runs under `timeout`, which does not open the device.
    assert_eq!(machine.holders(&webcam.device()).len(), 1);
    let capture = capture(&machine, &Request::mjpeg(webcam.link()));
    assert!(capture.log.contains("Device or resource busy"), "{}", capture.log);
    assert_eq!(capture.frames.len(), 0);
}
