//! The controls on the page, in a real browser: the page sets the device, and shows the values that the device has.

use crate::machine::{Machine, machine};
use crate::support::{Browser, eventually_is};
use crate::tests::daemon::start;
use crate::tests::helpers::usb::Webcam;
use serde_json::{Value, json};

/// The row of a control, and its parts.
struct Row<'b>(&'b Browser, &'static str);

impl Row<'_> {
    /// Evaluates a JavaScript expression that may use `row`, `slider`, `field` and `error`.
    fn run(&self, expression: &str) -> Value {
        self.0.run(&format!(
            "const row = document.querySelector('[data-name={}]');
            if (!row) return null;
            const part = (selector) => row.querySelector(selector);
            const slider = part('[type=range]'), error = part('.error');
            const field = part('select, [type=number], [type=checkbox]');
            return ({expression});",
            self.1
        ))
    }

    fn is(&self, expression: &str, due: &Value) {
        eventually_is(&format!("{} of {} is {due}", expression, self.1), || {
            self.run(expression) == *due
        });
    }

    /// Enters a value into its field or menu, as with a keyboard.
    fn put(&self, value: &str) {
        self.run(&format!("field.value = '{value}', field.dispatchEvent(new Event('change'))"));
    }

    fn press(&self, key: &str, code: u32) {
        self.run("slider.focus()");
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.0.devtools("Input.dispatchKeyEvent", &event);
        }
    }
}

fn open(machine: &Machine) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("http://{}/", machine.service));
    let is_shown = "return !document.getElementById('controls').hidden";
    eventually_is("the controls are shown", || browser.run(is_shown) == true);
    browser.run("document.querySelector('#controls details').open = true");
    browser
}

#[test]
fn slider_field_and_menu_set_the_camera_and_show_what_it_kept() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let options = format!("--camera v4l2:{} --resolution 640x480 --fps 5", webcam.link());
    let _server = start(&machine, &options);
    let browser = open(&machine);
    let row = |name| Row(&browser, name);
    let seen = |control: &str, due: &str| {
        eventually_is(&format!("{control} is {due}"), || {
            machine.sh(&format!("v4l2-ctl -d {device} -C {control}")) == format!("{control}: {due}")
        });
    };

    row("brightness").is("field.value", &json!("0"));
    row("brightness").press("ArrowRight", 39);
    seen("brightness", "1");
    row("brightness").is("field.value", &json!("1"));

    // The device rounds to even numbers.
    row("saturation").put("51");
    row("saturation").is("field.value", &json!("52"));
    row("saturation").is("slider.value", &json!("52"));
    seen("saturation", "52");

    row("contrast").put("1000");
    row("contrast").is("error.textContent", &json!("1000 is out of range: use 0 to 95"));
    row("contrast").is("field.getAttribute('aria-invalid')", &json!("true"));
    row("contrast").is("field.value", &json!("32"));
    row("contrast").put("40");
    row("contrast").is("error.textContent", &json!(""));
    seen("contrast", "40");

    // An automatic control locks another control until it is switched off.
    row("exposure_time_absolute").is("slider.disabled && field.disabled", &json!(true));
    row("auto_exposure").put("1");
    row("exposure_time_absolute").is("slider.disabled || field.disabled", &json!(false));
    row("white_balance_temperature").is("field.disabled", &json!(true));
    row("white_balance_automatic").run("field.click()");
    row("white_balance_temperature").is("field.disabled", &json!(false));
    seen("white_balance_automatic", "0");

    row("saturation").is("part('.reset').disabled", &json!(false));
    row("saturation").run("part('.reset').click()");
    row("saturation").is("field.value", &json!("64"));
    row("saturation").is("part('.reset').disabled", &json!(true));
    browser.run("document.getElementById('controls-reset').click()");
    seen("brightness", "0");
    row("white_balance_automatic").is("field.checked", &json!(true));
    row("white_balance_temperature").is("field.disabled", &json!(true));

    // After an unplug, the page shows the error.
    webcam.unplug();
    row("brightness").put("5");
    eventually_is("the page says that the camera is away", || {
        let said = browser.text("controls-trouble");
        said.contains("unplugged") || said.contains("is gone")
    });
}

#[test]
fn every_control_can_be_found_by_ear_and_fits_a_phone() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let _server =
        start(&machine, &format!("--camera v4l2:{} --resolution 640x480 --fps 5", webcam.link()));
    let browser = open(&machine);
    Row(&browser, "brightness").is("field.value", &json!("0"));
    let nameless = "return [...document.querySelectorAll('#controls input, #controls select, #controls button')]
        .filter((one) => !(one.labels && one.labels.length) && !one.textContent.trim()
            && !one.getAttribute('aria-label') && !document.getElementById(one.getAttribute('aria-labelledby')))
        .map((one) => one.outerHTML)";
    assert_eq!(browser.run(nameless), json!([]));
    let resets = "return [...document.querySelectorAll('.reset')].map((one) => one.getAttribute('aria-label'))";
    assert!(browser.run(resets).as_array().unwrap().contains(&json!("Reset Brightness")));
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        &json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true }),
    );
    let widths =
        browser.run("const e = document.documentElement; return [e.scrollWidth, e.clientWidth]");
    assert!(widths[0].as_i64() <= widths[1].as_i64(), "{widths}");
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
}
