//! `/input.json`: the camera's controls and its format in mjpg-streamer's shape,
//! in which every value is a text.

use serde_json::{Map, Value, json};

use crate::controls::{Control, FLAGS, KINDS};
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::mode::Mode;

/// The group of V4L2's own controls, which a command has to repeat.
const GROUP: &str = "1";
/// Where a command for them goes: to an input.
const DEST: &str = "0";

/// # Errors
/// 503 where the controls cannot be reached.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let capture = &request.camera.capture;
    let controls = capture.controls().map_err(|why| {
        Reply::unavailable(&format!("the camera's controls cannot be reached: {why}"))
    })?;
    let controls: Vec<_> = controls.iter().map(control).collect();
    let formats: Vec<_> = format(&capture.status().mode).into_iter().collect();
    let input = json!({ "controls": controls, "formats": formats });
    context.send(request, &Reply::json(Code::Ok, &input));
    Ok(())
}

fn control(control: &Control) -> Value {
    let kind = KINDS.iter().find(|(_, name)| *name == control.kind).map_or(0, |(n, _)| *n);
    let flags = FLAGS.iter().filter(|(_, name)| control.flags.contains(name));
    let mut object = json!({
        "name": control.label,
        "id": control.id.to_string(),
        "type": kind.to_string(),
        "min": control.min.to_string(),
        "max": control.max.to_string(),
        "step": control.step.to_string(),
        "default": control.default.to_string(),
        // A button has none.
        "value": control.value.unwrap_or(0).to_string(),
        "dest": DEST,
        "flags": flags.map(|(bit, _)| bit).sum::<u32>().to_string(),
        "group": GROUP,
    });
    if !control.menu.is_empty() {
        let items = control.menu.iter().map(|i| (i.index.to_string(), json!(i.label)));
        let mut menu = Map::new();
        items.for_each(|(index, label)| drop(menu.insert(index, label)));
        object["menu"] = menu.into();
    }
    object
}

/// The format that the camera set itself to. Others are not listed, as they
/// cannot be chosen here. `None`: it has not been opened yet, or is no device.
fn format(mode: &Mode) -> Option<Value> {
    let (name, (width, height)) = (mode.format.as_deref()?, mode.size?);
    Some(json!({
        "id": "0",
        "name": name,
        "compressed": mode.quality.is_none().to_string(),
        "emulated": "false",
        "current": "true",
        "resolutions": { "0": format!("{width}x{height}") },
        "currentResolution": "0",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::MenuItem;

    #[test]
    fn control_has_the_shape_that_mjpg_streamer_gives() {
        let item = |index, label: &str| MenuItem { index, label: label.into() };
        let exposure = Control {
            id: 10_094_849,
            name: "auto_exposure".into(),
            label: "Auto Exposure".into(),
            group: "Camera Controls".into(),
            kind: "menu",
            min: 0,
            max: 3,
            step: 1,
            default: 3,
            value: Some(1),
            menu: vec![item(1, "Manual Mode"), item(3, "Aperture Priority Mode")],
            flags: vec!["update", "inactive"],
        };
        let due = json!({
            "name": "Auto Exposure",
            "id": "10094849",
            "type": "3",
            "min": "0",
            "max": "3",
            "step": "1",
            "default": "3",
            "value": "1",
            "dest": "0",
            "flags": "24",
            "group": "1",
            "menu": { "1": "Manual Mode", "3": "Aperture Priority Mode" },
        });
        assert_eq!(control(&exposure), due);
        let button = Control { kind: "button", value: None, menu: Vec::new(), ..exposure };
        let button = control(&button);
        assert_eq!((&button["type"], &button["value"]), (&json!("4"), &json!("0")));
        assert_eq!(button.get("menu"), None);
    }

    #[test]
    fn format_is_the_one_that_is_set() {
        let mode = Mode {
            format: Some("YUYV".into()),
            size: Some((640, 480)),
            quality: Some(80),
            ..Mode::default()
        };
        let found = format(&mode).unwrap();
        assert_eq!((&found["name"], &found["compressed"]), (&json!("YUYV"), &json!("false")));
        assert_eq!(found["resolutions"]["0"], "640x480");
        assert_eq!(format(&Mode::default()), None);
    }
}
