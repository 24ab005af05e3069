//! Tests on real camera drivers, without a camera: vivid and uvcvideo of a stock Debian kernel, in QEMU.
//!
//! `cargo test --test v4l2` runs them, and `cargo test` leaves them out: they need QEMU, a kernel package of 70 MB
//! (fetched with apt once, then kept in target/tmp/v4l2-machine) and some minutes. The first test that needs the
//! machine boots it, and all tests share it, one after the other. Measurements are ignored by default; `make
//! bench-v4l2` runs them, and `make bench-board` those on a machine of its own.
//!
//! Three folders hold no module of this program: `guest` has the scripts that run in the machine, `webcam` is the
//! example `usb_webcam`, the USB camera that the machine plugs in, and `drivers` has a driver for its kernel.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that panics has failed, and says why on stderr"
)]

// Builds and boots the machine, runs scripts in it, and starts a server under test there.
mod machine;

// What these tests share with the other end-to-end tests: the browser, and free ports.
#[path = "../e2e/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "of what the other tests share, only these are used")]
mod support;

// Where the measurements among these tests leave their figures for the guide.
#[path = "../bench/shared/results.rs"]
#[allow(dead_code, reason = "only the guide's writer reads them")]
mod results;

// The tests, and the cameras and viewers that they work with.
mod tests;
