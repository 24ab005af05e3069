//! The visible part of the pictures that a codec takes.
//!
//! Kernel: Documentation/userspace-api/media/v4l/vidioc-g-selection.rst.
#![allow(unsafe_code, reason = "ioctls on structs")]

use std::io;
use std::mem::size_of;

use v4l::device::Device;
use v4l::v4l2::vidioc;

use super::inputs::{READ, WRITE, request};
use super::{Plain, call};

/// The quality of a codec's JPEGs, a control (V4L2_CID_JPEG_COMPRESSION_QUALITY).
pub(in super::super) const JPEG_QUALITY: u32 = 0x009D_0903;

/// `struct v4l2_selection`, which the crate `v4l` does not have.
#[repr(C)]
struct Selection {
    type_: u32,
    target: u32,
    flags: u32,
    left: i32,
    top: i32,
    width: u32,
    height: u32,
    reserved: [u32; 9],
}

const _: () = assert!(size_of::<Selection>() == 64);
const S_SELECTION: vidioc::_IOC_TYPE = request::<Selection>(READ | WRITE, 95);

// SAFETY: integers and an array of them.
unsafe impl Plain for Selection {}

/// VIDIOC_S_SELECTION: sets the visible part of the pictures that a codec takes, from
/// their upper left corner.
///
/// # Errors
/// Also where the driver chose another part.
pub(in super::super) fn set_visible(
    device: &Device,
    (width, height): (u32, u32),
) -> io::Result<()> {
    // V4L2_BUF_TYPE_VIDEO_OUTPUT stands for both APIs here; V4L2_SEL_TGT_CROP is 0.
    let mut selection = Selection { type_: 2, width, height, ..Plain::zero() };
    call(device, S_SELECTION, &mut selection)?;
    if (selection.width, selection.height) == (width, height) {
        return Ok(());
    }
    let (width, height) = (selection.width, selection.height);
    Err(io::Error::other(format!("its pictures have {width}x{height}")))
}
