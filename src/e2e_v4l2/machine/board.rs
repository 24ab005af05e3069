//! A board with an SD card and Ethernet, to test power cuts and to count instructions.
//!
//! Called by `tests::board`. It works for any programs.

use crate::machine::architecture::PC;
use crate::machine::kernel::Groups;
use crate::machine::tools::{self, find, output};
use crate::machine::{self, Machine, Parts};
use anyhow::Result;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A processor that takes one nanosecond for each instruction, so that times are instruction counts, equal in each run
/// and independent of other load on the host (QEMU's manual, "-icount"). With `rep movsb` each copied byte would count
/// as an instruction. So the processor hides its fast string operations, and the kernel copies words, as on a board.
pub(crate) const COUNTING: &str =
    "-accel tcg,thread=single -icount shift=0,sleep=on -cpu max,-erms,-fsrm -smp 1";
/// A processor that runs as fast as it can.
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
    // In this option a comma ends the file name, and two commas stand for one. The tests only end QEMU, never the host,
    // so the host's page cache is safe enough and no write needs to wait for its disk.
    let file = card.0.display().to_string().replace(',', ",,");
    hardware.push("-drive".into());
    hardware.push(format!("if=none,id=card,format=raw,cache=unsafe,file={file}"));
    let init = include_bytes!("../guest/board-init");
    Machine::start(&Parts { architecture: &PC, home, hardware, modules: MODULES, init, programs })
}

/// How long its processor was busy during this span, with programs, interrupts and kernel threads.
pub(crate) fn busy(board: &Machine, span: Duration) -> Duration {
    // Format: the kernel's kernel/time/timer_list.c. Only the time between the two lists counts, without the printing
    // of the first one.
    let list =
        "awk '/^now at|idle_sleeptime|iowait_sleeptime/ { print $(NF - 1) }' /proc/timer_list";
    let text = board.sh(&format!("{list}; sleep {}; {list}", span.as_secs()));
    let times: Vec<u64> =
        text.split_whitespace().map(|word| word.parse().expect("nanoseconds")).collect();
    let [now, idle, waiting, now_after, idle_after, waiting_after] = times[..] else {
        panic!("expected three times before and three after: {text}");
    };
    Duration::from_nanos((now_after - now) - (idle_after - idle) - (waiting_after - waiting))
}
