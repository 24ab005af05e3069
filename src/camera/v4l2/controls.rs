//! Lists and sets the controls of an opened device.
//!
//! Values are set again at each opening, because some devices forget them when
//! they are closed, and all devices when they are unplugged.

use rustix::io::Errno;

use super::describe::{self, typed_name};
use super::desired::Desired;
use super::nodes::Opened;
use super::{messages, sys};
use crate::controls::{ALL, Change, ChangeResult, Control, SetTo};

/// Controls that an automatic control overrides while it is on, and that
/// automatic control (both as `V4L2_CID_*`). The automatic one is set first, and
/// named when the other is refused.
#[rustfmt::skip]
const AUTOMATICS: [(u32, u32); 12] = [
    (0x0098_0900, 0x0098_0920), // brightness, autobrightness
    (0x0098_0903, 0x0098_0919), // hue, hue_auto
    (0x0098_090E, 0x0098_090C), // red_balance, auto_white_balance
    (0x0098_090F, 0x0098_090C), // blue_balance
    (0x0098_0911, 0x009A_0901), // exposure, exposure_auto
    (0x0098_0913, 0x0098_0912), // gain, autogain
    (0x0098_091A, 0x0098_090C), // white_balance_temperature
    (0x0098_0924, 0x0098_091D), // chroma_gain, chroma_agc
    (0x009A_0902, 0x009A_0901), // exposure_absolute
    (0x009A_090A, 0x009A_090C), // focus_absolute, focus_auto
    (0x009A_0911, 0x009A_0901), // iris_absolute
    (0x009A_0917, 0x009A_0918), // iso_sensitivity, iso_sensitivity_auto
];

/// A change that was tried.
struct Tried {
    name: String,
    result: Result<i64, String>,
    to: SetTo,
    /// Whether to set it again at each opening: not so for a button, which would
    /// be pressed again.
    is_lasting: bool,
}

/// Why a control was not set.
enum SetError {
    /// Another control overrides it; it may be accepted once that one is set.
    Inactive(String),
    Other(String),
}

/// All controls with their values.
pub(super) fn list(opened: &Opened) -> Vec<Control> {
    let mut controls = describe::all(opened);
    // The kernel waits 5 s for a device that does not answer, for each control.
    // So after the first such control the others keep an unknown value.
    let mut is_answering = true;
    for control in controls.iter_mut().filter(|c| !c.flags.contains(&"write_only")) {
        if is_answering && let Some(kind) = describe::value_kind(control.kind) {
            let value = sys::control(&opened.device, control.id, kind);
            is_answering = !matches!(&value, Err(e) if messages::is_silent(e));
            control.value = value.ok();
        }
    }
    controls
}

/// Sets controls now, and makes their values the desired ones.
pub(super) fn set_lasting(
    opened: &Opened,
    changes: &[Change],
    desired: &Desired,
) -> Vec<ChangeResult> {
    let tried = desired.reconcile(|values| {
        let tried = set(opened, changes);
        for change in &tried {
            let Ok(value) = change.result else { continue };
            values.retain(|(name, _)| typed_name(name) != change.name);
            // A device starts with its defaults, so they need not be set again.
            if change.is_lasting && change.to != SetTo::Default {
                values.push((change.name.clone(), Some(value)));
            }
        }
        tried
    });
    tried.into_iter().map(|change| (change.name, change.result)).collect()
}

/// Sets the desired values when the device is opened. A control that cannot be
/// set is logged only, since the camera still gives frames without it.
pub(super) fn apply(opened: &Opened, desired: &Desired) {
    let tried = desired.reconcile(|values| {
        let changes = values
            .iter()
            .map(|(name, value)| (name.clone(), value.map_or(SetTo::Default, SetTo::Value)));
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() { Vec::new() } else { set(opened, &changes) }
    });
    let path = opened.path.display();
    for Tried { name, result, .. } in tried {
        match result {
            Ok(value) => log::info!("{path}: {name} is {value}"),
            Err(why) => log::warn!("{path}: {name} was not set: {why}"),
        }
    }
}

/// Sets controls in two passes, automatic ones first. The second pass repeats
/// what was inactive in the first, so the order of the changes does not matter.
fn set(opened: &Opened, changes: &[Change]) -> Vec<Tried> {
    let known = describe::all(opened);
    let jobs = expand(&known, changes).into_iter().map(|c| (c, None));
    let is_automatic = |name: &str| {
        let id = describe::find(&known, name).map(|control| control.id);
        AUTOMATICS.iter().any(|(_, automatic)| Some(*automatic) == id)
    };
    // Beside that, controls are set in the order in which they were asked for.
    let (mut jobs, others): (Vec<_>, Vec<_>) = jobs.partition(|((name, _), _)| is_automatic(name));
    jobs.extend(others);
    for _ in 0..2 {
        for ((name, to), result) in &mut jobs {
            if matches!(result, None | Some(Err(SetError::Inactive(_)))) {
                *result = Some(set_one(opened, &known, name, to));
            }
        }
    }
    let is_all = changes.iter().any(|(name, _)| name == ALL);
    let mut tried = Vec::new();
    for ((name, to), result) in jobs {
        let result = match result {
            // "All to their defaults" includes controls that an automatic one
            // overrides; their default has no effect, so this is no error.
            Some(Err(SetError::Inactive(_))) if is_all && to == SetTo::Default => continue,
            Some(Ok(value)) => Ok(value),
            Some(Err(SetError::Inactive(why) | SetError::Other(why))) => Err(why),
            None => continue,
        };
        let control = describe::find(&known, &name);
        let is_lasting = control.is_some_and(|control| control.kind != "button");
        let name = control.map_or(name, |control| control.name.clone());
        tried.push(Tried { name, result, to, is_lasting });
    }
    tried
}

/// Replaces the name for all controls by the names of those with a default.
fn expand(known: &[Control], changes: &[Change]) -> Vec<Change> {
    let mut expanded = Vec::new();
    for (name, to) in changes {
        if name == ALL && *to == SetTo::Default {
            let resettable = known.iter().filter(|control| describe::has_default(control));
            expanded.extend(resettable.map(|control| (control.name.clone(), SetTo::Default)));
        } else {
            expanded.push((name.clone(), to.clone()));
        }
    }
    expanded
}

fn set_one(opened: &Opened, known: &[Control], name: &str, to: &SetTo) -> Result<i64, SetError> {
    let control = describe::find(known, name)
        .ok_or_else(|| SetError::Other(messages::unknown(known, name)))?;
    let (value, kind) = describe::value(control, to).map_err(SetError::Other)?;
    let set = sys::set_control(&opened.device, control.id, kind, value);
    let kept = set.map_err(|e| match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS) => SetError::Inactive(messages::inactive(automatic_of(known, control))),
        _ => SetError::Other(messages::refused(control, value, &e)),
    })?;
    // Nothing can be read back of a value such as a step of a motor.
    if control.flags.contains(&"write_only") {
        return Ok(value);
    }
    // Read the value back: a driver may round it without an error.
    Ok(sys::control(&opened.device, control.id, kind).unwrap_or(kept))
}

/// The automatic control that may override a control.
fn automatic_of<'a>(known: &'a [Control], control: &Control) -> Option<&'a Control> {
    let (_, automatic) = AUTOMATICS.iter().find(|(overridden, _)| *overridden == control.id)?;
    known.iter().find(|control| control.id == *automatic)
}
