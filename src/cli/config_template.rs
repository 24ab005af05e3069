//! `src/deploy/mjpegd.toml`, which packages install as `/etc/mjpegd.toml`: each option that can
//! stand in the file, as a comment with its help. It is made from the command line's definition,
//! as the man page is, so that it cannot name an option that there is not.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

const HEAD: &str = "\
# The configuration of mjpegd. Each line stands for its default, or shows in capitals
# what a value looks like: remove the # in front of those that are to differ.
#   mjpegd check-config FILE   says what is wrong with it
#   man mjpegd                 is longer; so is the guide in /usr/share/doc/mjpegd
# A running daemon reads it again at SIGHUP (systemctl reload mjpegd): cameras change
# without a gap, and the log names the options that wait for a restart.
#
# Options of the server stand here, above the first camera. Those of cameras do too, if
# they are for all cameras; those for one camera stand below its line [[camera]].
";

const CAMERAS: &str = "
## Cameras
# Without any, a picture is shown that the program draws itself (\"demo\"). A camera has a
# name, a source (mjpegd devices lists what is plugged in; mjpegd --help lists all kinds)
# and options of its own. Several cameras are several such tables.

#[[camera]]
#name = \"front\"
#source = \"v4l2:/dev/video0\"

#[[camera]]
#name = \"back\"
#source = \"http://192.168.1.20/stream\"
";

/// Options of the command line alone.
const NOT_IN_FILE: [&str; 5] = ["camera", "config", "print-config", "help", "version"];

/// The whole file.
pub(super) fn text(command: &Command) -> String {
    let mut text = HEAD.to_owned();
    let mut headings: Vec<&str> = Vec::new();
    for heading in options(command).filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = write!(text, "\n## {heading}\n");
        for arg in options(command).filter(|arg| arg.get_help_heading() == Some(heading)) {
            let help = arg.get_long_help().or(arg.get_help()).unwrap().to_string();
            text.push('\n');
            push_comment(&mut text, &help);
            let _ = writeln!(text, "#{} = {}", arg.get_long().unwrap(), value(arg));
        }
    }
    text + CAMERAS
}

pub(super) fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let long = |arg: &&Arg| arg.get_long().is_some_and(|name| !NOT_IN_FILE.contains(&name));
    command.get_arguments().filter(long)
}

/// In lines of at most 88 characters.
fn push_comment(text: &mut String, help: &str) {
    let mut line = "#".to_owned();
    for word in help.split_whitespace() {
        if line.len() + 1 + word.len() > 88 {
            let _ = writeln!(text, "{line}");
            line = "#".into();
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}

/// The default in TOML; without one, what stands for the value in the help.
fn value(arg: &Arg) -> String {
    let is_switch = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
    if is_switch || matches!(arg.get_action(), ArgAction::SetTrue) {
        return "false".into();
    }
    let default = arg.get_default_values().first().map(|value| value.to_str().unwrap());
    let shown = default.or(arg.get_value_names().map(|names| names[0].as_str())).unwrap();
    match arg.get_action() {
        ArgAction::Append => format!("[{}]", toml(shown)),
        _ => toml(shown),
    }
}

fn toml(text: &str) -> String {
    if text.parse::<f64>().is_ok() { text.to_owned() } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;
    use crate::config::CommandLine;
    use crate::{camera, daemon};

    #[test]
    fn every_option_stands_in_it_and_what_is_shown_as_its_default_is_accepted() {
        let command = CommandLine::definition(&camera::help());
        let text = text(&command);
        let mut file = String::new();
        for arg in options(&command) {
            let key = format!("#{} = ", arg.get_long().unwrap());
            let lines: Vec<_> = text.lines().filter(|line| line.starts_with(&key)).collect();
            assert_eq!(lines.len(), 1, "{key}");
            // Those in capitals say what a value looks like, and are none.
            if !arg.get_default_values().is_empty() || lines[0].ends_with("= false") {
                let _ = writeln!(file, "{}", &lines[0][1..]);
            }
        }
        for line in text.lines() {
            assert!(line.is_empty() || line.starts_with('#'), "{line}");
        }
        file += &CAMERAS.replace("\n#[", "\n[").replace("\n#name", "\nname").replace("\n#s", "\ns");
        let path = env::temp_dir().join(format!("mjpegd-template-{}.toml", process::id()));
        fs::write(&path, &file).unwrap();
        let typed = ["mjpegd".into(), "--config".into(), path.clone().into_os_string()];
        let read = daemon::configure(&CommandLine::parse_from(typed, "").unwrap());
        fs::remove_file(&path).unwrap();
        if let Err(e) = read {
            panic!("{e:#} in:\n{file}");
        }
    }
}
