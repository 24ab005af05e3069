//! A restart: the process becomes a new image of the same program, and the
//! listeners stay open meanwhile.
//!
//! Threads and descriptors that a library has lost come back only with a new
//! image of the process. Clients that connect meanwhile wait in the queues of the
//! listeners. An environment variable names these to the new image.

use std::env;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, id};

use anyhow::{Context, Error, Result, ensure};
use rustix::io::{FdFlags, fcntl_setfd};
use socket2::SockRef;

use super::descriptor;
use crate::config::Bind;
use crate::notify;
use crate::reexec;

/// Process, descriptors and number of restarts so far: `17:5,6:1`. The process is
/// named, as in systemd's LISTEN_PID, so that a child does not take the
/// listeners for its own.
const VARIABLE: &str = "MJPEGD_INHERITED";

/// What this image of the process hands over to the next.
#[derive(Debug)]
pub(crate) struct Restart {
    pub(crate) listeners: Vec<OwnedFd>,
    /// The number of restarts before this image.
    pub(crate) n_before: u64,
}

/// What the image before this one has handed over.
#[derive(Debug, PartialEq)]
pub(crate) struct Inherited {
    pub(super) listeners: Vec<RawFd>,
    pub(crate) n_before: u64,
    /// A supervisor opened them, and says with them where to listen.
    pub(super) is_activation: bool,
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
        for listener in &self.listeners {
            // Without its CLOEXEC flag the descriptor stays open in the new image.
            fcntl_setfd(listener, FdFlags::empty()).context("cannot keep a listener open")?;
        }
        let all: Vec<_> = self.listeners.iter().map(|fd| fd.as_raw_fd().to_string()).collect();
        let value = format!("{}:{}:{}", id(), all.join(","), self.n_before + 1);
        let mut command = reexec::command();
        command.env(VARIABLE, value);
        Ok(command)
    }
}

impl Inherited {
    /// `None`: this is the first image of the process, and nobody has opened a socket
    /// for it (sd_listen_fds(3)).
    pub(crate) fn from_env() -> Option<Self> {
        let activated = notify::listeners();
        let is_activation = activated.is_some();
        // Their numbers may have changed in the image before.
        let restarted = env::var(VARIABLE).ok().and_then(|text| parse(&text, id()));
        restarted
            .map(|inherited| Self { is_activation, ..inherited })
            .or_else(|| activated.map(|listeners| Self { listeners, n_before: 0, is_activation }))
    }

    /// Takes the listeners over. Those that are none, or are closed, are left out.
    pub(super) fn adopt(self) -> Vec<OwnedFd> {
        let own = self.listeners.into_iter().filter_map(descriptor::adopt);
        // Not for the commands that this image starts.
        own.filter(|fd| fcntl_setfd(fd, FdFlags::CLOEXEC).is_ok()).collect()
    }
}

/// Where these sockets listen.
///
/// # Errors
/// One of them is of another kind.
pub(super) fn places(listeners: &[OwnedFd]) -> Result<Vec<Bind>> {
    let right = "use ListenStream= with a port, or with the path of a Unix socket";
    ensure!(!listeners.is_empty(), "no socket that LISTEN_FDS names listens: {right}");
    let place = |fd: &OwnedFd| {
        let address = SockRef::from(fd).local_addr().ok()?;
        let path = address.as_pathname().map(|path| Bind::Unix(path.to_owned()));
        path.or(address.as_socket().map(Bind::Tcp))
    };
    let places = listeners.iter().map(place).collect::<Option<_>>();
    places.with_context(|| format!("a socket that LISTEN_FDS names has no address: {right}"))
}

fn parse(text: &str, own_id: u32) -> Option<Inherited> {
    let mut parts = text.split(':');
    let process = parts.next()?.parse::<u32>().ok()?;
    let listeners = parts.next()?.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    let n_before = parts.next()?.parse().ok()?;
    (process == own_id).then_some(Inherited { listeners, n_before, is_activation: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_itself_inherits() {
        let found = parse("17:5:2", 17).map(|inherited| (inherited.listeners, inherited.n_before));
        assert_eq!(found, Some((vec![5], 2)));
        assert_eq!(parse("17:5,6:2", 17).unwrap().listeners, [5, 6]);
        for text in ["18:5:2", "", "17:5", "17:x:2", "17", "a:b:c"] {
            assert_eq!(parse(text, 17), None, "{text}");
        }
    }
}
