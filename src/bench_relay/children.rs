//! Starts a relay or the origin as a process of its own, on its core.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::origin;

const RELAYS_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// A bare loop that sends pictures of this size at this pace.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn origin(n_bytes: usize, fps: f64) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([origin::ROLE, &n_bytes.to_string(), &fps.to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("a child without output")?;
        Self::listening(child, output)
    }

    /// A daemon that relays another server.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn relay(of: &Self) -> Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", RELAYS_CORE, env!("CARGO_BIN_EXE_mjpegd")]);
        command.args([
            "--bind",
            "127.0.0.1:0",
            "--camera",
            &format!("http://{}/stream", of.address),
        ]);
        let mut child = command.env_remove("RUST_LOG").stderr(Stdio::piped()).spawn()?;
        let output = child.stderr.take().context("a child without output")?;
        Self::listening(child, output)
    }

    /// Waits until a child tells where it listens.
    fn listening(child: Child, output: impl Read + Send + 'static) -> Result<Self> {
        let mut server = Self { child, address: SocketAddr::from(([0; 4], 0)) };
        let (mut output, mut said) = (BufReader::new(output), String::new());
        while output.read_line(&mut said)? > 0 {
            if let Some((_, rest)) = said.rsplit_once("listening on http://")
                && let Some((address, _)) = rest.split_once('/')
            {
                server.address = address.parse()?;
                // The rest is read so that the child never waits for us.
                thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return Ok(server);
            }
        }
        bail!("a server did not start: {said}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Moves this process, with its viewers and the origin, to the other core.
pub(crate) fn stay_off_the_relays_core() {
    let pid = std::process::id().to_string();
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", OTHER_CORE, &pid]).stdout(Stdio::null());
    if !command.status().is_ok_and(|status| status.success()) {
        println!("the relay shares its core, as the cores cannot be told apart");
    }
}

/// What all threads of a server used since they began.
///
/// # Errors
/// That it is gone.
pub(crate) fn cpu(server: &Server) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.child.id()))?;
    let times =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
    let ns = times.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(Duration::from_nanos(ns.sum()))
}
