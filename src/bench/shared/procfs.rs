//! Time, memory, threads and descriptors of a process, from /proc.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// What the threads of a process have used since they started. Threads that
/// have ended are missing, so measure only while none ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// How often threads went to sleep, which is the number of wake-ups.
    pub(crate) n_wakeups: u64,
    pub(crate) threads: Vec<String>,
}

/// # Errors The process is gone.
pub(crate) fn usage(pid: u32) -> Result<Usage> {
    let mut usage = Usage::default();
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.filter_map(Result::ok) {
        // A thread may end between two of these lines, which is no error.
        let Ok(times) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
        let spent = times.split_whitespace().next().and_then(|ns| ns.parse().ok());
        usage.cpu += Duration::from_nanos(spent.context("no schedstat in /proc")?);
        usage.n_wakeups += field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        usage
            .threads
            .extend(status.lines().next().and_then(|l| Some(l.split_once('\t')?.1.into())));
    }
    Ok(usage)
}

/// Name and CPU time of each thread since its start, by thread id.
pub(crate) struct Times(HashMap<OsString, (String, Duration)>);

/// # Errors The process is gone.
pub(crate) fn times(pid: u32) -> Result<Times> {
    let mut times = HashMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.filter_map(Result::ok) {
        // A thread may end between two of these lines, which is no error.
        let Ok(spent) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
        let spent = spent.split_whitespace().next().and_then(|ns| ns.parse().ok());
        let spent = Duration::from_nanos(spent.context("no schedstat in /proc")?);
        times.insert(task.file_name(), (name.trim_end().to_owned(), spent));
    }
    Ok(Times(times))
}

impl Times {
    /// CPU time since `before` of the threads whose name is wanted, without
    /// threads that have ended.
    pub(crate) fn since(&self, before: &Self, wanted: impl Fn(&str) -> bool) -> Duration {
        let threads = self.0.iter().filter(|(_, (name, _))| wanted(name));
        let at = |id| before.0.get(id).map_or(Duration::ZERO, |(_, spent)| *spent);
        threads.map(|(id, (_, spent))| spent.saturating_sub(at(id))).sum()
    }
}

/// Resident memory in bytes, counted page by page, since the kernel's VmRSS is
/// inexact by some dozen pages a core.
///
/// # Errors The process is gone.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let sums = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(field(&sums, "Rss:").context("no smaps_rollup in /proc")? * 1024)
}

/// How many open descriptors lead to a folder or into it.
pub(crate) fn n_open_in(pid: u32, dir: &Path) -> usize {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

/// The number after a name at the start of a line.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
