//! The device nodes of this machine: opens them, tells which are cameras, and finds
//! the name under which a camera is found again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use v4l::Device;

use super::super::{Cause, Error};
use super::identity::Identity;
use super::pipeline;
use super::sys::{self, Caps};
use crate::processes::{self, PROC};
use crate::short_sort::sort_short;

/// Folders of links that udev makes: by the model and serial number of the camera, and
/// by the socket that it is plugged into.
const LINKS: [&str; 2] = ["/dev/v4l/by-id", "/dev/v4l/by-path"];

/// An opened camera and its description of itself.
pub(super) struct Opened {
    pub(super) device: Device,
    pub(super) path: PathBuf,
    pub(super) caps: Caps,
}

/// Opens a node and checks that it is a usable camera.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let name = path.display();
    let device = Device::with_path(path).map_err(|e| {
        match e.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Error::lost(Cause::NoDevice, format!("{name}: no such device")),
            Some(Errno::ACCESS) => {
                let why = "permission denied; add the user to the group video";
                Error::lost(Cause::Io, format!("{name}: {why}"))
            }
            Some(Errno::BUSY) => busy(path),
            Some(Errno::NODEV | Errno::NXIO) => {
                Error::lost(Cause::NoDevice, format!("{name}: the device is gone"))
            }
            _ => Error::lost(Cause::Io, format!("{name}: cannot be opened: {e}")),
        }
    })?;
    // The crate opens without O_CLOEXEC, so a child process would keep the camera
    // busy.
    let _ = sys::set_close_on_exec(&device);
    let not_a_device =
        |_| Error::lost(Cause::Unsupported, format!("{name}: not a V4L2 device; use /dev/videoN"));
    let caps = sys::caps(&device).map_err(not_a_device)?;
    let why = why_unusable(caps.flags).map(str::to_owned);
    match why.or_else(|| pipeline::why_unusable(&device, &caps)) {
        None => Ok(Opened { device, path: path.to_owned(), caps }),
        Some(why) => Err(Error::lost(Cause::Unsupported, format!("{name} ({}): {why}", caps.card))),
    }
}

/// Why a node is not a camera that this program can use.
fn why_unusable(flags: u32) -> Option<&'static str> {
    let is = |capability| flags & capability != 0;
    // First, because codecs of older kernels have the flags of a capture device too.
    if is(sys::VIDEO_M2M) {
        Some("a codec, not a camera")
    } else if is(sys::VIDEO_CAPTURE | sys::VIDEO_CAPTURE_MPLANE) {
        let why = "a camera without streaming I/O, which is not supported";
        Some(why).filter(|_| !is(sys::STREAMING))
    } else if is(sys::META_CAPTURE) {
        Some("a metadata node, not a camera; the camera is another /dev/videoN")
    } else {
        Some("not a capture device")
    }
}

/// All nodes in the order of their numbers.
pub(super) fn all() -> Vec<PathBuf> {
    let number = |path: &Path| path.to_str()?.strip_prefix("/dev/video")?.parse::<u32>().ok();
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut nodes: Vec<_> = entries.filter_map(|e| Some((number(&e.path())?, e.path()))).collect();
    // By number, or video10 would come before video2.
    sort_short(&mut nodes, Ord::cmp);
    nodes.into_iter().map(|(_, path)| path).collect()
}

/// The first node that is a camera, of those that `may_be` lets through.
pub(super) fn first(may_be: impl Fn(&Path) -> bool) -> Result<Opened, Error> {
    let (mut refused, mut last_choice) = (None, None);
    for path in all().into_iter().filter(|path| may_be(path)) {
        match open(&path) {
            // It may give nothing, and a webcam beside it does.
            Ok(opened) if pipeline::is_of_libcamera(&opened.caps) => {
                last_choice = last_choice.or(Some(path));
            }
            Ok(opened) => return Ok(opened),
            // The first error says more than "no camera" if no node is usable.
            Err(e) => refused = refused.or(Some(e)),
        }
    }
    if let Some(path) = last_choice {
        return open(&path);
    }
    Err(match refused {
        Some(Error::Lost(cause, why)) => {
            Error::lost(cause, format!("none of the video devices can be used; the first: {why}"))
        }
        _ => Error::lost(Cause::NoDevice, "no camera is plugged in (there is no /dev/videoN)"),
    })
}

/// The link of a node that stays the same when the camera is plugged in again. A
/// link by its serial number would lead to any of several cameras with one
/// number, so these have a link by their socket only.
pub(super) fn lasting_name(node: &Path) -> Option<PathBuf> {
    let node = node.canonicalize().ok()?;
    let identity = Identity::of(&node);
    let is_like = |other: &Identity| identity.as_ref().is_some_and(|own| own.is_like(other));
    let has_twin = all().iter().filter_map(|other| Identity::of(other)).any(|id| is_like(&id));
    let folders = if has_twin { &LINKS[1..] } else { &LINKS[..] };
    let links = folders.iter().flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten());
    links.map(|link| link.path()).find(|link| link.canonicalize().is_ok_and(|to| to == node))
}

/// The error for a device in use, with the name of the program if it can be found.
pub(super) fn busy(path: &Path) -> Error {
    let name = path.display();
    Error::lost(
        Cause::Busy,
        match processes::with_device(Path::new(PROC), path) {
            Some(program) => format!("busy: {name} is used by {program}"),
            None => format!("busy: {name} is used by another program"),
        },
    )
}

/// The error for a failed call to an opened device. `doing` says what was tried.
pub(super) fn error(path: &Path, doing: &str, error: &std::io::Error) -> Error {
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
        assert_eq!(why_unusable(VIDEO_CAPTURE | STREAMING), None);
        assert_eq!(why_unusable(VIDEO_CAPTURE_MPLANE | STREAMING), None);
        for (flags, says) in [
            (VIDEO_CAPTURE, "without streaming"),
            (VIDEO_CAPTURE_MPLANE, "without streaming"),
            (META_CAPTURE | STREAMING, "metadata"),
            (VIDEO_M2M | STREAMING, "codec"),
            (STREAMING, "not a capture device"),
        ] {
            assert!(why_unusable(flags).unwrap().contains(says));
        }
    }

    #[test]
    fn errors_of_the_kernel_are_told_apart() {
        let lost = |errno: Errno| {
            let error = std::io::Error::from_raw_os_error(errno.raw_os_error());
            match super::error(Path::new("/dev/video7"), "reading", &error) {
                Error::Lost(cause, why) => (cause, why),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(lost(Errno::NODEV).0, Cause::NoDevice);
        let (cause, why) = lost(Errno::NOSPC);
        assert_eq!(cause, Cause::Bandwidth);
        assert!(why.contains("not enough USB bandwidth") && why.contains("lower --resolution"));
        assert!(lost(Errno::BUSY).1.starts_with("busy: /dev/video7"));
        assert_eq!(
            lost(Errno::IO),
            (Cause::Io, "/dev/video7: reading failed: Input/output error (os error 5)".into())
        );
    }

    #[test]
    fn what_is_not_a_device_is_refused_by_name() {
        let refused = |path: &str| open(Path::new(path)).err().map(|e| e.to_string()).unwrap();
        assert!(refused("/dev/video-none").contains("no such device"));
        assert!(refused("/dev/null").contains("not a V4L2 device"));
    }
}
