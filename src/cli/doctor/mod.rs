//! `mjpegd doctor`: what keeps the daemon from showing pictures here, and what helps.

mod clock;
mod daemon;
mod devices;
mod disk;
mod files;
mod groups;
mod network;
mod ports;
mod power;
mod report;
mod system;
mod usb;

use std::ffi::OsString;
use std::fs;
use std::time::SystemTime;

use anyhow::anyhow;

use super::{Error, Output, output};
use crate::config::{CommandLine, Config};
use report::Report;
use system::System;

/// Checks this machine for a daemon with these options, and prints what was found.
///
/// # Errors
/// The options cannot be used, or something is to do.
pub(super) fn run(options: &[OsString], output: &Output) -> Result<(), Error> {
    // Parsed like a start of the daemon, so that each option and variable means the same.
    let mut typed = vec![OsString::from("mjpegd")];
    typed.extend_from_slice(options);
    let command_line = CommandLine::parse_from(typed, "").unwrap_or_else(|e| output::exit_with(&e));
    if command_line.command().is_some() {
        return Err(Error::Usage(anyhow!(
            "doctor takes the options of the daemon, and no command"
        )));
    }
    let config = Config::read(&command_line).map_err(Error::Usage)?;
    let mut report = Report::default();
    look(&System::real(), &config, options.is_empty(), &mut report);
    let (text, n_to_do) = report.end();
    output.print(&text)?;
    match n_to_do {
        0 => Ok(()),
        n => Err(Error::Failed(anyhow!("{n} to do"))),
    }
}

fn look(system: &System, config: &Config, is_bare: bool, report: &mut Report) {
    if is_bare && system.has("/etc/default/mjpegd") {
        report.topic("options");
        let text = "those of the service were not read\n\
            sudo sh -c 'set -a; . /etc/default/mjpegd; mjpegd doctor'";
        report.note(text, &[]);
    }
    let tried = devices::look(system, config, report);
    usb::look(system, &tried, report);
    let running = daemon::look(&config.http, report);
    let usable = ports::look(&config.http, &running, report);
    network::look(system, &usable, report);
    disk::look(config, report);
    files::look(&config.http, report);
    // A program cannot be used before it was built.
    let program = fs::metadata("/proc/self/exe").and_then(|program| program.modified());
    let built = program.unwrap_or(SystemTime::UNIX_EPOCH);
    clock::look(system, SystemTime::now(), built, report);
    power::look(system, report);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration of a command line that is right.
    pub(super) fn config(options: &[&str]) -> Config {
        let words = [&["mjpegd"], options].concat().into_iter().map(OsString::from);
        Config::read(&CommandLine::parse_from(words, "").unwrap()).unwrap()
    }
}
