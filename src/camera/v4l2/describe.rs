//! What a device says of its controls, in names and words that people type
//! and read.

use super::nodes::Opened;
use super::sys::Kind;
use super::{messages, sys};
use crate::controls::{Control, MenuItem, SetTo};

/// V4L2_CTRL_FLAG_*, but for "disabled", of which nothing is told.
const FLAGS: [(u32, &str); 10] = [
    (0x0002, "grabbed"),
    (0x0004, "read_only"),
    (0x0008, "update"),
    (0x0010, "inactive"),
    (0x0020, "slider"),
    (0x0040, "write_only"),
    (0x0080, "volatile"),
    (0x0100, "has_payload"),
    (0x0200, "execute_on_write"),
    (0x0400, "modify_layout"),
];

/// V4L2_CTRL_TYPE_*, in the words of v4l2-ctl.
fn kind(number: u32) -> &'static str {
    match number {
        1 => "int",
        2 => "bool",
        3 => "menu",
        4 => "button",
        5 => "int64",
        6 => "class",
        7 => "string",
        8 => "bitmask",
        9 => "intmenu",
        _ => "other",
    }
}

/// How values of a type travel, if they are plain numbers.
pub(super) fn plain(kind: &str) -> Option<Kind> {
    match kind {
        "int" | "bool" | "menu" | "intmenu" | "button" => Some(Kind::Signed),
        "bitmask" => Some(Kind::Unsigned),
        "int64" => Some(Kind::Long),
        _ => None,
    }
}

/// A name as people type it: "White Balance, Automatic" is
/// `white_balance_automatic`, as v4l2-ctl has it.
pub(super) fn typed(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// All controls, without their values.
pub(super) fn known(of: &Opened) -> Vec<Control> {
    name(sys::controls(&of.device))
}

/// Gives controls their names and groups.
fn name(raw: Vec<sys::Control>) -> Vec<Control> {
    let mut controls: Vec<Control> = Vec::new();
    let mut class: Option<(u32, String)> = None;
    for raw in raw {
        let kind = kind(raw.kind);
        if kind == "class" {
            // Stands before the controls of its class.
            class = Some((raw.id & CLASS, raw.label));
            continue;
        }
        let class = class.as_ref().filter(|(id, _)| *id == raw.id & CLASS);
        let mut name = typed(&raw.label);
        // A label without a letter, or one that two controls have.
        if name.is_empty() || controls.iter().any(|control| control.name == name) {
            let stem = if name.is_empty() { "control" } else { &name };
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

/// The bits of an id that tell its class.
const CLASS: u32 = 0x0FFF_0000;

/// The group of a control whose driver names none.
fn group(id: u32) -> &'static str {
    match id & CLASS {
        0x0098_0000 => "User Controls",
        0x009A_0000 => "Camera Controls",
        _ => "Other Controls",
    }
}

/// The control of a name, however it was typed.
pub(super) fn find<'a>(known: &'a [Control], name: &str) -> Option<&'a Control> {
    let name = typed(name);
    known.iter().find(|control| control.name == name)
}

/// Whether a control can be set to its default.
pub(super) fn has_default(control: &Control) -> bool {
    plain(control.kind).is_some()
        && control.kind != "button"
        && !control.flags.contains(&"read_only")
}

/// The number that a wish means for a control, and how it travels.
///
/// # Errors
/// Why it has no such value, with those that it has.
pub(super) fn value(control: &Control, wish: &SetTo) -> Result<(i64, Kind), String> {
    let Some(kind) = plain(control.kind) else {
        return Err(format!("controls of type {} cannot be set here", control.kind));
    };
    if control.flags.contains(&"read_only") {
        return Err("read only".into());
    }
    let value = match wish {
        SetTo::Default if control.kind == "button" => {
            return Err("a button has no default; send 1 to press it".into());
        }
        SetTo::Default => control.default,
        SetTo::Value(value) => *value,
        SetTo::Item(label) => {
            item(control, label).ok_or_else(|| messages::choice(control, label))?
        }
    };
    let is_there = match control.kind {
        "button" => true,
        "menu" | "intmenu" => control.menu.iter().any(|item| item.index == value),
        "bitmask" => value >= 0 && value & !control.max == 0,
        _ => (control.min..=control.max).contains(&value),
    };
    // A driver's default is its own business.
    if is_there || *wish == SetTo::Default {
        Ok((value, kind))
    } else {
        Err(messages::choice(control, &value.to_string()))
    }
}

/// The value of a menu's item, or a number in quotes.
fn item(control: &Control, label: &str) -> Option<i64> {
    let item = control.menu.iter().find(|item| item.label.eq_ignore_ascii_case(label));
    item.map(|item| item.index).or_else(|| label.parse().ok())
}

#[cfg(test)]
mod tests;
