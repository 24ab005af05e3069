//! Starts the daemon or a bare loop on the test's pictures.

use anyhow::{Context, Result};

use crate::bare;
use crate::pictures::Pictures;
use crate::process::{DAEMON, Server, pinned};

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Subject {
    Limit,
    LimitThreads,
    Mjpegd,
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Limit, Self::LimitThreads, Self::Mjpegd];

    /// Starts it for so many viewers.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn start(self, pictures: &Pictures, n_viewers: usize) -> Result<Server> {
        let kind = match self {
            Self::Limit => bare::ONE_THREAD,
            Self::LimitThreads => bare::THREADS,
            Self::Mjpegd => return daemon(pictures, &["--threads", &(n_viewers + 10).to_string()]),
        };
        let exe = std::env::current_exe()?;
        let exe = exe.to_str().context("this executable has an odd name")?;
        let mut command = pinned(exe);
        command.args([bare::ROLE, kind, &n_viewers.to_string(), &pictures.fps.to_string()]);
        command.arg(&pictures.dir);
        Server::start_loop(command)
    }
}

/// Starts the daemon on the folder.
///
/// # Errors
/// Why it did not start.
pub(crate) fn daemon(pictures: &Pictures, args: &[&str]) -> Result<Server> {
    let mut command = pinned(&DAEMON);
    command.arg("--camera").arg(format!("images:{}", pictures.dir.display()));
    command.args(["--fps", &pictures.fps.to_string(), "--bind", "127.0.0.1:0"]).args(args);
    Server::start(command)
}
