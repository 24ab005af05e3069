//! CPU time of a server in the guest while a viewer watches: the figure by which servers are compared.
//!
//! Called by the tests that compare. Emulated CPU time, and on a busy host more of it: a figure means something only
//! beside another one of the same boot, per frame that arrived.

use crate::machine::Machine;
use std::time::Duration;

/// USER_HZ, the unit of /proc/PID/stat, which Linux keeps at 100 on every architecture that matters here.
const TICKS_PER_SECOND: f64 = 100.0;
const FIRST_BYTES_DEADLINE: Duration = Duration::from_secs(20);

/// What a server did in the span that was watched.
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
    // What the viewer has written to /dev/null is what it has received, without a file that grows in memory.
    let received = format!("sed -n 's/^wchar: //p' /proc/{viewer}/io");
    machine.wait_for(
        "the first bytes",
        FIRST_BYTES_DEADLINE,
        &format!("[ $({received}) -gt 1000000 ]"),
    );
    // The name in the stat line ends with ')': user and system time are the 12th and 13th word behind it.
    let sample = format!("sed 's/.*) //' /proc/{pid}/stat | cut -d' ' -f12,13; {received}");
    let text = machine.sh(&format!("{sample}; sleep {}; {sample}; kill {viewer}", span.as_secs()));
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|word| word.parse().expect("the samples are numbers"))
        .collect();
    let [user, system, bytes, user_after, system_after, bytes_after] = numbers[..] else {
        panic!("six numbers would be right: {text}");
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
