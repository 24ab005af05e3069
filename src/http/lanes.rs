//! The workers: one set of threads, with a limit for each kind of job.
//!
//! A lane is a limit: how many jobs of its kind may run, and how many may wait.
//! So one kind never starves another, and all share the idle threads. Threads
//! are created on demand and exit after 10 s idle, so that unused seats cost no
//! memory. A full lane is an answer, never a wait.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::thread::set_name;

use crate::threads;

/// Viewers come back within seconds (a page is reloaded) or not for long.
const IDLE: Duration = Duration::from_secs(10);
/// A job formats some text and writes to a socket. The default of 2 MiB would
/// only reserve address space, of which 32-bit boards have little.
const STACK_BYTES: usize = 256 << 10;

/// A kind of job. The workers take the lanes in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lane {
    /// Pages, states, replies that are ready: made in microseconds, and received
    /// by most clients at once.
    Short,
    /// Streams, which last as long as their viewers stay.
    Viewer,
    /// Snapshots, which wait for the camera.
    Snapshot,
    /// Files, which take as long as the network and the disk take.
    Download,
    /// Controls of devices, which may hang for seconds.
    Control,
    /// Password hashes, which keep a core busy.
    Login,
    /// Streams of events, which last as long as their clients stay.
    Events,
}

impl Lane {
    pub(super) const ALL: [Self; 7] = [
        Self::Short,
        Self::Viewer,
        Self::Snapshot,
        Self::Download,
        Self::Control,
        Self::Login,
        Self::Events,
    ];

    /// The name of a worker while it runs a job of this lane, of at most 15
    /// bytes, so that `top -H` shows what each is doing.
    fn thread_name(self) -> &'static CStr {
        match self {
            Self::Short => c"http-short",
            Self::Viewer => c"http-viewer",
            Self::Snapshot => c"http-snapshot",
            Self::Download => c"http-download",
            Self::Control => c"http-control",
            Self::Login => c"http-login",
            Self::Events => c"http-events",
        }
    }
}

/// The name of a worker that waits for a job.
const IDLE_NAME: &CStr = c"http-idle";

/// How many jobs of a lane may run, and how many may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) n_running: usize,
    pub(super) n_waiting: usize,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum NotTaken {
    /// As many run and wait as the lane's limit allows.
    Full,
    /// The system has no thread, and there is no worker that will be done.
    NoThread,
    /// The lanes were stopped.
    Stopped,
}

/// Threads that run one handler on the jobs that are submitted.
pub(super) struct Lanes<T>(Arc<Shared<T>>);

/// Runs a job. It may submit others.
type Run<T> = dyn Fn(&Lanes<T>, T) + Send + Sync;

struct Shared<T> {
    limits: [Limit; Lane::ALL.len()],
    run: Box<Run<T>>,
    state: Mutex<State<T>>,
    /// Idle workers wait here.
    work: Condvar,
}

struct State<T> {
    waiting: [VecDeque<T>; Lane::ALL.len()],
    n_running: [usize; Lane::ALL.len()],
    n_idle: usize,
    /// Idle workers that were woken for a job, and have not taken it yet.
    n_woken: usize,
    threads: Vec<JoinHandle<()>>,
    is_stopped: bool,
}

impl<T: Send + 'static> Lanes<T> {
    /// Creates no thread yet.
    pub(super) fn new(
        limit: impl Fn(Lane) -> Limit,
        run: impl Fn(&Self, T) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            limits: Lane::ALL.map(limit),
            run: Box::new(run),
            state: Mutex::new(State {
                waiting: Lane::ALL.map(|_| VecDeque::new()),
                n_running: [0; Lane::ALL.len()],
                n_idle: 0,
                n_woken: 0,
                threads: Vec::new(),
                is_stopped: false,
            }),
            work: Condvar::new(),
        }))
    }

    /// Hands a job to a worker. Never blocks for longer than a thread takes to
    /// be created.
    ///
    /// # Errors
    /// The job, and why it was not taken.
    pub(super) fn submit(&self, lane: Lane, job: T) -> Result<(), (T, NotTaken)> {
        let shared = &self.0;
        let mut state = shared.state.lock();
        // Both together: a job that an idle worker is about to take still counts as
        // waiting, and must not use up the room of those that really wait.
        let Limit { n_running, n_waiting } = shared.limits[lane as usize];
        let n_most = n_running + n_waiting;
        if state.is_stopped {
            return Err((job, NotTaken::Stopped));
        }
        if state.n_running[lane as usize] + state.n_waiting(lane) >= n_most {
            return Err((job, NotTaken::Full));
        }
        state.waiting[lane as usize].push_back(job);
        if !state.is_ready(lane, &shared.limits) {
            return Ok(());
        }
        let Err(e) = shared.find_worker(&mut state) else { return Ok(()) };
        // With a worker that will be done the job waits for it.
        let has_workers = state.n_running.iter().any(|n| *n > 0) || state.n_woken > 0;
        let job = if has_workers { None } else { state.waiting[lane as usize].pop_back() };
        drop(state);
        log::error!("no thread for a request: {e}");
        job.map_or(Ok(()), |job| Err((job, NotTaken::NoThread)))
    }

    /// A worker.
    fn work(&self) {
        let shared = &self.0;
        let mut state = shared.state.lock();
        loop {
            if let Some((lane, job)) = state.take(&shared.limits) {
                drop(state);
                // Only for people: an error is no reason to do otherwise.
                let _ = set_name(lane.thread_name());
                // A panic costs the one client its reply, not the set a thread.
                // It was logged and counted when it began.
                let _ = catch_unwind(AssertUnwindSafe(|| (shared.run)(self, job)));
                state = shared.state.lock();
                state.n_running[lane as usize] -= 1;
                continue;
            }
            if state.is_stopped || !shared.wait(&mut state) {
                return;
            }
        }
    }

    /// Whether a job runs or waits that ends by itself soon.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.0.state.lock();
        let mut lanes = Lane::ALL.into_iter();
        lanes.any(|lane| {
            let lasts = matches!(lane, Lane::Viewer | Lane::Events);
            !lasts && state.n_running[lane as usize] + state.n_waiting(lane) > 0
        })
    }

    /// Accepts no more jobs, drops those that wait, and returns when the last
    /// worker has ended. The running jobs must have been ordered to end.
    pub(super) fn stop(&self) {
        let (threads, dropped) = {
            let mut state = self.0.state.lock();
            state.is_stopped = true;
            (std::mem::take(&mut state.threads), state.waiting.each_mut().map(std::mem::take))
        };
        // A job closes its connection when it is dropped: not under the lock.
        drop(dropped);
        self.0.work.notify_all();
        for thread in threads {
            if thread.join().is_err() {
                log::error!("a worker panicked outside its job");
            }
        }
    }
}

impl<T> State<T> {
    fn n_waiting(&self, lane: Lane) -> usize {
        self.waiting[lane as usize].len()
    }

    /// Whether a worker may take a job of this lane now.
    fn is_ready(&self, lane: Lane, limits: &[Limit]) -> bool {
        let n_running = self.n_running[lane as usize];
        self.n_waiting(lane) > 0 && n_running < limits[lane as usize].n_running
    }

    /// Takes the next job that may run, and counts it as running.
    fn take(&mut self, limits: &[Limit]) -> Option<(Lane, T)> {
        let lane = Lane::ALL.into_iter().find(|lane| self.is_ready(*lane, limits))?;
        self.n_running[lane as usize] += 1;
        self.waiting[lane as usize].pop_front().map(|job| (lane, job))
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Wakes an idle worker, or creates one.
    ///
    /// # Errors
    /// The system has no thread.
    fn find_worker(self: &Arc<Self>, state: &mut State<T>) -> io::Result<()> {
        if state.n_idle > state.n_woken {
            state.n_woken += 1;
            self.work.notify_one();
            return Ok(());
        }
        state.threads.retain(|thread| !thread.is_finished());
        let lanes = Lanes(Arc::clone(self));
        let thread = threads::spawn_with_stack("http", STACK_BYTES, move || lanes.work());
        state.threads.push(thread?);
        Ok(())
    }

    /// Waits for a job. `false`: none came for long, so the worker ends.
    fn wait(&self, state: &mut parking_lot::MutexGuard<'_, State<T>>) -> bool {
        let _ = set_name(IDLE_NAME);
        let deadline = Instant::now() + IDLE;
        state.n_idle += 1;
        let is_late = self.work.wait_until(state, deadline).timed_out();
        state.n_idle -= 1;
        // Who times out may have been counted as woken in the same moment, and
        // then has to look for the job.
        let is_woken = state.n_woken > 0;
        state.n_woken -= usize::from(is_woken);
        is_woken || !is_late
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
