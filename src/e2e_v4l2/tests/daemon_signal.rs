//! mjpegd on a camera with several inputs: television, and HDMI whose signal changes.

use crate::machine::{Machine, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::bars::{BARS, assert_near, bars, size};
use crate::tests::helpers::viewer::{Viewer, camera, camera_that, get, lost};
use crate::tests::helpers::vivid::Vivid;

/// Numbers of vivid's inputs, as `guest/init` chose them.
const S_VIDEO: u32 = 2;
const HDMI: u32 = 3;

/// Items of vivid's menus "DV Timings Signal Mode"...
const CURRENT: i64 = 0;
const NO_SIGNAL: i64 = 1;
const NO_LOCK: i64 = 2;
const OUT_OF_RANGE: i64 = 3;
const SELECTED: i64 = 4;
/// ...and "DV Timings".
const PROGRESSIVE_720X480: i64 = 2;
const PROGRESSIVE_800X600: i64 = 24;
const INTERLACED_1920X1080: i64 = 15;

/// Both APIs, since each has calls of its own.
fn cameras(machine: &Machine) -> [Vivid<'_>; 2] {
    [Vivid::with_inputs(machine), Vivid::multi_planar(machine)]
}

/// Lets another signal come into HDMI.
fn send(vivid: Vivid<'_>, timings: i64) {
    vivid.set("dv_timings_signal_mode", SELECTED);
    vivid.set("dv_timings", timings);
}

fn query(machine: &Machine, vivid: Vivid<'_>, question: &str) -> String {
    machine.sh(&format!("v4l2-ctl -d {} {question}", vivid.device()))
}

#[test]
fn input_and_television_standard_are_set_at_each_opening() {
    let machine = machine();
    for vivid in cameras(&machine) {
        for (standard, bits) in
            [("PAL", "0x000000ff"), ("ntsc", "0x0000b000"), ("SECAM", "0x00ff0000")]
        {
            let options = format!("--input {S_VIDEO} --tv-standard {standard} --idle-timeout 1s");
            query(&machine, vivid, "-i 0");
            let server = start(&machine, &format!("--camera {} {options}", vivid.device()));
            let jpeg = Viewer::open(&machine).next();
            assert_eq!(size(&jpeg), (640, 480));
            assert!(query(&machine, vivid, "-I").contains(": 2"));
            assert!(query(&machine, vivid, "-S").contains(bits), "{standard}");
            let says = "the pictures are interlaced, so what moves has combed edges";
            server.wait_for_log(says);
        }
    }
}

#[test]
fn television_picture_has_the_colours_that_were_drawn() {
    let machine = machine();
    let vivid = Vivid::multi_planar(&machine);
    vivid.set("test_pattern", 1);
    let options = format!("--input {S_VIDEO} --tv-standard PAL --resolution 720x576 --format NM12");
    let _server = start(&machine, &format!("--camera {} {options}", vivid.device()));
    let jpeg = Viewer::open(&machine).next();
    assert_eq!(size(&jpeg), (720, 576));
    // The colours of vivid's SMPTE 170M differ a little from those of a JPEG.
    assert_near("PAL", &bars(&jpeg), &BARS, 20);
    vivid.set("test_pattern", 0);
}

#[test]
fn what_an_input_has_not_is_refused_with_what_there_is() {
    let machine = machine();
    let vivid = Vivid::with_inputs(&machine);
    for (options, says) in [
        (
            "--input 7",
            "there is no input 7; there are 0 (Webcam 0), 1 (TV 0), 2 (S-Video 0), 3 (HDMI 0)",
        ),
        ("--input 3 --tv-standard PAL", "input 3 (HDMI 0) has no PAL; it takes no analogue signal"),
        ("--input 0 --dv-timings", "input 0 (Webcam 0) takes no digital signal"),
    ] {
        let _server = start(&machine, &format!("--camera {} {options}", vivid.device()));
        let _viewer = Viewer::open(&machine);
        lost(&machine, says);
        assert!(camera(&machine)["faults"]["unsupported"].as_u64() >= Some(1));
    }
}

#[test]
fn another_digital_signal_is_followed_while_people_watch() {
    let machine = machine();
    for vivid in cameras(&machine) {
        query(&machine, vivid, &format!("-i {HDMI}"));
        send(vivid, PROGRESSIVE_720X480);
        let options = format!("--camera {} --input {HDMI} --dv-timings", vivid.device());
        let server = start(&machine, &options);
        let mut viewer = Viewer::open(&machine);
        assert_eq!(size(&viewer.next()), (720, 480));
        send(vivid, PROGRESSIVE_800X600);
        viewer.next_that("a picture of the new size", |jpeg| size(jpeg) == (800, 600));
        // Not lost meanwhile: no status picture, no fault.
        let camera = camera(&machine);
        let faults = camera["faults"].as_object().expect("counters");
        assert!(faults.values().all(|n| n == 0), "{camera}");
        assert_eq!((&camera["state"], &camera["got"]["width"]), (&"live".into(), &800.into()));
        server.wait_for_log("another signal comes in; opening again");
        server.wait_for_log("the signal is 800x600, progressive");
        vivid.set("dv_timings_signal_mode", CURRENT);
    }
}

#[test]
fn no_signal_is_a_state_that_heals() {
    let machine = machine();
    let vivid = Vivid::with_inputs(&machine);
    query(&machine, vivid, &format!("-i {HDMI}"));
    send(vivid, PROGRESSIVE_720X480);
    let options = format!("--camera {} --input {HDMI} --dv-timings", vivid.device());
    let server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    for (mode, says) in [
        (NO_SIGNAL, "no signal at input 3 (HDMI 0); is the source connected"),
        (NO_LOCK, "no stable signal at input 3 (HDMI 0)"),
        (OUT_OF_RANGE, "the signal at input 3 (HDMI 0) is one that the device cannot take"),
    ] {
        let before = camera(&machine)["faults"]["no_signal"].as_u64();
        vivid.set("dv_timings_signal_mode", mode);
        lost(&machine, says);
        assert!(camera(&machine)["faults"]["no_signal"].as_u64() > before);
        let snapshot = String::from_utf8_lossy(&get(&machine, "/snapshot")).into_owned();
        assert!(snapshot.contains(says), "{snapshot}");
        server.wait_for_log(says);
        vivid.set("dv_timings_signal_mode", SELECTED);
        camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
        viewer.next_that("a picture", |jpeg| size(jpeg) == (720, 480));
    }
    let metrics = String::from_utf8_lossy(&get(&machine, "/metrics")).into_owned();
    let counted =
        metrics.lines().find(|line| line.contains("cause=\"no_signal\"")).expect(&metrics);
    assert!(!counted.ends_with(" 0"), "{counted}");
    vivid.set("dv_timings_signal_mode", CURRENT);
}

#[test]
fn analogue_signal_that_ends_is_noticed_and_heals() {
    let machine = machine();
    let vivid = Vivid::with_inputs(&machine);
    query(&machine, vivid, &format!("-i {S_VIDEO}"));
    let options = format!("--camera {} --input {S_VIDEO} --tv-standard PAL", vivid.device());
    let _server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    vivid.set("standard_signal_mode", NO_SIGNAL);
    lost(&machine, "no signal at input 2 (S-Video 0)");
    vivid.set("standard_signal_mode", CURRENT);
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    viewer.next();
}

#[test]
fn fields_apart_are_refused_with_what_to_do() {
    let machine = machine();
    for vivid in cameras(&machine) {
        query(&machine, vivid, &format!("-i {HDMI}"));
        send(vivid, INTERLACED_1920X1080);
        let options = format!("--camera {} --input {HDMI} --dv-timings", vivid.device());
        let server = start(&machine, &options);
        let _viewer = Viewer::open(&machine);
        lost(&machine, "let the source send a progressive picture (720p, 1080p)");
        assert!(camera(&machine)["faults"]["unsupported"].as_u64() >= Some(1));
        server.wait_for_log("the signal is 1920x1080, interlaced");
        vivid.set("dv_timings_signal_mode", CURRENT);
    }
}
