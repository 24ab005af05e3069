//! The programs for boards, on stock ARM kernels. `make test-boards` builds them, and then runs this.
//!
//! A board with 32 bits has time in 32 or 64 bits by the C library, so the ioctls of glibc's program and of musl's differ.

use crate::machine::arm::{arm64, armhf};
use crate::machine::server::Server;
use crate::machine::{Machine, SERVICE_PORT};
use crate::tests::helpers::bars::{BARS, assert_near, bars, size, three_quarters};
use crate::tests::helpers::viewer::{Viewer, camera_that, control, get, lost, post, set};
use crate::tests::helpers::vivid::Vivid;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);
/// A daemon that waits for its first viewer, as it is shipped. With glibc it is a larger build for tests.
const IDLE_KB: u64 = 4000;
/// The port of the daemon behind a relay.
const ORIGIN_PORT: u16 = 5001;
const EXEC: &str = "while true; do cat /pictures/640x480/*.jpg; done";

const ARMV6_MUSL: &str = "arm-unknown-linux-musleabi";
const AARCH64_MUSL: &str = "aarch64-unknown-linux-musl";
const AARCH64_GLIBC: &str = "aarch64-unknown-linux-gnu";
const ARMV7_MUSL: &str = "armv7-unknown-linux-musleabihf";
const ARMV7_GLIBC: &str = "armv7-unknown-linux-gnueabihf";

#[test]
#[ignore = "see `make test-boards`"]
fn arm64_with_musl() {
    passes(&arm64(), AARCH64_MUSL);
}

#[test]
#[ignore = "see `make test-boards`"]
fn arm64_with_glibc() {
    passes(&arm64(), AARCH64_GLIBC);
}

#[test]
#[ignore = "see `make test-boards`"]
fn arm64_with_musl_of_32_bits() {
    passes(&arm64(), ARMV7_MUSL);
}

#[test]
#[ignore = "see `make test-boards`"]
fn arm64_with_glibc_of_32_bits() {
    passes(&arm64(), ARMV7_GLIBC);
}

#[test]
#[ignore = "see `make test-boards`"]
fn armhf_with_musl() {
    passes(&armhf(), ARMV7_MUSL);
}

/// What runs on an older processor runs on this one too.
#[test]
#[ignore = "see `make test-boards`"]
fn armhf_with_musl_for_armv6() {
    passes(&armhf(), ARMV6_MUSL);
}

#[test]
#[ignore = "see `make test-boards`"]
fn armhf_with_glibc() {
    passes(&armhf(), ARMV7_GLIBC);
}

/// All that has to work on a board.
fn passes(board: &Machine, target: &str) {
    let program = format!("mjpegd-{target}");
    assert!(board.sh(&format!("{program} devices")).contains("vivid"), "no camera is listed");
    camera_works(board, &program);
    recording_is_played(board, &program);
    relay_of_a_command_works(board, &program);
}

fn start<'m>(board: &'m Machine, program: &str, options: &str) -> Server<'m> {
    Server::start(board, &format!("{program} --bind 0.0.0.0:{SERVICE_PORT} {options}"))
}

fn camera_works(board: &Machine, program: &str) {
    let vivid = Vivid::single_planar(board);
    let options = "--format YUYV --resolution 640x360 --fps 5 --idle-timeout 1s";
    let server = start(board, program, &format!("--camera {} {options}", vivid.device()));
    let idle_kb = resident_kb(board, &server);

    // The daemon sets again what was set, so a test before this one may have left another pattern.
    let (code, reply) = post(board, &json!({ "test_pattern": 0 }));
    assert_eq!(code, 200, "{reply}");
    let jpeg = get(board, "/snapshot");
    assert_eq!(size(&jpeg), (640, 360), "{}", server.log());
    assert_near("75%", &bars(&jpeg), &BARS.map(three_quarters), 12);
    controls_are_set(board);
    let jpeg = get(board, "/snapshot");
    assert_near("100%", &bars(&jpeg), &BARS, 12);

    let mut viewer = Viewer::open(board);
    let begun = Instant::now();
    (0..10).for_each(|_| assert_eq!(size(&viewer.next()), (640, 360)));
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(1), "10 pictures at 5 a second came in {took:?}");
    let watched_kb = resident_kb(board, &server);

    vivid.unbind();
    lost(board, "");
    vivid.bind();
    camera_that(board, "the camera again", |camera| camera["state"] == "live");
    viewer.next();
    assert_eq!(server.stop(), 0, "a viewer and a camera do not hold up SIGTERM");
    eprintln!("{program}: {idle_kb} kB idle, {watched_kb} kB with a viewer");
    assert!(idle_kb < IDLE_KB || !program.contains("musl"), "{idle_kb} kB");
}

/// Numbers of 32 and of 64 bits, menus and switches.
fn controls_are_set(board: &Machine) {
    let wide = control(board, "integer_64_bits");
    assert_eq!((&wide["min"], &wide["max"]), (&json!(i64::MIN), &json!(i64::MAX)), "{wide}");
    let low = 0x7EDC_BA98_7654_3210_u64;
    let wishes =
        json!({ "test_pattern": 1, "brightness": 90, "boolean": 0, "integer_64_bits": low });
    let set = set(board, &wishes);
    for (name, value) in wishes.as_object().expect("an object") {
        assert_eq!(set[name]["value"], *value, "{name}: {set}");
        assert_eq!(control(board, name)["value"], *value, "{name}");
    }
    // Which changes the colours of the bars.
    let kept = post(board, &json!({ "brightness": 128 }));
    assert_eq!(kept.0, 200, "{}", kept.1);
}

fn recording_is_played(board: &Machine, program: &str) {
    board.sh("rm -rf /tmp/recording");
    let camera = "--camera pattern:160x120@5 --record /tmp/recording";
    let server = start(board, program, camera);
    wait_for_json(board, "/status", |status| status["recording"]["written"].as_u64() > Some(15));
    assert_eq!(size(&get(board, "/snapshot?at=-1s")), (160, 120), "{}", server.log());
    let mut playback = Viewer::of(board, "/stream?from=-2s");
    (0..5).for_each(|_| assert_eq!(size(&playback.next()), (160, 120)));
    drop(playback);
    assert!(get(board, "/download?from=-2s&to=-1s").starts_with(b"RIFF"));
    assert_eq!(server.stop(), 0);
    // What was written is found again.
    let server = start(board, program, camera);
    wait_for_json(board, "/recordings?segments=1", |list| {
        let segments = list["segments"].as_array().expect("a list of segments");
        // The last one is of this run.
        let before = segments.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().filter_map(|segment| segment["frames"].as_u64()).sum::<u64>() > 15
    });
    assert_eq!(server.stop(), 0);
}

fn relay_of_a_command_works(board: &Machine, program: &str) {
    let origin = format!("{program} --bind 127.0.0.1:{ORIGIN_PORT} --camera 'exec:{EXEC}' --fps 5");
    let child = format!(
        "{origin} >/tmp/origin.log 2>&1 & echo $! >/tmp/origin.pid; wait $!; echo $? >/tmp/origin.end"
    );
    board.sh(&format!("rm -f /tmp/origin.*; ({child}) >/dev/null 2>&1 &"));
    let is_there = format!("netstat -ltn | grep ':{ORIGIN_PORT} ' || (cat /tmp/origin.log; false)");
    board.wait_for("the origin's port", DEADLINE, &is_there);
    let relay = start(board, program, &format!("--camera http://127.0.0.1:{ORIGIN_PORT}/stream"));
    let mut viewer = Viewer::open(board);
    (0..5).for_each(|_| assert_eq!(size(&viewer.next()), (640, 480)));
    assert_eq!(size(&get(board, "/snapshot")), (640, 480), "{}", relay.log());
    assert_eq!(relay.stop(), 0);
    board.sh("kill $(cat /tmp/origin.pid)");
    assert_eq!(board.wait_for_text("the origin's end", DEADLINE, "/tmp/origin.end"), "0");
}

fn resident_kb(board: &Machine, server: &Server<'_>) -> u64 {
    let figure =
        board.sh(&format!("sed -n 's/VmRSS: *\\(.*\\) kB/\\1/p' /proc/{}/status", server.pid()));
    figure.trim().parse().expect("a size")
}

fn wait_for_json(board: &Machine, path: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + DEADLINE;
    loop {
        let json = serde_json::from_slice(&get(board, path)).expect("JSON");
        if is_it(&json) {
            return json;
        }
        assert!(Instant::now() < end, "{path}: {json}");
        thread::sleep(Duration::from_millis(100));
    }
}
