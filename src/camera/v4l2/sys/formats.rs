//! The formats of a device: those that it offers, the one in use, its rate.
//!
//! Kernel: Documentation/userspace-api/media/v4l/format.rst and vidioc-g-parm.rst.
#![allow(unsafe_code, reason = "ioctls on structs with unions")]

use std::io;

use v4l::device::Device;
use v4l::v4l_sys::{v4l2_fmtdesc, v4l2_format, v4l2_fract, v4l2_pix_format, v4l2_streamparm};
use v4l::v4l2::vidioc;

use super::{BufType, Caps, Plain, call, planes, text};
use crate::jpeg::MAX_PLANES;

/// The colours of a JPEG: all levels are used.
pub(in super::super) const COLORSPACE_JPEG: u32 = 7;
const QUANTIZATION_FULL_RANGE: u32 = 1;
const QUANTIZATION_LIM_RANGE: u32 = 2;

/// Formats of full range if the driver does not say. JPEG colours have full range too,
/// other YCbCr has limited range (V4L2_MAP_QUANTIZATION_DEFAULT).
const FULL_BY_DEFAULT: [&[u8; 4]; 4] = [b"RGB3", b"BGR3", b"RGBP", b"GREY"];

/// How the two fields of an interlaced picture lie in the buffers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Field {
    /// There are none: the picture is progressive, or always the same one of the two.
    None,
    /// Line by line: a whole picture, of two times.
    Interlaced,
    /// One above the other, or one and then the other, in a buffer each.
    Separate,
}

impl Field {
    /// `V4L2_FIELD_*`, for requests: the driver chooses.
    const ANY: u32 = 0;
    const INTERLACED: u32 = 4;

    /// From `V4L2_FIELD_*`.
    pub(super) fn new(number: u32) -> Self {
        match number {
            4 | 8 | 9 => Self::Interlaced,
            5..=7 => Self::Separate,
            _ => Self::None,
        }
    }
}

/// A picture format as the driver set it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Format {
    pub(in super::super) fourcc: [u8; 4],
    pub(in super::super) width: u32,
    pub(in super::super) height: u32,
    /// How many buffers a picture has: more than one if its planes lie apart.
    pub(in super::super) n_buffers: usize,
    /// Bytes from line to line of the first plane in each buffer.
    pub(in super::super) strides: [u32; MAX_PLANES],
    /// Bytes of each buffer.
    pub(in super::super) lengths: [u32; MAX_PLANES],
    pub(in super::super) field: Field,
    /// Whether luma is from 16 to 235, for a format in YCbCr.
    pub(in super::super) is_limited: bool,
}

/// A picture format to ask for.
#[derive(Clone, Copy)]
pub(in super::super) struct Wish {
    pub(in super::super) fourcc: [u8; 4],
    pub(in super::super) size: (u32, u32),
    /// The bytes of a buffer for coded pictures; 0: the driver chooses.
    pub(in super::super) length: u32,
    /// `V4L2_COLORSPACE_*` of pictures that a device takes; 0: the driver chooses.
    pub(in super::super) colorspace: u32,
    /// `V4L2_FIELD_*`.
    pub(in super::super) field: u32,
}

impl Wish {
    /// A format in which all else is the driver's choice.
    pub(in super::super) fn new(fourcc: [u8; 4], size: (u32, u32)) -> Self {
        Self { fourcc, size, length: 0, colorspace: 0, field: Field::ANY }
    }
}

/// VIDIOC_ENUM_FMT: the formats of a queue and their names.
pub(in super::super) fn formats(device: &Device, queue: BufType) -> Vec<([u8; 4], String)> {
    let format = |index| {
        let mut format = v4l2_fmtdesc { index, type_: queue.number(), ..Plain::zero() };
        call(device, vidioc::VIDIOC_ENUM_FMT, &mut format).ok()?;
        Some((format.pixelformat.to_le_bytes(), text(&format.description)))
    };
    // The most that a driver has so far are some 90; one that never ends is faulty.
    (0..256).map_while(format).collect()
}

/// VIDIOC_S_PARM and VIDIOC_G_PARM: requests a time between two pictures, if one is
/// wanted, and returns the one in use. Both are fractions of a second.
pub(in super::super) fn interval(
    device: &Device,
    caps: &Caps,
    wanted: Option<(u32, u32)>,
) -> io::Result<(u32, u32)> {
    let mut parameters = v4l2_streamparm { type_: caps.capture().number(), ..Plain::zero() };
    if let Some((numerator, denominator)) = wanted {
        parameters.parm.capture.timeperframe = v4l2_fract { numerator, denominator };
        call(device, vidioc::VIDIOC_S_PARM, &mut parameters)?;
        parameters = v4l2_streamparm { type_: caps.capture().number(), ..Plain::zero() };
    }
    call(device, vidioc::VIDIOC_G_PARM, &mut parameters)?;
    // SAFETY: for both buffer types the union is a v4l2_captureparm.
    let v4l2_fract { numerator, denominator } = unsafe { parameters.parm.capture.timeperframe };
    Ok((numerator, denominator))
}

/// VIDIOC_S_FMT: requests a format of a camera, and returns the one that the driver chose.
pub(in super::super) fn set_format(
    device: &Device,
    caps: &Caps,
    fourcc: [u8; 4],
    size: (u32, u32),
) -> io::Result<Format> {
    let wish = Wish::new(fourcc, size);
    let format = set(device, caps.capture(), wish)?;
    // Some drivers give fields apart where they choose, and whole pictures if asked.
    if format.field == Field::Separate {
        return set(device, caps.capture(), Wish { field: Field::INTERLACED, ..wish });
    }
    Ok(format)
}

/// VIDIOC_TRY_FMT: the size that the driver would choose.
pub(in super::super) fn try_size(
    device: &Device,
    queue: BufType,
    fourcc: [u8; 4],
    size: (u32, u32),
) -> io::Result<(u32, u32)> {
    let format = exchange(device, queue, vidioc::VIDIOC_TRY_FMT, Wish::new(fourcc, size))?;
    Ok((format.width, format.height))
}

/// VIDIOC_S_FMT: requests a format of a queue, and returns the one that the driver chose.
pub(in super::super) fn set(device: &Device, queue: BufType, wish: Wish) -> io::Result<Format> {
    exchange(device, queue, vidioc::VIDIOC_S_FMT, wish)
}

fn exchange(
    device: &Device,
    queue: BufType,
    request: vidioc::_IOC_TYPE,
    wish: Wish,
) -> io::Result<Format> {
    if queue.is_multi_planar {
        return planes::format(device, queue, request, wish);
    }
    let mut format = v4l2_format { type_: queue.number(), ..Plain::zero() };
    // SAFETY: for this buffer type the union is a v4l2_pix_format, for which all zeroes
    // is a valid value. A stride of 0 lets the driver choose.
    let pix = unsafe { &mut format.fmt.pix };
    pix.pixelformat = u32::from_le_bytes(wish.fourcc);
    (pix.width, pix.height) = wish.size;
    (pix.field, pix.sizeimage, pix.colorspace) = (wish.field, wish.length, wish.colorspace);
    call(device, request, &mut format)?;
    // SAFETY: as above; the driver filled it in.
    let pix: v4l2_pix_format = unsafe { format.fmt.pix };
    let fourcc = pix.pixelformat.to_le_bytes();
    Ok(Format {
        fourcc,
        width: pix.width,
        height: pix.height,
        n_buffers: 1,
        strides: [pix.bytesperline, 0, 0],
        lengths: [pix.sizeimage, 0, 0],
        field: Field::new(pix.field),
        is_limited: is_limited(fourcc, pix.quantization, pix.colorspace),
    })
}

/// Whether the samples of a format do not use all levels, by what the driver says.
pub(super) fn is_limited(fourcc: [u8; 4], quantization: u32, colorspace: u32) -> bool {
    match quantization {
        QUANTIZATION_FULL_RANGE => false,
        QUANTIZATION_LIM_RANGE => true,
        _ => !FULL_BY_DEFAULT.contains(&&fourcc) && colorspace != COLORSPACE_JPEG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart_by_how_they_lie_in_the_buffers() {
        // NONE and ANY; TOP and BOTTOM, of which a driver gives only one.
        for number in [0, 1, 2, 3] {
            assert_eq!(Field::new(number), Field::None);
        }
        // INTERLACED, _TB and _BT.
        for number in [4, 8, 9] {
            assert_eq!(Field::new(number), Field::Interlaced);
        }
        // SEQ_TB, SEQ_BT and ALTERNATE.
        for number in [5, 6, 7] {
            assert_eq!(Field::new(number), Field::Separate);
        }
    }

    #[test]
    fn range_is_what_the_driver_says_or_that_of_the_format() {
        const SRGB: u32 = 8;
        assert!(is_limited(*b"YUYV", 0, SRGB) && is_limited(*b"NM12", 0, SRGB));
        assert!(!is_limited(*b"YUYV", 0, COLORSPACE_JPEG) && !is_limited(*b"RGB3", 0, SRGB));
        assert!(!is_limited(*b"YUYV", QUANTIZATION_FULL_RANGE, SRGB));
        assert!(is_limited(*b"GREY", QUANTIZATION_LIM_RANGE, SRGB));
    }
}
