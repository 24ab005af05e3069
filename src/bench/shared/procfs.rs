//! Time, memory, threads and descriptors of a process, from /proc.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// What the threads of a process used since they began. One that ended in
/// between is missing: measure only while none ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Times that a thread went to sleep, and so woke up.
    pub(crate) n_wakeups: u64,
    pub(crate) threads: Vec<String>,
}

/// # Errors
/// That the process is gone.
pub(crate) fn usage(pid: u32) -> Result<Usage> {
    let mut usage = Usage::default();
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.filter_map(Result::ok) {
        // A thread that ends between two lines here is no error.
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

/// What each thread used since it began, by its id, with its name.
pub(crate) struct Times(HashMap<OsString, (String, Duration)>);

/// # Errors
/// That the process is gone.
pub(crate) fn times(pid: u32) -> Result<Times> {
    let mut times = HashMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.filter_map(Result::ok) {
        // A thread that ends between two lines here is no error.
        let Ok(spent) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
        let spent = spent.split_whitespace().next().and_then(|ns| ns.parse().ok());
        let spent = Duration::from_nanos(spent.context("no schedstat in /proc")?);
        times.insert(task.file_name(), (name.trim_end().to_owned(), spent));
    }
    Ok(Times(times))
}

impl Times {
    /// What threads of some names used since then. Those that ended meanwhile
    /// are left out.
    pub(crate) fn since(&self, before: &Self, wanted: impl Fn(&str) -> bool) -> Duration {
        let threads = self.0.iter().filter(|(_, (name, _))| wanted(name));
        let at = |id| before.0.get(id).map_or(Duration::ZERO, |(_, spent)| *spent);
        threads.map(|(id, (_, spent))| spent.saturating_sub(at(id))).sum()
    }
}

/// Resident memory in bytes; counted page by page, as the VmRSS of the kernel
/// is off by some dozen pages a core.
///
/// # Errors
/// That the process is gone.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let sums = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(field(&sums, "Rss:").context("no smaps_rollup in /proc")? * 1024)
}

/// How many descriptors are open on a folder or what lies in it.
pub(crate) fn n_open_in(pid: u32, dir: &Path) -> usize {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

/// The number behind a name at the start of a line.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
