//! The process group of a command: started, read, ended, reaped.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::stderr::Said;
use crate::heap;
use crate::shutdown::Shutdown;

/// What a command has to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// The same while the daemon stops, which is to be gone within 2 s.
const SHORT_GRACE: Duration = Duration::from_millis(800);
/// How often is looked whether it has ended.
const GLANCE: Duration = Duration::from_millis(10);
/// An exit that comes this long after the end of the output belongs to it.
const EXIT_WAIT: Duration = Duration::from_millis(500);

/// A command in a process group of its own. Dropping it ends the group.
///
/// Neither its end nor that of its children is left to the kernel when the
/// daemon is killed by SIGKILL: they get SIGPIPE at the next picture they
/// write. The parent-death signal would need unsafe code between fork and
/// exec, and would come whenever the capture thread ends.
pub(super) struct Process {
    child: Child,
    group: Pid,
    /// `None` only while it is being ended.
    stdout: Option<ChildStdout>,
    said: Said,
    stop: Option<Shutdown>,
}

/// How a command ended.
pub(super) enum End {
    Code(i32),
    Signal(i32),
}

impl Process {
    /// Runs a command line by the shell. Every descriptor of the daemon is
    /// opened with O_CLOEXEC; the three that the command has are its own.
    pub(super) fn start(command: &str) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        let mut child = heap::take_from(&mut shell)
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let group = Pid::from_child(&child);
        let stdout = child.stdout.take();
        let said = Said::new(child.stderr.take());
        let process = Self { child, group, stdout, said, stop: None };
        // Of the pipes' ends only ours: the command's stay as it expects them.
        for fd in [process.stdout.as_ref().map(AsFd::as_fd), process.said.pipe()] {
            fd.map_or(Ok(()), |fd| ioctl_fionbio(fd, true))?;
        }
        Ok(process)
    }

    /// Waits for output, and logs what the command says meanwhile. `false`:
    /// there was none in time.
    pub(super) fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        let (Some(stdout), timeout) = (&self.stdout, Timespec::try_from(timeout)) else {
            return Ok(true);
        };
        let mut fds = vec![PollFd::new(stdout, PollFlags::IN)];
        if let Some(pipe) = self.said.pipe() {
            fds.push(PollFd::from_borrowed_fd(pipe, PollFlags::IN));
        }
        match poll(&mut fds, timeout.ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let [has_output, has_said] = [0, 1].map(|i| fds.get(i).is_some_and(is_ready));
        drop(fds);
        if has_said {
            self.said.read();
        }
        Ok(has_output)
    }

    /// As `read(2)` of a pipe that does not block.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stdout.as_mut().map_or(Ok(0), |pipe| pipe.read(buf))
    }

    /// How many bytes lie in the pipe.
    pub(super) fn n_waiting(&self) -> usize {
        let n = self.stdout.as_ref().and_then(|pipe| ioctl_fionread(pipe).ok());
        n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }

    /// How the command ended, once its output has; `None`: it runs on.
    pub(super) fn end(&mut self, stop: &Shutdown) -> Option<End> {
        self.wait_until(Instant::now() + EXIT_WAIT, Some(stop), |process| {
            process.child.try_wait().is_ok_and(|status| status.is_some())
        });
        self.said.read();
        let status = self.child.try_wait().ok()??;
        status.code().map(End::Code).or(status.signal().map(End::Signal))
    }

    /// Adds what the command said last, which often is why it ended.
    pub(super) fn with_last_words(&mut self, why: String) -> String {
        self.said.read();
        match self.said.last() {
            Some(line) => format!("{why}: {line}"),
            None => why,
        }
    }

    /// To be given before it is dropped, so that its end is in time for the
    /// daemon's.
    pub(super) fn hear(&mut self, stop: &Shutdown) {
        self.stop.get_or_insert_with(|| stop.clone());
    }

    /// Waits until `is_so`, a deadline, or the order to stop.
    fn wait_until(
        &mut self,
        deadline: Instant,
        stop: Option<&Shutdown>,
        mut is_so: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        loop {
            if is_so(self) {
                return true;
            }
            if Instant::now() >= deadline || stop.is_some_and(Shutdown::is_ordered) {
                return false;
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Whether nobody of the group is left. Reaps the command itself.
    fn is_gone(&mut self) -> bool {
        self.said.read();
        let is_reaped = self.child.try_wait().is_ok_and(|status| status.is_some());
        // A number is not given out again while a group has it, and not soon
        // after.
        is_reaped && test_kill_process_group(self.group) == Err(Errno::SRCH)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_gone() {
            return;
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        // Whoever writes on notices that nobody reads.
        self.stdout = None;
        let begun = Instant::now();
        let stop = self.stop.take();
        let is_gone = self.wait_until(begun + SHORT_GRACE, None, Self::is_gone)
            || self.wait_until(begun + GRACE, stop.as_ref(), Self::is_gone);
        if !is_gone {
            log::warn!("the command does not end at SIGTERM; it is killed");
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        // After SIGKILL it ends, unless it is a device that the kernel waits for.
        let is_reaped = self.wait_until(Instant::now() + SHORT_GRACE / 2, None, |process| {
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
