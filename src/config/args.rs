//! The options of the daemon as they were given, by name.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::ServerOptionValues;
use super::table::{self, Scope};

/// The options of one camera or of the server.
#[derive(Debug)]
pub(super) struct Args(pub(super) ArgMatches);

impl Args {
    /// Whether an option was typed or set in the environment.
    pub(super) fn is_given(&self, name: &str) -> bool {
        // What remains is the default, and the file wins over it.
        let source = self.0.value_source(name);
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.0.get_flag(name)
    }

    /// An option that has no default.
    pub(super) fn text_if(&self, name: &str) -> Option<&str> {
        self.raw(name).next()?.to_str()
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.text_if(name).unwrap_or_default()
    }

    pub(super) fn path_if(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).next().map(PathBuf::from)
    }

    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.raw(name).filter_map(OsStr::to_str)
    }

    /// # Errors
    /// Its text is no number, or one that no value of this option can be.
    pub(super) fn number_if<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let right = if "0.5".parse::<T>().is_ok() { "a number" } else { "a whole number" };
        let parse = |text: &str| text.parse().map_err(|_| fault(name, text, &use_of(right)));
        self.text_if(name).map(parse).transpose()
    }

    /// An option that has a default.
    ///
    /// # Errors
    /// As [`Args::number_if`].
    pub(super) fn number<T: FromStr + Default>(&self, name: &str) -> Result<T> {
        Ok(self.number_if(name)?.unwrap_or_default())
    }

    /// As [`Args::number`], in bounds that `usage` names.
    ///
    /// # Errors
    /// As [`Args::number_if`], or it is out of bounds.
    pub(super) fn number_in<T>(
        &self,
        name: &str,
        right: RangeInclusive<T>,
        usage: &str,
    ) -> Result<T>
    where
        T: FromStr + Default + Display + PartialOrd,
    {
        let text = self.text(name);
        let number = text.parse().map_err(|_| fault(name, text, &use_of(usage)))?;
        ensure!(right.contains(&number), "--{name} {number}: {}", use_of(usage));
        Ok(number)
    }

    /// # Errors
    /// Its text is no time.
    pub(super) fn time_if(&self, name: &str) -> Result<Option<Duration>> {
        let parse = |text| humantime::parse_duration(text).map_err(|e| fault(name, text, &e));
        self.text_if(name).map(parse).transpose()
    }

    /// An option that has a default.
    ///
    /// # Errors
    /// As [`Args::time_if`].
    pub(super) fn time(&self, name: &str) -> Result<Duration> {
        Ok(self.time_if(name)?.unwrap_or_default())
    }

    /// As [`Args::time`], in bounds that `usage` names.
    ///
    /// # Errors
    /// As [`Args::time_if`], or it is out of bounds.
    pub(super) fn time_in(
        &self,
        name: &str,
        right: RangeInclusive<Duration>,
        usage: &str,
    ) -> Result<Duration> {
        let time = self.time(name)?;
        ensure!(right.contains(&time), "--{name} {time:?}: use {usage}");
        Ok(time)
    }

    /// The values of an option, as they were given.
    pub(super) fn raw(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.0.get_raw(name).into_iter().flatten()
    }

    /// The options of a scope that were given, with their values.
    pub(super) fn given(&self, scope: Scope) -> Vec<(String, Vec<String>)> {
        let given = table::all().filter(|option| option.scope == scope);
        given
            .filter(|option| self.is_given(option.name))
            .map(|option| {
                let values = self.raw(option.name).map(|v| v.to_string_lossy().into_owned());
                (option.name.to_owned(), values.collect())
            })
            .collect()
    }

    /// The options of the server as they were given, so that a reload can see
    /// which of them changed.
    pub(super) fn server(&self) -> ServerOptionValues {
        let of_server = table::all().filter(|option| option.scope == Scope::Server);
        of_server
            .map(|option| {
                (option.name.to_owned(), self.raw(option.name).map(OsString::from).collect())
            })
            .collect()
    }
}

fn use_of(right: &str) -> String {
    ["use ", right].concat()
}

fn fault(name: &str, text: &str, cause: &dyn Display) -> anyhow::Error {
    anyhow!("--{name} {text:?}: {cause}")
}

#[cfg(test)]
impl Args {
    /// The arguments of a command line that is right.
    pub(super) fn typed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        Self(super::definition::command().get_matches_from(words))
    }
}
