//! A command line that was written for another program and has been translated
//! into options of this one. It counts as typed: it wins over the environment.

use std::ffi::OsString;

use anyhow::{Result, anyhow};

use super::Credentials;
use super::command_line::{CommandLine, assignment, one_line};
use super::file::{Entry, Table};
use super::table;

/// The name of an option without its dashes, and a value.
pub(crate) type Assignment = (&'static str, String);

/// What another program's command line means.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    /// Options of the server. One that is a list may come several times.
    pub(crate) server: Vec<Assignment>,
    /// At least one. Unlike those of this program's own command line, each has
    /// options of its own.
    pub(crate) cameras: Vec<TranslatedCamera>,
    /// Options of the server that the other program has another default for. The
    /// environment and the file win over them.
    pub(crate) defaults: Vec<Assignment>,
    /// Users whose passwords were typed, which this program otherwise takes from
    /// a file only.
    pub(crate) credentials: Option<Credentials>,
}

/// One camera of a [`Translated`] command line.
#[derive(Debug, Default)]
pub(crate) struct TranslatedCamera {
    pub(crate) source: String,
    pub(crate) options: Vec<Assignment>,
}

impl CommandLine {
    /// The command line that was translated.
    ///
    /// # Errors
    /// The first option whose value cannot be read. The others are checked with
    /// the configuration.
    pub(crate) fn from_translated(translated: Translated) -> Result<Self> {
        let mut words: Vec<OsString> = vec!["mjpegd".into()];
        words.extend(translated.server.iter().map(|(key, value)| assignment(key, value.as_ref())));
        let mut typed = Self::parse_from(words, "").map_err(|e| anyhow!("{}", one_line(&e)))?;
        typed.cameras = translated.cameras.iter().map(TranslatedCamera::table).collect();
        typed.defaults = translated.defaults;
        typed.credentials = translated.credentials;
        Ok(typed)
    }
}

impl TranslatedCamera {
    /// As a table of the file, which is what can hold options of one camera.
    fn table(&self) -> Table {
        let entry = |key: &str, values| Entry { key: key.to_owned(), values, line: 0 };
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in &self.options {
            match entries.iter_mut().find(|entry| entry.key == *key) {
                Some(known) => known.values.push(value.clone()),
                None => entries.push(entry(key, vec![value.clone()])),
            }
        }
        let source = Some(entry("source", vec![self.source.clone()]));
        Table { line: 0, name: None, source, entries }
    }
}

/// Whether there is an option of this name.
pub(crate) fn has_option(name: &str) -> bool {
    table::find(name).is_some()
}
