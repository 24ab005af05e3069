//! The programs of this project and of the host that the guest has besides busybox.
//!
//! Called by `machine`.

use super::tools;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Paths on the host. The guest finds each program under its file name.
pub(crate) fn programs() -> Result<Vec<PathBuf>> {
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
