//! mjpegd on a board with a JPEG encoder in hardware: the one of `drivers/`, and vicodec, the kernel's own.

use crate::machine::{Machine, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::bars::{BARS, assert_near, bars, size};
use crate::tests::helpers::viewer::{Viewer, camera, camera_that, get};
use crate::tests::helpers::vivid::Vivid;

const TEST: &str = "test_jpeg";
/// Its faults, by number.
const FAULTS: [(u8, &str); 5] = [
    (1, "failed: it marked the JPEG as damaged"),
    (2, "failed: timed out"),
    (3, "failed: it gave not a JPEG"),
    (4, "failed: Input/output error"),
    (5, "this encoder is not used: No data available"),
];

/// A driver that is loaded until the test ends.
struct Loaded<'m>(&'m Machine, &'static str);

impl<'m> Loaded<'m> {
    fn new(machine: &'m Machine, driver: &'static str, options: &str) -> Self {
        machine.load(driver, options);
        Self(machine, driver)
    }
}

impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        // A daemon of a failed test may still hold it; it is killed before this.
        let _ = self.0.run(&format!("rmmod {}", self.1));
    }
}

fn set_fault(machine: &Machine, fault: u8) {
    machine.sh(&format!("echo {fault} >/sys/module/{TEST}/parameters/fault"));
}

fn encoder(machine: &Machine) -> String {
    camera(machine)["got"]["encoder"].as_str().unwrap_or_default().to_owned()
}

/// The quality is the first number of the first table.
fn quantiser(jpeg: &[u8]) -> u8 {
    let at = jpeg.windows(2).position(|marker| marker == [0xFF, 0xDB]).expect("a table");
    jpeg[at + 5]
}

#[test]
fn hardware_encodes_where_the_board_has_it() {
    let machine = machine();
    for (api, vivid, formats) in [
        (0, Vivid::single_planar(&machine), &["YUYV", "NV12"][..]),
        (1, Vivid::multi_planar(&machine), &["NM12"]),
    ] {
        let _encoder = Loaded::new(&machine, TEST, &format!("multiplanar={api}"));
        vivid.set("test_pattern", 1);
        for format in formats {
            let options = format!(
                "--camera {} --input 0 --format {format} --resolution 640x360 --quality 90",
                vivid.device()
            );
            let server = start(&machine, &options);
            let mut viewer = Viewer::open(&machine);
            viewer.next();
            let jpeg = viewer.next();
            assert!(encoder(&machine).ends_with("(Test JPEG Encoder)"), "{}", server.log());
            // Coarse, as this encoder has one colour for each block.
            assert_near(format, &bars(&jpeg), &BARS, 12);
            assert_eq!((size(&jpeg), quantiser(&jpeg)), ((640, 360), 101 - 90), "{format}");
            let state = String::from_utf8(get(&machine, "/state")).unwrap();
            assert!(state.contains(r#""encoder":{"quality":90,"type":"M2M-IMAGE"}"#), "{state}");
            server.wait_for_log("encoded by /dev/video");
            assert_eq!(camera(&machine)["opened"], 1, "{}", server.log());
            drop(viewer);
            assert_eq!(server.stop(), 0);
        }
        vivid.set("test_pattern", 0);
    }
}

#[test]
fn software_takes_over_from_hardware_that_fails() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let _encoder = Loaded::new(&machine, TEST, "");
    vivid.set("test_pattern", 1);
    let options = format!("--camera {} --resolution 640x360 --idle-timeout 1s", vivid.device());
    for (fault, says) in FAULTS {
        set_fault(&machine, fault);
        let server = start(&machine, &options);
        let mut viewer = Viewer::open(&machine);
        assert_near(says, &bars(&viewer.next()), &BARS, 12);
        assert_eq!(encoder(&machine), "", "{}", server.log());
        assert_eq!(camera(&machine)["state"], "live");
        drop(viewer);
        camera_that(&machine, "an idle camera", |camera| camera["state"] == "idle");
        Viewer::open(&machine).next();
        server.wait_for_log(says);
        let log = server.log();
        // Hardware that failed in work is not tried again.
        let n_told = log.matches(says).count();
        assert!(n_told == 1 || n_told == 2 && fault == 5, "{n_told} times: {log}");
        assert_eq!(server.stop(), 0);
    }
    vivid.set("test_pattern", 0);
}

#[test]
fn hardware_that_fails_later_costs_viewers_a_moment() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let _encoder = Loaded::new(&machine, TEST, "");
    vivid.set("test_pattern", 1);
    let server = start(&machine, &format!("--camera {} --resolution 640x360", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    assert_ne!(encoder(&machine), "");
    set_fault(&machine, 3);
    camera_that(&machine, "the other encoder", |camera| camera["got"]["encoder"].is_null());
    for _ in 0..10 {
        assert_near("afterwards", &bars(&viewer.next()), &BARS, 12);
    }
    let camera = camera(&machine);
    assert_eq!((&camera["opened"], &camera["faults"]["io"]), (&2.into(), &0.into()), "{camera}");
    server.wait_for_log("failed: it gave not a JPEG; this program encodes from now on");
    vivid.set("test_pattern", 0);
}

#[test]
fn hardware_is_free_while_nobody_watches_and_left_alone_if_software_is_asked_for() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let _encoder = Loaded::new(&machine, TEST, "");
    let node = machine.sh(
        "grep -lx test-jpeg /sys/class/video4linux/*/name | sed 's,.*/\\(video[0-9]*\\)/name,/dev/\\1,'",
    );
    let options = format!("--camera {} --idle-timeout 1s", vivid.device());
    for (more, n_holders) in [("", 1), ("--encoder software", 0)] {
        let server = start(&machine, &format!("{options} {more}"));
        let mut viewer = Viewer::open(&machine);
        viewer.next();
        assert_eq!(machine.holders(&node).len(), n_holders, "{}", server.log());
        drop(viewer);
        camera_that(&machine, "an idle camera", |camera| camera["state"] == "idle");
        assert!(machine.holders(&node).is_empty(), "{}", server.log());
        assert_eq!(server.stop(), 0);
    }
}

/// The kernel's virtual codec goes through all of the protocol. What it gives is no JPEG, whatever it claims.
#[test]
fn kernels_own_codec_is_spoken_to_as_it_wants() {
    let machine = machine();
    for (api, format) in [(0, "YU12"), (1, "NV12")] {
        let _codec = Loaded::new(&machine, "vicodec", &format!("multiplanar={api}"));
        let device = Vivid::single_planar(&machine).device();
        let server = start(&machine, &format!("--camera {device} --format {format}"));
        let mut viewer = Viewer::open(&machine);
        assert_eq!(size(&viewer.next()), (640, 480));
        server.wait_for_log("(vicodec) failed: it gave not a JPEG");
        assert_eq!(server.stop(), 0);
    }
}
