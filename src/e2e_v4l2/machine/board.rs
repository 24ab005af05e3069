//! A board with an SD card and Ethernet: for power cuts, and to count what work costs.
//!
//! Called by `tests::board`. It must not know what runs there.

use crate::machine::kernel::Groups;
use crate::machine::tools::{self, find, output};
use crate::machine::{self, Machine, Parts};
use anyhow::Result;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
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
    let init = include_bytes!("../guest/board-init");
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
