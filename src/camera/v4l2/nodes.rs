//! The device nodes of this machine: which of them is a camera, and under
//! which name it is found again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use v4l::Device;

use super::super::{Cause, Error};
use super::sys::{self, Caps};

/// Links that udev makes, by what is printed on the camera and by where it is
/// plugged in.
const LINKS: [&str; 2] = ["/dev/v4l/by-id", "/dev/v4l/by-path"];

/// An opened camera and what it says of itself.
pub(super) struct Opened {
    pub(super) device: Device,
    pub(super) path: PathBuf,
    pub(super) caps: Caps,
}

/// Opens a node and sees that it is a camera.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let name = path.display();
    let device = Device::with_path(path).map_err(|e| {
        match e.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Error::lost(Cause::NoDevice, format!("{name}: no such device")),
            Some(Errno::ACCESS) => {
                let right = "may not be opened; add the user to the group video";
                Error::lost(Cause::Io, format!("{name}: {right}"))
            }
            Some(Errno::BUSY) => busy(path),
            Some(Errno::NODEV | Errno::NXIO) => {
                Error::lost(Cause::NoDevice, format!("{name}: the device is gone"))
            }
            _ => Error::lost(Cause::Io, format!("{name}: cannot be opened: {e}")),
        }
    })?;
    // The crate opens without O_CLOEXEC: a child would hold the camera.
    let _ = sys::set_close_on_exec(&device);
    let not_a_device =
        |_| Error::lost(Cause::Unsupported, format!("{name}: not a V4L2 device; use /dev/videoN"));
    let caps = sys::caps(&device).map_err(not_a_device)?;
    match refusal(caps.flags) {
        None => Ok(Opened { device, path: path.to_owned(), caps }),
        Some(why) => Err(Error::lost(Cause::Unsupported, format!("{name} ({}): {why}", caps.card))),
    }
}

/// Why a node is no camera that can be used.
fn refusal(flags: u32) -> Option<&'static str> {
    let is = |wanted| flags & wanted != 0;
    if is(sys::VIDEO_M2M) {
        Some("a codec, no camera")
    } else if is(sys::VIDEO_CAPTURE) && is(sys::STREAMING) {
        None
    } else if is(sys::VIDEO_CAPTURE) {
        Some("a camera without streaming I/O, which is not supported")
    } else if is(sys::VIDEO_CAPTURE_MPLANE) {
        Some(
            "a multi-planar camera, which is not supported; use exec: with a program that reads it",
        )
    } else if is(sys::META_CAPTURE) {
        Some("a metadata node, no camera; the camera is another /dev/videoN")
    } else {
        Some("no capture device")
    }
}

/// All nodes in the order of their numbers.
pub(super) fn all() -> Vec<PathBuf> {
    let number = |path: &Path| path.to_str()?.strip_prefix("/dev/video")?.parse::<u32>().ok();
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut nodes: Vec<_> = entries.filter_map(|e| Some((number(&e.path())?, e.path()))).collect();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).collect()
}

/// The first node that is a camera.
pub(super) fn first() -> Result<Opened, Error> {
    let mut refused = None;
    for path in all() {
        match open(&path) {
            Ok(opened) => return Ok(opened),
            Err(e) => refused = refused.or(Some(e)),
        }
    }
    Err(match refused {
        Some(Error::Lost(cause, why)) => {
            Error::lost(cause, format!("none of the video devices can be used; the first: {why}"))
        }
        _ => Error::lost(Cause::NoDevice, "no camera is plugged in (there is no /dev/videoN)"),
    })
}

/// The link of a node that stays the same when the camera is plugged in again.
pub(super) fn lasting_name(node: &Path) -> Option<PathBuf> {
    let node = node.canonicalize().ok()?;
    let links = LINKS.iter().flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten());
    links.map(|link| link.path()).find(|link| link.canonicalize().is_ok_and(|to| to == node))
}

/// "busy", and by whom as far as it can be seen.
pub(super) fn busy(path: &Path) -> Error {
    let name = path.display();
    Error::lost(
        Cause::Busy,
        match holder(path) {
            Some(program) => format!("busy: {name} is used by {program}"),
            None => format!("busy: {name} is used by another program"),
        },
    )
}

/// Another process that has the device open: "name (pid)".
fn holder(path: &Path) -> Option<String> {
    let device = path.canonicalize().ok()?;
    let own = std::process::id();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let holds = |pid: &u32| {
        // Processes of other users cannot be looked into.
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors.map(|fd| fs::read_link(fd.path())).any(|to| to.is_ok_and(|to| to == device))
    };
    let pid = pids.filter(|pid| *pid != own).find(holds)?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{} (process {pid})", name.trim()))
}

/// A fault of an opened device, by what the kernel says.
pub(super) fn fault(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    let name = path.display();
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT) => {
            Error::lost(Cause::NoDevice, format!("{name}: unplugged"))
        }
        Some(Errno::BUSY) => busy(path),
        Some(Errno::NOSPC) => Error::lost(
            Cause::Bandwidth,
            format!(
                "{name}: not enough USB bandwidth (ENOSPC); use a lower --resolution or --fps, \
                 --format MJPG, or another USB controller"
            ),
        ),
        _ if error.kind() == ErrorKind::TimedOut => {
            Error::lost(Cause::Stalled, format!("{name}: stalled while {doing}"))
        }
        _ => Error::lost(Cause::Io, format!("{name}: {doing} failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_told_apart_by_their_capabilities() {
        use sys::{META_CAPTURE, STREAMING, VIDEO_CAPTURE, VIDEO_CAPTURE_MPLANE, VIDEO_M2M};
        assert_eq!(refusal(VIDEO_CAPTURE | STREAMING), None);
        for (flags, says) in [
            (VIDEO_CAPTURE, "without streaming"),
            (VIDEO_CAPTURE_MPLANE | STREAMING, "multi-planar"),
            (META_CAPTURE | STREAMING, "metadata"),
            (VIDEO_M2M | STREAMING, "codec"),
            (STREAMING, "no capture device"),
        ] {
            assert!(refusal(flags).unwrap().contains(says));
        }
    }

    #[test]
    fn faults_of_the_kernel_are_told_apart() {
        let fault = |errno: Errno| {
            let error = std::io::Error::from_raw_os_error(errno.raw_os_error());
            match fault(Path::new("/dev/video7"), "reading", &error) {
                Error::Lost(cause, why) => (cause, why),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(fault(Errno::NODEV).0, Cause::NoDevice);
        let (cause, why) = fault(Errno::NOSPC);
        assert_eq!(cause, Cause::Bandwidth);
        assert!(why.contains("not enough USB bandwidth") && why.contains("lower --resolution"));
        assert!(fault(Errno::BUSY).1.starts_with("busy: /dev/video7"));
        assert_eq!(
            fault(Errno::IO),
            (Cause::Io, "/dev/video7: reading failed: Input/output error (os error 5)".into())
        );
    }

    #[test]
    fn what_is_no_device_is_refused_by_name() {
        let refused = |path: &str| open(Path::new(path)).err().map(|e| e.to_string()).unwrap();
        assert!(refused("/dev/video-none").contains("no such device"));
        assert!(refused("/dev/null").contains("not a V4L2 device"));
    }
}
