//! The list of cameras: those of the file, then those of the command line. A
//! camera of the command line replaces the source of the one with its name in
//! the file, and keeps the options of that one.

use anyhow::{Context, Result, bail, ensure};

use super::command_line::{CommandLine, Layers};
use super::file::{File, Table};
use super::{CameraOptions, name};
use crate::url::mask_source;

/// One camera whose options are not checked yet.
pub(super) struct UncheckedCamera<'a> {
    name: String,
    /// Where its source was written, with the source.
    origin: String,
    source: String,
    layers: Layers<'a>,
}

impl UncheckedCamera<'_> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn layers(&self) -> &Layers<'_> {
        &self.layers
    }

    /// Checks all options of the camera.
    ///
    /// # Errors
    /// The first value that cannot be used, and where it was written.
    pub(super) fn check(&self, typed: &CommandLine) -> Result<CameraOptions> {
        let merged = typed.merge(&self.source, &self.layers)?;
        CameraOptions::new(&self.name, &self.origin, &merged)
            .map_err(|e| typed.locate_error(&e, &self.layers))
    }
}

/// All cameras, at least one.
///
/// # Errors
/// A name that cannot be used or that two cameras have.
pub(super) fn cameras<'a>(
    typed: &'a CommandLine,
    file: Option<&'a File>,
) -> Result<Vec<UncheckedCamera<'a>>> {
    if !typed.cameras.is_empty() {
        return Ok(translated(typed, file));
    }
    let mut list = file.map_or(Ok(Vec::new()), in_file)?;
    let n_in_file = list.len();
    for text in typed.cameras() {
        let (name, source) = name::split(text);
        // Errors are logged, and a source may hold a password.
        let origin = format!("--camera {}", shown(text));
        if let Some(name) = name {
            name::check(name).with_context(|| origin.clone())?;
        }
        let name = name.map_or_else(|| unnamed(list.len()), str::to_owned);
        let known = list.iter().position(|camera| camera.name == name);
        match known {
            Some(at) if at < n_in_file => {
                list[at].origin = origin;
                list[at].source = source.to_owned();
            }
            // One name twice on one command line is a mistake in typing, and not a camera
            // that replaces another.
            Some(_) => bail!(
                "{origin}: there is a camera {name} already; use NAME=SOURCE with another name"
            ),
            None => {
                let layers = Layers { file, ..Layers::default() };
                list.push(UncheckedCamera { name, origin, source: source.to_owned(), layers });
            }
        }
    }
    // The default of `--camera` counts only if the file has no camera either.
    if list.is_empty() {
        let layers = Layers { file, ..Layers::default() };
        let (name, source) = (unnamed(0), "demo".to_owned());
        list.push(UncheckedCamera { name, origin: "--camera demo".into(), source, layers });
    }
    Ok(list)
}

/// The cameras of a command line that was translated. Those of a file are others.
fn translated<'a>(typed: &'a CommandLine, file: Option<&'a File>) -> Vec<UncheckedCamera<'a>> {
    let camera = |(n, table): (usize, &'a Table)| {
        let source = table.source.as_ref().map(|entry| entry.values.concat()).unwrap_or_default();
        UncheckedCamera {
            name: unnamed(n),
            origin: format!("--camera {}", shown(&source)),
            source,
            layers: Layers { file, camera: &table.entries, is_typed: true },
        }
    };
    typed.cameras.iter().enumerate().map(camera).collect()
}

/// The cameras of the file.
fn in_file(file: &File) -> Result<Vec<UncheckedCamera<'_>>> {
    let mut list: Vec<UncheckedCamera<'_>> = Vec::new();
    for table in &file.cameras {
        let name = match &table.name {
            Some(entry) => {
                let name = entry.values.concat();
                name::check(&name).with_context(|| file.at(entry.line))?;
                name
            }
            None => unnamed(list.len()),
        };
        let is_new = list.iter().all(|camera| camera.name != name);
        ensure!(is_new, "{}: there is a camera {name} already", file.at(table.line));
        let source = table.source.as_ref().with_context(|| {
            format!("{}: the camera {name} lacks its source = \"...\"", file.at(table.line))
        })?;
        let text = source.values.concat();
        list.push(UncheckedCamera {
            name,
            origin: format!("{}: source {}", file.at(source.line), shown(&text)),
            source: text,
            layers: Layers { file: Some(file), camera: &table.entries, is_typed: false },
        });
    }
    Ok(list)
}

/// A source in front of the colon of an error, its secrets hidden. In quotes where
/// it is empty or ends in a colon itself, which would look like a part of the error.
fn shown(source: &str) -> String {
    let masked = mask_source(source);
    if masked.is_empty() || masked.ends_with(':') { format!("\"{masked}\"") } else { masked }
}

/// The name of a camera without one: `camera`, `camera2`, ...
fn unnamed(n_before: usize) -> String {
    match n_before {
        0 => name::UNNAMED.to_owned(),
        n => format!("{}{}", name::UNNAMED, n + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::super::Config;
    use super::*;

    /// The configuration of a file and of what was typed beside it.
    fn config(test: &str, text: &str, args: &[&str]) -> Result<Config> {
        let dir = std::env::temp_dir().join(format!("mjpegd-plan-{}-{test}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("c.toml");
        fs::write(&path, text).unwrap();
        let typed = ["mjpegd", "--config", path.to_str().unwrap()];
        let typed = [&typed, args].concat().into_iter().map(OsString::from);
        let config = Config::read(&CommandLine::parse_from(typed, "").unwrap());
        fs::remove_dir_all(dir).unwrap();
        config
    }

    fn names(config: &Config) -> Vec<(&str, String)> {
        let sections = config.cameras.iter();
        sections.map(|s| (s.name.as_str(), s.camera.source.to_string())).collect()
    }

    const TWO: &str = "fps = 3\nthreads = 7\nidle-timeout = '2s'\n\
        [[camera]]\nname = 'front'\nsource = 'demo'\nfps = 5\nmax-viewers = 2\n\
        [[camera]]\nname = 'back'\nsource = 'pattern:64x48'\n";

    #[test]
    fn camera_wins_over_top_and_what_is_typed_over_both() {
        let read = |args: &[&str]| {
            let config = config("wins", TWO, args).unwrap();
            let fps: Vec<_> = config.cameras.iter().map(|s| s.camera.fps).collect();
            (fps, config.http.n_seats)
        };
        assert_eq!(read(&[]), (vec![Some(5.0), Some(3.0)], 7));
        assert_eq!(read(&["--fps", "9"]), (vec![Some(9.0), Some(9.0)], 7));
        assert_eq!(read(&["--threads", "1"]).1, 1);
        let config = config("wins", TWO, &[]).unwrap();
        let caps: Vec<_> = config.cameras.iter().map(|s| s.max_viewers).collect();
        assert_eq!(caps, [Some(2), None]);
        let idle = config.cameras.iter().map(|s| s.capture.idle_timeout.unwrap().as_secs());
        assert!(idle.eq([2, 2]));
    }

    #[test]
    fn typed_cameras_join_those_of_the_file_or_take_their_place() {
        let with = |args: &[&str]| config("join", TWO, args).unwrap();
        let config = with(&["--camera", "front=images:/x", "--camera", "side=demo"]);
        let demo = || "demo".to_owned();
        let pattern = || "pattern:64x48".to_owned();
        assert_eq!(
            names(&config),
            [("front", "images:/x".into()), ("back", pattern()), ("side", demo())]
        );
        assert_eq!(config.cameras[0].camera.fps, Some(5.0), "its options stay");
        assert_eq!(names(&with(&["--camera", "demo"]))[2], ("camera3", demo()));
    }

    #[test]
    fn switch_is_written_in_every_way() {
        let is_on = |text: &str, args: &[&str]| {
            config("switch", text, args).map(|config| config.cameras[0].capture.allow_truncated)
        };
        assert!(!is_on("", &[]).unwrap());
        for (text, args, on) in [
            ("", &["--allow-truncated"][..], true),
            ("", &["--allow-truncated=no"], false),
            ("allow-truncated = true", &[], true),
            ("allow-truncated = 'yes'", &[], true),
            ("allow-truncated = true", &["--allow-truncated=false"], false),
            ("[[camera]]\nsource = 'demo'\nallow-truncated = true", &[], true),
        ] {
            assert_eq!(is_on(text, args).unwrap(), on, "{text} {args:?}");
        }
        let error = is_on("allow-truncated = 'perhaps'", &[]).unwrap_err().to_string();
        assert!(error.contains("c.toml:1: allow-truncated \"perhaps\""), "{error}");
    }

    #[test]
    fn without_a_camera_there_is_the_demo() {
        let config = config("none", "threads = 2", &[]).unwrap();
        assert_eq!(names(&config), [("camera", "demo".into())]);
    }

    #[test]
    fn error_names_the_line_or_the_option_of_the_value() {
        let fault =
            |text: &str, args: &[&str]| format!("{:#}", config("fault", text, args).unwrap_err());
        let camera = |rest: &str| format!("\n[[camera]]\nname = 'a'\nsource = 'demo'\n{rest}");
        for (text, says) in [
            ("fps = 0".to_owned(), "c.toml:1: fps 0: use a number of pictures"),
            ("\nthreads = 0".into(), "c.toml:2: threads 0: use a number of viewers"),
            ("threads = -1".into(), "c.toml:1: threads \"-1\": use a number of viewers from 1"),
            ("idle-timeout = 10".into(), "c.toml:1: idle-timeout \"10\": "),
            (camera("resolution = '1'"), "c.toml:5: resolution: \"1\" is no size"),
            (camera("quality = 300"), "c.toml:5: quality \"300\": "),
            (camera("max-viewers = 0"), "c.toml:5: max-viewers 0: use 1 or more"),
            (camera("max-frame-size = 1"), "c.toml:5: max-frame-size 1: use 10kB"),
            (camera("control = { x = 'y' }"), "c.toml:5: control x=y: use NAME=NUMBER"),
            ("[[camera]]\nname = 'a'".into(), "c.toml:1: the camera a lacks its source"),
            ("[[camera]]\nname = 'a b'".into(), "c.toml:2: \"a b\" is no name"),
            ([camera(""), camera("")].concat(), "c.toml:6: there is a camera a already"),
        ] {
            let fault = fault(&text, &[]);
            assert!(fault.contains(says) && !fault.contains('\n'), "{text:?}: {fault}");
        }
        for (args, says) in [
            (&["--fps", "0"][..], "--fps 0: use"),
            (&["--camera", "a b=demo"], "--camera a b=demo: \"a b\" is no name"),
            (&["--camera", "x=demo", "--camera", "x=demo"], "--camera x=demo: there is a camera x"),
            (&["--camera", "a b=x:"], "--camera \"a b=x:\": \"a b\" is no name"),
        ] {
            let fault = fault("fps = 1", args);
            assert!(fault.starts_with(says), "{args:?}: {fault}");
        }
    }

    #[test]
    fn several_without_a_name_are_counted() {
        let typed = ["mjpegd", "--camera", "demo", "--camera", "demo"].map(OsString::from);
        let config = Config::read(&CommandLine::parse_from(typed, "").unwrap()).unwrap();
        assert_eq!(names(&config), [("camera", "demo".into()), ("camera2", "demo".into())]);
    }
}
