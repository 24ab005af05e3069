//! The few ioctls that the `v4l` crate cannot make safely: it panics on names that are
//! not UTF-8, and on values that it does not know.
//!
//! This file and those in its folder are the only ones of the driver with `unsafe` code:
//! they pass structs to ioctls, read unions in the way that the kernel documents, and
//! map the driver's buffers.
//! Names and layouts: Linux, `include/uapi/linux/videodev2.h`.
#![allow(unsafe_code, reason = "ioctls on structs with unions")]

pub(super) mod codec;
mod controls;
pub(super) mod formats;
pub(super) mod inputs;
mod planes;
pub(super) mod queue;

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::BorrowedFd;
use std::ptr::from_mut;

use rustix::io::{FdFlags, fcntl_setfd};
use v4l::device::{Device, Handle};
use v4l::v4l_sys::{v4l2_capability, v4l2_fmtdesc, v4l2_format, v4l2_streamparm};
use v4l::v4l2::{self, vidioc};

pub(super) use controls::{Control, Kind, control, controls, set_control};

pub(super) const VIDEO_CAPTURE: u32 = 0x0000_0001;
pub(super) const VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
pub(super) const VIDEO_M2M: u32 = 0x0000_8000 | 0x0000_4000;
const VIDEO_M2M_SINGLE_PLANAR: u32 = 0x0000_8000;
pub(super) const META_CAPTURE: u32 = 0x0080_0000;
pub(super) const STREAMING: u32 = 0x0400_0000;
/// The driver's formats are not what a picture is in: the whole graph of its devices has
/// to be set up first, by another program.
pub(super) const IO_MC: u32 = 0x2000_0000;
/// Whether a driver tells the capabilities of each of its nodes.
const DEVICE_CAPS: u32 = 0x8000_0000;

/// A device's description of itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Caps {
    pub(super) driver: String,
    pub(super) card: String,
    pub(super) bus: String,
    /// `V4L2_CAP_*` of this node.
    pub(super) flags: u32,
}

impl Caps {
    /// Whether pictures come only through the multi-planar API. A device that has both
    /// is used through the other one.
    pub(super) fn is_multi_planar(&self) -> bool {
        self.flags & (VIDEO_CAPTURE | VIDEO_CAPTURE_MPLANE) == VIDEO_CAPTURE_MPLANE
    }

    /// The queue of the pictures that a camera gives.
    pub(super) fn capture(&self) -> BufType {
        BufType { is_output: false, is_multi_planar: self.is_multi_planar() }
    }

    /// The queues of a codec: of what it takes, and of what it gives.
    pub(super) fn codec(&self) -> [BufType; 2] {
        let is_multi_planar = self.flags & VIDEO_M2M_SINGLE_PLANAR == 0;
        [true, false].map(|is_output| BufType { is_output, is_multi_planar })
    }
}

/// Which of a device's queues is meant, and by which of the two APIs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BufType {
    /// Whether the device takes the pictures, and does not give them.
    is_output: bool,
    is_multi_planar: bool,
}

impl BufType {
    /// `V4L2_BUF_TYPE_*`.
    fn number(self) -> u32 {
        match (self.is_multi_planar, self.is_output) {
            (false, false) => 1,
            (false, true) => 2,
            (true, false) => 9,
            (true, true) => 10,
        }
    }
}

/// Arguments of ioctls for which all zeroes is a valid value.
///
/// # Safety
/// Only for integers, and for structs of integers, pointers, arrays and unions of these.
unsafe trait Plain: Sized {
    fn zero() -> Self {
        // SAFETY: as the trait asks, all zeroes is a value.
        unsafe { zeroed() }
    }
}

// SAFETY: `videodev2.h` has integers, pointers, arrays and unions of these in them.
unsafe impl Plain for v4l2_capability {}
// SAFETY: as above.
unsafe impl Plain for v4l2_fmtdesc {}
// SAFETY: as above.
unsafe impl Plain for v4l2_format {}
// SAFETY: as above.
unsafe impl Plain for v4l2_streamparm {}
// SAFETY: an integer.
unsafe impl Plain for i32 {}

/// Makes one ioctl with an argument of type `T`.
fn call<T: Plain>(device: &Device, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
    call_handle(&device.handle(), request, argument)
}

fn call_handle<T: Plain>(
    handle: &Handle,
    request: vidioc::_IOC_TYPE,
    argument: &mut T,
) -> io::Result<()> {
    // The size of the argument is part of the request's number.
    assert_eq!(usize::try_from((request >> 16) & 0x3FFF), Ok(size_of::<T>()));
    // SAFETY: the descriptor is open as long as `handle`, and the kernel reads
    // and writes at most as many bytes as the request says, which is a `T`. Where a `T`
    // points to more, its maker says for how long and how much.
    unsafe { v4l2::ioctl(handle.fd(), request, from_mut(argument).cast()) }
}

/// Sets FD_CLOEXEC, which the crate does not.
pub(super) fn set_close_on_exec(device: &Device) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `device`, which outlives this.
    let fd = unsafe { BorrowedFd::borrow_raw(device.handle().fd()) };
    Ok(fcntl_setfd(fd, FdFlags::CLOEXEC)?)
}

/// The kernel's text up to its NUL. Drivers cut UTF-8 at any byte, so invalid bytes are
/// replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// VIDIOC_QUERYCAP.
pub(super) fn caps(device: &Device) -> io::Result<Caps> {
    let mut caps = v4l2_capability::zero();
    call(device, vidioc::VIDIOC_QUERYCAP, &mut caps)?;
    // Vendors' drivers for kernels such as 3.10 have only those of the whole device.
    let is_of_node = caps.capabilities & DEVICE_CAPS != 0;
    Ok(Caps {
        driver: text(&caps.driver),
        card: text(&caps.card),
        bus: text(&caps.bus_info),
        flags: if is_of_node { caps.device_caps } else { caps.capabilities },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_nul_and_takes_any_bytes() {
        assert_eq!(text(b"Webcam\0\0rest"), "Webcam");
        assert_eq!(text(b"cut \xC3"), "cut \u{FFFD}");
        assert_eq!(text(b""), "");
    }
}
