//! A folder into which another program puts JPEG files, as a camera: each new
//! file is one picture. The kernel tells when a file is complete (inotify(7)):
//! when the program that wrote it closes it, or moves it there.
//!
//! When the camera is turned on, the newest file that is there already is shown
//! first, so that a viewer need not wait for the next one. A folder whose files
//! are removed is a queue: there all that wait are shown, the oldest first.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::images::{check_picture, has_jpeg_name, log_once, read_file};
use super::{Cause, Driver, Error};
use crate::frame::{FrameBuf, Timestamp};
use crate::mode::Mode;
use crate::shutdown::Shutdown;

/// How long one wait for a file takes, in nanoseconds: an order to stop waits for it.
const WAIT_NS: i64 = 100_000_000;
/// The most files that wait. What comes beyond is left out, as the next look at
/// the folder would only be later than what is shown.
const MAX_WAITING: usize = 4096;
/// Room for some events; each has at most 16 bytes and a name of 255.
const N_EVENT_BYTES: usize = 4096;

/// A folder that is watched.
pub(super) struct Watched {
    dir: PathBuf,
    inotify: OwnedFd,
    waiting: VecDeque<PathBuf>,
    max_bytes: usize,
    /// Whether each file is deleted once it was read.
    removes: bool,
}

impl Watched {
    /// # Errors
    /// There is no such folder, or the system has no watch for it.
    pub(super) fn open(dir: &Path, removes: bool, max_bytes: usize) -> Result<Self, Error> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(|e| refused(dir, e))?;
        let what = WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, dir, what).map_err(|e| refused(dir, e))?;
        let mut watched =
            Self { dir: dir.to_owned(), inotify, waiting: VecDeque::new(), max_bytes, removes };
        // After the watch: a file that comes in between is seen twice, not never.
        watched.look();
        Ok(watched)
    }

    /// Lets the files wait that are there: all if they are removed, else the newest.
    fn look(&mut self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok);
        let paths = entries.map(|entry| entry.path()).filter(|path| has_jpeg_name(path));
        let mut files: Vec<_> = paths.filter_map(|path| Some((modified(&path)?, path))).collect();
        files.sort_unstable();
        let n_old = if self.removes { 0 } else { files.len().saturating_sub(1) };
        self.waiting = files.into_iter().skip(n_old).take(MAX_WAITING).map(|f| f.1).collect();
    }

    /// Waits a while for new files.
    ///
    /// # Errors
    /// The folder is gone.
    fn wait(&mut self) -> Result<(), Error> {
        let mut fds = [PollFd::new(&self.inotify, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: WAIT_NS };
        // An interrupted wait is one that found nothing.
        let _ = poll(&mut fds, Some(&timeout));
        let mut buffer = [MaybeUninit::uninit(); N_EVENT_BYTES];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut is_incomplete = false;
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(e) => return Err(refused(&self.dir, e)),
            };
            let kind = event.events();
            if kind.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED) {
                return Err(lost(&self.dir, Cause::NoDevice, "the folder was deleted or moved"));
            }
            is_incomplete |= kind.contains(ReadFlags::QUEUE_OVERFLOW);
            if let Some(name) = event.file_name() {
                let path = self.dir.join(OsStr::from_bytes(name.to_bytes()));
                // One that is written again while it waits is shown once.
                let is_new = has_jpeg_name(&path) && self.waiting.back() != Some(&path);
                if is_new && self.waiting.len() < MAX_WAITING {
                    self.waiting.push_back(path);
                }
            }
        }
        if is_incomplete {
            log::warn!("{}: files come faster than they are shown", self.dir.display());
            self.look();
        }
        Ok(())
    }
}

impl Driver for Watched {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        if stop.is_ordered() {
            return Err(Error::Stopped);
        }
        let Some(path) = self.waiting.pop_front() else {
            self.wait()?;
            return Err(Error::NotYet);
        };
        let Some(modified) = modified(&path) else { return Err(Error::NotYet) };
        if let Err(e) = read_file(&path, frame, self.max_bytes) {
            log_once(&path, &e.to_string());
            frame.truncate(0);
            return Err(Error::NotYet);
        }
        // Also a file that is no picture: it would wait for ever.
        if self.removes
            && let Err(e) = fs::remove_file(&path)
        {
            log_once(&path, &format!("it cannot be removed: {e}"));
        }
        check_picture(&path, frame, self.max_bytes)?;
        Ok(timestamp(modified))
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }
}

/// Checks that the folder is there. It may be empty: files are yet to come.
pub(super) fn check(dir: &Path) -> Result<(), Error> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(lost(dir, Cause::NoDevice, "not a folder")),
        Err(e) => Err(lost(dir, Cause::NoDevice, &e.to_string())),
    }
}

/// When a regular file was written last. `None`: it is none, or is gone.
fn modified(path: &Path) -> Option<SystemTime> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    found.modified().ok()
}

/// The time of a picture is when its file was written, and now for its age: a
/// snapshot would wait for a newer one otherwise, which may never come.
fn timestamp(modified: SystemTime) -> Timestamp {
    let now = Timestamp::now();
    Timestamp { wall: modified.min(now.wall), ..now }
}

fn refused(dir: &Path, errno: Errno) -> Error {
    match errno {
        Errno::NOENT => lost(dir, Cause::NoDevice, "no such folder"),
        Errno::NOTDIR => lost(dir, Cause::NoDevice, "not a folder"),
        // inotify(7), /proc interfaces.
        Errno::NOSPC | Errno::MFILE => lost(
            dir,
            Cause::Io,
            "the system has no watch left; raise fs.inotify.max_user_watches or max_user_instances",
        ),
        other => lost(dir, Cause::Io, &std::io::Error::from(other).to_string()),
    }
}

fn lost(dir: &Path, cause: Cause, why: &str) -> Error {
    Error::lost(cause, format!("{}: {why}", dir.display()))
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
