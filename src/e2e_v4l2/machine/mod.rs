//! A virtual machine: QEMU with a stock kernel, which ends with this process. The first test that needs the machine
//! with cameras starts it, and all tests share it.
//!
//! Tests call `machine()`; `board` builds another machine. This folder knows no cameras: those are `usb` and `vivid` of
//! the tests.

// Packages of Debian, for any processor.
mod apt;
pub(crate) mod architecture;
// Boards with an ARM processor.
pub(crate) mod arm;
// Another machine: a board with an SD card, for measurements and power cuts.
pub(crate) mod board;
// Runs scripts in the guest and moves files.
mod control;
// The archive format of an initramfs.
mod cpio;
// Drivers that the stock kernel lacks.
mod drivers;
pub(crate) mod initramfs;
// A stock kernel and its modules, from Debian's package.
mod kernel;
// What a program needs besides itself.
mod libraries;
// The JPEGs that the webcam serves.
pub(crate) mod pictures;
// The programs that the guest gets.
mod programs;
pub(crate) mod qemu;
// A server under test in the guest.
pub(crate) mod server;
// The programs that the host must have.
pub(crate) mod tools;

use anyhow::Result;
use architecture::{Architecture, PC};
use control::{Control, Outcome};
use crossbeam_channel::Receiver;
use kernel::Groups;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The port of the guest to which `Machine::service` is forwarded. A server under test listens there on 0.0.0.0.
pub(crate) const SERVICE_PORT: u16 = 5000;
const CONTROL_PORT: u16 = 2;

const OFF_DEADLINE: Duration = Duration::from_secs(60);

/// The kernel modules of the machine with cameras, in groups that `guest/init` loads in this order.
const MODULES: Groups = &[
    ("0-net", &["virtio_pci", "virtio_net"]),
    ("1-usb", &["vhci-hcd", "uvcvideo"]),
    ("2-vivid", &["vivid"]),
];

/// The first program of a machine with cameras.
pub(crate) const INIT_WITH_CAMERAS: &[u8] = include_bytes!("../guest/init");

/// The parts of a machine.
pub(crate) struct Parts {
    pub(crate) architecture: &'static Architecture,
    /// The folder of its files, in target/tmp.
    pub(crate) home: PathBuf,
    /// Options of QEMU, a word each.
    pub(crate) hardware: Vec<String>,
    pub(crate) modules: Groups,
    /// The first program, which prepares the machine and then prints "ready".
    pub(crate) init: &'static [u8],
    /// Programs besides busybox. The guest finds them by file name.
    pub(crate) programs: Vec<PathBuf>,
}

/// A running machine.
pub(crate) struct Machine {
    control: Control,
    /// Forwarded to `SERVICE_PORT` in the guest.
    pub(crate) service: SocketAddr,
    /// From the start of QEMU to the open control channel.
    pub(crate) boot_time: Duration,
    home: PathBuf,
    /// The version of its kernel.
    release: String,
    serial: PathBuf,
    /// Gives QEMU's error output when QEMU ends.
    end: Receiver<String>,
    /// Held until this process ends, since two runs at a time would overwrite each other's files.
    _lock: File,
}

/// Exclusive use of the machine. Other tests wait, since all share its cameras. If the test fails, drop prints the end
/// of the kernel's log.
pub(crate) struct Session(MutexGuard<'static, Machine>);

/// Boots the machine, or waits for the test that uses it. Panics with the reason if the machine cannot start.
pub(crate) fn machine() -> Session {
    static MACHINE: Shared = OnceLock::new();
    shared(&MACHINE, with_cameras)
}

/// A machine that several tests use.
pub(crate) type Shared = OnceLock<Result<Mutex<Machine>, String>>;

/// As `machine`, for one of these parts.
#[expect(clippy::panic, reason = "without the machine a test has failed")]
pub(crate) fn shared(machine: &'static Shared, parts: impl Fn() -> Result<Parts>) -> Session {
    let start = || Machine::start(&parts()?);
    match machine.get_or_init(|| start().map(Mutex::new).map_err(|e| format!("{e:#}"))) {
        // A failed test leaves the machine usable, since each test plugs in its own cameras.
        Ok(machine) => Session(machine.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(e) => panic!("no test machine: {e}"),
    }
}

/// A machine with cameras whose processor takes one nanosecond for each instruction, for measurements.
pub(crate) fn counting_machine() -> Result<Machine> {
    let words =
        board::COUNTING.split_whitespace().chain(qemu::MEMORY_AND_NETWORK.split_whitespace());
    let hardware = words.map(String::from).collect();
    Machine::start(&Parts { home: home("counting-machine"), hardware, ..with_cameras()? })
}

fn with_cameras() -> Result<Parts> {
    tools::check()?;
    let words =
        qemu::PROCESSOR.split_whitespace().chain(qemu::MEMORY_AND_NETWORK.split_whitespace());
    Ok(Parts {
        architecture: &PC,
        home: home("v4l2-machine"),
        hardware: words.map(String::from).collect(),
        modules: MODULES,
        init: INIT_WITH_CAMERAS,
        programs: programs::programs()?,
    })
}

/// The folder for the files of a machine.
pub(crate) fn home(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

impl Deref for Session {
    type Target = Machine;
    fn deref(&self) -> &Machine {
        &self.0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if thread::panicking() {
            let kernel = self
                .control
                .run("dmesg | tail -n 30")
                .map_or_else(|e| format!("{e:#}"), |outcome| outcome.text);
            eprintln!(
                "--- kernel log of the guest\n{kernel}\n--- serial console\n{}",
                qemu::console(&self.serial)
            );
        }
    }
}

impl Machine {
    /// Runs a shell script in the guest; see `guest/run` for what it must not do.
    pub(crate) fn run(&self, script: &str) -> Outcome {
        self.control.run(script).expect("the control channel works as long as the guest does")
    }

    /// Runs a script that must succeed, and returns its output without trailing white space.
    pub(crate) fn sh(&self, script: &str) -> String {
        let outcome = self.run(script);
        assert!(outcome.status == 0, "'{script}' ended with {}: {}", outcome.status, outcome.text);
        outcome.text.trim_end().to_string()
    }

    /// Waits until `script` succeeds. Each try starts a process in an emulated machine, so the tries have pauses
    /// between them.
    pub(crate) fn wait_for(&self, what: &str, deadline: Duration, script: &str) -> String {
        let end = Instant::now() + deadline;
        loop {
            let outcome = self.run(script);
            if outcome.status == 0 {
                return outcome.text.trim_end().to_string();
            }
            assert!(Instant::now() < end, "{what} has not come in {deadline:?}: {}", outcome.text);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `file` has content, and returns it. A shell creates the target of a redirection before the program
    /// writes to it, so an empty file does not count.
    pub(crate) fn wait_for_text(&self, what: &str, deadline: Duration, file: &str) -> String {
        self.wait_for(what, deadline, &format!("[ -s {file} ] && cat {file}"))
    }

    /// The processes that have `path` open. Busybox has no fuser.
    pub(crate) fn holders(&self, path: &str) -> Vec<u32> {
        let script = format!(
            "cd /proc; for p in [0-9]*; do ls -l $p/fd 2>/dev/null | grep -q ' -> {path}$' && echo $p; done; true"
        );
        self.sh(&script)
            .lines()
            .map(|pid| pid.parse().expect("a folder of /proc is a number"))
            .collect()
    }

    /// Writes a file of the guest atomically: a reader sees the old or the new content.
    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        self.control.write(path, content).expect("the guest's /tmp takes files");
    }

    /// Fetches a file of the guest. Files in /proc and /sys report no length: read them with `sh("cat ...")`.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        self.control.read(path).expect("the file was made by the test")
    }

    /// Boots a machine, and waits until its first program prints "ready".
    pub(crate) fn start(parts: &Parts) -> Result<Self> {
        let Parts { architecture, home, hardware, modules, init, programs } = parts;
        fs::create_dir_all(home)?;
        let lock = File::create(home.join("lock"))?;
        lock.lock()?;
        let kernel = kernel::get(home, architecture, modules)?;
        let archive = home.join("initramfs.cpio");
        fs::write(&archive, initramfs::build(&kernel, init, programs)?)?;

        let serial = home.join("serial.log");
        fs::write(&serial, "")?;
        let (service, control) = (qemu::free_address(), qemu::free_address());
        let command = qemu::command(
            architecture,
            hardware,
            &kernel.image,
            &archive,
            &serial,
            &[(service, SERVICE_PORT), (control, CONTROL_PORT)],
        )?;
        let began = Instant::now();
        let end = qemu::spawn(command)?;
        qemu::wait_until_ready(&serial, &end)?;
        Ok(Self {
            control: Control { address: control },
            service,
            boot_time: began.elapsed(),
            home: home.clone(),
            release: kernel.release,
            serial,
            end,
            _lock: lock,
        })
    }

    /// Loads a driver that the stock kernel lacks, with these options.
    pub(crate) fn load(&self, driver: &str, options: &str) {
        let built = drivers::get(&self.home, &self.release).expect("the drivers can be built");
        for name in drivers::DRIVERS {
            let file = format!("/tmp/{name}.ko");
            let is_core = name == "v4l2-mem2mem";
            if name != driver && !is_core {
                continue;
            }
            self.write(&file, &fs::read(built.join(format!("{name}.ko"))).expect("it was built"));
            let options = if is_core { "" } else { options };
            let loaded = format!("grep -q ^{} /proc/modules", name.replace('-', "_"));
            self.sh(&format!("{loaded} || insmod {file} {options}"));
        }
    }

    /// Cuts the power: data that is not on a disk is lost. Returns when the machine is off.
    pub(crate) fn cut_power(self) {
        // Kernel: Documentation/admin-guide/sysrq.rst, "b": an immediate restart without a sync, at which QEMU ends. So
        // no reply comes back.
        let _ = self.control.run("echo b >/proc/sysrq-trigger");
        self.end.recv_timeout(OFF_DEADLINE).expect("QEMU ends with the machine");
    }
}
