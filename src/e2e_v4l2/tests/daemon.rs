//! mjpegd on the webcam: what the camera sends is what viewers get, and the device is free when nobody watches.

use crate::machine::pictures;
use crate::machine::server::Server;
use crate::machine::{Machine, SERVICE_PORT, machine};
use crate::tests::helpers::capture::{DEADLINE, Request};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, camera, camera_that, control, get, lost};
use crate::tests::helpers::vivid::Vivid;
use jpeg_decoder::Decoder;
use std::time::{Duration, Instant};

/// Starts the daemon in the guest with additional options.
pub(crate) fn start<'m>(machine: &'m Machine, options: &str) -> Server<'m> {
    Server::start(machine, &format!("mjpegd --bind 0.0.0.0:{SERVICE_PORT} {options}"))
}

fn pixels(jpeg: &[u8]) -> Vec<u8> {
    Decoder::new(jpeg).decode().expect("a JPEG that can be decoded")
}

fn is_of_camera(jpeg: &[u8]) -> bool {
    pictures::of_size("640x480").iter().any(|picture| picture == jpeg)
}

const SMALL: &str = "--resolution 640x480 --fps 15";

#[test]
fn every_frame_is_passed_on_byte_for_byte() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    for size in ["640x480", "1280x720"] {
        let options = format!("--camera v4l2:{} --resolution {size} --fps 15", webcam.link());
        let server = start(&machine, &options);
        let mut viewer = Viewer::open(&machine);
        viewer.read_in_a_row(30, pictures::of_size(size));
        let got = &camera(&machine)["got"];
        assert_eq!((&got["format"], &got["fps"]), (&"MJPG".into(), &15.0.into()));
        drop(viewer);
        assert_eq!(server.stop(), 0, "a viewer and a camera do not hold up SIGTERM");
    }
}

#[test]
fn at_30_fps_all_is_passed_on_too() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera v4l2:{} --resolution 640x480 --fps 30", webcam.link());
    let _server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    // A slow machine may cause gaps, but each picture must be one of the camera's.
    (0..9).for_each(|_| viewer.read_in_a_row(10, pictures::of_size("640x480")));
    assert_eq!(camera(&machine)["got"]["fps"], 30.0);
}

#[test]
fn cold_snapshot_is_in_time_after_a_warmup() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = "--warmup 5 --resolution 640x480 --fps 5";
    let options = format!("--camera v4l2:{} {options}", webcam.link());
    // The camera begins again with its first picture after 12 of them, which a daemon that is late gets.
    let round = Duration::from_millis(2400);
    for _ in 0..8 {
        let _server = start(&machine, &options);
        let begun = Instant::now();
        // The daemon replies with 503 after 9 s.
        let jpeg = get(&machine, "/snapshot");
        let place = pictures::of_size("640x480").iter().position(|picture| *picture == jpeg);
        match place.expect("a picture of the camera") {
            5.. => return,
            place => assert!(begun.elapsed() > round, "picture {place} is of a cold camera"),
        }
    }
    panic!("all pictures are of the camera's second round");
}

#[test]
fn name_cut_inside_a_character_does_no_harm() {
    let machine = machine();
    let webcam = Webcam::plug_in_as(&machine, 0, &"\u{e9}".repeat(20), "0001");
    let (text, device) = (machine.sh("mjpegd devices"), webcam.device());
    let line = text.lines().find(|line| line.starts_with(&device)).expect(&text);
    assert!(line.contains("\u{e9}\u{e9}\u{fffd}"), "{line}");
    let json = machine.sh("mjpegd devices --json");
    serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
    let server = start(&machine, &format!("--camera v4l2:{} {SMALL}", webcam.link()));
    assert!(is_of_camera(&Viewer::open(&machine).next()));
    let device = camera(&machine)["got"]["device"].as_str().unwrap().to_owned();
    assert!(device.contains("\u{e9}\u{fffd}"), "{device}");
    assert_eq!(control(&machine, "brightness")["value"], 0);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn first_camera_is_found_and_idle_closes_it() {
    let machine = machine();
    // vivid's nodes have lower numbers than the webcam's.
    Vivid::single_planar(&machine).unbind();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let server = start(&machine, &format!("--camera v4l2 --idle-timeout 1s {SMALL}"));
    assert!(machine.holders(&webcam.device()).is_empty(), "open before anybody watches");
    let mut viewer = Viewer::open(&machine);
    assert!(is_of_camera(&viewer.next()));
    assert_eq!(machine.holders(&webcam.device()).len(), 1);
    drop(viewer);
    camera_that(&machine, "an idle camera", |camera| camera["state"] == "idle");
    assert!(machine.holders(&webcam.device()).is_empty(), "open though nobody watches");
    assert!(is_of_camera(&get(&machine, "/snapshot")), "no snapshot from a cold start");
    assert_eq!(server.stop(), 0);
    drop(webcam);
    Vivid::single_planar(&machine).bind();
}

#[test]
fn odd_wishes_are_answered_by_what_holds() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera {} --resolution 1000x700 --fps 11", webcam.device());
    let server = start(&machine, &options);
    Viewer::open(&machine).next();
    let camera = camera(&machine);
    assert_eq!((&camera["asked"]["width"], &camera["asked"]["fps"]), (&1000.into(), &11.0.into()));
    assert_eq!((&camera["got"]["width"], &camera["got"]["fps"]), (&1280.into(), &10.0.into()));
    server.wait_for_log("MJPG, 1280x720, 10 fps");
}

#[test]
fn missing_tables_are_put_in_and_padding_is_taken_off() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _server = start(&machine, &format!("--camera v4l2:{} {SMALL}", webcam.link()));
    let mut viewer = Viewer::open(&machine);
    webcam.set_mode("pad");
    (0..20).for_each(|_| assert!(is_of_camera(&viewer.next()), "not as the camera sent it"));
    webcam.set_mode("nodht");
    viewer.next_that("a frame with tables put in", |jpeg| !is_of_camera(jpeg));
    let whole: Vec<_> = pictures::of_size("640x480").iter().map(|p| pixels(p)).collect();
    assert!(whole.contains(&pixels(&viewer.next())), "not the camera's picture");
}

#[test]
fn damaged_frames_are_dropped_counted_and_explained() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _server = start(&machine, &format!("--camera v4l2:{} {SMALL}", webcam.link()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    webcam.set_mode("garbage");
    lost(&machine, "only damaged pictures come");
    assert!(camera(&machine)["frames"]["dropped"]["not_jpeg"].as_u64() > Some(0));
    webcam.set_mode("normal");
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    viewer.next_that("a picture again", is_of_camera);
}

#[test]
fn truncated_frames_are_shown_and_counted_when_no_others_come() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _server = start(&machine, &format!("--camera v4l2:{} {SMALL}", webcam.link()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    webcam.set_mode("truncate");
    camera_that(&machine, "a camera with truncated pictures", |camera| {
        camera["frames"]["repaired"]["truncated"].as_u64() > Some(3) && camera["state"] == "live"
    });
    assert!(camera(&machine)["frames"]["dropped"]["truncated"].as_u64() > Some(0));
    webcam.set_mode("normal");
    viewer.next_that("a picture again", is_of_camera);
}

#[test]
fn stall_is_told_and_heals() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera v4l2:{} --stall-timeout 2s {SMALL}", webcam.link());
    let _server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    for mode in ["stall", "empty", "error"] {
        webcam.set_mode(mode);
        lost(&machine, "stalled, no picture for 2s");
        webcam.set_mode("normal");
        camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
        viewer.next_that("a picture again", is_of_camera);
    }
}

#[test]
fn unplugged_camera_comes_back_under_another_number() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    // The daemon gets the node number, which another camera will have later.
    let server = start(&machine, &format!("--camera {} {SMALL}", webcam.device()));
    let mut viewer = Viewer::open(&machine);
    assert!(is_of_camera(&viewer.next()));
    let before = webcam.device();
    webcam.unplug();
    lost(&machine, "");
    let (_other, webcam) =
        (Webcam::plug_in(&machine, 1, "0002"), Webcam::plug_in(&machine, 0, "0001"));
    assert_ne!(webcam.device(), before);
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    viewer.next_that("a picture again", is_of_camera);
    // It may be lost once more, on a machine where it comes back slowly.
    camera_that(&machine, "the camera by its own name", |camera| {
        camera["got"]["device"].as_str().is_some_and(|device| device.contains(webcam.link()))
    });
    assert_eq!(server.stop(), 0);
}

#[test]
fn camera_that_is_away_at_start_is_waited_for() {
    let machine = machine();
    let link = Webcam::plug_in(&machine, 0, "0001").link().to_owned();
    machine.wait_for("the end of the link", DEADLINE, &format!("[ ! -e {link} ]"));
    let _server = start(&machine, &format!("--camera v4l2:{link} {SMALL}"));
    let mut viewer = Viewer::open(&machine);
    lost(&machine, "no such device");
    let _webcam = Webcam::plug_in(&machine, 0, "0001");
    viewer.next_that("a picture", is_of_camera);
}

#[test]
fn busy_camera_names_who_has_it() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let other = Request::holder(webcam.link()).start(&machine);
    let holds = format!("ls -l /proc/[0-9]*/fd | grep -q '{}$'", webcam.device());
    machine.wait_for("the other program", DEADLINE, &holds);
    let _server = start(&machine, &format!("--camera v4l2:{} {SMALL}", webcam.link()));
    let mut viewer = Viewer::open(&machine);
    lost(&machine, "used by v4l2-ctl (process ");
    drop(other);
    viewer.next_that("a picture", is_of_camera);
}

#[test]
fn devices_lists_what_each_camera_can_do() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let text = machine.sh("mjpegd devices");
    for says in [
        webcam.link(),
        "MJPG",
        "1280x720 at ",
        "brightness (Brightness), int, ",
        "white_balance_automatic (White Balance, Automatic)",
    ] {
        assert!(text.contains(says), "no {says} in {text}");
    }
    assert!(!text.contains(&webcam.metadata_device()), "{text}");
    let json = machine.sh("mjpegd devices --json");
    let devices: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let devices = devices.as_array().unwrap();
    let ours = devices.iter().find(|device| device["path"] == webcam.device().as_str()).unwrap();
    assert_eq!(ours["lasting_path"], webcam.link());
    let mjpg = ours["formats"].as_array().unwrap().iter().find(|f| f["fourcc"] == "MJPG").unwrap();
    let sizes = mjpg["sizes"].as_array().unwrap();
    assert!(
        sizes
            .iter()
            .any(|s| s["width"] == 640 && s["fps"].as_array().unwrap().contains(&30.0.into()))
    );
    // vivid has controls of every type, including types that no program knows.
    let vivid = devices.iter().find(|device| device["driver"] == "vivid").unwrap();
    let controls = vivid["controls"].as_array().unwrap();
    assert!(
        controls.iter().any(|c| c["type"] == "menu" && c["menu"][0]["label"].is_string()),
        "{json}"
    );
    assert!(controls.len() > 20, "{} controls", controls.len());
}

#[test]
fn controls_are_set_at_each_opening() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = "--control brightness=-20 --control focus_of_nothing=1 --idle-timeout 1s";
    let server = start(&machine, &format!("--camera v4l2:{} {options} {SMALL}", webcam.link()));
    let brightness = || machine.sh(&format!("v4l2-ctl -d {} -C brightness", webcam.device()));
    for _ in 0..2 {
        machine.sh(&format!("v4l2-ctl -d {} -c brightness=7", webcam.device()));
        Viewer::open(&machine).next();
        assert_eq!(brightness(), "brightness: -20");
        camera_that(&machine, "an idle camera", |camera| camera["state"] == "idle");
    }
    server.wait_for_log("focus_of_nothing was not set: there is no such control");
}
