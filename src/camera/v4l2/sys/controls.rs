//! The controls of a device: what it has, their values.
//!
//! Kernel: Documentation/userspace-api/media/v4l/vidioc-queryctrl.rst and vidioc-g-ext-ctrls.rst.
#![allow(unsafe_code, reason = "ioctls on structs with unions")]

use std::ffi::c_char;
use std::io;
use std::ptr::from_mut;

use rustix::io::Errno;
use v4l::device::Device;
use v4l::v4l_sys::{
    v4l2_ext_control, v4l2_ext_controls, v4l2_query_ext_ctrl, v4l2_queryctrl, v4l2_querymenu,
};
use v4l::v4l2::vidioc;

use super::{Plain, call, text};

const CTRL_FLAG_NEXT_CTRL: u32 = 0x8000_0000;
const CTRL_FLAG_DISABLED: u32 = 0x0001;
const CTRL_TYPE_MENU: u32 = 3;
const CTRL_TYPE_BITMASK: u32 = 8;
const CTRL_TYPE_INTEGER_MENU: u32 = 9;

/// A control of a device, as the kernel describes it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Control {
    pub(in super::super) id: u32,
    pub(in super::super) label: String,
    /// `V4L2_CTRL_TYPE_*`.
    pub(in super::super) kind: u32,
    /// `V4L2_CTRL_FLAG_*`.
    pub(in super::super) flags: u32,
    pub(in super::super) minimum: i64,
    pub(in super::super) maximum: i64,
    pub(in super::super) step: u64,
    pub(in super::super) default: i64,
    /// The items of a menu with their numbers, which may have gaps.
    pub(in super::super) menu: Vec<(u32, String)>,
}

// SAFETY: `videodev2.h` has integers, pointers, arrays and unions of these in them.
unsafe impl Plain for v4l2_ext_control {}
// SAFETY: as above.
unsafe impl Plain for v4l2_ext_controls {}
// SAFETY: as above.
unsafe impl Plain for v4l2_query_ext_ctrl {}
// SAFETY: as above.
unsafe impl Plain for v4l2_querymenu {}
// SAFETY: as above.
unsafe impl Plain for v4l2_queryctrl {}

/// All controls that are not disabled.
pub(in super::super) fn controls(device: &Device) -> Vec<Control> {
    // The kernel returns the next higher number each time. A driver that has its own
    // code for this and repeats numbers would keep the loop busy for ever.
    const MOST: u32 = 1024;
    let mut found = Vec::new();
    let mut last = 0;
    for _ in 0..MOST {
        let Ok(query) = control_after(device, last) else { break };
        if query.id <= last {
            break;
        }
        last = query.id;
        if query.flags & CTRL_FLAG_DISABLED == 0 {
            found.push(Control {
                id: query.id,
                // `c_char` is signed on some processors and unsigned on others.
                label: text(&query.name.map(|c| c.to_ne_bytes()[0])),
                kind: query.type_,
                flags: query.flags,
                minimum: query.minimum,
                maximum: query.maximum,
                step: query.step,
                default: query.default_value,
                menu: menu(device, &query),
            });
        }
    }
    found
}

/// VIDIOC_QUERY_EXT_CTRL, or VIDIOC_QUERYCTRL before Linux 3.17: the next control.
fn control_after(device: &Device, id: u32) -> io::Result<v4l2_query_ext_ctrl> {
    let id = id | CTRL_FLAG_NEXT_CTRL;
    let mut query = v4l2_query_ext_ctrl { id, ..Plain::zero() };
    match call(device, vidioc::VIDIOC_QUERY_EXT_CTRL, &mut query) {
        Err(e) if Errno::from_io_error(&e) == Some(Errno::NOTTY) => {}
        asked => return asked.map(|()| query),
    }
    let mut old = v4l2_queryctrl { id, ..Plain::zero() };
    call(device, vidioc::VIDIOC_QUERYCTRL, &mut old)?;
    // `c_char` is signed on some processors and unsigned on others.
    for (to, from) in query.name.iter_mut().zip(old.name) {
        *to = c_char::from_ne_bytes([from]);
    }
    let is_unsigned = old.type_ == CTRL_TYPE_BITMASK;
    let wide = |n: i32| if is_unsigned { n.cast_unsigned().into() } else { i64::from(n) };
    let (minimum, maximum) = (wide(old.minimum), wide(old.maximum));
    let (step, default_value) = (old.step.unsigned_abs().into(), wide(old.default_value));
    let (id, type_, flags) = (old.id, old.type_, old.flags);
    Ok(v4l2_query_ext_ctrl { id, type_, minimum, maximum, step, default_value, flags, ..query })
}

/// VIDIOC_QUERYMENU: the items of a menu control.
fn menu(device: &Device, control: &v4l2_query_ext_ctrl) -> Vec<(u32, String)> {
    // A driver that reports more items is faulty, and could keep this loop busy for
    // hours.
    const MOST: i64 = 256;
    if !matches!(control.type_, CTRL_TYPE_MENU | CTRL_TYPE_INTEGER_MENU) {
        return Vec::new();
    }
    let last = control.maximum.min(control.minimum.saturating_add(MOST));
    let item = |index: i64| {
        let index = u32::try_from(index).ok()?;
        let mut item = v4l2_querymenu { id: control.id, index, ..Plain::zero() };
        call(device, vidioc::VIDIOC_QUERYMENU, &mut item).ok()?;
        // SAFETY: the driver filled in the name (menu) or the value (integer menu); both
        // are valid as bytes and as a number.
        let union = unsafe { (item.__bindgen_anon_1.name, item.__bindgen_anon_1.value) };
        let (name, value) = union;
        let is_named = control.type_ == CTRL_TYPE_MENU;
        Some((index, if is_named { text(&name) } else { value.to_string() }))
    };
    (control.minimum..=last).filter_map(item).collect()
}

/// How the kernel passes the value of a control, by its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Kind {
    /// As 32 bits, signed: integers, switches, menus, buttons.
    Signed,
    /// As 32 bits, unsigned: bit masks.
    Unsigned,
    /// As 64 bits, signed.
    Long,
}

/// VIDIOC_G_EXT_CTRLS: the value of a control.
pub(in super::super) fn control(device: &Device, id: u32, kind: Kind) -> io::Result<i64> {
    exchange(device, vidioc::VIDIOC_G_EXT_CTRLS, id, kind, 0)
}

/// VIDIOC_S_EXT_CTRLS: sets a control, and returns the value that the driver reports.
pub(in super::super) fn set_control(
    device: &Device,
    id: u32,
    kind: Kind,
    value: i64,
) -> io::Result<i64> {
    exchange(device, vidioc::VIDIOC_S_EXT_CTRLS, id, kind, value)
}

fn exchange(
    device: &Device,
    request: vidioc::_IOC_TYPE,
    id: u32,
    kind: Kind,
    value: i64,
) -> io::Result<i64> {
    let out_of_range = |_| io::Error::from(Errno::RANGE);
    let mut control = v4l2_ext_control { id, ..Plain::zero() };
    match kind {
        Kind::Signed => {
            control.__bindgen_anon_1.value = i32::try_from(value).map_err(out_of_range)?;
        }
        Kind::Unsigned => {
            let bits = u32::try_from(value).map_err(out_of_range)?;
            control.__bindgen_anon_1.value = bits.cast_signed();
        }
        Kind::Long => control.__bindgen_anon_1.value64 = value,
    }
    // The zero in `which` stands for any class (V4L2_CTRL_WHICH_CUR_VAL). `controls`
    // points to `control`, which outlives the call.
    let mut all = v4l2_ext_controls { count: 1, controls: from_mut(&mut control), ..Plain::zero() };
    call(device, request, &mut all)?;
    // SAFETY: the union holds the number from above with zeroes in its other bytes, or
    // the number that the kernel wrote there.
    let (value, long) =
        unsafe { (control.__bindgen_anon_1.value, control.__bindgen_anon_1.value64) };
    Ok(match kind {
        Kind::Signed => value.into(),
        Kind::Unsigned => value.cast_unsigned().into(),
        Kind::Long => long,
    })
}
