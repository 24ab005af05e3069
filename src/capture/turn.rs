//! How pictures are turned, as controls beside those of the device.

use crate::config::{Flip, Rotate, Turn};
use crate::controls::{ALL, Change, ChangeResult, Control, MenuItem, SetTo};
use crate::jpeg::{ExifOrientation, Orientation};

/// The numbers of the two controls, for clients that name a control by its
/// number. V4L2's classes begin at 0x00980000 and end before these.
const ROTATE_ID: u32 = 0x0900_0001;
const FLIP_ID: u32 = 0x0900_0002;
/// Names that no driver has: some have a `rotate` of their own, which acts on the sensor.
const ROTATE: &str = "picture_rotate";
const FLIP: &str = "picture_flip";

/// The values of a menu: number, label, meaning. Those of the first are degrees, so
/// that 90 means what people expect.
const ROTATIONS: [(i64, &str, Rotate); 5] = [
    (0, "0", Rotate::None),
    (1, "exif", Rotate::Exif),
    (90, "90", Rotate::By90),
    (180, "180", Rotate::By180),
    (270, "270", Rotate::By270),
];
const FLIPS: [(i64, &str, Flip); 4] = [
    (0, "none", Flip::None),
    (1, "horizontal", Flip::Horizontal),
    (2, "vertical", Flip::Vertical),
    (3, "both", Flip::Both),
];

/// How the coefficients of a picture are moved so that it lies as it should. What
/// its EXIF says is always done, because the result says nothing there any more.
pub(super) fn orientation(turn: Turn, exif: Option<ExifOrientation>) -> Orientation {
    let upright = exif.and_then(|exif| Orientation::from_exif(exif.number())).unwrap_or_default();
    let rotated = match turn.rotate {
        Rotate::None | Rotate::Exif => upright,
        Rotate::By90 => upright.then(Orientation::ROTATE_90),
        Rotate::By180 => upright.then(Orientation::ROTATE_180),
        Rotate::By270 => upright.then(Orientation::ROTATE_270),
    };
    match turn.flip {
        Flip::None => rotated,
        Flip::Horizontal => rotated.then(Orientation::FLIP_HORIZONTAL),
        Flip::Vertical => rotated.then(Orientation::FLIP_VERTICAL),
        Flip::Both => rotated.then(Orientation::ROTATE_180),
    }
}

/// Both controls; `default` is what the options say.
pub(super) fn controls(now: Turn, default: Turn) -> [Control; 2] {
    [
        menu((ROTATE_ID, ROTATE, "Rotate"), &ROTATIONS, now.rotate, default.rotate),
        menu((FLIP_ID, FLIP, "Flip"), &FLIPS, now.flip, default.flip),
    ]
}

/// Takes the changes of these two out of `changes`, does them, and returns their
/// results.
pub(super) fn set(changes: &mut Vec<Change>, now: &mut Turn, default: Turn) -> Vec<ChangeResult> {
    let mut results = Vec::new();
    changes.retain(|(name, set_to)| {
        let result = match name.as_str() {
            ROTATE => choose(&ROTATIONS, set_to, &mut now.rotate, default.rotate),
            FLIP => choose(&FLIPS, set_to, &mut now.flip, default.flip),
            ALL => {
                *now = default;
                return true;
            }
            _ => return true,
        };
        results.push((name.clone(), result));
        false
    });
    results
}

/// The results of changes where the device has no controls at all.
pub(super) fn without_device(changes: &[Change]) -> Vec<ChangeResult> {
    let unknown = |name: &str| format!("there is no control {name}; there are {ROTATE}, {FLIP}");
    let names = changes.iter().map(|(name, _)| name).filter(|name| *name != ALL);
    names.map(|name| (name.clone(), Err(unknown(name)))).collect()
}

fn menu<T: Copy + PartialEq>(
    (id, name, label): (u32, &str, &str),
    items: &[(i64, &str, T)],
    now: T,
    default: T,
) -> Control {
    let number = |of: T| items.iter().find(|(.., item)| *item == of).map_or(0, |(n, ..)| *n);
    let item =
        |(index, label, _): &(i64, &str, T)| MenuItem { index: *index, label: (*label).to_owned() };
    Control {
        id,
        name: name.into(),
        label: label.into(),
        group: "Picture".into(),
        kind: "menu",
        min: 0,
        max: items.last().map_or(0, |(n, ..)| *n),
        step: 1,
        default: number(default),
        value: Some(number(now)),
        menu: items.iter().map(item).collect(),
        flags: Vec::new(),
    }
}

/// Sets a control to one of its items, and returns the number of this item.
fn choose<T: Copy + PartialEq>(
    items: &[(i64, &str, T)],
    set_to: &SetTo,
    now: &mut T,
    default: T,
) -> Result<i64, String> {
    let is_meant = |(number, label, item): &&(i64, &str, T)| match set_to {
        SetTo::Value(value) => value == number,
        SetTo::Item(text) => text == label,
        SetTo::Default => *item == default,
    };
    let Some((number, _, item)) = items.iter().find(is_meant) else {
        let labels: Vec<_> = items.iter().map(|(_, label, _)| *label).collect();
        return Err(format!("use one of {}", labels.join(", ")));
    };
    *now = *item;
    Ok(*number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Turn = Turn { rotate: Rotate::By90, flip: Flip::None };

    #[test]
    fn both_options_together_give_all_eight_orientations() {
        let mut seen = Vec::new();
        for (.., rotate) in ROTATIONS {
            for (.., flip) in FLIPS {
                let one = orientation(Turn { rotate, flip }, None);
                if !seen.contains(&one) {
                    seen.push(one);
                }
            }
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn what_exif_says_is_done_before() {
        let exif = ExifOrientation::new(6);
        let by_exif = Turn { rotate: Rotate::Exif, flip: Flip::None };
        assert_eq!(orientation(by_exif, exif), Orientation::ROTATE_90);
        assert_eq!(orientation(by_exif, None), Orientation::IDENTITY);
        assert_eq!(orientation(QUARTER, exif), Orientation::ROTATE_180);
    }

    #[test]
    fn controls_are_set_by_number_label_and_default() {
        let mut now = QUARTER;
        let mut set_one = |name: &str, to: SetTo| {
            let mut changes = vec![(name.to_owned(), to), ("brightness".into(), SetTo::Value(1))];
            let results = set(&mut changes, &mut now, QUARTER);
            assert_eq!(changes.len(), 1, "the device gets its own");
            (results[0].1.clone(), now)
        };
        let upside_down = Turn { rotate: Rotate::By180, ..QUARTER };
        assert_eq!(set_one(ROTATE, SetTo::Value(180)), (Ok(180), upside_down));
        assert_eq!(set_one(ROTATE, SetTo::Item("90".into())), (Ok(90), QUARTER));
        let flipped = Turn { flip: Flip::Vertical, ..QUARTER };
        assert_eq!(set_one(FLIP, SetTo::Item("vertical".into())), (Ok(2), flipped));
        assert_eq!(set_one(FLIP, SetTo::Default), (Ok(0), QUARTER));
        let (wrong, _) = set_one(ROTATE, SetTo::Value(45));
        assert_eq!(wrong, Err("use one of 0, exif, 90, 180, 270".into()));
        assert_eq!(controls(now, QUARTER)[0].value, Some(90));
    }

    #[test]
    fn all_defaults_are_those_of_the_options() {
        let mut now = Turn::default();
        let mut changes = vec![(ALL.to_owned(), SetTo::Default)];
        assert!(set(&mut changes, &mut now, QUARTER).is_empty());
        assert_eq!((now, changes.len()), (QUARTER, 1));
    }
}
