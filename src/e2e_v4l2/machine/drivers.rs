//! Drivers that the stock kernel lacks, built for the kernel of the machine: vicodec, the kernel's virtual codec, from
//! Debian's package of its source, and the JPEG encoder in `drivers/`.
//!
//! Called by `machine` for the tests that need them. The first of these fetches 160 MB with apt, which takes half a
//! minute, and keeps 2 MB in the cache.

use crate::machine::apt::Archive;
use crate::machine::tools::{find, output};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All in the order in which they are loaded; the modules that these need are loaded with vivid.
pub(crate) const DRIVERS: [&str; 3] = ["v4l2-mem2mem", "vicodec", "test_jpeg"];

/// What is built, for the kernel's own build system.
const MAKEFILE: &str = "obj-m := v4l2-core/v4l2-mem2mem.o vicodec.o test_jpeg.o\n\
                        vicodec-y := $(addprefix test-drivers/vicodec/,vicodec-core.o codec-fwht.o codec-v4l2-fwht.o)\n";
const TEST_JPEG: &str = include_str!("../drivers/test_jpeg.c");
/// Where the source of the others lies in the kernel's.
const SOURCES: [&str; 2] = ["v4l2-core/v4l2-mem2mem.c", "test-drivers/vicodec"];
/// What is changed in it: vicodec has a format of its own, which no browser shows and no server wants. Here it claims to
/// encode MJPEG, so that a server takes it for an encoder of JPEGs.
const CLAIM: [&str; 2] = ["V4L2_PIX_FMT_FWHT\\b", "V4L2_PIX_FMT_MJPEG"];

/// The folder with the drivers for the kernel `release`, from `cache` or else built.
pub(crate) fn get(cache: &Path, release: &str) -> Result<PathBuf> {
    let home = cache.join("drivers");
    let wanted = format!("{release}{MAKEFILE}{CLAIM:?}{TEST_JPEG}");
    if fs::read_to_string(home.join("wanted")).is_ok_and(|made_for| made_for == wanted) {
        return Ok(home);
    }
    let scratch = cache.join("drivers.new");
    for folder in [&home, &scratch] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    fs::create_dir_all(&scratch)?;
    build(&scratch, release).context("building drivers for the test machine")?;
    fs::write(scratch.join("wanted"), wanted)?;
    fs::rename(&scratch, &home)?;
    Ok(home)
}

fn build(home: &Path, release: &str) -> Result<()> {
    let (tree, source) = (home.join("tree"), home.join("source"));
    // As `6.1` of `6.1.0-56-amd64`, and what is the same for all processors.
    let version = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let common = release.trim_end_matches("-amd64");
    let headers = format!("linux-headers-{release}");
    let packages = [
        format!("linux-source-{version}"),
        format!("linux-kbuild-{version}"),
        format!("linux-headers-{common}-common"),
        headers.clone(),
    ];
    let archive = Archive::of_host(home);
    packages.iter().try_for_each(|package| archive.fetch(package, &tree))?;
    let sources = tree.join("usr/src");
    fs::create_dir(&source)?;
    let mut tar = Command::new(find("tar")?);
    tar.arg("-xJf").arg(sources.join(format!("linux-source-{version}.tar.xz")));
    tar.arg("-C").arg(&source).arg("--strip-components=3");
    output(tar.args(SOURCES.map(|path| format!("linux-source-{version}/drivers/media/{path}"))))?;
    fs::write(source.join("Makefile"), MAKEFILE)?;
    fs::write(source.join("test_jpeg.c"), TEST_JPEG)?;
    let sed = |expression: &str, file: &Path| {
        output(Command::new(find("sed")?).args(["-i", expression]).arg(file))
    };
    let claim = format!("s/{}/{}/", CLAIM[0], CLAIM[1]);
    sed(&claim, &source.join("test-drivers/vicodec/vicodec-core.c"))?;
    // The package expects to be installed.
    let headers = sources.join(headers);
    sed(&format!("s,/usr/src/,{}/,", sources.display()), &headers.join("Makefile"))?;
    let mut make = Command::new(find("make")?);
    output(make.arg("-C").arg(&headers).arg(format!("M={}", source.display())).arg("modules"))?;
    fs::rename(source.join("v4l2-core/v4l2-mem2mem.ko"), source.join("v4l2-mem2mem.ko"))?;
    for name in DRIVERS {
        fs::copy(source.join(format!("{name}.ko")), home.join(format!("{name}.ko")))?;
    }
    fs::remove_dir_all(&tree)?;
    Ok(fs::remove_dir_all(&source)?)
}
