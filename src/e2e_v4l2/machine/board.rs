//! A board with an SD card and Ethernet: for power cuts, and to count what work costs.
//!
//! Called by `board_tests`. It must not know what runs there.

use crate::kernel::Groups;
use crate::machine::{self, Machine, Parts};
use crate::tools::{self, find, output};
use crate::viewer::Viewer;
use anyhow::Result;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A processor that takes a nanosecond for each instruction, so that a time is a count, the same at each run and
/// whatever else the host does: QEMU's manual, "-icount". Of a copy by `rep movsb` each byte would be one, so the kernel
/// is not shown that this processor does that well, and copies words, as on a board.
pub(crate) const COUNTING: &str =
    "-accel tcg,thread=single -icount shift=0,sleep=on -cpu max,-erms,-fsrm -smp 1";
/// One that is as quick as it can.
pub(crate) const QUICK: &str = "-accel tcg,thread=multi -cpu max -smp 2";
const DEVICES: &str =
    "-m 512 -device e1000e,netdev=net,romfile= -device sdhci-pci -device sd-card,drive=card";
const MODULES: Groups =
    &[("0-net", &["e1000e"]), ("1-card", &["sdhci-pci", "mmc_block", "crc32c_generic", "ext4"])];
const CARD_BYTES: u64 = 2 << 30;

/// An SD card with an empty file system.
pub(crate) struct Card(PathBuf);

impl Card {
    pub(crate) fn make() -> Result<Self> {
        tools::check()?;
        let home = machine::home("board");
        fs::create_dir_all(&home)?;
        let card = home.join("card.img");
        File::create(&card)?.set_len(CARD_BYTES)?;
        output(Command::new(find("mke2fs")?).args(["-q", "-F", "-t", "ext4"]).arg(&card))?;
        Ok(Self(card))
    }
}

/// Boots a board with this processor, card and programs.
pub(crate) fn boot(processor: &str, card: &Card, programs: Vec<PathBuf>) -> Result<Machine> {
    let home = machine::home("board");
    let words = processor.split_whitespace().chain(DEVICES.split_whitespace());
    let mut hardware: Vec<String> = words.map(String::from).collect();
    // A comma would end the name of the file; two are one. What is written is safe from all that ends QEMU, and that
    // is all that a test does to the card: so the host's disk need not be waited for.
    let file = card.0.display().to_string().replace(',', ",,");
    hardware.push("-drive".into());
    hardware.push(format!("if=none,id=card,format=raw,cache=unsafe,file={file}"));
    let init = include_bytes!("guest/board-init");
    Machine::start(&Parts { home, hardware, modules: MODULES, init, programs })
}

/// How long its processor was not idle in this span, whatever for: programs, interrupts, the kernel's own threads.
pub(crate) fn busy(board: &Machine, span: Duration) -> Duration {
    // Kernel: kernel/time/timer_list.c. What lies between the two lists counts, and not the making of the first one.
    let list =
        "awk '/^now at|idle_sleeptime|iowait_sleeptime/ { print $(NF - 1) }' /proc/timer_list";
    let text = board.sh(&format!("{list}; sleep {}; {list}", span.as_secs()));
    let times: Vec<u64> =
        text.split_whitespace().map(|word| word.parse().expect("nanoseconds")).collect();
    let [now, idle, waiting, now_after, idle_after, waiting_after] = times[..] else {
        panic!("three times before and three behind would be right: {text}");
    };
    Duration::from_nanos((now_after - now) - (idle_after - idle) - (waiting_after - waiting))
}

/// A viewer on another machine, who throws away what comes.
pub(crate) struct Watching {
    socket: TcpStream,
    n_bytes: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    pub(crate) fn begin(board: &Machine) -> Self {
        let mut viewer = Viewer::open(board);
        let socket = viewer.0.get_ref().try_clone().expect("a descriptor is free");
        let n_bytes = Arc::default();
        let mut count = Count(Arc::clone(&n_bytes));
        // Its end is that of the connection, or an error of it: both are ours.
        let read = move || drop(io::copy(&mut viewer.0, &mut count));
        Self { socket, n_bytes, thread: Some(thread::spawn(read)) }
    }

    /// How many bytes have come.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes.load(Relaxed)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Count(Arc<AtomicU64>);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
