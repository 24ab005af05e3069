//! Faults of vivid, as a program sees them through the kernel.

use crate::machine::{Machine, machine};
use crate::tests::helpers::capture::{Request, capture};
use crate::tests::helpers::vivid::Vivid;

/// Five frames of the smallest picture that vivid's webcam input has.
fn request(device: &str) -> Request<'_> {
    Request { format: "YUYV", width: 320, height: 180, n_frames: 5, ..Request::mjpeg(device) }
}

/// Sets a fault that occurs once, and captures twice. The second capture must succeed.
fn assert_strikes_once(machine: &Machine, fault: &str, error: &str) {
    let camera = Vivid::single_planar(machine);
    let device = camera.device();
    camera.set(fault, 1);
    let [first, second] = [(), ()].map(|()| capture(machine, &request(&device)));
    assert!(first.log.contains(error), "{}", first.log);
    assert_eq!((second.status, second.frames.len()), (0, 5), "{}", second.log);
}

#[test]
fn gives_raw_frames() {
    let machine = machine();
    let camera = Vivid::single_planar(&machine);
    let capture = capture(&machine, &request(&camera.device()));
    assert_eq!(capture.frames.len(), 5, "{}", capture.log);
    assert!(capture.frames.iter().all(|frame| frame.len() == 320 * 180 * 2));
}

#[test]
fn reqbufs_can_fail() {
    assert_strikes_once(
        &machine(),
        "inject_vidioc_reqbufs_error",
        "VIDIOC_REQBUFS returned -1 (Invalid argument)",
    );
}

#[test]
fn qbuf_can_fail() {
    assert_strikes_once(
        &machine(),
        "inject_vidioc_qbuf_error",
        "VIDIOC_QBUF returned -1 (Invalid argument)",
    );
}

#[test]
fn streamon_can_fail() {
    assert_strikes_once(
        &machine(),
        "inject_vidioc_streamon_error",
        "VIDIOC_STREAMON returned -1 (Invalid argument)",
    );
}

#[test]
fn an_unbind_takes_the_nodes_and_a_bind_gives_them_back() {
    let machine = machine();
    let camera = Vivid::single_planar(&machine);
    let device = camera.device();
    camera.unbind();
    machine.sh(&format!("[ ! -e {device} ]"));
    camera.bind();
    assert_eq!(capture(&machine, &request(&camera.device())).frames.len(), 5);
}

/// Starts an endless capture, sets a fault while it runs, and returns the output of v4l2-ctl at its end.
fn log_of_capture_ended_by(machine: &Machine, fault: &str) -> String {
    let camera = Vivid::single_planar(machine);
    let device = camera.device();
    let request = Request { width: 320, height: 180, format: "YUYV", ..Request::holder(&device) };
    let capture = request.start(machine);
    camera.set(fault, 1);
    capture.wait()
}

#[test]
fn a_disconnect_ends_a_running_capture() {
    let machine = machine();
    let log = log_of_capture_ended_by(&machine, "disconnect");
    // QBUF or DQBUF may get ENODEV first, and v4l2-ctl does not report it for QBUF.
    assert!(log.contains("No such device") || log.contains("qbuf error"), "{log}");
    // The fault ends when the last program closes the camera.
    assert_eq!(
        capture(&machine, &request(&Vivid::single_planar(&machine).device())).frames.len(),
        5
    );
}

#[test]
fn a_fatal_streaming_error_lasts_until_the_stream_is_stopped() {
    let machine = machine();
    let log = log_of_capture_ended_by(&machine, "inject_fatal_streaming_error");
    // As above: QBUF may get EIO first.
    assert!(log.contains("Input/output error") || log.contains("qbuf error"), "{log}");
    assert_eq!(
        capture(&machine, &request(&Vivid::single_planar(&machine).device())).frames.len(),
        5
    );
}
