//! A bounded pool of threads for one kind of job.
//!
//! Threads are made when they are needed and end when they were idle for a
//! while, so that a pool of a thousand seats costs nothing in an empty house.
//! A full pool is an answer, never a wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use parking_lot::Mutex;

/// Viewers come back within seconds (a page is loaded again) or not for long.
const IDLE: Duration = Duration::from_secs(10);
/// A job formats some text and writes to a socket; the default of 2 MiB only
/// reserves address space, which 32-bit boards are short of.
const STACK_BYTES: usize = 256 << 10;

/// How many threads, and how many jobs may wait for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) n_threads: usize,
    pub(super) n_waiting: usize,
}

/// Threads that run one handler on the jobs that are submitted.
pub(super) struct Pool<T> {
    shared: Arc<Shared<T>>,
    /// `None` once stopped.
    jobs: Mutex<Option<Sender<T>>>,
}

struct Shared<T> {
    name: &'static str,
    size: Size,
    waiting: Receiver<T>,
    handler: Box<dyn Fn(T) + Send + Sync>,
    /// Jobs that wait or run.
    n_jobs: AtomicUsize,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    n_alive: usize,
    n_born: usize,
    handles: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Pool<T> {
    /// No thread yet. `name` and a number, of at most 15 bytes, name them.
    pub(super) fn new(
        name: &'static str,
        size: Size,
        handler: impl Fn(T) + Send + Sync + 'static,
    ) -> Self {
        let (jobs, waiting) = bounded(size.n_threads + size.n_waiting);
        let shared = Shared {
            name,
            size,
            waiting,
            handler: Box::new(handler),
            n_jobs: AtomicUsize::new(0),
            threads: Mutex::default(),
        };
        Self { shared: Arc::new(shared), jobs: Mutex::new(Some(jobs)) }
    }

    /// Hands a job to a thread.
    ///
    /// # Errors
    /// The job, when all threads are busy and all places to wait are taken.
    pub(super) fn submit(&self, job: T) -> Result<(), T> {
        let shared = &self.shared;
        let n_most = shared.size.n_threads + shared.size.n_waiting;
        let taken = shared.n_jobs.fetch_update(SeqCst, SeqCst, |n| (n < n_most).then_some(n + 1));
        if taken.is_err() {
            return Err(job);
        }
        let jobs = self.jobs.lock().clone();
        let sent = match jobs {
            Some(jobs) => jobs.try_send(job).map_err(TrySendError::into_inner),
            None => Err(job),
        };
        if let Err(job) = sent {
            shared.n_jobs.fetch_sub(1, SeqCst);
            return Err(job);
        }
        shared.add_thread_if_needed();
        Ok(())
    }

    /// Lets no job in any more, drops those that wait and returns when the
    /// last thread is gone. The running jobs must have been told to end.
    pub(super) fn stop(&self) {
        drop(self.jobs.lock().take());
        while self.shared.waiting.try_recv().is_ok() {
            self.shared.n_jobs.fetch_sub(1, SeqCst);
        }
        let handles = std::mem::take(&mut self.shared.threads.lock().handles);
        for handle in handles {
            if handle.join().is_err() {
                log::error!("a thread of {} panicked outside its job", self.shared.name);
            }
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    fn add_thread_if_needed(self: &Arc<Self>) {
        let mut threads = self.threads.lock();
        if threads.n_alive >= self.n_jobs.load(SeqCst).min(self.size.n_threads) {
            return;
        }
        threads.handles.retain(|handle| !handle.is_finished());
        threads.n_born += 1;
        let name = format!("{}-{}", self.name, threads.n_born % 10_000);
        let shared = Arc::clone(self);
        let builder = thread::Builder::new().name(name).stack_size(STACK_BYTES);
        match builder.spawn(move || shared.work()) {
            Ok(handle) => {
                threads.n_alive += 1;
                threads.handles.push(handle);
            }
            // The job waits for a thread that gets free, or for the next try.
            Err(e) => log::error!("no thread for {}: {e}", self.name),
        }
    }

    fn work(&self) {
        loop {
            match self.waiting.recv_timeout(IDLE) {
                Ok(job) => {
                    // A panic costs the one client its reply, not the pool a
                    // thread. It was logged and counted when it began.
                    let _ = catch_unwind(AssertUnwindSafe(|| (self.handler)(job)));
                    self.n_jobs.fetch_sub(1, SeqCst);
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    // Under the lock that `add_thread_if_needed` takes after a
                    // job was sent: either it is seen here, or it sees one
                    // thread less.
                    let mut threads = self.threads.lock();
                    if self.waiting.is_empty() {
                        threads.n_alive -= 1;
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(n_threads: usize, n_waiting: usize) -> Size {
        Size { n_threads, n_waiting }
    }

    #[test]
    fn full_pool_gives_the_job_back_and_takes_one_again_when_free() {
        let (release, gate) = bounded::<()>(0);
        let (done, ends) = bounded(10);
        let pool = Pool::new("t", size(2, 1), move |n: u32| {
            let _ = gate.recv();
            let _ = done.send(n);
        });
        assert_eq!(
            (1..=4).map(|n| pool.submit(n)).collect::<Vec<_>>(),
            [Ok(()), Ok(()), Ok(()), Err(4)]
        );
        assert_eq!(pool.shared.n_jobs.load(SeqCst), 3);
        (0..3).for_each(|_| release.send(()).unwrap());
        let mut finished: Vec<u32> = (0..3).map(|_| ends.recv().unwrap()).collect();
        finished.sort_unstable();
        assert_eq!(finished, [1, 2, 3]);
        while pool.shared.n_jobs.load(SeqCst) > 0 {
            thread::yield_now();
        }
        assert_eq!(pool.submit(5), Ok(()));
        release.send(()).unwrap();
        assert_eq!(ends.recv(), Ok(5));
        pool.stop();
        assert_eq!(pool.submit(6), Err(6));
    }

    #[test]
    fn panic_costs_no_thread_and_no_place() {
        let (done, ends) = bounded(1);
        let pool = Pool::new("t", size(1, 0), move |n: u32| {
            assert!(n != 0, "a job that panics, on purpose");
            done.send(n).unwrap();
        });
        for _ in 0..100 {
            while pool.submit(0).is_err() {
                thread::yield_now();
            }
        }
        while pool.submit(7).is_err() {
            thread::yield_now();
        }
        assert_eq!(ends.recv(), Ok(7));
        assert_eq!(pool.shared.threads.lock().n_born, 1);
        pool.stop();
    }

    #[test]
    fn no_job_is_lost_in_a_crowd() {
        let (done, ends) = bounded(1000);
        let pool = Pool::new("t", size(4, 996), move |n: u32| done.send(n).unwrap());
        (0..1000).for_each(|n| assert_eq!(pool.submit(n), Ok(())));
        let mut finished: Vec<u32> = ends.iter().take(1000).collect();
        finished.sort_unstable();
        assert!(finished.into_iter().eq(0..1000));
        pool.stop();
    }
}
