//! Servers as processes of their own, on a core of their own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow, bail};

/// The executable that is measured; `BENCH_DAEMON` names another, such as one
/// of before a change.
pub(crate) static DAEMON: LazyLock<String> = LazyLock::new(|| {
    std::env::var("BENCH_DAEMON").unwrap_or_else(|_| env!("CARGO_BIN_EXE_mjpegd").into())
});
const SERVERS_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// Whether there are two cores to be told apart, and the tool to do so.
static CAN_PIN: LazyLock<bool> = LazyLock::new(|| {
    let n_cores = thread::available_parallelism().map_or(1, usize::from);
    n_cores > 1 && silent(Command::new("taskset").arg("--version"))
});

/// Where a server runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Core {
    /// Alone with the other servers: its CPU time is measured.
    Servers,
    /// Beside the viewers: only what it sends matters.
    Viewers,
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Reads what it says from then on.
    said: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts the daemon with these options, on the servers' core and a free port.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn daemon(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Self> {
        let mut command = pinned(DAEMON.as_ref());
        command.args(["--bind", "127.0.0.1:0"]).args(args).env_remove("RUST_LOG");
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let output = child.stderr.take().context("a child without output")?;
        Self::listening(child, output)
    }

    /// Starts this executable again as a server. Its standard output says where it listens.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn this_program(
        core: Core,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self> {
        let exe = std::env::current_exe()?;
        let mut command = match core {
            Core::Servers => pinned(exe.as_ref()),
            Core::Viewers => Command::new(exe),
        };
        let mut child = command.args(args).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("a child without output")?;
        Self::listening(child, output)
    }

    /// Waits until a child tells where it listens.
    fn listening(child: Child, output: impl Read + Send + 'static) -> Result<Self> {
        let mut server = Self { child, address: SocketAddr::from(([0; 4], 0)), said: None };
        let (mut output, mut said) = (BufReader::new(output), String::new());
        while output.read_line(&mut said)? > 0 {
            if let Some((_, rest)) = said.rsplit_once("listening on http://")
                && let Some((address, _)) = rest.split_once('/')
            {
                server.address = address.parse()?;
                // The rest is read so that the child never waits for us.
                server.said = Some(thread::spawn(move || {
                    let mut said = String::new();
                    let _ = output.read_to_string(&mut said);
                    said
                }));
                return Ok(server);
            }
        }
        bail!("a server did not start: {said}")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself: all that it said.
    ///
    /// # Errors
    /// That it never listened.
    pub(crate) fn said(mut self) -> Result<String> {
        let said = self.said.take().context("it never listened")?;
        said.join().map_err(|_| anyhow!("what a server said was not read"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs on the servers' core, where that can be had.
fn pinned(exe: &OsStr) -> Command {
    if !*CAN_PIN {
        return Command::new(exe);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", SERVERS_CORE]).arg(exe);
    command
}

/// Moves this process, with its receivers, to the other core.
pub(crate) fn stay_off_the_servers_core() {
    let pid = std::process::id().to_string();
    if !*CAN_PIN || !silent(Command::new("taskset").args(["-a", "-c", "-p", OTHER_CORE, &pid])) {
        println!("servers and receivers share the cores, as they cannot be told apart");
    }
}

/// Runs a command for its exit code.
pub(crate) fn silent(command: &mut Command) -> bool {
    let run = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}
