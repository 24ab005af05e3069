//! Tests on real camera drivers, without a camera: vivid and uvcvideo of a stock Debian kernel, in QEMU.
//!
//! `cargo test --test v4l2` runs them and `cargo test` leaves them out: they take QEMU, a kernel package of 70 MB
//! (fetched with apt once, then kept in target/tmp/v4l2-machine) and minutes. One machine is booted, by the first test
//! that asks, and serves all tests one after the other. Measurements are left out: `make bench-v4l2`, and
//! `make bench-board` on a machine of its own.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that panics has failed, and says why on stderr"
)]

// The machine. `machine` is its front door: boots it once, runs scripts in it; all others serve it.
mod control;
mod cpio;
mod initramfs;
mod kernel;
mod machine;
mod qemu;
mod tools;

// What tests work with: v4l2-ctl as the reference, CPU time in the guest, the JPEGs that the webcam serves, a server
// under test, the webcam (itself the program in webcam/), and vivid's raw cameras.
mod capture;
mod cpu;
mod pictures;
mod server;
mod usb;
mod vivid;

// A viewer of the daemon, outside the machine, and a browser.
#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "of what the other tests share, only the browser is used"
)]
mod support;
mod viewer;

// The daemon on the webcam.
mod daemon_tests;
// The controls that the daemon shows and sets, on both.
mod daemon_control_tests;
// The panel of the page that sets them, in a real browser.
mod daemon_panel_tests;
// The daemon on vivid.
mod daemon_vivid_tests;
// A webcam on a bus that is full.
mod bandwidth_tests;
// The tests. The machine has what the others count on.
mod machine_tests;
// Another server on the same camera.
mod peer_tests;
// What recording costs a board, beside a viewer.
mod board;
mod board_tests;
// The webcam when it is not well.
mod usb_fault_tests;
// The webcam when all is well.
mod usb_tests;
// vivid, and its faults.
mod vivid_tests;

use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs that the guest has besides busybox, found there by their file names.
fn programs() -> Result<Vec<PathBuf>> {
    let daemon = PathBuf::from(env!("CARGO_BIN_EXE_mjpegd"));
    Ok(vec![daemon, webcam()?, tools::find("v4l2-ctl")?, tools::find("ustreamer")?])
}

/// Builds the webcam: Cargo makes examples for a plain `cargo test`, but not for `cargo test --test v4l2`.
fn webcam() -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--example", "usb_webcam", "--manifest-path"]);
    cargo
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target);
    tools::output(&mut cargo)?;
    let program = target.join("debug/examples/usb_webcam");
    ensure!(program.is_file(), "cargo has not left the webcam at {}", program.display());
    Ok(program)
}
