//! A stock Debian kernel, ready to boot: fetched with apt, unpacked and cached.
//!
//! Called by `machine`. It works for any machine.

use crate::machine::apt::Archive;
use crate::machine::architecture::Architecture;
use crate::machine::tools::{find, output};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The names of modules by group, in loading order.
pub(crate) type Groups = &'static [(&'static str, &'static [&'static str])];

/// A kernel ready to boot: the image, and per group the module files in loading order.
pub(crate) struct Kernel {
    /// Its version, as `6.1.0-56-amd64`.
    pub(crate) release: String,
    pub(crate) image: PathBuf,
    pub(crate) modules: Vec<(&'static str, Vec<PathBuf>)>,
    /// Of another architecture than the host's.
    pub(crate) busybox: Option<PathBuf>,
}

/// The kernel from `cache`, or else fetched with apt (70 MB) and prepared, which leaves 35 MB in `cache`. Delete the
/// folder to get the newest kernel at the next start.
pub(crate) fn get(cache: &Path, architecture: &Architecture, groups: Groups) -> Result<Kernel> {
    let home = cache.join("kernel");
    // Names the modules that the cache was made for, since another list needs other files.
    let wanted = format!("with its release: {groups:?}");
    if fs::read_to_string(home.join("wanted")).is_ok_and(|made_for| made_for == wanted) {
        return read_cache(&home, groups);
    }
    let scratch = cache.join("kernel.new");
    for folder in [&home, &scratch] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    fs::create_dir_all(&scratch)?;
    fetch(&scratch, architecture, groups).context("preparing the kernel of the test machine")?;
    fs::write(scratch.join("wanted"), wanted)?;
    // The rename makes the cache appear complete or not at all, so an interrupted download is never taken for a kernel.
    fs::rename(&scratch, &home)?;
    read_cache(&home, groups)
}

fn read_cache(home: &Path, groups: Groups) -> Result<Kernel> {
    let mut modules = Vec::new();
    for (group, _) in groups {
        let mut files =
            fs::read_dir(home.join(group))?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
        files.sort();
        modules.push((*group, files));
    }
    let release = fs::read_to_string(home.join("release"))?;
    let busybox = Some(home.join("busybox")).filter(|file| file.exists());
    Ok(Kernel { release, image: home.join("image"), modules, busybox })
}

/// Downloads the packages into `home`, and keeps only the image, the modules and busybox.
fn fetch(home: &Path, architecture: &Architecture, groups: Groups) -> Result<()> {
    let archive = Archive::of(architecture, home)?;
    let release = archive.release_of(architecture.kernel)?;
    let tree = home.join("tree");
    archive.fetch(&format!("linux-image-{release}"), &tree)?;

    let (packed, image) = (tree.join(format!("boot/vmlinuz-{release}")), home.join("image"));
    if architecture.is_the_hosts() {
        unpack_image(&packed, &image)?;
    } else {
        archive.fetch("busybox-static", &tree)?;
        let busybox = ["bin/busybox", "usr/bin/busybox"].map(|path| tree.join(path));
        let busybox = busybox.iter().find(|path| path.exists()).context("busybox has moved")?;
        fs::copy(busybox, home.join("busybox"))?;
        fs::copy(packed, image)?;
        fs::remove_dir_all(home.join("apt"))?;
    }
    collect_modules(&tree, &release, home, groups)?;
    fs::write(home.join("release"), release)?;
    fs::remove_dir_all(&tree)?;
    Ok(())
}

/// Extracts the ELF kernel from a bzImage. Otherwise it unpacks itself under emulation, which takes 10 s at each boot.
/// Places: the kernel's Documentation/x86/boot.rst, fields setup_sects, payload_offset and payload_length.
fn unpack_image(vmlinuz: &Path, image: &Path) -> Result<()> {
    let bytes = fs::read(vmlinuz).with_context(|| format!("reading {}", vmlinuz.display()))?;
    let word = |at: usize| -> Result<usize> {
        let field = bytes.get(at..at + 4).context("the kernel image is cut off")?;
        Ok(u32::from_le_bytes(field.try_into()?) as usize)
    };
    let setup_sectors = usize::from(*bytes.get(0x1f1).context("the kernel image is empty")?);
    let start = (setup_sectors + 1) * 512 + word(0x248)?;
    let payload = bytes.get(start..start + word(0x24c)?).context("the kernel image is cut off")?;
    ensure!(
        payload.starts_with(b"\xfd7zXZ\0"),
        "{} is not packed with xz as Debian's are",
        vmlinuz.display()
    );

    let packed = image.with_extension("xz");
    fs::write(&packed, payload)?;
    // The payload's length follows the xz stream, hence --single-stream.
    let mut xz = Command::new(find("xz")?);
    let status = xz
        .args(["-dc", "--single-stream"])
        .stdin(File::open(&packed)?)
        .stdout(File::create(image)?);
    ensure!(
        status.stderr(Stdio::null()).status()?.success(),
        "xz cannot unpack {}",
        packed.display()
    );
    fs::remove_file(packed)?;
    Ok(())
}

/// Copies each group's modules to `home/GROUP/NN-name.ko`: a name's number is its place in the loading order.
fn collect_modules(tree: &Path, release: &str, home: &Path, groups: Groups) -> Result<()> {
    output(Command::new(find("depmod")?).arg("-b").arg(tree).arg(release))?;
    let modprobe = find("modprobe")?;
    let mut seen = Vec::new();
    for (group, modules) in groups {
        let folder = home.join(group);
        fs::create_dir_all(&folder)?;
        for module in *modules {
            let mut command = Command::new(&modprobe);
            let lines = output(command.arg("-d").arg(tree).args([
                "-S",
                release,
                "--show-depends",
                module,
            ]))?;
            for file in lines.lines().filter_map(|line| line.strip_prefix("insmod ")).map(str::trim)
            {
                let name = Path::new(file)
                    .file_name()
                    .context("a module without a name")?
                    .to_string_lossy();
                ensure!(
                    name.ends_with(".ko"),
                    "{name} is packed, and busybox loads plain modules only"
                );
                // A module that several others need is loaded with the first of them.
                if !seen.contains(&name.to_string()) {
                    fs::copy(file, folder.join(format!("{:02}-{name}", seen.len())))?;
                    seen.push(name.to_string());
                }
            }
        }
    }
    if seen.is_empty() {
        bail!("modprobe named no module of {release}");
    }
    Ok(())
}
