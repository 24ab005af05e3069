//! Starting anew in the same process, with the listener open all the while.
//!
//! What a library has lost for good (threads, descriptors) only a new image of
//! the process gives back. Clients that come meanwhile wait in the queue of
//! the listener, which the new image is told of by an environment variable.

use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, id};
use std::{env, io};

use anyhow::{Context, Error, Result};
use rustix::io::{FdFlags, fcntl_setfd};

/// Process, descriptor and how many times it was: `17:5:1`. The process is
/// named as in systemd's LISTEN_PID, so that no child takes it for its own.
const VARIABLE: &str = "MJPEGD_INHERITED";

/// What an image of this process leaves to the next.
#[derive(Debug)]
pub struct Restart {
    pub(crate) listener: TcpListener,
    /// How many images there were before this one.
    pub(crate) n_before: u64,
}

/// What this image was left by the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Inherited {
    pub(crate) listener: RawFd,
    pub(crate) n_before: u64,
}

impl Restart {
    /// Becomes a new image of this program. All threads of ours must have
    /// ended. Returns only if that fails.
    #[must_use]
    pub fn run(self) -> Error {
        match self.try_run() {
            Ok(never) => never,
            Err(e) => e,
        }
    }

    fn try_run(self) -> Result<Error> {
        // The descriptor goes to the new image: it is not to be closed here.
        fcntl_setfd(&self.listener, FdFlags::empty()).context("the listener cannot be kept")?;
        let value = format!("{}:{}:{}", id(), self.listener.as_raw_fd(), self.n_before + 1);
        let mut args = env::args_os();
        // The file may have been replaced or moved; this is what runs.
        let mut command = Command::new("/proc/self/exe");
        if let Some(name) = args.next() {
            command.arg0(name);
        }
        let fault: io::Error = command.args(args).env(VARIABLE, value).exec();
        Ok(Error::new(fault).context("the program cannot start anew"))
    }
}

/// What the image before has left, if there was one.
pub(crate) fn inherited() -> Option<Inherited> {
    parse(&env::var(VARIABLE).ok()?, id())
}

fn parse(text: &str, own: u32) -> Option<Inherited> {
    let mut parts = text.split(':');
    let (process, listener) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse().ok()?);
    let n_before = parts.next()?.parse().ok()?;
    (process == own).then_some(Inherited { listener, n_before })
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
