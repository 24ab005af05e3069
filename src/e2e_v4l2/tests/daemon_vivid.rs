//! mjpegd on vivid: raw formats, and devices that it refuses.

use crate::machine::server::Server;
use crate::machine::{Machine, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::bars::{BARS, assert_near, bars, grey, three_quarters};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{self, Viewer, camera, camera_that, get, lost};
use crate::tests::helpers::vivid::Vivid;

#[test]
fn state_in_ustreamers_shape_has_the_quality_of_the_encoder() {
    let machine = machine();
    let device = Vivid::single_planar(&machine).device();
    let options = format!("--camera {device} --format YUYV --resolution 640x360 --quality 63");
    let _server = start(&machine, &options);
    let _viewer = Viewer::open(&machine);
    camera_that(&machine, "a live camera", |camera| camera["state"] == "live");
    let read = |path: &str| {
        serde_json::from_slice::<serde_json::Value>(&get(&machine, path)).expect("JSON")
    };
    let state = read("/state");
    assert_eq!(state["result"]["encoder"], serde_json::json!({ "type": "CPU", "quality": 63 }));
    let input = read("/input.json");
    assert_eq!(input["formats"][0]["name"], "YUYV", "{input}");
    assert_eq!(input["formats"][0]["compressed"], "false", "{input}");
}

/// A picture of a camera in this format.
pub(crate) fn snapshot(machine: &Machine, camera: Vivid<'_>, format: &str) -> Vec<u8> {
    let device = camera.device();
    let options = format!("--camera {device} --input 0 --format {format} --resolution 640x360");
    let server = start(machine, &options);
    let mut viewer = Viewer::open(machine);
    viewer.next();
    let jpeg = viewer.next();
    let log = server.log();
    assert_eq!(viewer::camera(machine)["got"]["format"], format, "{log}");
    assert_eq!(server.stop(), 0);
    jpeg
}

#[test]
fn raw_formats_become_the_picture_that_was_drawn() {
    let machine = machine();
    let camera = Vivid::single_planar(&machine);
    camera.set("test_pattern", 1);
    for format in [
        "YUYV", "YVYU", "UYVY", "NV12", "NV21", "YU12", "YV12", "RGB3", "BGR3", "RGBP", "NV16",
        "NV24", "422P",
    ] {
        let seen = bars(&snapshot(&machine, camera, format));
        assert_near(format, &seen, &BARS, 12);
        assert!(seen[0].iter().all(|channel| *channel >= 253), "{format}: white is {:?}", seen[0]);
    }
    let seen = bars(&snapshot(&machine, camera, "GREY"));
    assert_near("GREY", &seen, &BARS.map(grey), 4);
    camera.set("test_pattern", 0);
    for format in ["YUYV", "RGB3"] {
        let seen = bars(&snapshot(&machine, camera, format));
        assert_near(format, &seen, &BARS.map(three_quarters), 6);
    }
}

#[test]
fn what_is_no_camera_is_refused_by_its_name() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    for (device, says) in [
        (webcam.metadata_device().as_str(), "a metadata node, not a camera"),
        ("/dev/null", "not a V4L2 device"),
    ] {
        let _server = start(&machine, &format!("--camera {device}"));
        let _viewer = Viewer::open(&machine);
        lost(&machine, says);
        let reply = String::from_utf8_lossy(&get(&machine, "/snapshot")).into_owned();
        assert!(reply.contains(says), "{reply}");
    }
}

#[test]
fn format_that_the_device_has_not_names_those_it_has() {
    let machine = machine();
    let device = Vivid::single_planar(&machine).device();
    let _server = start(&machine, &format!("--camera {device} --format MJPG"));
    let _viewer = Viewer::open(&machine);
    lost(&machine, "it has no MJPG; it offers ");
}

/// Each error of a stream is a loss, after which the camera is opened again and the viewer gets pictures.
pub(crate) fn heals_streaming_errors(machine: &Machine, vivid: Vivid<'_>, viewer: &mut Viewer) {
    for fault in ["inject_fatal_streaming_error", "inject_vidioc_qbuf_error", "disconnect"] {
        let n_opened = camera(machine)["opened"].as_u64();
        vivid.set(fault, 1);
        camera_that(machine, "the camera opened again", |camera| {
            camera["state"] == "live" && camera["opened"].as_u64() > n_opened
        });
        viewer.next();
    }
}

/// Each error at an opening is logged and counted, and the next try gives pictures. The server has an idle timeout.
pub(crate) fn heals_errors_at_opening(machine: &Machine, vivid: Vivid<'_>, server: &Server<'_>) {
    let n_faults = || camera(machine)["faults"]["io"].as_u64().unwrap_or(0);
    for (fault, says) in [
        ("inject_vidioc_reqbufs_error", "taking buffers failed: Invalid argument"),
        ("inject_vidioc_qbuf_error", "starting failed: Invalid argument"),
        ("inject_vidioc_streamon_error", "starting failed: Invalid argument"),
    ] {
        camera_that(machine, "an idle camera", |camera| camera["state"] == "idle");
        let before = n_faults();
        vivid.set(fault, 1);
        let mut viewer = Viewer::open(machine);
        camera_that(machine, "a camera that is well", |camera| camera["state"] == "live");
        viewer.next();
        assert_eq!(n_faults(), before + 1, "{fault}");
        server.wait_for_log(says);
    }
}

#[test]
fn streaming_errors_heal() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let _server = start(&machine, &format!("--camera {} --resolution 320x180", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    heals_streaming_errors(&machine, vivid, &mut viewer);
}

#[test]
fn errors_at_opening_are_told_and_heal() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let options = "--idle-timeout 1s --resolution 320x180";
    let server = start(&machine, &format!("--camera {} {options}", vivid.device()));
    heals_errors_at_opening(&machine, vivid, &server);
}

#[test]
fn buffer_that_is_marked_as_damaged_is_dropped_and_counted() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let _server = start(&machine, &format!("--camera {} --resolution 320x180", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    camera_that(&machine, "a picture that was dropped", |camera| {
        // Several tries: a frame that a newer one replaced was skipped without a check.
        vivid.set("inject_v4l2_buf_flag_error", 1);
        camera["frames"]["dropped"]["marked"].as_u64() > Some(0)
    });
    (0..5).for_each(|_| drop(viewer.next()));
    let camera = camera(&machine);
    assert_eq!((&camera["state"], &camera["opened"]), (&"live".into(), &1.into()), "{camera}");
}
