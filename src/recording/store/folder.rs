//! The folder of a recording, and no file outside it.
//!
//! All files are opened relative to one descriptor, by their plain names, with
//! links refused: nothing that somebody puts into the folder leads out of it.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, fsync, mkdirat,
    openat, renameat, unlinkat,
};
use rustix::io::Errno;

const COMMON: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);
const FILE_MODE: Mode = Mode::from_raw_mode(0o640);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o750);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder in a folder. Both are made when they are missing, and
    /// none above them: those belong to the system, and one that is missing
    /// may be a disk that is not there.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(path: &Path, name: &str) -> io::Result<Self> {
        let opening = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // What keeps them from being made, opening them tells.
        let _ = mkdirat(CWD, path, FOLDER_MODE);
        let outer = openat(CWD, path, opening, Mode::empty())?;
        let _ = mkdirat(&outer, name, FOLDER_MODE);
        let fd = openat(&outer, name, opening | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { fd, path: path.join(name) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the folder, until it is given back or closed.
    ///
    /// # Errors
    /// `WouldBlock` when another program has it.
    pub(crate) fn lock(&self) -> io::Result<()> {
        Ok(flock(&self.fd, FlockOperation::NonBlockingLockExclusive)?)
    }

    /// Gives the folder back, though it stays open for those who read from it.
    pub(crate) fn unlock(&self) {
        // Fails only for a descriptor that is none.
        let _ = flock(&self.fd, FlockOperation::Unlock);
    }

    /// Calls `see` with every name that is UTF-8; ours are.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn each_name(&self, mut see: impl FnMut(&str)) -> io::Result<()> {
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            if let Ok(name) = name.to_str() {
                see(name);
            }
        }
        Ok(())
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` for what is no regular file.
    pub(crate) fn read(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OFlags::RDONLY)
    }

    /// Opens a file to cut it.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub(crate) fn edit(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OFlags::RDWR)
    }

    fn open_file(&self, name: &str, how: OFlags) -> io::Result<File> {
        // NONBLOCK: a pipe that somebody put there would block the opening.
        let fd = openat(&self.fd, name, how | COMMON | OFlags::NONBLOCK, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
        }
        Ok(fd.into())
    }

    /// Makes a file that is not there, to append to it.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for any entry of that name.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::APPEND;
        Ok(openat(&self.fd, name, how | COMMON, FILE_MODE)?.into())
    }

    /// Has the disk keep which names there are.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.fd)?)
    }

    /// Takes a file's name away; a reader that has it open reads on.
    ///
    /// # Errors
    /// What the system says, but for a name that is not there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(e) if e != Errno::NOENT => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// What the system says.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }
}
