//! Inputs of a device, television standards, and the timings of digital video.
//!
//! Kernel: Documentation/userspace-api/media/v4l/video.rst, standard.rst and
//! dv-timings.rst.
#![allow(unsafe_code, reason = "ioctls on structs with unions")]

use std::io;
use std::mem::size_of;

use v4l::Device;
use v4l::v4l_sys::{v4l2_dv_timings, v4l2_event, v4l2_event_subscription, v4l2_input};
use v4l::v4l2::vidioc;

use super::{Plain, call, text};

/// V4L2_IN_ST_*: of what the driver sees at an input, what leaves no picture.
pub(in super::super) const NO_POWER: u32 = 0x0000_0001;
pub(in super::super) const NO_SIGNAL: u32 = 0x0000_0002;
/// V4L2_IN_CAP_*.
pub(in super::super) const HAS_DV_TIMINGS: u32 = 0x0000_0002;
pub(in super::super) const HAS_STANDARDS: u32 = 0x0000_0004;

const EVENT_SOURCE_CHANGE: u32 = 5;
/// V4L2_DV_BT_656_1120, the only type of timings that there is.
const DV_BT_656_1120: u32 = 0;

// As in the kernel's headers; on 32 bit some processors align 64 bits to 4 bytes, and
// the timestamp of an event has 4 or 8 bytes a number.
const _: () = assert!(size_of::<v4l2_dv_timings>() == 132);
const _: () = assert!(size_of::<v4l2_event_subscription>() == 32);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<v4l2_input>() == 80 && size_of::<v4l2_event>() == 136);
#[cfg(target_pointer_width = "32")]
const _: () = {
    let (input, event) = (size_of::<v4l2_input>(), size_of::<v4l2_event>());
    assert!(input == 76 || input == 80);
    assert!(event == 120 || event == 128 || event == 136);
};

// The requests that the crate `v4l` does not have.
const S_DV_TIMINGS: vidioc::_IOC_TYPE = request::<v4l2_dv_timings>(READ | WRITE, 87);
const DQEVENT: vidioc::_IOC_TYPE = request::<v4l2_event>(READ, 89);
const SUBSCRIBE_EVENT: vidioc::_IOC_TYPE = request::<v4l2_event_subscription>(WRITE, 90);
const QUERY_DV_TIMINGS: vidioc::_IOC_TYPE = request::<v4l2_dv_timings>(READ, 99);

pub(super) const WRITE: u32 = 1;
pub(super) const READ: u32 = 2;

/// The number of a request: _IOC of the kernel's `asm-generic/ioctl.h`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the number has 32 bits, and the type is that of the C library's ioctl"
)]
pub(super) const fn request<T>(direction: u32, number: u32) -> vidioc::_IOC_TYPE {
    let number =
        (direction << 30) | ((size_of::<T>() as u32) << 16) | ((b'V' as u32) << 8) | number;
    number as vidioc::_IOC_TYPE
}

// SAFETY: an integer.
unsafe impl Plain for u64 {}
// SAFETY: structs of integers, arrays and unions of these in `videodev2.h`.
unsafe impl Plain for v4l2_dv_timings {}
// SAFETY: as above.
unsafe impl Plain for v4l2_event {}
// SAFETY: as above.
unsafe impl Plain for v4l2_event_subscription {}
// SAFETY: as above.
unsafe impl Plain for v4l2_input {}

/// An input, as the driver describes it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Input {
    pub(in super::super) index: u32,
    pub(in super::super) name: String,
    /// `V4L2_IN_ST_*`; of the current input only.
    pub(in super::super) status: u32,
    /// `V4L2_IN_CAP_*`.
    pub(in super::super) capabilities: u32,
    /// The television standards (`V4L2_STD_*`) that it has.
    pub(in super::super) standards: u64,
}

/// VIDIOC_ENUMINPUT: the input of this number.
pub(in super::super) fn input(device: &Device, index: u32) -> io::Result<Input> {
    let mut input = v4l2_input { index, ..Plain::zero() };
    call(device, vidioc::VIDIOC_ENUMINPUT, &mut input)?;
    Ok(Input {
        index,
        name: text(&input.name),
        status: input.status,
        capabilities: input.capabilities,
        standards: input.std,
    })
}

/// VIDIOC_G_INPUT: the number of the current input.
pub(in super::super) fn current_input(device: &Device) -> io::Result<u32> {
    let mut index = 0_i32;
    call(device, vidioc::VIDIOC_G_INPUT, &mut index)?;
    Ok(index.cast_unsigned())
}

/// VIDIOC_S_INPUT.
pub(in super::super) fn set_input(device: &Device, index: u32) -> io::Result<()> {
    call(device, vidioc::VIDIOC_S_INPUT, &mut index.cast_signed())
}

/// VIDIOC_S_STD: sets one of these standards (`V4L2_STD_*`).
pub(in super::super) fn set_standard(device: &Device, mut standards: u64) -> io::Result<()> {
    call(device, vidioc::VIDIOC_S_STD, &mut standards)
}

/// The timings of a digital signal.
#[derive(Clone, Copy)]
pub(in super::super) struct Timings(v4l2_dv_timings);

impl Timings {
    /// Width and height of the picture; of both fields, if it is interlaced.
    pub(in super::super) fn size(&self) -> (u32, u32) {
        // SAFETY: timings are made by `query` only, which checks their type.
        let bt = unsafe { self.0.__bindgen_anon_1.bt };
        (bt.width, bt.height)
    }

    pub(in super::super) fn is_interlaced(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.0.__bindgen_anon_1.bt.interlaced != 0 }
    }

    /// Whether a picture of these timings has the same size and rate. Receivers measure
    /// the clock of a signal, so it differs a little from time to time.
    pub(in super::super) fn is_like(&self, other: &Self) -> bool {
        /// The tolerance in Hz that the kernel's drivers have (v4l2_find_dv_timings_cap).
        const TOLERANCE: u64 = 250_000;
        // SAFETY: as above.
        let [clock, other_clock] = unsafe {
            [self.0.__bindgen_anon_1.bt.pixelclock, other.0.__bindgen_anon_1.bt.pixelclock]
        };
        self.size() == other.size()
            && self.is_interlaced() == other.is_interlaced()
            && clock.abs_diff(other_clock) <= TOLERANCE
    }

    /// VIDIOC_QUERY_DV_TIMINGS: those of the signal that comes in now.
    pub(in super::super) fn query(device: &Device) -> io::Result<Self> {
        let mut timings = v4l2_dv_timings::zero();
        call(device, QUERY_DV_TIMINGS, &mut timings)?;
        if timings.type_ == DV_BT_656_1120 {
            Ok(Self(timings))
        } else {
            Err(io::Error::new(io::ErrorKind::Unsupported, "timings of an unknown type"))
        }
    }

    /// VIDIOC_S_DV_TIMINGS.
    pub(in super::super) fn set(mut self, device: &Device) -> io::Result<()> {
        call(device, S_DV_TIMINGS, &mut self.0)
    }
}

/// VIDIOC_SUBSCRIBE_EVENT: lets the driver report when another signal comes in at an
/// input. The descriptor then polls as urgent.
pub(in super::super) fn report_source_changes(device: &Device, input: u32) -> io::Result<()> {
    let mut subscription =
        v4l2_event_subscription { type_: EVENT_SOURCE_CHANGE, id: input, ..Plain::zero() };
    call(device, SUBSCRIBE_EVENT, &mut subscription)
}

/// VIDIOC_DQEVENT: whether another signal has come in since the last call.
pub(in super::super) fn has_source_changed(device: &Device) -> bool {
    let mut has_changed = false;
    let mut event = v4l2_event::zero();
    while call(device, DQEVENT, &mut event).is_ok() {
        has_changed |= event.type_ == EVENT_SOURCE_CHANGE;
    }
    has_changed
}
