//! `mjpg_streamer -b`: the program goes on without its terminal, and whoever
//! started it continues.

use std::env;
use std::process::Stdio;

use anyhow::Context;

use super::super::Error;
use crate::reexec;

/// Tells the second process that it is the one that stays.
const VARIABLE: &str = "MJPEGD_IN_BACKGROUND";

/// The order to go on in the background.
pub(in crate::cli) struct Background {
    is_there: bool,
}

impl Background {
    pub(super) fn new() -> Self {
        Self { is_there: env::var_os(VARIABLE).is_some() }
    }

    /// Starts the process that stays, or makes this one independent of the
    /// terminal if it is that process. Returns whether this one has to end.
    ///
    /// A second start and not `fork`, because a process may be forked safely
    /// only while it has one thread, and the log has started another.
    ///
    /// # Errors
    /// The system does not start another process.
    pub(super) fn detach(&self) -> Result<bool, Error> {
        if self.is_there {
            // Fails where it was done before the program started itself again.
            let _ = rustix::process::setsid();
            return Ok(false);
        }
        let mut command = reexec::command();
        command.env(VARIABLE, "1");
        // A script that reads the output would otherwise wait for its end.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("cannot go on in the background")?;
        Ok(true)
    }
}
