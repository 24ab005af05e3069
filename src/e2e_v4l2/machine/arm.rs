//! Boards with an ARM processor and the cameras of vivid, and the programs that were built for them.
//!
//! Called by `tests::arm`. It works for any programs.

use crate::machine::architecture::{ARM64, ARMHF, Architecture};
use crate::machine::kernel::Groups;
use crate::machine::{self, INIT_WITH_CAMERAS, Parts, Session, Shared, qemu, shared};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

const MODULES: Groups =
    &[("0-net", &["virtio_mmio", "virtio_net"]), ("1-usb", &[]), ("2-vivid", &["vivid"])];

/// A board with 64 bits, which runs programs of 32 bits too.
pub(crate) fn arm64() -> Session {
    static BOARD: Shared = OnceLock::new();
    shared(&BOARD, || parts(&ARM64))
}

/// A board with 32 bits.
pub(crate) fn armhf() -> Session {
    static BOARD: Shared = OnceLock::new();
    shared(&BOARD, || parts(&ARMHF))
}

fn parts(architecture: &'static Architecture) -> Result<Parts> {
    Ok(Parts {
        architecture,
        home: machine::home(architecture.name),
        hardware: qemu::ARM_WITH_CAMERAS.split_whitespace().map(String::from).collect(),
        modules: MODULES,
        init: INIT_WITH_CAMERAS,
        programs: programs()?,
    })
}

/// All that was built for ARM, by `.ci/board TARGET`.
fn programs() -> Result<Vec<PathBuf>> {
    let home = machine::home("../programs");
    let advice = || format!("no programs in {}: make test-boards builds them", home.display());
    let files = fs::read_dir(&home).with_context(advice)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    let is_for_arm = |name: &str| name.starts_with("mjpegd-a");
    files.retain(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(is_for_arm));
    ensure!(!files.is_empty(), advice());
    Ok(files)
}
