//! CPU time of a server in the guest while a viewer watches, for the comparison of servers.
//!
//! Called by the tests that compare. CPU time is emulated, and a busy host increases it. So a figure is meaningful only
//! per received frame and beside another one of the same boot.

use crate::machine::Machine;
use std::time::Duration;

/// USER_HZ, the unit of /proc/PID/stat, which Linux keeps at 100 on every architecture that matters here.
const TICKS_PER_SECOND: f64 = 100.0;
const FIRST_BYTES_DEADLINE: Duration = Duration::from_secs(120);

/// CPU time and output of a server during the measurement.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Of all its threads, in user mode.
    pub(crate) user: Duration,
    /// Of all its threads, in the kernel.
    pub(crate) system: Duration,
    /// What the viewer received.
    pub(crate) bytes: u64,
}

impl Watched {
    /// User and system time together.
    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// Lets one viewer in the guest read `url` from the process `pid`, waits for a megabyte, then measures for `span`.
pub(crate) fn while_watched(machine: &Machine, pid: &str, url: &str, span: Duration) -> Watched {
    let viewer = machine.sh(&format!("wget -q -O - {url} >/dev/null 2>&1 & echo $!"));
    // The viewer writes what it receives to /dev/null, so its count of written bytes is what it received. A file would
    // grow in memory.
    let received = format!("sed -n 's/^wchar: //p' /proc/{viewer}/io");
    machine.wait_for(
        "the first bytes",
        FIRST_BYTES_DEADLINE,
        &format!("[ $({received}) -gt 1000000 ]"),
    );
    // The name in the stat line ends with ')': user and system time are the 12th and 13th word after it.
    let sample = format!("sed 's/.*) //' /proc/{pid}/stat | cut -d' ' -f12,13; {received}");
    let text = machine.sh(&format!("{sample}; sleep {}; {sample}; kill {viewer}", span.as_secs()));
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|word| word.parse().expect("the samples are numbers"))
        .collect();
    let [user, system, bytes, user_after, system_after, bytes_after] = numbers[..] else {
        panic!("expected six numbers: {text}");
    };
    let time = |ticks: u64| {
        Duration::from_secs_f64(
            f64::from(u32::try_from(ticks).expect("minutes")) / TICKS_PER_SECOND,
        )
    };
    Watched {
        user: time(user_after - user),
        system: time(system_after - system),
        bytes: bytes_after - bytes,
    }
}
