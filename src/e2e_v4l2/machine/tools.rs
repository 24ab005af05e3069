//! The programs of the host that build and run the machine, and their Debian packages.
//!
//! Called by `machine`, `kernel` and `initramfs`. If one is missing, the tests fail and name the package: a skipped
//! test would look like one that passed.

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Each required program and its package.
const TOOLS: [(&str, &str); 18] = [
    ("apt-cache", "apt"),
    ("apt-get", "apt"),
    ("busybox", "busybox-static"),
    ("depmod", "kmod"),
    ("dpkg-deb", "dpkg"),
    ("gcc-12", "gcc-12"),
    ("ldd", "libc-bin"),
    ("make", "make"),
    ("mke2fs", "e2fsprogs"),
    ("modprobe", "kmod"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("readelf", "binutils"),
    ("sed", "sed"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("ustreamer", "ustreamer"),
    ("v4l2-ctl", "v4l-utils"),
    ("xz", "xz-utils"),
];
/// Programs that only other machines need: `ethtool` the measurement on the board, QEMU's those of other processors.
const FOR_OTHERS: [(&str, &str); 3] = [
    ("ethtool", "ethtool"),
    ("qemu-system-aarch64", "qemu-system-arm"),
    ("qemu-system-arm", "qemu-system-arm"),
];
/// The folders of kmod and e2fsprogs, which are not in every user's PATH.
const SBIN: &str = "/usr/sbin:/sbin";

/// Fails with a command that installs all missing programs.
pub(crate) fn check() -> Result<()> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the machine is a PC that runs this host's programs: x86_64 would be right"
    );
    let missing: Vec<_> = TOOLS.iter().filter(|(tool, _)| search(tool).is_none()).collect();
    ensure!(missing.is_empty(), "{}", advice(&missing));
    Ok(())
}

/// The path of `tool`, which must be one of those above.
pub(crate) fn find(tool: &str) -> Result<PathBuf> {
    search(tool).with_context(|| {
        let known = TOOLS.iter().chain(&FOR_OTHERS).filter(|(name, _)| *name == tool);
        let known: Vec<_> = known.collect();
        advice(&known)
    })
}

/// The output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let text = format!("{command:?}");
    let output = command.output().with_context(|| format!("starting {text}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}: {}: {}", output.status, errors.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn search(tool: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":" + SBIN;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

fn advice(missing: &[&(&str, &str)]) -> String {
    let tools: Vec<_> = missing.iter().map(|(tool, _)| *tool).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let (tools, packages) = (tools.join(", "), packages.join(" "));
    format!(
        "not installed: {tools}; apt-get install --no-install-recommends {packages} would be right"
    )
}

#[test]
fn what_is_missing_is_named_with_its_package() {
    let text = advice(&[
        &("qemu-system-x86_64", "qemu-system-x86"),
        &("depmod", "kmod"),
        &("modprobe", "kmod"),
    ]);
    let expected = "not installed: qemu-system-x86_64, depmod, modprobe; \
                    apt-get install --no-install-recommends qemu-system-x86 kmod would be right";
    assert_eq!(text, expected);
}
