//! Which cameras there are to be: those of the file, and those that were
//! typed. A typed source takes the place of one in the file under its name.

use anyhow::{Context, Result, bail, ensure};

use super::command_line::{CommandLine, Layers};
use super::file::File;
use super::{CameraSection, name};
use crate::url::mask;

/// One camera, its options not yet looked at.
pub(super) struct Planned<'a> {
    name: String,
    /// Where its source was written, with the source.
    origin: String,
    source: String,
    layers: Layers<'a>,
}

impl Planned<'_> {
    /// # Errors
    /// The first option that cannot be, and where it was written.
    pub(super) fn section(&self, typed: &CommandLine) -> Result<CameraSection> {
        let merged = typed.merge(&self.source, &self.layers)?;
        CameraSection::new(&self.name, &self.origin, &merged.args)
            .map_err(|e| typed.blame(&e, &self.layers))
    }
}

/// All cameras, at least one.
///
/// # Errors
/// A name that cannot be or that two have.
pub(super) fn cameras<'a>(typed: &CommandLine, file: Option<&'a File>) -> Result<Vec<Planned<'a>>> {
    let mut planned = file.map_or(Ok(Vec::new()), in_file)?;
    let n_in_file = planned.len();
    for text in typed.cameras() {
        let (name, source) = name::split(text);
        let origin = format!("--camera {}", mask(text));
        if let Some(name) = name {
            name::check(name).with_context(|| origin.clone())?;
        }
        let name = name.map_or_else(|| unnamed(planned.len()), str::to_owned);
        let known = planned.iter().position(|camera| camera.name == name);
        match known {
            Some(at) if at < n_in_file => {
                planned[at].origin = origin;
                planned[at].source = source.to_owned();
            }
            Some(_) => bail!(
                "{origin}: there is a camera {name} already; use NAME=SOURCE with another name"
            ),
            None => {
                let layers = Layers { file, camera: &[] };
                planned.push(Planned { name, origin, source: source.to_owned(), layers });
            }
        }
    }
    if planned.is_empty() {
        let layers = Layers { file, camera: &[] };
        let (name, source) = (unnamed(0), "demo".to_owned());
        planned.push(Planned { name, origin: "--camera demo".into(), source, layers });
    }
    Ok(planned)
}

fn in_file(file: &File) -> Result<Vec<Planned<'_>>> {
    let mut planned: Vec<Planned<'_>> = Vec::new();
    for table in &file.cameras {
        let name = match &table.name {
            Some(entry) => {
                let name = entry.values.concat();
                name::check(&name).with_context(|| file.at(entry.line))?;
                name
            }
            None => unnamed(planned.len()),
        };
        let is_new = planned.iter().all(|camera| camera.name != name);
        ensure!(is_new, "{}: there is a camera {name} already", file.at(table.line));
        let source = table.source.as_ref().with_context(|| {
            format!("{}: the camera {name} lacks its source = \"...\"", file.at(table.line))
        })?;
        let text = source.values.concat();
        planned.push(Planned {
            name,
            origin: format!("{}: source {}", file.at(source.line), mask(&text)),
            source: text,
            layers: Layers { file: Some(file), camera: &table.entries },
        });
    }
    Ok(planned)
}

/// The name of a camera that was given none: `camera`, `camera2`, ...
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

    use super::super::{Config, Source};
    use super::*;

    /// The configuration of a file and of what was typed beside it.
    fn config(test: &str, text: &str, args: &[&str]) -> Result<Config> {
        let dir = std::env::temp_dir().join(format!("mjpegd-plan-{}-{test}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("c.toml");
        fs::write(&path, text).unwrap();
        let typed = ["mjpegd", "--config", path.to_str().unwrap()];
        let typed = [&typed, args].concat().into_iter().map(OsString::from);
        let config = Config::read(&CommandLine::parse_from(typed).unwrap());
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
        let fault = is_on("allow-truncated = 'perhaps'", &[]).unwrap_err().to_string();
        assert!(fault.contains("c.toml:1: allow-truncated \"perhaps\""), "{fault}");
    }

    #[test]
    fn without_a_camera_there_is_the_demo() {
        let config = config("none", "threads = 2", &[]).unwrap();
        assert_eq!(names(&config), [("camera", "demo".into())]);
        assert_eq!(config.cameras[0].camera.source, Source::Demo);
    }

    #[test]
    fn fault_of_a_value_is_told_with_its_line_or_its_option() {
        let fault =
            |text: &str, args: &[&str]| format!("{:#}", config("fault", text, args).unwrap_err());
        let camera = |rest: &str| format!("\n[[camera]]\nname = 'a'\nsource = 'demo'\n{rest}");
        for (text, says) in [
            ("fps = 0".to_owned(), "c.toml:1: fps 0: use a number of pictures"),
            ("\nthreads = 0".into(), "c.toml:2: threads 0: use a number of viewers"),
            ("threads = -1".into(), "c.toml:1: threads \"-1\": invalid digit"),
            ("idle-timeout = 10".into(), "c.toml:1: idle-timeout \"10\": "),
            (camera("resolution = '1'"), "c.toml:5: resolution: \"1\" is no size"),
            (camera("quality = 300"), "c.toml:5: quality \"300\": "),
            (camera("max-viewers = 0"), "c.toml:5: max-viewers 0: use 1 or more"),
            (camera("max-frame-size = 1"), "c.toml:5: max-frame-size 1: use 10kB"),
            (camera("control = { x = 'y' }"), "c.toml:5: control x=y: use NAME=NUMBER"),
            ("[[camera]]\nname = 'a'".into(), "c.toml:1: the camera a lacks its source"),
            ("[[camera]]\nsource = 'x'".into(), "c.toml:2: source x: no such source"),
            ("[[camera]]\nname = 'a b'".into(), "c.toml:2: \"a b\" is no name"),
            ("[[camera]]\nname = 'stream'".into(), "c.toml:2: a camera cannot be named stream"),
            ([camera(""), camera("")].concat(), "c.toml:6: there is a camera a already"),
        ] {
            let fault = fault(&text, &[]);
            assert!(fault.contains(says) && !fault.contains('\n'), "{text:?}: {fault}");
        }
        for (args, says) in [
            (&["--fps", "0"][..], "--fps 0: use"),
            (&["--camera", "a b=demo"], "--camera a b=demo: \"a b\" is no name"),
            (&["--camera", "x=demo", "--camera", "x=demo"], "--camera x=demo: there is a camera x"),
        ] {
            let fault = fault("fps = 1", args);
            assert!(fault.starts_with(says), "{args:?}: {fault}");
        }
    }

    #[test]
    fn several_without_a_name_are_counted() {
        let typed = ["mjpegd", "--camera", "demo", "--camera", "demo"].map(OsString::from);
        let config = Config::read(&CommandLine::parse_from(typed).unwrap()).unwrap();
        assert_eq!(names(&config), [("camera", "demo".into()), ("camera2", "demo".into())]);
    }
}
