//! CPU time of a server in the guest while a viewer watches, for the comparison of servers.
//!
//! Called by the tests that compare. CPU time is emulated, and a busy host increases it. So a figure is meaningful only
//! per received frame and beside another one of the same boot.

use crate::machine::Machine;
use std::collections::HashMap;
use std::time::Duration;

const FIRST_BYTES_DEADLINE: Duration = Duration::from_secs(120);

/// CPU time and output of a server during the measurement.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Of all its threads, in user mode and in the kernel.
    pub(crate) cpu: Duration,
    /// What the viewer received.
    pub(crate) bytes: u64,
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
    // In nanoseconds, unlike the ticks of 10 ms in stat (proc(5)); a line with two numbers for each thread.
    let threads =
        format!("for t in /proc/{pid}/task/*; do echo ${{t##*/}} $(cat $t/schedstat); done");
    let sample = format!("{threads}; {received}");
    let before = machine.sh(&sample);
    let after = machine.sh(&format!("sleep {}; {sample}; kill {viewer}", span.as_secs()));
    let [(cpu, bytes), (cpu_after, bytes_after)] = [before, after].map(|text| {
        let number = |word: &str| word.parse::<u64>().expect("a number");
        let (threads, received) = text.rsplit_once('\n').expect("some threads");
        let cpu: HashMap<_, _> = threads
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                Some((words.next()?.to_owned(), number(words.next()?)))
            })
            .collect();
        (cpu, number(received))
    });
    // One that ended in between has hardly worked.
    let used = cpu_after.iter().map(|(thread, time)| time - cpu.get(thread).unwrap_or(&0));
    Watched { cpu: Duration::from_nanos(used.sum()), bytes: bytes_after - bytes }
}
