//! `mjpegd` without a subcommand: the daemon.

use super::dialects::Started;
use super::{Error, Output, signals};
use crate::config::CommandLine;
use crate::daemon;

/// Serves until a signal stops it. When the process has to be replaced to get
/// lost resources back, it becomes a new image of the same program.
///
/// # Errors
/// The configuration cannot be used, or the daemon cannot run.
pub(super) fn run(
    command_line: &CommandLine,
    dialect: Option<&Started>,
    output: &Output,
) -> Result<(), Error> {
    let config = daemon::configure(command_line).map_err(Error::Usage)?;
    if let Some(dialect) = dialect {
        dialect.begin(command_line);
        // Only now, so that a mistake is seen by whoever starts it.
        if dialect.detach()? {
            return Ok(());
        }
    }
    let signals = signals::all()?;
    match daemon::run(command_line, config, &signals)? {
        // A signal to stop that came during the shutdown wins over a restart.
        Some(restart) if signals.stop.is_empty() => {
            output.flush();
            // The new image begins without handlers.
            signals::hold_hangups();
            Err(Error::Failed(restart.run()))
        }
        _ => Ok(()),
    }
}
