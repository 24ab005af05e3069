//! The definition of the command line for clap: the table of options, the subcommands, and the text of `--help`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, Subcommand};

use super::table::{Form, GROUPS, Opt};
use super::tools::{GrabArgs, HealthArgs, ProbeArgs};

const ABOUT: &str = "A camera server for small boards: shows cameras live, as Motion JPEG over \
                     plain HTTP, to browsers and programs";

/// The subcommands: what the program can do beside serving.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List the cameras of this machine, their formats, sizes, rates and controls
    Devices {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check a file for --config, and print its first error
    CheckConfig {
        /// The file; the one in MJPEGD_CONFIG if not given
        file: Option<PathBuf>,
    },
    /// Measure a stream of any server: rate, sizes, age of its pictures
    Probe(ProbeArgs),
    /// Save pictures from a stream of any server as files
    Grab(GrabArgs),
    /// Ask a daemon whether it works: exit code 0, or 1 and why not; for containers
    Health(HealthArgs),
    /// Look for what keeps the daemon from showing pictures here, and say what helps: exit code 0,
    /// or 1 if something is to do
    Doctor {
        /// The options with which the daemon is started
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<OsString>,
    },
}

/// The command line as clap takes it.
pub(super) fn command() -> clap::Command {
    let mut command = clap::Command::new("mjpegd")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
        // An option of the daemon beside a subcommand would have no effect, and nothing would
        // say so.
        .args_conflicts_with_subcommands(true);
    for (heading, options) in GROUPS {
        command = command.next_help_heading(heading).args(options.iter().map(argument));
    }
    // Last, as the subcommands would put their own text here.
    Command::augment_subcommands(command)
        .about(ABOUT)
        .long_about(format!("{ABOUT}.\n\nA camera is on only while somebody watches."))
}

fn argument(option: &'static Opt) -> Arg {
    let arg = Arg::new(option.name)
        .long(option.name)
        .env(option.env)
        // The help does not show what the environment holds: a camera's address may have a
        // password in it.
        .hide_env_values(true)
        .help(option.help);
    if option.form == Form::Switch {
        // A value, so that the command line can switch off what the file switches on. It needs
        // an equals sign, or a subcommand behind the option would be taken for its value.
        return arg
            .value_name("true|false")
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_parser(BoolishValueParser::new());
    }
    // Numbers, times and sizes are read by this room and not by clap, so that errors are the
    // same for the file.
    let arg = arg.value_name(option.value).default_value(option.default);
    match option.form {
        Form::List(delimiter) => arg.action(ArgAction::Append).value_delimiter(delimiter),
        Form::Path => arg.value_parser(ValueParser::os_string()),
        Form::OneOf(values) => arg.value_parser(PossibleValuesParser::new(values)),
        Form::Text | Form::Switch => arg,
    }
}

/// What stands below the options in `--help`.
pub(super) fn after_help(sources: &str) -> String {
    format!(
        "\
Cameras:
{sources}
Times are 10s, 500ms, 2m; 0 where a time may be switched off. Sizes are 500kB, 16MB, 4GiB.
mjpegd ustreamer ... and mjpegd mjpg_streamer ... take the command lines of these programs, and
so does a link with their name.
Exit codes: 0 asked to stop, 1 failed while running, 2 bad usage.
RUST_LOG sets the log level: off, error, warn, info (default), debug."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_sound() {
        command().debug_assert();
    }
}
