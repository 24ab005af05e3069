//! Servers as child processes on a core of their own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow, bail};

/// The measured executable. `BENCH_DAEMON` names another one, such as a build
/// from before a change.
pub(crate) static DAEMON: LazyLock<String> = LazyLock::new(|| {
    std::env::var("BENCH_DAEMON").unwrap_or_else(|_| env!("CARGO_BIN_EXE_mjpegd").into())
});
const SERVERS_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// Whether there are two cores, and `taskset` to pin processes to them.
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

/// A running server. Killed on drop.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Collects the output after the line with the address.
    output: Option<JoinHandle<String>>,
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

    /// Waits until a child prints its address.
    fn listening(child: Child, output: impl Read + Send + 'static) -> Result<Self> {
        let mut server = Self { child, address: SocketAddr::from(([0; 4], 0)), output: None };
        let (mut output, mut text) = (BufReader::new(output), String::new());
        while output.read_line(&mut text)? > 0 {
            if let Some((_, rest)) = text.rsplit_once("listening on http://")
                && let Some((address, _)) = rest.split_once('/')
            {
                server.address = address.parse()?;
                // The rest of the output is read as well, since a full pipe
                // would block the child.
                server.output = Some(thread::spawn(move || {
                    let mut text = String::new();
                    let _ = output.read_to_string(&mut text);
                    text
                }));
                return Ok(server);
            }
        }
        bail!("a server did not start: {text}")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself, and returns its output after the line
    /// with the address.
    ///
    /// # Errors The output could not be read.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self.output.take().context("the server never listened")?;
        output.join().map_err(|_| anyhow!("the thread that reads a server's output panicked"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs on the servers' core, if processes can be pinned.
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
        println!("servers and receivers share all cores: this needs two cores and taskset");
    }
}

/// Runs a command without output. `true` if it succeeds.
pub(crate) fn silent(command: &mut Command) -> bool {
    let run = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}
