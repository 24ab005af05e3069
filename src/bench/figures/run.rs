//! When, where and of what the figures are.

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};

use crate::results::Results;

/// Adds the names that begin with `run`.
///
/// # Errors Something about this machine cannot be found out.
pub(crate) fn add(results: &mut Results) -> Result<()> {
    let size = fs::metadata(env!("CARGO_BIN_EXE_mjpegd"))?.len() as f64 / 1e6;
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let n_cores = thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let versions = [
        ("Rust", first_number(&said("rustc", "--version")?)),
        ("Chromium", first_number(&said("chromium", "--version")?)),
        ("Firefox", first_number(&said("firefox-esr", "--version")?)),
        ("WebKitGTK", webkit()?),
        ("uStreamer", first_number(&said("ustreamer", "--version")?)),
        ("motion", motion()?),
    ];
    for (name, version) in versions {
        results.add(format!("run: {name}"), version);
    }
    results.add("run: size", format!("{size:.1}"));
    results.add("run: machine", format!("{n_cores} cores ({})", model.unwrap_or("unknown").trim()));
    results.add("run: kernel", kernel.split('-').next().unwrap_or_default().trim());
    Ok(())
}

fn said(program: &str, arg: &str) -> Result<String> {
    let output = Command::new(program).arg(arg).env("LC_ALL", "C").output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first word that looks like a version.
fn first_number(text: &str) -> String {
    let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    text.split([' ', ',', '\n']).find(is_version).unwrap_or("unknown").to_owned()
}

fn webkit() -> Result<String> {
    let version = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", "libwebkit2gtk-4.1-0"])
        .output()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    Ok(version.split('-').next().unwrap_or("unknown").to_owned())
}

fn motion() -> Result<String> {
    // It has no option that prints its version alone.
    Ok(first_number(said("motion", "-h")?.split("Version").nth(1).unwrap_or_default()))
}
