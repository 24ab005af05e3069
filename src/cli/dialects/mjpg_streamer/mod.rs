//! The command line of mjpg-streamer: inputs and outputs, each with the options of
//! its plugin in one argument.

mod inputs;
mod options;
mod outputs;
mod raspicam;

use super::draft::{Draft, translate};
use super::getopt::{self, Style};
#[cfg(test)]
use super::guide;
use super::table::{Meaning, Print, Row};
use super::{Dialect, Meant, help};
use options::{PLUGINS, ROWS};
use outputs::Outputs;

/// What there is without `-i` and `-o`.
const DEFAULT_INPUT: &str = "input_uvc.so --device /dev/video0 --resolution 640x480 --fps 5";
const DEFAULT_OUTPUT: &str = "output_http.so --port 8080";

/// mjpg-streamer.
pub(super) const DIALECT: Dialect = Dialect {
    program: "mjpg_streamer",
    names: &["mjpg_streamer", "mjpg-streamer"],
    read,
    #[cfg(test)]
    table,
};

/// A plugin with its options.
#[derive(Debug)]
struct Plugin {
    /// Without `.so`.
    name: &'static str,
    rows: &'static [Row],
    kind: Kind,
}

/// What a plugin is here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A V4L2 device.
    Device,
    /// The camera of a Raspberry Pi.
    Raspicam,
    /// The files of a folder.
    Folder,
    Http,
    TestPicture,
    /// It listens.
    Listener,
    /// It writes files.
    Files,
    /// There is none, and why not.
    None(&'static str),
}

#[cfg(test)]
pub(super) fn all_rows() -> impl Iterator<Item = &'static [Row]> {
    PLUGINS.iter().map(|plugin| plugin.rows).chain([ROWS])
}

fn read(words: &[String]) -> Result<Meant, String> {
    let (mut inputs, mut outputs, mut is_in_background) = (Vec::new(), Vec::new(), false);
    for (row, value) in getopt::parse(words, ROWS, Style::Long)? {
        match (&row.meaning, row.name) {
            (Meaning::Prints(_, Print::Version), _) => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Meant::Print(format!("MJPG Streamer Version: mjpegd {version}\n")));
            }
            (Meaning::Prints(..), _) => return Ok(Meant::Print(help())),
            (_, "input") => inputs.push(value),
            (_, "output") => outputs.push(value),
            _ => is_in_background = true,
        }
    }
    let or_default = |list: Vec<String>, default: &str| {
        if list.is_empty() { vec![default.to_owned()] } else { list }
    };
    let (mut cameras, mut notes) = (Vec::new(), Vec::new());
    for text in or_default(inputs, DEFAULT_INPUT) {
        let (plugin, draft) = match plugin(&text, "input_")? {
            Asked::Help(text) => return Ok(Meant::Print(text)),
            Asked::Plugin(plugin, draft) => (plugin, draft),
        };
        let camera = inputs::camera(plugin, draft).map_err(|e| format!("{}: {e}", plugin.name))?;
        cameras.push((camera.source, camera.options));
        notes.extend(camera.notes);
    }
    let mut all = Outputs::default();
    for text in or_default(outputs, DEFAULT_OUTPUT) {
        match plugin(&text, "output_")? {
            Asked::Help(text) => return Ok(Meant::Print(text)),
            Asked::Plugin(plugin, draft) => {
                all.add(plugin, draft).map_err(|e| format!("{}: {e}", plugin.name))?;
            }
        }
    }
    let (server, of_all, users, more) = all.finish();
    for (_, options) in &mut cameras {
        options.extend(of_all.iter().cloned());
    }
    notes.extend(more);
    let translated = translate(server, cameras, users);
    let (log_level, ends_with_parent) = (None, false);
    Ok(Meant::Serve { translated, notes, log_level, ends_with_parent, is_in_background })
}

/// What the argument of an input or output asks for.
enum Asked {
    Help(String),
    Plugin(&'static Plugin, Draft),
}

/// Reads `input_uvc.so -d /dev/video0`, with the folder of the plugin and `.so`
/// or without.
fn plugin(text: &str, prefix: &str) -> Result<Asked, String> {
    let words = getopt::split(text);
    let file = words.first().map_or("", String::as_str);
    let name = file.rsplit('/').next().unwrap_or_default();
    let name = name.split(".so").next().unwrap_or_default();
    let known = PLUGINS.iter().find(|plugin| plugin.name == name && name.starts_with(prefix));
    let Some(plugin) = known else {
        let all = PLUGINS.iter().filter(|plugin| !matches!(plugin.kind, Kind::None(_)));
        let names: Vec<_> =
            all.map(|plugin| plugin.name).filter(|n| n.starts_with(prefix)).collect();
        return Err(format!("there is no plugin {file:?}; there are: {}", names.join(", ")));
    };
    if let Kind::None(why) = plugin.kind {
        return Err(format!("{name}: {why}"));
    }
    let at = |e: String| format!("{name}: {e}");
    let typed = getopt::parse(&words[1..], plugin.rows, Style::LongOnly).map_err(at)?;
    let draft = Draft::new(typed, "-").map_err(at)?;
    if draft.print.is_some() {
        return Ok(Asked::Help(format!("{name}\n{}", help::options(plugin.rows, "-"))));
    }
    Ok(Asked::Plugin(plugin, draft))
}

fn help() -> String {
    let mut text = String::from("Takes the command line of mjpg-streamer and serves as mjpegd.\n");
    text.push_str(&help::options(ROWS, "--"));
    text.push_str("\nPlugins; -i 'input_uvc.so --help' lists the options of one:\n");
    for plugin in PLUGINS {
        let what = match plugin.kind {
            Kind::None(why) => format!("refused: {why}"),
            kind => meaning(kind).to_owned(),
        };
        text.push_str(&format!("  {}.so\n        {what}\n", plugin.name));
    }
    text
}

/// What a plugin is here, for people.
fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Device => "--camera v4l2:DEVICE",
        Kind::Raspicam => "--camera exec:rpicam-vid with its options",
        Kind::Folder => "--camera images:DIR",
        Kind::Http => "--camera http://HOST:PORT/PATH",
        Kind::TestPicture => "--camera pattern:WxH@FPS",
        Kind::Listener => "--bind, --auth-file, --www",
        Kind::Files => "--record DIR, as a recording and not as single files",
        Kind::None(why) => why,
    }
}

/// The part of the guide about all plugins.
#[cfg(test)]
fn table() -> String {
    let mut text = guide::table(ROWS, "--");
    for plugin in PLUGINS {
        let what = match plugin.kind {
            Kind::None(why) => format!("refused: {why}"),
            kind => guide::code(meaning(kind)),
        };
        text.push_str(&format!("\n### {}\n\n{what}\n", plugin.name));
        let is_same = |other: &&Plugin| std::ptr::eq(other.rows, plugin.rows);
        let first = PLUGINS.iter().find(is_same).map_or("", |first| first.name);
        if plugin.rows.is_empty() {
            continue;
        } else if first != plugin.name {
            text.push_str(&format!("\nIts options are those of {first}.\n"));
        } else {
            text.push_str(&format!("\n{}", guide::table(plugin.rows, "-")));
        }
    }
    text
}
