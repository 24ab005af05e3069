//! A restart: the process becomes a new image of the same program, and the
//! listener stays open meanwhile.
//!
//! Threads and descriptors that a library has lost come back only with a new
//! image of the process. Clients that connect meanwhile wait in the queue of the
//! listener. An environment variable names the listener to the new image.

use std::env;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, id};

use anyhow::{Context, Error, Result};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::reexec;

/// Process, descriptor and number of restarts so far: `17:5:1`. The process is
/// named, as in systemd's LISTEN_PID, so that a child does not take the
/// listener for its own.
const VARIABLE: &str = "MJPEGD_INHERITED";

/// What this image of the process hands over to the next.
#[derive(Debug)]
pub(crate) struct Restart {
    pub(crate) listener: TcpListener,
    /// The number of restarts before this image.
    pub(crate) n_before: u64,
}

/// What the image before this one has handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Inherited {
    pub(crate) listener: RawFd,
    pub(crate) n_before: u64,
}

impl Restart {
    /// Replaces this process by a new image of its program, with the same
    /// arguments. All parts of the daemon must have stopped, as their threads
    /// end at once. Returns only if it fails.
    #[must_use]
    pub(crate) fn run(self) -> Error {
        match self.command() {
            Ok(mut command) => Error::new(command.exec()).context("cannot restart the program"),
            Err(e) => e,
        }
    }

    fn command(&self) -> Result<Command> {
        // Without its CLOEXEC flag the descriptor stays open in the new image.
        fcntl_setfd(&self.listener, FdFlags::empty()).context("cannot keep the listener open")?;
        let value = format!("{}:{}:{}", id(), self.listener.as_raw_fd(), self.n_before + 1);
        let mut command = reexec::command();
        command.env(VARIABLE, value);
        Ok(command)
    }
}

impl Inherited {
    /// `None`: this is the first image of the process.
    pub(crate) fn from_env() -> Option<Self> {
        parse(&env::var(VARIABLE).ok()?, id())
    }
}

fn parse(text: &str, own_id: u32) -> Option<Inherited> {
    let mut parts = text.split(':');
    let (process, listener) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse().ok()?);
    let n_before = parts.next()?.parse().ok()?;
    (process == own_id).then_some(Inherited { listener, n_before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_itself_inherits() {
        assert_eq!(parse("17:5:2", 17), Some(Inherited { listener: 5, n_before: 2 }));
        for text in ["18:5:2", "", "17:5", "17:x:2", "17", "a:b:c"] {
            assert_eq!(parse(text, 17), None, "{text}");
        }
    }
}
