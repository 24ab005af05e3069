//! The processes that this one starts, and those that the system gives it.
//!
//! Process 1 of a container becomes the parent of each process whose own parent
//! has ended, such as a member of a pipeline in a command. One that ends stays
//! as a zombie until its parent asks for its status. Asking for any child takes
//! the status of the commands too, so it is kept here for their drivers.

use std::io::{self, ErrorKind, Read};
use std::ops::{Deref, DerefMut};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustix::process::{WaitOptions, wait};
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level;

use crate::threads;

/// The children that run and that somebody here waits for, with the places for
/// their status. One that has ended is taken out at once, because the system may
/// give its number to the next process. The lock is held over each start and each
/// look at the system, so that no status is taken in between.
static OWN: Mutex<Vec<(u32, Arc<Exit>)>> = Mutex::new(Vec::new());

/// The status of a child, once it has ended.
type Exit = OnceLock<ExitStatus>;

/// A child that its owner waits for, by [`OwnChild::try_wait`] alone.
pub(crate) struct OwnChild {
    child: Child,
    exit: Arc<Exit>,
}

impl OwnChild {
    /// # Errors
    /// As [`Command::spawn`].
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut own = OWN.lock();
        let child = command.spawn()?;
        let exit = Arc::<Exit>::default();
        own.push((child.id(), Arc::clone(&exit)));
        Ok(Self { child, exit })
    }

    /// # Errors
    /// As [`Child::try_wait`].
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let mut own = OWN.lock();
        if self.exit.get().is_none()
            && let Some(status) = self.child.try_wait()?
        {
            let _ = self.exit.set(status);
            self.forget(&mut own);
        }
        Ok(self.exit.get().copied())
    }

    fn forget(&self, own: &mut Vec<(u32, Arc<Exit>)>) {
        own.retain(|(_, exit)| !Arc::ptr_eq(exit, &self.exit));
    }
}

impl Deref for OwnChild {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for OwnChild {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        self.forget(&mut OWN.lock());
    }
}

/// Whether processes without a parent become children of this one.
fn gets_orphans() -> bool {
    std::process::id() == 1 || matches!(rustix::process::child_subreaper(), Ok(Some(_)))
}

/// Starts a thread that takes the status of each orphan that ends, for as long
/// as the process runs; none where orphans go to another process.
pub(crate) fn reap_orphans() {
    // Elsewhere the only children are commands, and their drivers wait for them.
    if !gets_orphans() {
        return;
    }
    let started = arm().and_then(|signals| threads::spawn("reaper", move || reap_at(&signals)));
    if let Err(e) = started {
        log::warn!("processes that a command leaves behind will stay as zombies: {e}");
    }
}

/// A socket that gets a byte at each SIGCHLD. A handler and no blocked signal,
/// because a command would inherit that, and a shell needs SIGCHLD.
fn arm() -> io::Result<UnixStream> {
    let (rx, tx) = UnixStream::pair()?;
    low_level::pipe::register(SIGCHLD, tx)?;
    Ok(rx)
}

fn reap_at(mut signals: &UnixStream) {
    loop {
        reap();
        // One signal may stand for several children that ended, so each wake-up takes
        // all of them, and many bytes are read at once.
        match signals.read(&mut [0; 512]) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// Takes the status of each child that has ended.
fn reap() {
    loop {
        let mut own = OWN.lock();
        let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) else { return };
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        match own.iter().position(|(id, _)| *id == pid) {
            Some(at) => {
                let (_, exit) = own.swap_remove(at);
                // It is empty: only what takes a child out of the list fills it.
                let _ = exit.set(ExitStatus::from_raw(status.as_raw()));
            }
            None => log::debug!("process {pid} has ended, which a command had left behind"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn number_of_a_child_that_has_ended_is_free_for_the_next() {
        let mut child = OwnChild::spawn(&mut Command::new("true")).unwrap();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => thread::yield_now(),
            }
        };
        let id = child.id();
        assert!(OWN.lock().iter().all(|(own, _)| *own != id));
        assert_eq!(child.try_wait().unwrap(), Some(status), "it is kept for the owner");
    }
}
