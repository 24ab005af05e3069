//! Starts a relay or the origin.

use std::process::Command;

use anyhow::Result;

use crate::origin;
use crate::shared::process::{DAEMON, Server, pinned};

/// A bare loop that sends pictures of this size at this pace, on our own core.
///
/// # Errors
/// Why it did not start.
pub(crate) fn start_origin(n_bytes: usize, fps: f64) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([origin::ROLE, &n_bytes.to_string(), &fps.to_string()]);
    Server::start_loop(command)
}

/// A daemon that relays another server.
///
/// # Errors
/// Why it did not start.
pub(crate) fn start_relay(of: &Server) -> Result<Server> {
    let mut command = pinned(&DAEMON);
    command.args(["--bind", "127.0.0.1:0", "--camera", &format!("http://{}/stream", of.address)]);
    Server::start(command)
}
