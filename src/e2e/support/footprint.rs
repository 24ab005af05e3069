//! The memory, threads and descriptors that a daemon holds, to find leaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, fs};

use super::daemon::resident_kb;
use super::{Daemon, eventually_is};

/// Resources of a process.
pub(crate) struct Footprint {
    n_threads: usize,
    n_files: usize,
    /// Private memory. Pages shared with the executable are left out, since the
    /// kernel decides on those.
    pub(crate) n_bytes: u64,
}

impl Footprint {
    pub(crate) fn of(daemon: &Daemon) -> Self {
        let sums = fs::read_to_string(format!("/proc/{}/smaps_rollup", daemon.pid())).unwrap();
        let line = sums.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
        let n_kb: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        Self {
            n_threads: daemon.threads().len(),
            n_files: daemon.open_files().len(),
            n_bytes: n_kb << 10,
        }
    }

    /// Of a daemon that has just started.
    pub(crate) fn fresh(daemon: &Daemon) -> Self {
        // The HTTP library creates its threads after it listens. When one of
        // them answers, all exist.
        let n_files = daemon.open_files().len();
        daemon.get("/healthz");
        let lasting = daemon.threads().into_iter().filter(|name| !name.starts_with("http-"));
        Self { n_threads: lasting.count(), n_files, ..Self::of(daemon) }
    }

    /// Waits until it has as few threads and descriptors as a fresh daemon.
    /// Reads /proc, since a request to the daemon would take some itself.
    pub(crate) fn settled(daemon: &Daemon, fresh: &Self) -> Self {
        eventually_is(&format!("nothing is left but {fresh}"), || {
            let now = Self::of(daemon);
            now.n_threads <= fresh.n_threads && now.n_files <= fresh.n_files
        });
        let settled = Self::of(daemon);
        // A restart of the program would hide earlier leaks.
        assert_eq!(daemon.figure("/connections/restarts"), 0);
        settled
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_threads, n_files, n_bytes } = self;
        write!(f, "{n_threads} threads, {n_files} descriptors, {} kB", n_bytes >> 10)
    }
}

/// Watches how much the resident memory of a daemon grows.
pub(crate) struct Growth {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
    before_kb: u64,
}

/// How much memory a flood of requests may cost.
const MOST_KB: u64 = 64 << 10;

impl Growth {
    /// Starts to watch.
    pub(crate) fn watch(daemon: &Daemon) -> Self {
        let (pid, before_kb) = (daemon.pid(), daemon.resident_kb());
        let is_over = Arc::<AtomicBool>::default();
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut largest = before_kb;
            while !over.load(Relaxed) {
                largest = largest.max(resident_kb(pid));
                thread::sleep(Duration::from_millis(5));
            }
            largest
        });
        Self { is_over, thread: Some(thread), before_kb }
    }

    /// The difference between its largest and its first size, in kB.
    pub(crate) fn most_kb(mut self) -> u64 {
        self.is_over.store(true, Relaxed);
        self.thread.take().unwrap().join().unwrap() - self.before_kb
    }

    /// Fails if it grew by more than a flood may cost.
    pub(crate) fn must_be_small(self) {
        let kb = self.most_kb();
        assert!(kb < MOST_KB, "it grew by {kb} kB, and {MOST_KB} are allowed");
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
    }
}
