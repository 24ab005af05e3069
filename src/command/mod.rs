//! Starts a command in a process group, reads its output, ends and reaps it.

mod run;
mod stderr;

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

pub(crate) use run::{Outcome, run};
use stderr::Stderr;

use crate::children::OwnChild;
use crate::heap;
use crate::log_limit::LogBudget;
use crate::notify;
use crate::shutdown::Shutdown;

/// Reads the command line.
pub(crate) const SHELL: &str = "/bin/sh";
/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// The same while the daemon stops, since the daemon must end within 2 s.
const GRACE_AT_STOP: Duration = Duration::from_millis(800);
/// How often to check whether it has ended, as nothing signals the end of a group.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long to wait for the exit status after the output has ended: a command closes
/// its output some time before it exits.
const EXIT_WAIT: Duration = Duration::from_millis(500);

/// A command in a process group of its own. Dropping it ends the group.
///
/// If the daemon is killed by SIGKILL, the command gets SIGPIPE when it writes the
/// next picture; one that writes none is guarded (see [`run()`]). The
/// parent-death signal (prctl) would end it sooner, but needs
/// unsafe code between fork and exec, and comes whenever the capture thread ends.
pub(crate) struct Process {
    child: OwnChild,
    group: Pid,
    /// `None` only while the command is being ended.
    stdout: Option<ChildStdout>,
    /// The pipe of a command that is guarded.
    _guard: Option<ChildStdin>,
    stderr: Stderr,
    /// The order to stop the daemon, which shortens the wait on drop.
    stop: Option<Shutdown>,
}

/// How a command ended.
pub(crate) enum End {
    Code(i32),
    Signal(i32),
}

impl Process {
    /// Runs a command line in the shell. The command inherits no descriptor of the
    /// daemon, as each is opened with O_CLOEXEC.
    pub(crate) fn start(command: &str, log: Arc<Mutex<LogBudget>>) -> io::Result<Self> {
        let mut shell = Command::new(SHELL);
        shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped());
        Self::spawn(&mut shell, "the command", command, log)
    }

    /// Starts the shell, which the caller has prepared. `label` is who speaks in the log.
    fn spawn(
        shell: &mut Command,
        label: &str,
        command: &str,
        log: Arc<Mutex<LogBudget>>,
    ) -> io::Result<Self> {
        notify::hide_from(heap::use_default_in(shell)).stderr(Stdio::piped()).process_group(0);
        let mut child = OwnChild::spawn(shell)?;
        let group = Pid::from_child(&child);
        let (guard, stdout) = (child.stdin.take(), child.stdout.take());
        let stderr = Stderr::new(child.stderr.take(), label, command, log);
        let process = Self { child, group, stdout, _guard: guard, stderr, stop: None };
        // Only the daemon's ends of the pipes become non-blocking: the command
        // expects its own ends to block.
        for fd in [process.stdout.as_ref().map(AsFd::as_fd), process.stderr.pipe()] {
            fd.map_or(Ok(()), |fd| ioctl_fionbio(fd, true))?;
        }
        Ok(process)
    }

    /// Waits for output, and logs standard error meanwhile. `false` if there was no
    /// output within `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        let (Some(stdout), timeout) = (&self.stdout, Timespec::try_from(timeout)) else {
            return Ok(true);
        };
        let mut fds = vec![PollFd::new(stdout, PollFlags::IN)];
        if let Some(pipe) = self.stderr.pipe() {
            fds.push(PollFd::from_borrowed_fd(pipe, PollFlags::IN));
        }
        match poll(&mut fds, timeout.ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let [has_output, has_stderr] = [0, 1].map(|i| fds.get(i).is_some_and(is_ready));
        drop(fds);
        if has_stderr {
            self.stderr.read();
        }
        Ok(has_output)
    }

    /// As `read(2)` on a non-blocking pipe.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stdout.as_mut().map_or(Ok(0), |pipe| pipe.read(buf))
    }

    /// How many bytes are in the pipe.
    pub(crate) fn n_waiting(&self) -> usize {
        let n = self.stdout.as_ref().and_then(|pipe| ioctl_fionread(pipe).ok());
        n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }

    /// How the command ended; `None` if it still runs. Call it after the output has
    /// ended; it waits a moment for the exit.
    pub(crate) fn end(&mut self, stop: &Shutdown) -> Option<End> {
        self.wait_until(Instant::now() + EXIT_WAIT, Some(stop), |process| {
            process.child.try_wait().is_ok_and(|status| status.is_some())
        });
        self.stderr.read();
        let status = self.child.try_wait().ok()??;
        status.code().map(End::Code).or(status.signal().map(End::Signal))
    }

    /// Appends the last line of standard error, which often says why it ended.
    pub(crate) fn with_last_line(&mut self, why: String) -> String {
        self.stderr.read();
        match self.stderr.last() {
            Some(line) => format!("{why}: {line}"),
            None => why,
        }
    }

    /// Sets the order to stop, which shortens the wait on drop. Call it before the
    /// process is dropped: `drop` takes no argument.
    pub(crate) fn set_shutdown(&mut self, stop: &Shutdown) {
        self.stop.get_or_insert_with(|| stop.clone());
    }

    /// Waits for `condition`, until `deadline` or the order to stop. Polls, because
    /// there is no descriptor to wait on for a whole process group.
    fn wait_until(
        &mut self,
        deadline: Instant,
        stop: Option<&Shutdown>,
        mut condition: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        loop {
            if condition(self) {
                return true;
            }
            if Instant::now() >= deadline || stop.is_some_and(Shutdown::is_ordered) {
                return false;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Whether the whole process group has ended. Reaps the command.
    fn is_gone(&mut self) -> bool {
        self.stderr.read();
        let is_reaped = self.child.try_wait().is_ok_and(|status| status.is_some());
        // The group's number cannot belong to somebody else yet: the kernel does not
        // reuse it while the group exists, nor soon after.
        is_reaped && test_kill_process_group(self.group) == Err(Errno::SRCH)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_gone() {
            return;
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        // Closing the pipe ends a command that ignores SIGTERM but still writes.
        self.stdout = None;
        let begun = Instant::now();
        let stop = self.stop.take();
        let is_gone = self.wait_until(begun + GRACE_AT_STOP, None, Self::is_gone)
            || self.wait_until(begun + GRACE, stop.as_ref(), Self::is_gone);
        if !is_gone {
            log::warn!("the command does not end at SIGTERM; killing it");
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        // SIGKILL ends it, unless it is blocked in the kernel on a device.
        let is_reaped = self.wait_until(Instant::now() + GRACE_AT_STOP / 2, None, |process| {
            process.child.try_wait().is_ok_and(|status| status.is_some())
        });
        if !is_reaped {
            log::error!("the command (process {}) cannot be killed", self.child.id());
        }
    }
}

fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}
