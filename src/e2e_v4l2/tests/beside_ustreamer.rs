//! `make bench-v4l2`: the CPU of the whole daemon beside uStreamer's, in instructions.
//!
//! In a machine whose processor takes one nanosecond for each instruction, the kernel's count of a process's CPU time
//! is the number of instructions that its threads took, in the program and in the kernel on its behalf. So the figures
//! repeat to a few percent, however busy the host is. Instructions are no time: one that works on 32 bytes counts as
//! much as one that works on one.

use crate::machine::server::Server;
use crate::machine::{Machine, SERVICE_PORT, counting_machine};
use crate::results::Results;
use crate::tests::helpers::cpu::while_watched;
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::vivid::Vivid;
use std::time::Duration;

const N_ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(4);
/// The most that vivid gives of YUYV at 1280x720, and the webcam of JPEGs.
const RAW_FPS: f64 = 12.5;
const WEBCAM_FPS: f64 = 30.0;
const OURS: &str = "mjpegd --bind 0.0.0.0";
const THEIRS: &str = "ustreamer --host 0.0.0.0 --port";

/// Thousands of instructions a frame of one viewer.
fn cost(machine: &Machine, command: &str, fps: f64) -> f64 {
    let server = Server::start(machine, command);
    let url = format!("http://127.0.0.1:{SERVICE_PORT}/stream");
    let watched = while_watched(machine, server.pid(), &url, SPAN);
    let snapshot = format!("wget -q -O - http://127.0.0.1:{SERVICE_PORT}/snapshot | wc -c");
    let frame_bytes: f64 = machine.sh(&snapshot).parse().expect("a number of bytes");
    let n_frames = watched.bytes as f64 / frame_bytes;
    let due = fps * SPAN.as_secs_f64();
    assert!(n_frames > 0.8 * due, "{n_frames:.0} frames instead of {due}: {}", server.log());
    assert_eq!(server.stop(), 0);
    watched.cpu.as_secs_f64() * 1e6 / n_frames
}

/// Prints both costs and their ratio, each the median of some rounds in turn, and keeps the ratio:
/// a later comparison may fail.
fn compare(machine: &Machine, (what, fps): (&str, f64), ours: &str, theirs: &str) {
    let mut rounds: Vec<(f64, f64)> = (0..N_ROUNDS)
        .map(|_| {
            let round = (cost(machine, ours, fps), cost(machine, theirs, fps));
            eprintln!(
                "  mjpegd {:.0}, uStreamer {:.0} thousand instructions a frame",
                round.0, round.1
            );
            round
        })
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ours, theirs) = rounds[N_ROUNDS / 2];
    let ratio = format!("{:.2}", ours / theirs);
    eprintln!("{what}: {ratio} x uStreamer");
    let mut results = Results::default();
    results.add(what, ratio);
    results.keep_part("v4l2").unwrap();
}

#[test]
#[ignore = "a measurement, see `make bench-v4l2`"]
fn instructions_beside_ustreamer_at_720p() {
    let machine = counting_machine().unwrap();
    let size = "--resolution 1280x720";
    let device = Vivid::single_planar(&machine).device();
    compare(
        &machine,
        ("YUYV", RAW_FPS),
        &format!(
            "{OURS}:{SERVICE_PORT} --camera v4l2:{device} {size} --fps 30 --format YUYV --quality 80"
        ),
        &format!(
            "{THEIRS} {SERVICE_PORT} --device {device} {size} --desired-fps 30 --format YUYV --quality 80"
        ),
    );
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.link();
    compare(
        &machine,
        ("JPEG", WEBCAM_FPS),
        &format!("{OURS}:{SERVICE_PORT} --camera v4l2:{device} {size} --fps 30"),
        &format!(
            "{THEIRS} {SERVICE_PORT} --device {device} {size} --desired-fps 30 --format MJPEG"
        ),
    );
}
