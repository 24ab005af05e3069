//! mjpegd on a multi-planar camera.

use crate::machine::machine;
use crate::tests::daemon::start;
use crate::tests::daemon_vivid::{heals_errors_at_opening, heals_streaming_errors, snapshot};
use crate::tests::helpers::bars::{BARS, assert_near, bars, grey};
use crate::tests::helpers::viewer::{Viewer, camera, camera_that};
use crate::tests::helpers::vivid::Vivid;

#[test]
fn formats_in_one_buffer_and_in_several_become_the_picture_that_was_drawn() {
    let machine = machine();
    let camera = Vivid::multi_planar(&machine);
    camera.set("test_pattern", 1);
    let in_one = ["YUYV", "NV12", "NV16", "NV61", "NV24", "NV42", "422P", "YU12", "RGB3"];
    let in_two = ["NM12", "NM21", "NM16", "NM61"];
    let in_three = ["YM12", "YM21", "YM16", "YM61", "YM24", "YM42"];
    for format in in_one.iter().chain(&in_two).chain(&in_three) {
        let seen = bars(&snapshot(&machine, camera, format));
        assert_near(format, &seen, &BARS, 12);
        assert!(seen[0].iter().all(|channel| *channel >= 253), "{format}: white is {:?}", seen[0]);
    }
    let seen = bars(&snapshot(&machine, camera, "GREY"));
    assert_near("GREY", &seen, &BARS.map(grey), 4);
    camera.set("test_pattern", 0);
}

#[test]
fn rate_is_negotiated_and_frames_are_those_of_now() {
    let machine = machine();
    let device = Vivid::multi_planar(&machine).device();
    let options = format!("--camera {device} --input 0 --resolution 320x180 --fps 10");
    let _server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    (0..20).for_each(|_| drop(viewer.next()));
    let camera = camera(&machine);
    let got = &camera["got"];
    assert_eq!((&got["width"], &got["fps"]), (&320.into(), &10.0.into()), "{camera}");
    assert_eq!(camera["opened"], 1, "{camera}");
}

#[test]
fn faults_of_a_multi_planar_camera_heal() {
    let machine = machine();
    let vivid = Vivid::multi_planar(&machine);
    let options = "--input 0 --resolution 320x180 --format NM12 --idle-timeout 1s";
    let server = start(&machine, &format!("--camera {} {options}", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    heals_streaming_errors(&machine, vivid, &mut viewer);
    drop(viewer);
    heals_errors_at_opening(&machine, vivid, &server);
    // Another program can use it, so no buffer has stayed behind.
    camera_that(&machine, "an idle camera", |camera| camera["state"] == "idle");
    machine.sh(&format!("v4l2-ctl -d {} -v pixelformat=YM24,width=640", vivid.device()));
    assert!(machine.holders(&vivid.device()).is_empty());
    assert_eq!(server.stop(), 0);
}

#[test]
fn multi_planar_camera_that_is_unplugged_comes_back() {
    let machine = machine();
    let vivid = Vivid::multi_planar(&machine);
    let options = "--input 0 --resolution 320x180 --format YM12";
    let _server = start(&machine, &format!("--camera {} {options}", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    vivid.unbind();
    camera_that(&machine, "a camera that is lost", |camera| camera["state"] == "lost");
    vivid.bind();
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    viewer.next();
}

#[test]
fn devices_lists_multi_planar_cameras_and_all_inputs() {
    let machine = machine();
    let device = Vivid::multi_planar(&machine).device();
    let json = machine.sh("mjpegd devices --json");
    let devices: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let all = devices.as_array().expect("it is a list");
    let ours = all.iter().find(|one| one["path"] == device.as_str()).expect(&json);
    let format = |name: &str| {
        let formats = ours["formats"].as_array().expect("a list of formats");
        formats.iter().find(|format| format["fourcc"] == name).expect(name).clone()
    };
    for name in ["YUYV", "NM12", "YM42"] {
        let sizes = format(name)["sizes"].as_array().expect("a list of sizes").clone();
        assert!(sizes.iter().any(|size| size["width"] == 640 && size["fps"][0].is_number()));
    }
    assert_eq!(ours["inputs"][3]["name"], "HDMI 0");
    assert_eq!(ours["inputs"][3]["dv_timings"], true);
    assert_eq!(ours["inputs"][2]["tv_standards"], serde_json::json!(["PAL", "NTSC", "SECAM"]));
    let text = machine.sh("mjpegd devices");
    let part_of = |device: &str| {
        text.split("\n\n").find(|part| part.starts_with(device)).expect(&text).to_owned()
    };
    let ours = part_of(&device);
    assert!(ours.contains("input     3 (HDMI 0), --dv-timings\n"), "{ours}");
    // There is nothing to choose.
    let plain = part_of(&Vivid::single_planar(&machine).device());
    assert!(!plain.contains("input  "), "{plain}");
}
