//! What was typed and what the environment says, and how it goes together
//! with the file: the command line wins over the environment, that over the
//! camera's table in the file, that over the top of the file, that over the
//! defaults.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::args::Args;
use super::file::{Entry, File};
use super::keys::{CAMERA, Keys, Scope};
use super::{Command, ServerOptions};

/// The command line, read.
#[derive(Debug)]
pub struct CommandLine {
    args: Args,
    matches: ArgMatches,
}

impl CommandLine {
    /// # Errors
    /// As clap's own, also for `--help` and `--version`.
    pub fn parse_from(typed: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Args::command().try_get_matches_from(typed)?;
        Ok(Self { args: Args::from_arg_matches(&matches)?, matches })
    }

    /// What to do instead of serving.
    #[must_use]
    pub fn command(&self) -> Option<&Command> {
        self.args.command.as_ref()
    }

    /// The file, if one was named.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        self.args.config.as_ref()
    }

    /// The cameras as they were typed; none where the default is all there is.
    pub(super) fn cameras(&self) -> &[String] {
        if is_typed(&self.matches, "cameras") { &self.args.cameras } else { &[] }
    }

    /// The options with what stands in the file, and with one camera.
    pub(super) fn merge(&self, source: &str, layers: &Layers<'_>) -> Result<Merged> {
        let mut typed: Vec<OsString> = vec!["mjpegd".into(), joined(CAMERA, source.as_ref())];
        for (key, _, arg) in Keys::new().all() {
            let id = arg.get_id().as_str();
            if is_typed(&self.matches, id) {
                let values = self.matches.get_raw(id).into_iter().flatten();
                typed.extend(values.map(|value| joined(key, value)));
            } else if let Some(entry) = layers.find(key) {
                typed.extend(entry.values.iter().map(|value| joined(key, value.as_ref())));
            }
        }
        match Self::parse_from(typed) {
            Ok(Self { args, matches }) => Ok(Merged { args, matches }),
            Err(e) => Err(self.blame(&anyhow!("{}", sentence(&e)), layers)),
        }
    }

    /// A fault that begins with the option that has it; if its value is from
    /// the file, with where it stands there.
    pub(super) fn blame(&self, fault: &anyhow::Error, layers: &Layers<'_>) -> anyhow::Error {
        let text = format!("{fault:#}");
        let option = text.strip_prefix("--").map(|rest| {
            let end = rest.find([' ', ':', '=']).unwrap_or(rest.len());
            (&rest[..end], &rest[end..])
        });
        let told = option.and_then(|(key, rest)| {
            let keys = Keys::new();
            let (_, arg) = keys.find(key)?;
            let entry =
                layers.find(key).filter(|_| !is_typed(&self.matches, arg.get_id().as_str()))?;
            Some(anyhow!("{}: {key}{rest}", layers.file?.at(entry.line)))
        });
        told.unwrap_or_else(|| anyhow!("{text}"))
    }
}

/// The options of one camera or of the server, put together.
pub(super) struct Merged {
    pub(super) args: Args,
    matches: ArgMatches,
}

impl Merged {
    /// The options of the server, to be compared with those of another time.
    pub(super) fn server(&self) -> ServerOptions {
        let keys = Keys::new();
        let of_server = keys.all().filter(|(_, scope, _)| *scope == Scope::Server);
        of_server
            .map(|(key, _, arg)| {
                let values = self.matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
                (key.to_owned(), values.map(OsString::from).collect())
            })
            .collect()
    }
}

/// What the file says that concerns one camera, the nearest first.
#[derive(Clone, Copy, Default)]
pub(super) struct Layers<'a> {
    pub(super) file: Option<&'a File>,
    pub(super) camera: &'a [Entry],
}

impl Layers<'_> {
    fn find(&self, key: &str) -> Option<&Entry> {
        let top = self.file.map_or(&[][..], |file| &file.top);
        self.camera.iter().chain(top).find(|entry| entry.key == key)
    }
}

/// An error of clap's in one line that begins with the option.
fn sentence(error: &clap::Error) -> String {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue), error.source()) {
        (Some(arg), Some(value), Some(cause)) => {
            let option = arg.split([' ', '[', '=']).next().unwrap_or(arg);
            format!("{option} {value:?}: {cause}")
        }
        _ => {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    let source = matches.value_source(id);
    matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

fn joined(key: &str, value: &OsStr) -> OsString {
    let mut whole = OsString::from(format!("--{key}="));
    whole.push(value);
    whole
}
