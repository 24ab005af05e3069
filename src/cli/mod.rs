//! The program `mjpegd`: what happens between its command line and its exit
//! code. It serves, unless a subcommand asks for something else.

mod check_config;
mod devices;
mod error;
mod grab;
mod logging;
mod output;
mod probe;
mod serve;
mod signals;
mod summary;

use std::env;
use std::process::ExitCode;

use crate::config::{Command, CommandLine};
use crate::heap;
use crate::reexec;
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
    let command_line =
        CommandLine::parse_from(env::args_os()).unwrap_or_else(|e| output::exit_with(&e));
    let is_daemon = command_line.command().is_none();
    // First of all, as it starts the program a second time.
    let heap = if is_daemon { heap::exec_with_one() } else { Ok(()) };
    if is_daemon {
        // Needs a process with one thread, and the log starts the second.
        signals::block_hangups();
        reexec::restore_name();
    }
    let mut output = Output::new(logging::start());
    if let Err(e) = heap {
        log::debug!("cannot start a second time with one heap, so it takes some MB more: {e}");
    }
    let result = run(&command_line, &output);
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.print_error(&error);
            error.exit_code()
        }
    };
    output.flush();
    code
}

fn run(command_line: &CommandLine, output: &Output) -> Result<(), Error> {
    let text = match command_line.command() {
        None => return serve::run(command_line, output),
        Some(Command::Devices { json }) => devices::run(*json)?,
        Some(Command::CheckConfig { file }) => check_config::run(file.as_deref())?,
        Some(Command::Probe(args)) => probe::run(args)?,
        Some(Command::Grab(args)) => grab::run(args)?,
    };
    output.print(&text)
}
