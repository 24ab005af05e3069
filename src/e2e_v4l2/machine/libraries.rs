//! The libraries that a program needs, of the host's processor or of another one.
//!
//! Called by `initramfs`.

use crate::machine::tools::{find, output};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's cross compilers have their libraries, by the loader's name; its own folder in the guest is beside it.
const FOREIGN: [(&str, &str); 2] = [
    ("ld-linux-aarch64.so.1", "aarch64-linux-gnu"),
    ("ld-linux-armhf.so.3", "arm-linux-gnueabihf"),
];

/// The libraries and the loader: each path in the guest, and the file on the host.
pub(super) fn of(program: &Path) -> Result<Vec<(String, PathBuf)>> {
    let headers = readelf(program)?;
    let loader = lines_with(&headers, "Requesting program interpreter: ");
    let Some(loader) = loader.first().map(Path::new) else { return Ok(Vec::new()) };
    let name = loader.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match FOREIGN.iter().find(|(known, _)| *known == name) {
        Some((_, triplet)) => of_foreign(&headers, loader, triplet),
        None => of_hosts(program),
    }
}

fn of_hosts(program: &Path) -> Result<Vec<(String, PathBuf)>> {
    let listing = output(Command::new(find("ldd")?).arg(program))?;
    let mut found = Vec::new();
    // Lines are "name => /path (address)", "/path (address)" for the loader, and the kernel's vdso, which has no path.
    for line in listing.lines().map(str::trim) {
        if line.contains("not found") {
            bail!("{} needs a library that is not installed: {line}", program.display());
        }
        let path = line.split("=> ").last().and_then(|rest| rest.split_whitespace().next());
        let path = path.filter(|path| path.starts_with('/'));
        found.extend(path.map(|path| (path.to_string(), PathBuf::from(path))));
    }
    Ok(found)
}

/// ldd would run the loader.
fn of_foreign(headers: &str, loader: &Path, triplet: &str) -> Result<Vec<(String, PathBuf)>> {
    let folder = Path::new("/usr").join(triplet).join("lib");
    let name = loader.file_name().context("a loader has a name")?;
    let mut found = vec![(loader.display().to_string(), folder.join(name))];
    let mut wanted = lines_with(headers, "Shared library: ");
    while let Some(library) = wanted.pop() {
        let path = format!("/lib/{triplet}/{library}");
        if found.iter().all(|(known, _)| *known != path) && name.to_str() != Some(&*library) {
            let file = folder.join(&library);
            wanted.extend(lines_with(&readelf(&file)?, "Shared library: "));
            found.push((path, file));
        }
    }
    Ok(found)
}

fn readelf(file: &Path) -> Result<String> {
    output(
        Command::new(find("readelf")?).args(["--wide", "--program-headers", "--dynamic"]).arg(file),
    )
}

/// What follows this word in each of its lines, up to the closing bracket.
fn lines_with(text: &str, word: &str) -> Vec<String> {
    let value = |line: &str| {
        let rest = line.split_once(word)?.1;
        Some(rest.trim_start_matches('[').split(']').next()?.to_string())
    };
    text.lines().filter_map(value).collect()
}
