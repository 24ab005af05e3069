//! Command lines of other camera servers: what was written for uStreamer or
//! mjpg-streamer starts this program instead, by a link with their name or as
//! `mjpegd ustreamer ...`.
//!
//! A dialect is a translation from their words to a command line of this
//! program. Nothing else of the program knows of it.

mod background;
mod draft;
mod getopt;
#[cfg(test)]
mod guide;
mod help;
mod mjpg_streamer;
mod table;
mod ustreamer;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;

use super::Error;
use crate::config::{CommandLine, Translated, print_config};
use crate::url::mask;
use background::Background;
use draft::Draft;

/// All of them.
const DIALECTS: [Dialect; 2] = [ustreamer::DIALECT, mjpg_streamer::DIALECT];
/// The option of this program that works in each dialect.
const PRINT_CONFIG: &str = "--print-config";

/// The command line of another program.
pub(super) struct Dialect {
    /// How messages name it.
    program: &'static str,
    /// Names under which the program is started.
    names: &'static [&'static str],
    read: fn(&[String]) -> Result<Meant, String>,
    /// The part of the guide that is made from the options.
    #[cfg(test)]
    table: fn() -> String,
}

/// What a command line of another program asks for.
enum Meant {
    Print(String),
    Serve {
        translated: Translated,
        /// Lines for the log.
        notes: Vec<String>,
        /// What is logged, unless the environment says otherwise.
        log_level: Option<&'static str>,
        ends_with_parent: bool,
        is_in_background: bool,
    },
}

/// What to do for a command line of another program.
pub(super) enum Start {
    Print(String),
    Run(Box<(CommandLine, Started)>),
}

/// What a translated command line asks for beside the options of this program.
pub(super) struct Started {
    program: &'static str,
    pub(super) log_level: Option<&'static str>,
    background: Option<Background>,
    notes: Vec<String>,
    ends_with_parent: bool,
}

/// The dialect of a command line with the words behind its name; `None`: it is
/// one of this program.
pub(super) fn find(args: &[OsString]) -> Option<(&'static Dialect, &[OsString])> {
    let named = |name: &OsString| {
        let name = Path::new(name).file_name()?.to_str()?;
        DIALECTS.iter().find(|dialect| dialect.names.contains(&name))
    };
    let (first, rest) = args.split_first()?;
    if let Some(dialect) = named(first) {
        return Some((dialect, rest));
    }
    let (second, rest) = rest.split_first()?;
    // A path would rather be a mistake than a subcommand.
    let is_word = second.to_str().is_some_and(|word| !word.contains('/'));
    named(second).filter(|_| is_word).map(|dialect| (dialect, rest))
}

impl Dialect {
    /// Translates the words behind the name.
    ///
    /// # Errors
    /// The first mistake in one line, with the name of the program in front.
    pub(super) fn start(&self, words: &[OsString]) -> Result<Start, String> {
        let error = |why: String| format!("{}: {}", self.program, mask(&why));
        let mut words: Vec<_> = words.iter().map(|w| w.to_string_lossy().into_owned()).collect();
        let n_before = words.len();
        words.retain(|word| word != PRINT_CONFIG);
        let is_to_print = words.len() < n_before;
        let program = self.program;
        // Masked alone: the word behind an option could be taken for its value.
        let meant = (self.read)(&words)
            .map_err(|why| error(why) + &format!(" (mjpegd {program} --help lists the options)"))?;
        let (mut translated, started) = match meant {
            Meant::Print(text) => return Ok(Start::Print(text)),
            Meant::Serve { translated, notes, log_level, ends_with_parent, is_in_background } => {
                (translated, (notes, log_level, ends_with_parent, is_in_background))
            }
        };
        if is_to_print {
            translated.server.push(("print-config", "true".into()));
        }
        let command_line =
            CommandLine::from_translated(translated).map_err(|e| error(e.to_string()))?;
        let (notes, log_level, ends_with_parent, is_in_background) = started;
        let background = is_in_background.then(Background::new);
        let started = Started { program, log_level, background, notes, ends_with_parent };
        Ok(Start::Run(Box::new((command_line, started))))
    }
}

impl Started {
    /// Logs what the command line means and what has no meaning here, and ties the process to its parent where
    /// that was asked for. The log has to be started.
    pub(super) fn begin(&self, command_line: &CommandLine) {
        let text = print_config(command_line).unwrap_or_default();
        let same = text.lines().next().and_then(|line| line.strip_prefix("# mjpegd "));
        if let Some(same) = same {
            log::info!("{} means: mjpegd {same}", self.program);
        }
        self.notes.iter().for_each(|note| log::info!("{note}"));
        if self.ends_with_parent {
            let signal = Some(rustix::process::Signal::TERM);
            if let Err(e) = rustix::process::set_parent_process_death_signal(signal) {
                log::warn!("cannot end together with the parent process: {e}");
            }
        }
    }

    /// Goes on without a terminal where that was asked for. Returns whether
    /// another process goes on, so that this one has to end.
    ///
    /// # Errors
    /// The system does not start another process.
    pub(super) fn detach(&self) -> Result<bool, Error> {
        self.background.as_ref().map_or(Ok(false), Background::detach)
    }
}

/// The folder of the page, if it is there: a missing one does not stop the other
/// programs.
fn set_page(draft: &mut Draft, option: &str, dir: String) {
    if Path::new(&dir).is_dir() {
        draft.server.push(("www", dir));
    } else {
        draft.note(&format!("{option} {dir}"), "no such folder, so mjpegd shows its own page");
    }
}
