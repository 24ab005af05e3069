//! The command line and the environment, and how they are merged with the file.
//! Of an option that is given several times, the first of these counts: command
//! line, environment, table of the camera in the file, top of the file, default.
//!
//! A value of the file becomes an argument of a second command line, so that
//! clap reads it by the same rules and with the same errors as a typed one.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};

use super::args::Args;
use super::definition;
use super::file::{Entry, File, Table};
use super::key::{self, CAMERA};
use super::table;
use super::translated::Assignment;
use super::{Command, Credentials};
use crate::url::{mask, mask_error};

/// The command line, read.
#[derive(Debug)]
pub(crate) struct CommandLine {
    args: Args,
    command: Option<Command>,
    /// Cameras, defaults and users of a command line that was translated.
    pub(super) cameras: Vec<Table>,
    pub(super) defaults: Vec<Assignment>,
    pub(super) credentials: Option<Credentials>,
}

impl CommandLine {
    /// Reads the arguments and the environment. `sources` are the kinds of cameras,
    /// for `--help`.
    ///
    /// # Errors
    /// As clap's own, also for `--help` and `--version`.
    pub(crate) fn parse_from(
        typed: impl IntoIterator<Item = OsString>,
        sources: &str,
    ) -> Result<Self, clap::Error> {
        let matches = Self::definition(sources).try_get_matches_from(typed)?;
        let command = matches.subcommand().map(|_| Command::from_arg_matches(&matches));
        Ok(Self {
            command: command.transpose()?,
            args: Args(matches),
            cameras: Vec::new(),
            defaults: Vec::new(),
            credentials: None,
        })
    }

    /// All that it takes, with the text of `--help`.
    pub(crate) fn definition(sources: &str) -> clap::Command {
        definition::command().after_help(definition::after_help(sources))
    }

    /// What to do instead of serving.
    #[must_use]
    pub(crate) fn command(&self) -> Option<&Command> {
        self.command.as_ref()
    }

    /// The file, if one was named.
    #[must_use]
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.args.path_if("config")
    }

    /// Whether to print the configuration instead of serving.
    #[must_use]
    pub(crate) fn is_to_print(&self) -> bool {
        self.args.is_on("print-config")
    }

    /// Whether it was written for another program, which has options of its own.
    #[must_use]
    pub(crate) fn is_translated(&self) -> bool {
        !self.cameras.is_empty()
    }

    /// Users of a command line that was translated.
    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The cameras that were given; none if there is only the default.
    pub(super) fn cameras(&self) -> impl Iterator<Item = &str> {
        self.args.list(CAMERA).filter(|_| self.args.is_given(CAMERA))
    }

    /// The options of one camera, merged with the file.
    pub(super) fn merge(&self, source: &str, layers: &Layers<'_>) -> Result<Args> {
        // `--option=value` in one argument, because a value may begin with a dash.
        let mut typed: Vec<OsString> = vec!["mjpegd".into(), assignment(CAMERA, source.as_ref())];
        for option in table::of_file() {
            let key = option.name;
            if let Some(entry) = layers.typed(key) {
                typed.extend(entry.values.iter().map(|value| assignment(key, value.as_ref())));
            } else if self.args.is_given(key) {
                typed.extend(self.args.raw(key).map(|value| assignment(key, value)));
            } else if let Some(entry) = layers.find(key) {
                typed.extend(entry.values.iter().map(|value| assignment(key, value.as_ref())));
            } else if let Some((_, value)) = self.defaults.iter().find(|(own, _)| *own == key) {
                typed.push(assignment(key, value.as_ref()));
            }
        }
        match Self::parse_from(typed, "") {
            Ok(merged) => Ok(merged.args),
            Err(e) => Err(self.locate_error(&anyhow!("{}", one_line(&e)), layers)),
        }
    }

    /// The error of an option whose text begins with the option. If the value
    /// came from the file, it begins with the place in the file instead.
    pub(super) fn locate_error(&self, error: &anyhow::Error, layers: &Layers<'_>) -> anyhow::Error {
        let text = mask_error(&format!("{error:#}"));
        let option = text.strip_prefix("--").map(|rest| {
            let end = rest.find([' ', ':', '=']).unwrap_or(rest.len());
            (&rest[..end], &rest[end..])
        });
        // A value that was typed wins over the file, so its error must not name
        // the file, though the file may hold this option too.
        let located = option.and_then(|(key, rest)| {
            key::find(key)?;
            let entry = layers.find(key).filter(|_| !self.args.is_given(key))?;
            Some(anyhow!("{}: {key}{rest}", layers.file?.at(entry.line)))
        });
        located.unwrap_or_else(|| anyhow!("{text}"))
    }
}

/// The parts of the file that apply to one camera; its own table comes first.
#[derive(Clone, Copy, Default)]
pub(super) struct Layers<'a> {
    pub(super) file: Option<&'a File>,
    pub(super) camera: &'a [Entry],
    /// Whether `camera` was typed, by a command line that was translated. Then it
    /// wins over the environment.
    pub(super) is_typed: bool,
}

impl Layers<'_> {
    fn typed(&self, key: &str) -> Option<&Entry> {
        self.camera.iter().find(|entry| self.is_typed && entry.key == key)
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        let top = self.file.map_or(&[][..], |file| &file.top);
        self.camera.iter().chain(top).find(|entry| entry.key == key)
    }
}

/// An error of clap in one line that begins with the option. Clap's own text has
/// several lines, with a usage that does not fit a value of the file.
pub(super) fn one_line(error: &clap::Error) -> String {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let cause = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(cause), _) => Some(cause.to_string()),
        (None, Some(ContextValue::Strings(right))) => {
            Some(format!("use one of {}", right.join(", ")))
        }
        _ => None,
    };
    let text = match (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue), cause) {
        (Some(arg), Some(value), Some(cause)) => {
            let option = arg.split([' ', '[', '=']).next().unwrap_or(arg);
            format!("{option} {value:?}: {cause}")
        }
        _ => {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    mask(&text).into_owned()
}

pub(super) fn assignment(key: &str, value: &OsStr) -> OsString {
    let mut whole = OsString::from(format!("--{key}="));
    whole.push(value);
    whole
}
