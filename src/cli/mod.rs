//! The program `mjpegd`: what happens between its command line and its exit
//! code. It serves, unless a subcommand asks for something else.

mod check_config;
#[cfg(test)]
mod config_template;
mod devices;
mod dialects;
mod doctor;
mod error;
mod grab;
mod health;
#[cfg(test)]
mod help_files;
mod hints;
mod logging;
mod output;
mod probe;
mod serve;
mod signals;
mod summary;

use std::env;
use std::process::ExitCode;

use crate::camera;
use crate::config::{Command, CommandLine, print_config};
use crate::heap;
use crate::reexec;
use dialects::{Start, Started};
use error::Error;
use output::Output;

/// Parses the command line of this process, does what it asks for, prints its
/// one error and returns the exit code: 0, 1 if it failed while running, 2 for
/// a usage error. `--help`, `--version` and options that do not exist end the
/// process at once.
///
/// Call it once and first in a program: it sets up signals and the log, which
/// each process has only once.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().collect();
    let (command_line, dialect) = match dialects::find(&args) {
        None => {
            let command_line = CommandLine::parse_from(args, &camera::help());
            (command_line.unwrap_or_else(|e| output::exit_with(&e)), None)
        }
        Some((dialect, words)) => match dialect.start(words) {
            Ok(Start::Run(started)) => {
                let (command_line, rest) = *started;
                (command_line, Some(rest))
            }
            Ok(Start::Print(text)) => return output::print_and_exit(&text),
            Err(error) => return output::refuse(&error),
        },
    };
    let is_daemon = command_line.command().is_none() && !command_line.is_to_print();
    if is_daemon {
        // Needs a process with one thread, and the log starts the second.
        signals::hold_hangups();
    }
    // Before all that would be done twice, as it starts the program a second time.
    let heap = if is_daemon { heap::exec_with_one() } else { Ok(()) };
    if is_daemon {
        reexec::restore_name();
    }
    // What drivers log is in its findings.
    let is_quiet = matches!(command_line.command(), Some(Command::Doctor { .. }));
    let log_level = dialect.as_ref().and_then(|dialect| dialect.log_level);
    let log_level = log_level.or(is_quiet.then_some("off"));
    let mut output = Output::new(logging::start(log_level));
    if let Err(e) = heap {
        log::debug!("cannot start a second time with one heap, so it takes some MB more: {e}");
    }
    let result = run(&command_line, dialect.as_ref(), &output);
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.print_error(&error);
            // Other programs have one exit code for all errors.
            if dialect.is_some() { ExitCode::FAILURE } else { error.exit_code() }
        }
    };
    output.flush();
    code
}

fn run(
    command_line: &CommandLine,
    dialect: Option<&Started>,
    output: &Output,
) -> Result<(), Error> {
    let text = match command_line.command() {
        None if command_line.is_to_print() => print_config(command_line).map_err(Error::Usage)?,
        None => return serve::run(command_line, dialect, output),
        Some(Command::Devices { json }) => devices::run(*json)?,
        Some(Command::CheckConfig { file }) => check_config::run(file.as_deref())?,
        Some(Command::Probe(args)) => probe::run(args)?,
        Some(Command::Grab(args)) => grab::run(args)?,
        Some(Command::Health(args)) => health::run(args)?,
        Some(Command::Doctor { options }) => return doctor::run(options, output),
    };
    output.print(&text)
}
