//! Controls through mjpegd: POSTed values are set in the device, and replies have the values of the device.

use crate::machine::{Machine, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::capture::{DEADLINE, Request};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{Viewer, camera_that, control, get, lost, post, set};
use crate::tests::helpers::vivid::Vivid;
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

/// The value of a control that v4l2-ctl reads.
fn seen(machine: &Machine, device: &str, control: &str) -> String {
    let line = machine.sh(&format!("v4l2-ctl -d {device} -C {control}"));
    line.split_once(": ").map(|(_, value)| value.to_string()).unwrap_or(line)
}

fn error(of: &Value) -> &str {
    of["error"].as_str().unwrap_or_else(|| panic!("no error in {of}"))
}

fn idle(machine: &Machine) {
    camera_that(machine, "an idle camera", |camera| camera["state"] == "idle");
}

#[test]
fn what_is_posted_is_in_the_device_and_the_other_way_round() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let options = format!("--camera v4l2:{} --idle-timeout 1s --resolution 640x480", webcam.link());
    let _server = start(&machine, &options);

    // While nobody watches, the device is opened for the request only.
    assert_eq!(post(&machine, &json!({"brightness": 10})).0, 200);
    assert_eq!(seen(&machine, &device, "brightness"), "10");
    assert!(machine.holders(&device).is_empty(), "open though nobody watches");
    machine.sh(&format!("v4l2-ctl -d {device} -c brightness=-7"));
    let brightness = control(&machine, "brightness");
    for (key, value) in [
        ("label", json!("Brightness")),
        ("type", json!("int")),
        ("min", json!(-64)),
        ("max", json!(64)),
        ("step", json!(1)),
        ("default", json!(0)),
        ("value", json!(-7)),
    ] {
        assert_eq!(brightness[key], value, "{key} of {brightness}");
    }

    // While it streams.
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    let kept = set(
        &machine,
        &json!({"contrast": 40, "saturation": 51, "Focus, Automatic Continuous": false}),
    );
    assert_eq!(kept["contrast"]["value"], 40);
    assert_eq!(kept["saturation"]["value"], 52, "the device rounds: {kept}");
    assert_eq!(seen(&machine, &device, "saturation"), "52");
    viewer.next();
}

#[test]
fn command_of_mjpg_streamer_sets_the_control_of_its_number() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let options = format!("--camera v4l2:{} --resolution 640x480", webcam.link());
    let _server = start(&machine, &options);
    let read = |path: &str| serde_json::from_slice::<Value>(&get(&machine, path)).unwrap();
    let input = read("/input_0.json");
    let controls = input["controls"].as_array().unwrap();
    let of_id = |id: &str| controls.iter().find(|control| control["id"] == id).unwrap();
    let brightness = of_id("9963776");
    for (key, value) in [("name", "Brightness"), ("type", "1"), ("min", "-64"), ("max", "64")] {
        assert_eq!(brightness[key], value, "{key} of {brightness}");
    }
    let exposure = of_id("10094849");
    assert_eq!((&exposure["type"], &exposure["menu"]["1"]), (&json!("3"), &json!("Manual Mode")));
    let command = |id: &str, value: &str| {
        let path = format!("/?action=command&dest=0&plugin=0&id={id}&group=1&value={value}");
        String::from_utf8(get(&machine, &path)).unwrap()
    };
    assert_eq!(command("9963776", "-7"), "brightness: -7\n");
    assert_eq!(seen(&machine, &device, "brightness"), "-7");
    assert!(command("9963776", "65").contains("use -64 to 64"));
    assert!(command("1", "1").contains("there is no control 1"));
    assert_eq!(seen(&machine, &device, "brightness"), "-7");
    let _viewer = Viewer::open(&machine);
    camera_that(&machine, "a live camera", |camera| camera["state"] == "live");
    assert_eq!(read("/input.json")["formats"][0]["resolutions"]["0"], "640x480");
    assert_eq!(read("/state")["result"]["encoder"], json!({ "type": "HW", "quality": 0 }));
}

#[test]
fn order_of_automatics_does_not_matter_and_inactive_ones_say_what_holds_them() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let _server = start(&machine, &format!("--camera v4l2:{}", webcam.link()));
    let held =
        set(&machine, &json!({"exposure_time_absolute": 300, "white_balance_temperature": 5000}));
    assert!(
        error(&held["exposure_time_absolute"])
            .contains("set auto_exposure to 1 (Manual Mode) first"),
        "{held}"
    );
    assert!(
        error(&held["white_balance_temperature"])
            .contains("switch white_balance_automatic off first"),
        "{held}"
    );
    let flags = |name| control(&machine, name)["flags"].clone();
    assert!(flags("exposure_time_absolute").as_array().unwrap().contains(&json!("inactive")));
    let kept =
        set(&machine, &json!({"exposure_time_absolute": 300, "auto_exposure": "Manual Mode"}));
    assert_eq!(
        (&kept["exposure_time_absolute"]["value"], &kept["auto_exposure"]["value"]),
        (&json!(300), &json!(1)),
        "{kept}"
    );
    assert_eq!(seen(&machine, &device, "exposure_time_absolute"), "300");
    assert!(!flags("exposure_time_absolute").as_array().unwrap().contains(&json!("inactive")));
}

#[test]
fn values_and_names_that_are_none_are_answered_one_by_one() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let _server = start(&machine, &format!("--camera v4l2:{}", webcam.link()));
    let changes = json!({"brightnes": 1, "brightness": 65, "auto_exposure": 2, "contrast": 33, "saturation": [1]});
    let (code, body) = post(&machine, &changes);
    assert_eq!(code, 400, "{body}");
    let ends: Value = serde_json::from_str(&body).unwrap();
    let ends = &ends["controls"];
    assert!(error(&ends["brightnes"]).contains("did you mean brightness?"), "{ends}");
    assert!(error(&ends["brightness"]).contains("out of range: use -64 to 64"), "{ends}");
    assert!(error(&ends["auto_exposure"]).contains("there are 1 (Manual Mode), 3 ("), "{ends}");
    assert!(error(&ends["saturation"]).contains("use a whole number"), "{ends}");
    assert_eq!(ends["contrast"]["value"], 33, "one that is right is set all the same");
    assert_eq!(seen(&machine, &device, "contrast,brightness"), "33\nbrightness: 0");
    webcam.set_mode("refuse");
    let refused = set(&machine, &json!({"contrast": 20}));
    assert!(error(&refused["contrast"]).contains("the device refused it"), "{refused}");
}

#[test]
fn defaults_come_back_one_by_one_and_all_at_once() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let options = "--control brightness=20 --idle-timeout 1s --resolution 640x480";
    let _server = start(&machine, &format!("--camera v4l2:{} {options}", webcam.link()));
    Viewer::open(&machine).next();
    assert_eq!(seen(&machine, &device, "brightness"), "20");
    let kept = set(&machine, &json!({"brightness": null, "contrast": 90}));
    assert_eq!(kept["brightness"]["value"], 0);
    idle(&machine);
    // Values from the command line are not set again.
    Viewer::open(&machine).next();
    assert_eq!(seen(&machine, &device, "brightness,contrast"), "0\ncontrast: 90");
    set(&machine, &json!({"auto_exposure": 1}));
    let (code, body) = post(&machine, &json!({"*": "default"}));
    assert_eq!(code, 200, "{body}");
    assert_eq!(
        seen(&machine, &device, "contrast,auto_exposure"),
        "32\nauto_exposure: 3 (Aperture Priority Mode)"
    );
    idle(&machine);
    Viewer::open(&machine).next();
    assert_eq!(seen(&machine, &device, "brightness,contrast"), "0\ncontrast: 32");
}

#[test]
fn settings_outlive_closing_and_loss() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera v4l2:{} --idle-timeout 1s --resolution 640x480", webcam.link());
    let _server = start(&machine, &options);
    let changes = json!({"exposure_time_absolute": 300, "auto_exposure": 1, "brightness": 12});
    assert_eq!(post(&machine, &changes).0, 200);
    let due = "12\nexposure_time_absolute: 300";
    let now =
        |webcam: &Webcam| seen(&machine, &webcam.device(), "brightness,exposure_time_absolute");
    // Another program changes them while the camera is off.
    machine.sh(&format!("v4l2-ctl -d {} -c brightness=3", webcam.device()));
    Viewer::open(&machine).next();
    assert_eq!(now(&webcam), due);
    idle(&machine);

    let before = webcam.device();
    webcam.unplug();
    let (code, why) = post(&machine, &json!({"brightness": 1}));
    assert_eq!(code, 503, "{why}");
    assert!(why.contains("unplugged") || why.contains("no such device"), "{why}");
    // The device comes back with another number and with all controls at their defaults.
    let (_other, webcam) =
        (Webcam::plug_in(&machine, 1, "0002"), Webcam::plug_in(&machine, 0, "0001"));
    assert_ne!(webcam.device(), before);
    assert_ne!(now(&webcam), due);
    Viewer::open(&machine).next();
    assert_eq!(now(&webcam), due);
}

#[test]
fn settings_come_back_while_somebody_watches_through_a_loss() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _server = start(&machine, &format!("--camera {} --resolution 640x480", webcam.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    assert_eq!(post(&machine, &json!({"contrast": 77})).0, 200);
    webcam.unplug();
    lost(&machine, "");
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    viewer.next();
    assert_eq!(seen(&machine, &webcam.device(), "contrast"), "77");
}

#[test]
fn what_is_posted_while_the_camera_is_opened_stays() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = "--control brightness=13 --resolution 640x480";
    let _server = start(&machine, &format!("--camera v4l2:{} {options}", webcam.link()));
    webcam.set_mode("slow");
    let changes = json!({"brightness": 40, "contrast": 50, "saturation": 60});
    thread::scope(|scope| {
        let posted = scope.spawn(|| post(&machine, &changes));
        let is_first_set = format!("grep 'set brightness 40' {}", webcam.log_file());
        machine.wait_for("the first control", DEADLINE, &is_first_set);
        // The device already has the new value while the request still runs.
        let mut viewer = Viewer::open(&machine);
        let rest = format!("sed -n '/set brightness 40/,$p' {}", webcam.log_file());
        machine.wait_for("the opening", DEADLINE, &format!("{rest} | grep probe"));
        // Time for an opening that does not wait for the request to set its own values.
        thread::sleep(Duration::from_millis(500));
        webcam.set_mode("normal");
        assert_eq!(posted.join().unwrap().0, 200);
        viewer.next();
    });
    let log = webcam.log();
    // The host probes when the opening sets the format. The opening must have waited for the request, and then set
    // what the request asked for.
    let (_, after_first_set) = log.split_once("set brightness 40").unwrap();
    let (during_request, after_request) = after_first_set.split_once("set saturation 60").unwrap();
    assert!(during_request.contains("probe"), "the opening came too late for this test: {log}");
    assert!(after_request.contains("set brightness 40"), "{log}");
    assert!(!log.contains("set brightness 13"), "{log}");
    assert_eq!(seen(&machine, &webcam.device(), "brightness"), "40");
}

#[test]
fn controls_work_while_another_program_has_the_pictures() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let other = Request::holder(webcam.link()).start(&machine);
    let _server = start(&machine, &format!("--camera v4l2:{}", webcam.link()));
    assert_eq!(set(&machine, &json!({"contrast": 55}))["contrast"]["value"], 55);
    assert_eq!(seen(&machine, &webcam.device(), "contrast"), "55");
    drop(other);
}

#[test]
fn controls_of_every_type_are_told_and_those_of_numbers_set() {
    let machine = machine();
    let vivid = Vivid::single_planar(&machine);
    let device = vivid.device();
    let _server = start(&machine, &format!("--camera {device}"));
    let list = String::from_utf8(get(&machine, "/controls")).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let list = list["controls"].as_array().unwrap();
    for kind in ["int", "bool", "menu", "intmenu", "button", "int64", "bitmask", "string"] {
        let found = list.iter().find(|control| control["type"] == kind);
        let control = found.unwrap_or_else(|| panic!("no {kind} in {list:?}"));
        let is_number = !["button", "string"].contains(&kind);
        assert_eq!(control["value"].is_i64(), is_number, "{control}");
    }
    let groups: std::collections::BTreeSet<_> =
        list.iter().map(|c| c["group"].as_str().unwrap()).collect();
    assert!(groups.contains("User Controls") && groups.len() > 1, "{groups:?}");
    let of = |kind: &str| {
        list.iter().find(|c| c["type"] == kind).unwrap()["name"].as_str().unwrap().to_owned()
    };
    let kept = set(
        &machine,
        &json!({
            of("int64"): -5, of("bitmask"): 0x8000_0000_u32, of("intmenu"): 3, of("button"): 1, of("string"): 1,
        }),
    );
    assert_eq!(kept[of("int64")]["value"], -5, "{kept}");
    assert_eq!(kept[of("bitmask")]["value"], 0x8000_0000_u32, "{kept}");
    assert_eq!(kept[of("intmenu")]["value"], 3, "{kept}");
    assert_eq!(kept[of("button")]["value"], 1, "{kept}");
    assert!(error(&kept[of("string")]).contains("type string"), "{kept}");
    let read_only =
        list.iter().find(|c| c["flags"].as_array().unwrap().contains(&json!("read_only")));
    if let Some(name) = read_only.map(|control| control["name"].as_str().unwrap()) {
        assert_eq!(error(&set(&machine, &json!({ name: 1 }))[name]), "read only");
    }
    let defaults: serde_json::Map<_, _> = [of("int64"), of("bitmask"), of("intmenu")]
        .into_iter()
        .map(|name| (name, Value::Null))
        .collect();
    assert_eq!(post(&machine, &Value::Object(defaults)).0, 200);
}
