//! Formats of the multi-planar API, whose planes may lie in buffers of their own.
//!
//! Kernel: Documentation/userspace-api/media/v4l/planar-apis.rst.
#![allow(unsafe_code, reason = "ioctls on structs with unions")]

use std::io::{self, ErrorKind};
use std::mem::size_of;

use v4l::device::Device;
use v4l::v4l_sys::{v4l2_format, v4l2_pix_format_mplane};
use v4l::v4l2::vidioc;

use super::formats::{Field, Format, Wish, is_limited};
use super::{BufType, Plain, call};
use crate::jpeg::MAX_PLANES;

const _: () = assert!(size_of::<v4l2_pix_format_mplane>() == 192);

/// VIDIOC_S_FMT or VIDIOC_TRY_FMT for a multi-planar queue.
pub(super) fn format(
    device: &Device,
    queue: BufType,
    request: vidioc::_IOC_TYPE,
    wish: Wish,
) -> io::Result<Format> {
    let mut format = v4l2_format { type_: queue.number(), ..Plain::zero() };
    // SAFETY: for this buffer type the union is a v4l2_pix_format_mplane, for which all
    // zeroes is a value. Strides of 0 let the driver choose.
    let mut pix = unsafe { format.fmt.pix_mp };
    pix.pixelformat = u32::from_le_bytes(wish.fourcc);
    (pix.width, pix.height) = wish.size;
    (pix.field, pix.colorspace) = (wish.field, wish.colorspace);
    if wish.length > 0 {
        pix.num_planes = 1;
        let mut planes = pix.plane_fmt;
        planes[0].sizeimage = wish.length;
        pix.plane_fmt = planes;
    }
    format.fmt.pix_mp = pix;
    call(device, request, &mut format)?;
    // SAFETY: as above; the driver filled it in. The struct is packed, so it is copied.
    let pix: v4l2_pix_format_mplane = unsafe { format.fmt.pix_mp };
    let n_buffers = usize::from(pix.num_planes);
    if !(1..=MAX_PLANES).contains(&n_buffers) {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            format!("{n_buffers} buffers a picture"),
        ));
    }
    let fourcc = pix.pixelformat.to_le_bytes();
    let planes = pix.plane_fmt;
    Ok(Format {
        fourcc,
        width: pix.width,
        height: pix.height,
        n_buffers,
        strides: [0, 1, 2].map(|i| if i < n_buffers { planes[i].bytesperline } else { 0 }),
        lengths: [0, 1, 2].map(|i| if i < n_buffers { planes[i].sizeimage } else { 0 }),
        field: Field::new(pix.field),
        is_limited: is_limited(fourcc, pix.quantization.into(), pix.colorspace),
    })
}
