//! The file system of a machine: busybox, modules, programs with their libraries, the webcam's pictures.
//!
//! Called by `machine` at each start: nothing here is worth a cache. It must not know what the tests do.

use crate::machine::cpio::Archive;
use crate::machine::kernel::Kernel;
use crate::machine::libraries;
use crate::machine::pictures;
use crate::machine::tools::{find, output};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the webcam's pictures in the guest.
pub(crate) const PICTURES: &str = "/pictures";

/// Builds the archive. Each of `programs` is found in the guest's PATH under its file name; `init` is the first to run.
pub(crate) fn build(kernel: &Kernel, init: &[u8], programs: &[PathBuf]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    let busybox = kernel.busybox.clone().map_or_else(static_busybox, Ok)?;
    archive.file("/bin/busybox", &read(&busybox)?);
    archive.file("/init", init);
    archive.file("/guest/hotplug", include_bytes!("../guest/hotplug"));
    archive.file("/cgi-bin/run", include_bytes!("../guest/run"));
    archive.file("/cgi-bin/put", include_bytes!("../guest/put"));
    // The kernel opens the console before init can mount anything.
    archive.device("/dev/console", 5, 1);
    for folder in ["/proc", "/sys", "/tmp"] {
        archive.folder(folder);
    }
    for (group, files) in &kernel.modules {
        for file in files {
            archive.file(&format!("/modules/{group}/{}", name(file)?), &read(file)?);
        }
    }
    for program in programs {
        archive.file(&format!("/bin/{}", name(program)?), &read(program)?);
        for (path, file) in libraries::of(program)? {
            archive.file(&path, &read(&file)?);
        }
    }
    for (size, frames) in pictures::all() {
        for (number, frame) in frames.iter().enumerate() {
            archive.file(&format!("{PICTURES}/{size}/{number:03}.jpg"), frame);
        }
    }
    Ok(archive.finish())
}

/// Busybox that needs no libraries: the package `busybox` puts another one at the same path.
fn static_busybox() -> Result<PathBuf> {
    let path = find("busybox")?;
    if output(Command::new(find("ldd")?).arg(&path)).is_ok_and(|text| text.contains("=>")) {
        bail!(
            "{} is not static: apt-get install --no-install-recommends busybox-static",
            path.display()
        );
    }
    Ok(path)
}

fn name(path: &Path) -> Result<String> {
    let name = path.file_name().with_context(|| format!("{} has no file name", path.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
