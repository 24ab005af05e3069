//! QEMU: its command line, start and end.
//!
//! Called by `machine`. All it knows of the guest is the word that it prints when it is up.

use crate::machine::architecture::Architecture;
use crate::machine::tools;
use crate::support::free_port;
use anyhow::{Context, Result, bail, ensure};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// From the start of QEMU to "ready": 4 s on an idle machine and 10 s on ARM; longer on a busy or slow one such as in CI.
const BOOT_DEADLINE: Duration = Duration::from_secs(240);
/// QEMU is killed after this time in any case. Longer than all tests together, shorter than a CI job.
const LIFETIME_S: &str = "3500";

/// The processor of the machine with cameras. TCG even where /dev/kvm exists, since nested KVM was seen to hang.
pub(crate) const PROCESSOR: &str = "-accel tcg,thread=multi -cpu max -smp 2";
pub(crate) const MEMORY_AND_NETWORK: &str = "-m 768 -device virtio-net-pci,netdev=net,romfile=";
/// The hardware of a board with cameras.
pub(crate) const ARM_WITH_CAMERAS: &str =
    "-accel tcg,thread=multi -smp 2 -m 512 -device virtio-net-device,netdev=net";
const HEADLESS: &str = "-nodefaults -no-user-config -display none -no-reboot";
/// A panic ends QEMU.
const KERNEL_OPTIONS: &str = "quiet panic=-1 mitigations=off";

/// An address that is free now. If another program takes it before QEMU does, QEMU ends with an error.
pub(crate) fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

/// The command line, with a forward from each host address to a port of the guest. The network card in `hardware` must
/// use the network `net`.
pub(crate) fn command(
    architecture: &Architecture,
    hardware: &[String],
    image: &Path,
    archive: &Path,
    serial: &Path,
    forwards: &[(SocketAddr, u16)],
) -> Result<Command> {
    let forwards: String =
        forwards.iter().map(|(host, guest)| format!(",hostfwd=tcp:{host}-:{guest}")).collect();
    // The parent death signals end `timeout` together with this process and QEMU together with `timeout`, also after
    // Ctrl-C, a panic or SIGKILL.
    let mut command = Command::new(tools::find("setpriv")?);
    command.args([
        "--pdeathsig",
        "KILL",
        "timeout",
        "-s",
        "KILL",
        LIFETIME_S,
        "setpriv",
        "--pdeathsig",
        "KILL",
    ]);
    command.arg(tools::find(architecture.qemu)?);
    command.args(architecture.bare.split_whitespace()).args(HEADLESS.split_whitespace());
    command.args(hardware);
    command.arg("-serial").arg(format!("file:{}", serial.display()));
    command.arg("-kernel").arg(image).arg("-initrd").arg(archive);
    command.arg("-append").arg(format!("{} {KERNEL_OPTIONS}", architecture.kernel_options));
    // The guest has no access to other networks.
    command.arg("-netdev").arg(format!("user,id=net,restrict=on{forwards}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

/// Starts QEMU. The channel gives its error output when it ends.
pub(crate) fn spawn(mut command: Command) -> Result<Receiver<String>> {
    let (sender, receiver) = bounded(1);
    // The kernel sends the parent death signal when the *thread* that forked ends, and each test has its own thread. So
    // this thread lives as long as the process. It is never joined, since it ends with QEMU, which ends with this
    // process.
    let work = move || {
        let ended = command.spawn().and_then(Child::wait_with_output);
        let words = ended.map_or_else(
            |e| e.to_string(),
            |output| String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        // The receiver may be gone once the machine is up, which is no error.
        drop(sender.send(words));
    };
    thread::Builder::new()
        .name("qemu".into())
        .spawn(work)
        .context("starting the thread that owns QEMU")?;
    Ok(receiver)
}

/// Waits for the last line of `guest/init` on the console.
pub(crate) fn wait_until_ready(serial: &Path, end_of_qemu: &Receiver<String>) -> Result<()> {
    let deadline = Instant::now() + BOOT_DEADLINE;
    loop {
        if console(serial).lines().any(|line| line.trim() == "ready") {
            return Ok(());
        }
        match end_of_qemu.recv_timeout(Duration::from_millis(50)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(words) => bail!("QEMU ended: {words}\n{}", console(serial)),
            Err(e) => bail!("QEMU's thread ended: {e}"),
        }
        ensure!(
            Instant::now() < deadline,
            "not ready after {BOOT_DEADLINE:?}; console:\n{}",
            console(serial)
        );
    }
}

/// The last 40 lines of the serial console.
pub(crate) fn console(serial: &Path) -> String {
    let text = fs::read(serial)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
