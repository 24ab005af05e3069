//! `input_raspicam` read the camera of a Raspberry Pi through a library that newer
//! systems do not have. Their program is `rpicam-vid`, which writes JPEGs to its
//! standard output.

use super::Draft;

/// Words of the old program, each with one of the new.
type Words = &'static [(&'static str, &'static str)];

/// Values of the old program with those of the new one, where both have a word for
/// it ("rpicam-apps", Raspberry Pi documentation).
const EXPOSURES: [(&str, &str); 7] = [
    ("auto", "normal"),
    ("night", "long"),
    ("nightpreview", "long"),
    ("verylong", "long"),
    ("sports", "sport"),
    ("backlight", "normal"),
    ("spotlight", "normal"),
];
const WHITE_BALANCES: [(&str, &str); 8] = [
    ("auto", "auto"),
    ("sun", "daylight"),
    ("cloudshade", "cloudy"),
    ("cloud", "cloudy"),
    ("tungsten", "tungsten"),
    ("fluorescent", "fluorescent"),
    ("incandescent", "incandescent"),
    ("horizon", "daylight"),
];
const METERINGS: [(&str, &str); 4] =
    [("average", "average"), ("spot", "spot"), ("backlit", "centre"), ("matrix", "centre")];

/// The options with a word as value: their name, the new program's, and the words.
const MODES: [(&str, &str, Words); 3] = [
    ("ex", "exposure", &EXPOSURES),
    ("awb", "awb", &WHITE_BALANCES),
    ("mm", "metering", &METERINGS),
];

/// The command whose standard output is the camera.
pub(super) fn source(draft: &mut Draft) -> String {
    let mut command = String::from("exec:rpicam-vid -t 0 -n --codec mjpeg");
    let mut push = |option: &str, value: &str| {
        command.push_str(&format!(" --{option}"));
        if !value.is_empty() {
            command.push_str(&format!(" {value}"));
        }
    };
    // input_libcamera has both sides in one option.
    let size = draft.kept("resolution").unwrap_or("640x480").split_once('x');
    let (width, height) = size.unwrap_or(("640", "480"));
    push("width", draft.kept("width").unwrap_or(width));
    push("height", draft.kept("height").unwrap_or(height));
    push("framerate", draft.kept("fps").or(draft.kept("framerate")).unwrap_or("5"));
    push("quality", draft.kept("quality").unwrap_or("85"));
    // Numbers of -100 to 100, or 0 to 100, became factors.
    let number = |name: &str| draft.kept(name).and_then(|text| text.parse::<f64>().ok());
    for (name, option, from, scale) in [
        ("sh", "sharpness", -100.0, 100.0),
        ("co", "contrast", -100.0, 100.0),
        ("br", "brightness", 50.0, 50.0),
        ("sa", "saturation", -100.0, 100.0),
        ("ISO", "gain", 0.0, 100.0),
        ("ev", "ev", 0.0, 6.0),
    ] {
        if let Some(n) = number(name) {
            // A thousandth is finer than any of them.
            push(option, &(((n - from) / scale * 1000.0).round() / 1000.0).to_string());
        }
    }
    for (name, option, words) in MODES {
        if let Some((_, value)) = words.iter().find(|(word, _)| draft.kept(name) == Some(word)) {
            push(option, value);
        }
    }
    for (name, option) in [("camsel", "camera"), ("shutter", "shutter")] {
        if let Some(value) = number(name) {
            push(option, &value.to_string());
        }
    }
    for name in ["hf", "vf"].into_iter().filter(|name| draft.kept(name).is_some()) {
        push(if name == "hf" { "hflip" } else { "vflip" }, "");
    }
    match draft.kept("rot") {
        Some("180") => push("rotation", "180"),
        Some(degrees) if degrees != "0" => {
            let degrees = degrees.to_owned();
            draft.note(&format!("-rot {degrees}"), "rpicam-vid turns by 180 degrees only");
        }
        _ => {}
    }
    for (name, _, words) in MODES {
        let typed = draft.kept(name).map(str::to_owned);
        let unknown = typed.filter(|typed| words.iter().all(|(word, _)| word != typed));
        if let Some(unknown) = unknown {
            draft.note(&format!("-{name} {unknown}"), "rpicam-vid has no such mode");
        }
    }
    command + " -o -"
}
