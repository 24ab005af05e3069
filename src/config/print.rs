//! `--print-config`: the options that were given, wherever they were given, as
//! one command line and as a file for `--config`.

use std::fmt::Write;

use anyhow::Result;

use super::command_line::{CommandLine, Layers};
use super::file::File;
use super::key::{NAME, SOURCE};
use super::table::Scope;
use super::{Config, camera_list};
use crate::url::{mask, mask_command, mask_source};

/// Stands in place of a file that the reader has to make.
const MISSING_FILE: &str = "FILE";

/// An option and its values.
type Given = (String, Vec<String>);

/// A camera with what was given for it.
struct Camera {
    name: String,
    source: String,
    options: Vec<Given>,
}

/// The text of a file for `--config` that means the same, with the same as a
/// command line in a comment. Secrets are hidden; then it says so.
///
/// # Errors
/// The first value that cannot be read.
pub(crate) fn print_config(typed: &CommandLine) -> Result<String> {
    // What cannot be used is no configuration.
    Config::read(typed)?;
    let file = typed.file().map(|path| File::read(&path)).transpose()?;
    let list = camera_list::cameras(typed, file.as_ref())?;
    let merged = typed.merge("demo", &Layers { file: file.as_ref(), ..Layers::default() })?;
    let mut server = merged.given(Scope::Server);
    let mut is_hidden = false;
    for (key, values) in &mut server {
        // Their addresses may have a password.
        if ["mqtt", "webhook"].contains(&key.as_str()) {
            for url in values {
                let shown = mask(url).into_owned();
                is_hidden |= shown != *url;
                *url = shown;
            }
        }
    }
    if typed.credentials().is_some() {
        server.push(("auth-file".into(), vec![MISSING_FILE.into()]));
    }
    let mut cameras = Vec::new();
    for camera in &list {
        let (name, source) = (camera.name().to_owned(), camera.source());
        let mut options = typed.merge(source, camera.layers())?.given(Scope::Camera);
        for (key, values) in &mut options {
            if key == "on-segment" {
                values.iter_mut().for_each(|command| *command = mask_command(command));
            }
        }
        cameras.push(Camera { name, source: mask_source(source), options });
    }
    is_hidden |= list.iter().zip(&cameras).any(|(camera, shown)| camera.source() != shown.source);
    let mut text = match command_line(&server, &cameras) {
        Some(line) => format!("# {line}\n"),
        None => "# No command line can say this, as the cameras have different options:\n\
                 # mjpegd --config FILE\n"
            .into(),
    };
    if typed.credentials().is_some() {
        let why = "passwords are not printed: write the line USER:PASSWORD into a file";
        let _ = writeln!(text, "# {why}, and put its path in place of {MISSING_FILE}");
    }
    if is_hidden {
        text.push_str("# *** stands for a secret, which is not printed: put it back\n");
    }
    text.push_str(&as_file(&server, &cameras));
    Ok(text)
}

/// `mjpegd --option value ...` for a shell; `None` where cameras differ in
/// their options.
fn command_line(server: &[Given], cameras: &[Camera]) -> Option<String> {
    let common = cameras.first().map_or(&[][..], |camera| &camera.options);
    if cameras.iter().any(|camera| camera.options != common) {
        return None;
    }
    let mut line = "mjpegd".to_owned();
    for camera in cameras {
        let is_named = cameras.len() > 1;
        let name = if is_named { format!("{}=", camera.name) } else { String::new() };
        push(&mut line, "camera", &format!("{name}{}", camera.source));
    }
    for (key, values) in common.iter().chain(server) {
        values.iter().for_each(|value| push(&mut line, key, value));
    }
    Some(line)
}

fn push(line: &mut String, key: &str, value: &str) {
    // A switch takes its value only with an equals sign, and a value that
    // begins with a dash would be read as another option.
    let needs_equals = value.starts_with('-') || ["true", "false"].contains(&value);
    let between = if needs_equals { '=' } else { ' ' };
    let _ = write!(line, " --{key}{between}{}", quote(value));
}

/// A value as one word of a shell.
fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        // Only this form keeps a line break out of the comment.
        let escaped: String = text.chars().map(|c| c.escape_default().to_string()).collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn as_file(server: &[Given], cameras: &[Camera]) -> String {
    let mut text = String::new();
    let options = |text: &mut String, given: &[Given]| {
        for (key, values) in given {
            let values: Vec<_> = values.iter().map(|value| toml(value)).collect();
            let _ = match &values[..] {
                [value] if key != "control" => writeln!(text, "{key} = {value}"),
                values => writeln!(text, "{key} = [{}]", values.join(", ")),
            };
        }
    };
    options(&mut text, server);
    for Camera { name, source, options: given } in cameras {
        let (name, source) = (string(name), string(source));
        let _ = write!(text, "\n[[camera]]\n{NAME} = {name}\n{SOURCE} = {source}\n");
        options(&mut text, given);
    }
    text
}

/// A value in TOML: a number or a switch bare, anything else as a string.
fn toml(text: &str) -> String {
    let is_number = text.parse::<u32>().is_ok_and(|n| n.to_string() == text);
    if is_number || ["true", "false"].contains(&text) { text.to_owned() } else { string(text) }
}

/// A basic string of TOML (toml.io, v1.0.0, "String").
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::super::{Translated, TranslatedCamera};
    use super::*;

    fn typed(args: &[&str]) -> CommandLine {
        let args = [&["mjpegd"], args].concat().into_iter().map(OsString::from);
        CommandLine::parse_from(args, "").unwrap()
    }

    #[test]
    fn given_options_are_printed_as_command_line_and_file() {
        let args =
            ["--camera", "exec:cat 'a b'", "--fps", "5", "--allow-truncated", "--bind", ":80"];
        let control = ["--control", "gain=-4", "--control", "hue=default"];
        let text = print_config(&typed(&[&args[..], &control].concat())).unwrap();
        assert_eq!(
            text,
            r#"# mjpegd --camera 'exec:cat '\''a b'\''' --fps 5 --allow-truncated=true --control gain=-4 --control hue=default --bind :80
bind = ":80"

[[camera]]
name = "camera"
source = "exec:cat 'a b'"
fps = 5
allow-truncated = true
control = ["gain=-4", "hue=default"]
"#
        );
    }

    #[test]
    fn printed_file_means_the_same() {
        let args = ["--camera", "a=exec:x \\ \"q\"\t$y", "--camera", "b=demo", "--fps", "0.5"];
        let typed = typed(&args);
        let text = print_config(&typed).unwrap();
        let file = File::parse(Path::new("c.toml"), &text).unwrap();
        let own = CommandLine::parse_from(["mjpegd".into()], "").unwrap();
        let read = camera_list::cameras(&own, Some(&file)).unwrap();
        let read: Vec<_> = read.iter().map(|camera| camera.check(&own).unwrap()).collect();
        let meant = Config::read(&typed).unwrap().cameras;
        for (read, meant) in read.iter().zip(&meant) {
            assert_eq!((&read.name, &read.camera), (&meant.name, &meant.camera), "{text}");
        }
        assert_eq!(read.len(), 2);
        assert!(text.starts_with("# mjpegd --camera $'a=exec:x"), "{text}");
    }

    #[test]
    fn secrets_of_the_server_are_not_printed() {
        let webhook = ["--webhook", "http://me:SECRET@h/?pwd=SECRET"];
        let broker: &[&str] =
            if cfg!(feature = "mqtt") { &["--mqtt", "mqtt://me:SECRET@h"] } else { &[] };
        let text = print_config(&typed(&[&webhook[..], broker].concat())).unwrap();
        assert!(!text.contains("SECRET") && text.contains("http://***@h/"), "{text}");
        assert!(text.contains("put it back"), "{text}");
    }

    #[test]
    fn secrets_are_not_printed() {
        use super::super::{Credentials, Password};
        let user = ("me".to_owned(), Password::Plain("SECRET".into()));
        let camera = |source: &str, fps: &str| TranslatedCamera {
            source: source.into(),
            options: vec![("fps", fps.into())],
        };
        let typed = CommandLine::from_translated(Translated {
            server: vec![("bind", ":8080".into())],
            cameras: vec![camera("http://me:SECRET@h/", "5"), camera("demo", "7")],
            credentials: Some(Credentials(vec![user])),
            ..Translated::default()
        })
        .unwrap();
        let text = print_config(&typed).unwrap();
        assert!(!text.contains("SECRET"), "{text}");
        assert!(text.contains("source = \"http://***@h/\"") && text.contains("put it back"));
        assert!(text.contains("auth-file = \"FILE\"") && text.contains("No command line can"));
        let config = Config::read(&typed).unwrap();
        let fps: Vec<_> = config.cameras.iter().map(|camera| camera.camera.fps).collect();
        assert_eq!(fps, [Some(5.0), Some(7.0)]);
        assert!(config.http.credentials.is_some());
        assert!(!format!("{config:?}").contains("SECRET"));
    }
}
