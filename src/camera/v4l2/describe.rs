//! Describes a device's controls in the names and terms of v4l2-ctl, and translates
//! requested values into numbers.

use super::nodes::Opened;
use super::sys::Kind;
use super::{messages, sys};
use crate::controls::{Control, FLAGS, KINDS, MenuItem, SetTo};

/// The name of a type. Further ones are not distinguished, as none can be set here.
fn kind(number: u32) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == number).map_or("other", |(_, name)| name)
}

/// How the kernel passes values of a type, if they are plain numbers.
pub(super) fn value_kind(kind: &str) -> Option<Kind> {
    match kind {
        // The other types have values of many bytes, such as texts and matrices, which no one
        // number sets.
        "int" | "bool" | "menu" | "intmenu" | "button" => Some(Kind::Signed),
        "bitmask" => Some(Kind::Unsigned),
        "int64" => Some(Kind::Long),
        _ => None,
    }
}

/// A name as people type it, by v4l2-ctl's rule: "White Balance, Automatic" becomes
/// `white_balance_automatic`.
pub(super) fn typed_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// All controls, without their values.
pub(super) fn all(opened: &Opened) -> Vec<Control> {
    name_controls(sys::controls(&opened.device))
}

/// Gives controls their names and groups.
fn name_controls(raw: Vec<sys::Control>) -> Vec<Control> {
    let mut controls: Vec<Control> = Vec::new();
    let mut class: Option<(u32, String)> = None;
    for raw in raw {
        let kind = kind(raw.kind);
        if kind == "class" {
            // The kernel lists a class before its controls.
            class = Some((raw.id & CLASS, raw.label));
            continue;
        }
        let class = class.as_ref().filter(|(id, _)| *id == raw.id & CLASS);
        let mut name = typed_name(&raw.label);
        // Names must be unique, but labels may be equal, or have no ASCII letter.
        if name.is_empty() || controls.iter().any(|control| control.name == name) {
            let stem = if name.is_empty() { "control" } else { &name };
            // The id stays the same over restarts and kernels, which a running number would
            // not.
            name = format!("{stem}_{:08x}", raw.id);
        }
        let flags = FLAGS.iter().filter(|(bit, _)| raw.flags & bit != 0);
        let item = |(index, label)| MenuItem { index: i64::from(index), label };
        controls.push(Control {
            id: raw.id,
            name,
            group: class.map_or_else(|| group(raw.id).into(), |(_, label)| label.clone()),
            label: raw.label,
            kind,
            min: raw.minimum,
            max: raw.maximum,
            step: raw.step,
            default: raw.default,
            value: None,
            menu: raw.menu.into_iter().map(item).collect(),
            flags: flags.map(|(_, name)| *name).collect(),
        });
    }
    controls
}

/// The bits of an id that hold its class.
const CLASS: u32 = 0x0FFF_0000;

/// The group of a control whose driver lists no class for it.
fn group(id: u32) -> &'static str {
    match id & CLASS {
        0x0098_0000 => "User Controls",
        0x009A_0000 => "Camera Controls",
        _ => "Other Controls",
    }
}

/// The control with a name, in any spelling that [`typed_name`] maps to it.
pub(super) fn find<'a>(known: &'a [Control], name: &str) -> Option<&'a Control> {
    let name = typed_name(name);
    known.iter().find(|control| control.name == name)
}

/// Whether a control can be set to its default.
pub(super) fn has_default(control: &Control) -> bool {
    value_kind(control.kind).is_some()
        && control.kind != "button"
        && !control.flags.contains(&"read_only")
}

/// The number to set a control to, and how the kernel passes it.
///
/// # Errors
/// Why the control does not have this value, and which values it has.
pub(super) fn value(control: &Control, to: &SetTo) -> Result<(i64, Kind), String> {
    let Some(kind) = value_kind(control.kind) else {
        return Err(format!("controls of type {} cannot be set here", control.kind));
    };
    if control.flags.contains(&"read_only") {
        return Err("read only".into());
    }
    let value = match to {
        SetTo::Default if control.kind == "button" => {
            return Err("a button has no default; send 1 to press it".into());
        }
        SetTo::Default => control.default,
        SetTo::Value(value) => *value,
        SetTo::Item(label) => {
            item(control, label).ok_or_else(|| messages::choice(control, label))?
        }
    };
    let is_valid = match control.kind {
        "button" => true,
        "menu" | "intmenu" => control.menu.iter().any(|item| item.index == value),
        "bitmask" => value >= 0 && value & !control.max == 0,
        _ => (control.min..=control.max).contains(&value),
    };
    // Some drivers report a default outside their own range; they still accept it.
    if is_valid || *to == SetTo::Default {
        Ok((value, kind))
    } else {
        Err(messages::choice(control, &value.to_string()))
    }
}

/// The value of a menu item, or a number that was sent as text.
fn item(control: &Control, label: &str) -> Option<i64> {
    let item = control.menu.iter().find(|item| item.label.eq_ignore_ascii_case(label));
    item.map(|item| item.index).or_else(|| label.parse().ok())
}

#[cfg(test)]
mod tests;
