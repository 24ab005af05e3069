use super::*;

fn raw(id: u32, label: &str, kind: u32) -> sys::Control {
    sys::Control {
        id,
        label: label.into(),
        kind,
        flags: 0,
        minimum: -64,
        maximum: 64,
        step: 1,
        default: 0,
        menu: Vec::new(),
    }
}

fn control(kind: u32) -> Control {
    name_controls(vec![raw(0x0098_0900, "X", kind)]).remove(0)
}

#[test]
fn names_are_typed_as_v4l2_ctl_has_them() {
    assert_eq!(typed_name("White Balance, Automatic"), "white_balance_automatic");
    assert_eq!(typed_name("brightness"), "brightness");
    assert_eq!(typed_name("Gain (dB)"), "gain_db");
}

#[test]
fn every_control_has_a_name_of_its_own() {
    let named = name_controls(vec![
        raw(0x0098_0001, "User Controls", 6),
        raw(0x0098_0900, "Brightness", 1),
        raw(0x009A_0901, "亮度", 1),
        raw(0x009A_0902, "", 99),
        raw(0x009A_0903, "brightness!", 1),
        raw(0x00F0_0000, "\u{FFFD}\u{FFFD}", 1),
    ]);
    let names: Vec<_> = named.iter().map(|c| (c.name.as_str(), c.group.as_str())).collect();
    assert_eq!(
        names,
        [
            ("brightness", "User Controls"),
            ("control_009a0901", "Camera Controls"),
            ("control_009a0902", "Camera Controls"),
            ("brightness_009a0903", "Camera Controls"),
            ("control_00f00000", "Other Controls"),
        ]
    );
    for control in &named {
        assert_eq!(find(&named, &control.name), Some(control));
    }
}

#[test]
fn values_that_a_control_has_not_are_refused_with_those_it_has() {
    let error = |control: &Control, to: SetTo| value(control, &to).unwrap_err();
    let int = control(1);
    assert_eq!(value(&int, &SetTo::Value(-64)), Ok((-64, Kind::Signed)));
    assert_eq!(error(&int, SetTo::Value(65)), "65 is out of range: use -64 to 64");
    assert_eq!(error(&int, SetTo::Item("high".into())), "high is out of range: use -64 to 64");
    let bool = Control { min: 0, max: 1, ..control(2) };
    assert_eq!(error(&bool, SetTo::Value(2)), "2 is neither 0 nor 1");
    let item = |index, label: &str| MenuItem { index, label: label.into() };
    let menu = vec![item(1, "Manual Mode"), item(3, "Aperture Priority Mode")];
    let menu = Control { menu, default: 3, ..control(3) };
    assert_eq!(value(&menu, &SetTo::Item("manual mode".into())), Ok((1, Kind::Signed)));
    assert_eq!(value(&menu, &SetTo::Default), Ok((3, Kind::Signed)));
    let choice = "there is no item 2; there are 1 (Manual Mode), 3 (Aperture Priority Mode)";
    assert_eq!(error(&menu, SetTo::Value(2)), choice);
    let bits = Control { min: 0, max: 0x8000_0001, ..control(8) };
    assert_eq!(value(&bits, &SetTo::Value(0x8000_0000)), Ok((0x8000_0000, Kind::Unsigned)));
    assert!(error(&bits, SetTo::Value(2)).contains("not in 2147483649"));
    assert!(error(&bits, SetTo::Value(-1)).contains("not in 2147483649"));
    assert!(error(&control(4), SetTo::Default).contains("send 1 to press"));
    assert!(error(&control(7), SetTo::Value(1)).contains("type string"));
    assert!(error(&control(77), SetTo::Value(1)).contains("type other"));
    let fixed = Control { flags: vec!["read_only"], ..control(1) };
    assert_eq!(error(&fixed, SetTo::Value(1)), "read only");
}

#[test]
fn unknown_names_are_answered_by_the_nearest_or_by_all() {
    let known = name_controls(vec![raw(1, "Brightness", 1), raw(2, "White Balance, Automatic", 2)]);
    assert!(messages::unknown(&known, "brigthness").ends_with("did you mean brightness?"));
    assert!(
        messages::unknown(&known, "zoom")
            .ends_with("there are brightness, white_balance_automatic")
    );
    assert!(messages::unknown(&[], "zoom").contains("no such control"));
}

#[test]
fn inactive_names_the_automatic_that_is_to_be_switched_off() {
    let automatic = name_controls(vec![raw(1, "Focus, Automatic", 2)]).remove(0);
    assert!(messages::inactive(Some(&automatic)).ends_with("switch focus_automatic off first"));
    let item = MenuItem { index: 1, label: "Manual Mode".into() };
    let menu = Control { menu: vec![item], ..automatic };
    assert!(
        messages::inactive(Some(&menu)).ends_with("set focus_automatic to 1 (Manual Mode) first")
    );
    assert!(messages::inactive(None).contains("another control"));
}
