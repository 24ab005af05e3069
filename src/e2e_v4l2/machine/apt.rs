//! Packages of Debian, also of another architecture than the host's: downloaded and unpacked, not installed.
//!
//! Called by `kernel` and `drivers`.

use crate::machine::architecture::Architecture;
use crate::machine::tools::{find, output};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The archive of the host's Debian.
pub(super) struct Archive {
    /// Options of apt.
    options: Vec<String>,
    /// A folder for what is on its way.
    scratch: PathBuf,
    /// What else to say if a package is missing.
    hint: String,
}

impl Archive {
    /// For packages of the host's own architecture, with the lists that apt has.
    pub(super) fn of_host(scratch: &Path) -> Self {
        Self {
            options: Vec::new(),
            scratch: scratch.to_path_buf(),
            hint: "apt-get update may be due, or the network is away".into(),
        }
    }

    /// For another architecture fetches its lists (14 MB) into `scratch`, so that the host's apt stays as it is.
    pub(super) fn of(architecture: &Architecture, scratch: &Path) -> Result<Self> {
        let mut archive = Self::of_host(scratch);
        if architecture.is_the_hosts() {
            return Ok(archive);
        }
        let (home, name) = (scratch.join("apt"), architecture.name);
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(home.join(folder))?;
        }
        let (lists, cache, status) = (home.join("lists"), home.join("cache"), home.join("status"));
        fs::write(&status, "")?;
        archive.options = vec![
            format!("APT::Architecture={name}"),
            format!("APT::Architectures={name}"),
            format!("Dir::State={}", home.display()),
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::State::status={}", status.display()),
            format!("Dir::Cache={}", cache.display()),
            "Acquire::Languages=none".into(),
            // The lists are those of root's home, where apt's own user may not go.
            "APT::Sandbox::User=root".into(),
        ];
        // One source that cannot be had is an error only where a package is missing without it.
        if let Err(e) = output(archive.apt("apt-get")?.arg("update")) {
            archive.hint = format!("{e:#}");
        }
        Ok(archive)
    }

    /// Downloads a package and unpacks it into `tree`.
    pub(super) fn fetch(&self, package: &str, tree: &Path) -> Result<()> {
        let folder = self.scratch.join("download");
        fs::create_dir(&folder)?;
        let mut download = self.apt("apt-get")?;
        output(download.args(["download", package]).current_dir(&folder))
            .with_context(|| format!("fetching {package}: {}", self.hint))?;
        let deb = fs::read_dir(&folder)?.next().context("apt-get download left no file")??.path();
        output(Command::new(find("dpkg-deb")?).arg("-x").arg(&deb).arg(tree))?;
        Ok(fs::remove_dir_all(&folder)?)
    }

    /// The version of the newest stock kernel, as `6.1.0-56-amd64`. `meta` depends on its package.
    pub(super) fn release_of(&self, meta: &str) -> Result<String> {
        let depends = output(self.apt("apt-cache")?.args(["depends", meta]))?;
        let package =
            depends.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
        let release =
            package.with_context(|| format!("apt knows no kernel behind {meta}: {}", self.hint))?;
        Ok(release.to_string())
    }

    fn apt(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(find(program)?);
        command.args(self.options.iter().flat_map(|option| ["-o", option]));
        Ok(command)
    }
}
