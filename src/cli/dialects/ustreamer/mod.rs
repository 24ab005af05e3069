//! The command line of uStreamer 6.62, whose options are facts of its `--help`.

mod options;

use super::draft::{Draft, TYPED_PASSWORD, bind, translate};
use super::getopt::{self, Style};
#[cfg(test)]
use super::guide;
use super::table::Print;
use super::{Dialect, Meant, help};
use options::ROWS;

/// Scripts compare it, to find out which options there are.
const VERSION: &str = "6.62";
/// The sections that `--features` lists, and whether they are here. Scripts look
/// for them by name.
const FEATURES: [(&str, bool); 8] = [
    ("WITH_PYTHON", false),
    ("WITH_JANUS", false),
    ("WITH_V4P", false),
    ("WITH_GPIO", false),
    ("WITH_SYSTEMD", false),
    ("WITH_PTHREAD_NP", true),
    ("WITH_SETPROCTITLE", false),
    ("HAS_PDEATHSIG", true),
];
/// Controls that `--image-default` sets back.
const IMAGE_CONTROLS: [&str; 14] = [
    "brightness",
    "contrast",
    "saturation",
    "hue",
    "gamma",
    "sharpness",
    "backlight_compensation",
    "white_balance_automatic",
    "white_balance_temperature",
    "gain",
    "color_effects",
    "rotate",
    "vertical_flip",
    "horizontal_flip",
];

/// uStreamer.
pub(super) const DIALECT: Dialect = Dialect {
    program: "ustreamer",
    names: &["ustreamer", "ustreamer.bin"],
    read,
    #[cfg(test)]
    table: || guide::table(ROWS, "--"),
};

#[cfg(test)]
pub(super) fn rows() -> &'static [super::table::Row] {
    ROWS
}

fn read(words: &[String]) -> Result<Meant, String> {
    let mut draft = Draft::new(getopt::parse(words, ROWS, Style::Long)?, "--")?;
    match draft.print {
        Some(Print::Version) => return Ok(Meant::Print(format!("{VERSION}\n"))),
        Some(Print::Features) => return Ok(Meant::Print(features())),
        Some(Print::Help) => {
            let intro = "Takes the command line of uStreamer 6.62 and serves as mjpegd.\n";
            return Ok(Meant::Print(intro.to_owned() + &help::options(ROWS, "--")));
        }
        None => {}
    }
    set_camera(&mut draft);
    set_listener(&mut draft)?;
    set_page(&mut draft);
    let device = draft.kept("device").unwrap_or("/dev/video0");
    let camera = (format!("v4l2:{device}"), std::mem::take(&mut draft.camera));
    let server = std::mem::take(&mut draft.server);
    let users = users(&draft);
    if !users.is_empty() {
        draft.note("--passwd", TYPED_PASSWORD);
    }
    let mut translated = translate(server, vec![camera], users);
    // Programs that were made for uStreamer take any error of a snapshot for a
    // server that is not there.
    translated.defaults.push(("lost-snapshot", "picture".into()));
    let is_debug = draft.kept("log-level") == Some("3") || draft.kept("debug").is_some();
    Ok(Meant::Serve {
        log_level: is_debug.then_some("debug"),
        ends_with_parent: draft.kept("exit-on-parent-death").is_some(),
        is_in_background: false,
        notes: draft.notes,
        translated,
    })
}

fn features() -> String {
    FEATURES
        .iter()
        .map(|(name, has)| format!("{} {name}\n", if *has { '+' } else { '-' }))
        .collect()
}

fn set_camera(draft: &mut Draft) {
    draft.set_size();
    // 0 stands for the highest rate that there is.
    if let Some(fps) = draft.kept("desired-fps").filter(|fps| *fps != "0").map(str::to_owned) {
        draft.camera.push(("fps", fps));
    }
    if let Some(format) = draft.kept("format").map(str::to_owned) {
        let format = match (&*format, draft.kept("format-swap-rgb")) {
            ("RGB24", Some(_)) => "BGR24".into(),
            ("BGR24", Some(_)) => "RGB24".into(),
            _ => format,
        };
        draft.camera.push(("format", format));
    }
    if draft.kept("image-default").is_some() {
        let is_set = |draft: &Draft, control: &str| {
            let name = |text: &str| text.split('=').next() == Some(control);
            draft.camera.iter().any(|(key, text)| *key == "control" && name(text))
        };
        for control in IMAGE_CONTROLS {
            if !is_set(draft, control) {
                draft.set_control(control, "default");
            }
        }
    }
    if let Some(value) = draft.kept("white-balance").map(str::to_owned) {
        // A fixed value holds only while the automatic is off.
        let automatic = match &*value {
            "auto" => "1",
            "default" => "default",
            _ => "0",
        };
        draft.set_control("white_balance_automatic", automatic);
        if value != "auto" {
            draft.set_control("white_balance_temperature", &value);
        }
    }
}

fn set_listener(draft: &mut Draft) -> Result<(), String> {
    if let Some(path) = draft.kept("unix").filter(|path| !path.is_empty()) {
        // A socket takes the place of the port, as it does there.
        let path = format!("unix:{path}");
        draft.server.push(("bind", path));
        if let Some(mode) = draft.kept("unix-mode").map(str::to_owned) {
            draft.server.push(("unix-mode", mode));
        }
    } else {
        let host = draft.kept("host").unwrap_or("127.0.0.1");
        // A variable of a script that is not set must not open it to the network.
        if host.is_empty() {
            return Err("--host: the address is empty; use 127.0.0.1 or 0.0.0.0".into());
        }
        let address = bind(host, draft.kept("port").unwrap_or("8080"));
        draft.server.push(("bind", address));
    }
    Ok(())
}

fn set_page(draft: &mut Draft) {
    if let Some(dir) = draft.kept("static").map(str::to_owned) {
        super::set_page(draft, "--static", dir);
    }
    if let Some(origin) = draft.kept("allow-origin").filter(|o| !o.is_empty()).map(str::to_owned) {
        if origin == "*" || origin.contains("://") {
            draft.server.push(("allow-origin", origin));
        } else {
            let why = "no browser names its origin so; use * or one such as http://printer.local";
            draft.note(&format!("--allow-origin {origin}"), why);
        }
    }
    if let Some(seconds) = draft.kept("server-timeout").map(str::to_owned) {
        draft.server.push(("head-timeout", seconds.clone()));
        draft.server.push(("write-timeout", seconds));
    }
}

/// The one user; without a name there is no login, as there.
fn users(draft: &Draft) -> Vec<(String, String)> {
    let user = draft.kept("user").filter(|user| !user.is_empty());
    let password = draft.kept("passwd").unwrap_or_default();
    user.map(|user| (user.to_owned(), password.to_owned())).into_iter().collect()
}
