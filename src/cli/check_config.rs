//! `mjpegd check-config`: would the daemon accept this file?

use std::path::Path;

use anyhow::anyhow;

use super::{Error, output};
use crate::config::CommandLine;
use crate::daemon;

/// Checks a file as `mjpegd --config FILE` would at its start, and names the
/// cameras in it. Without a file, the one in `MJPEGD_CONFIG` is checked.
///
/// # Errors
/// There is no file, or the first thing in it that cannot be used.
pub(super) fn run(file: Option<&Path>) -> Result<String, Error> {
    let mut args = vec!["mjpegd".into()];
    if let Some(file) = file {
        args.extend(["--config".into(), file.into()]);
    }
    // Parsed like a start of the daemon, so that variables of the environment
    // count and mean the same.
    let command_line = CommandLine::parse_from(args, "").unwrap_or_else(|e| output::exit_with(&e));
    if command_line.file().is_none() {
        return Err(Error::Usage(anyhow!("no file to check; use mjpegd check-config FILE")));
    }
    // With all that a start would check of the system, such as folders without a picture.
    let config = daemon::configure(&command_line).map_err(Error::Usage)?;
    Ok(format!("ok: {config}\n"))
}
