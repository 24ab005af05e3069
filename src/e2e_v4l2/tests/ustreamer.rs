//! uStreamer on the same camera, for comparison.

use crate::machine::pictures;
use crate::machine::server::Server;
use crate::machine::{Machine, SERVICE_PORT, machine};
use crate::tests::helpers::bars::{BARS, assert_near, bars, size};
use crate::tests::helpers::cpu::while_watched;
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, camera, control, get};
use crate::tests::helpers::vivid::Vivid;
use serde_json::json;
use std::time::{Duration, Instant};

/// The number of frames that a viewer received of a server.
fn n_frames(machine: &Machine, server: &Server<'_>, span: Duration) -> u64 {
    let url = format!("http://127.0.0.1:{SERVICE_PORT}/stream");
    let watched = while_watched(machine, server.pid(), &url, span);
    watched.bytes / u64::try_from(pictures::of_size("1280x720")[0].len()).unwrap()
}

fn ustreamer<'m>(machine: &'m Machine, device: &str) -> Server<'m> {
    let options = "--format MJPEG --resolution 1280x720 --desired-fps 30";
    start_program(machine, "ustreamer", &format!("--device {device} {options}"))
}

#[test]
fn ustreamer_serves_the_same_camera() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let server = ustreamer(&machine, webcam.link());
    let frames = n_frames(&machine, &server, Duration::from_secs(5));
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

/// The folder of the link to this program that has the other one's name.
const LINKS: &str = "/tmp/links";

/// The real one does not expand the range of the samples: its white is grey.
const NEAR: u8 = 32;

/// Both under the name `ustreamer`: the real one, and this program by a link.
fn both(machine: &Machine) -> [String; 2] {
    machine.sh(&format!("mkdir -p {LINKS}; ln -sf /bin/mjpegd {LINKS}/ustreamer"));
    ["/bin/ustreamer".into(), format!("{LINKS}/ustreamer")]
}

/// After a second without a picture, as in a machine that pauses, the real one would show one of its own.
const PATIENT: &str = "--device-timeout 30";

fn start_program<'m>(machine: &'m Machine, program: &str, options: &str) -> Server<'m> {
    let listen = format!("--host 0.0.0.0 --port {SERVICE_PORT}");
    Server::start(machine, &format!("{program} {options} {PATIENT} {listen}"))
}

fn result_of_state(machine: &Machine) -> serde_json::Value {
    let state: serde_json::Value =
        serde_json::from_slice(&get(machine, "/state")).expect("the state is JSON");
    assert_eq!(state["ok"], true, "{state}");
    state["result"].clone()
}

#[test]
fn both_encode_a_raw_camera_and_answer_alike() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    vivid.set("test_pattern", 1);
    let device = vivid.device();
    let options = format!(
        "--device {device} --format YUYV --resolution 640x360 --desired-fps 10 --quality 77 --encoder CPU"
    );
    for program in both(&machine) {
        let server = start_program(&machine, &program, &options);
        for path in ["/stream", "/?action=stream"] {
            let mut viewer = Viewer::of(&machine, path);
            // Until its camera gives pictures, the real one shows one of its own.
            viewer.next_that("a picture", |jpeg| size(jpeg) == (640, 360));
            assert_near(&program, &bars(&viewer.next()), &BARS, NEAR);
            let state = eventually(&machine, |state| {
                state["stream"]["clients"] == 1
                    && state["source"]["captured_fps"].as_i64() > Some(0)
            });
            assert_eq!(state["encoder"], json!({ "type": "CPU", "quality": 77 }), "{program}");
            let source = &state["source"];
            assert_eq!(source["resolution"], json!({ "width": 640, "height": 360 }), "{program}");
            assert_eq!((&source["online"], &source["desired_fps"]), (&true.into(), &10.into()));
            let clients = state["stream"]["clients_stat"].as_object().expect("an object");
            let client = clients.values().next().expect("this viewer");
            for key in ["fps", "extra_headers", "advance_headers", "dual_final_frames", "zero_data"]
            {
                assert!(!client[key].is_null(), "{program}: {key} of {client}");
            }
        }
        eventually(&machine, |state| state["stream"]["clients"] == 0);
        for path in ["/snapshot", "/?action=snapshot"] {
            let jpeg = get(&machine, path);
            assert_near(&program, &bars(&jpeg), &BARS, NEAR);
            assert_eq!(size(&jpeg), (640, 360), "{program}: {path}");
        }
        assert_eq!(server.stop(), 0, "{program}");
    }
    vivid.set("test_pattern", 0);
}

#[test]
fn both_pass_a_webcams_pictures_on_and_set_it_up_alike() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!(
        "--device {} --format MJPEG --resolution 640x480 --desired-fps 15 --brightness 20 --encoder HW",
        webcam.link()
    );
    let pictures = pictures::of_size("640x480");
    for program in both(&machine) {
        machine.sh(&format!("v4l2-ctl -d {} -c brightness=7", webcam.device()));
        let server = start_program(&machine, &program, &options);
        let mut viewer = Viewer::open(&machine);
        viewer.next_that("a picture", |jpeg| pictures.iter().any(|picture| picture == jpeg));
        viewer.read_in_a_row(5, pictures);
        let state = eventually(&machine, |state| state["source"]["online"] == true);
        assert_eq!(state["encoder"]["type"], "HW", "{program}");
        assert!(pictures.contains(&get(&machine, "/snapshot")), "{program}");
        let brightness = machine.sh(&format!("v4l2-ctl -d {} -C brightness", webcam.device()));
        assert_eq!(brightness, "brightness: 20", "{program}");
        drop(viewer);
        assert_eq!(server.stop(), 0, "{program}");
    }
}

/// Waits until the state satisfies `is_it`.
fn eventually(machine: &Machine, is_it: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let state = result_of_state(machine);
        if is_it(&state) {
            return state;
        }
        assert!(Instant::now() < end, "{state}");
    }
}
