//! The folder of a recording, and no file outside it.
//!
//! All files are opened relative to one descriptor, by their plain names, with
//! links refused. So an entry that somebody else puts into the folder cannot
//! make the program read or write outside it.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, fstatvfs, fsync,
    mkdirat, openat, renameat, unlinkat,
};
use rustix::io::Errno;

const COMMON: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);
// Neither files nor folders are readable for other users, as the recording may
// be private though the machine is shared.
const FILE_MODE: Mode = Mode::from_raw_mode(0o640);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o750);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder `name` in the folder `path`, and creates both if they are
    /// missing. It creates none above them, because a missing one may be the
    /// mount point of a disk that is not there.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(path: &Path, name: &str) -> io::Result<Self> {
        let opening = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Where there is no folder, the reason is why none could be made, such as
        // a read-only disk.
        let reason = |made: Result<(), Errno>| {
            move |e: Errno| made.err().filter(|_| e == Errno::NOENT).unwrap_or(e)
        };
        let made = mkdirat(CWD, path, FOLDER_MODE);
        let outer = openat(CWD, path, opening, Mode::empty()).map_err(reason(made))?;
        let made = mkdirat(&outer, name, FOLDER_MODE);
        let fd = openat(&outer, name, opening | OFlags::NOFOLLOW, Mode::empty())
            .map_err(reason(made))?;
        Ok(Self { fd, path: path.join(name) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes the file system has left for this program.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn n_free_bytes(&self) -> io::Result<u64> {
        let disk = fstatvfs(&self.fd)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Locks the folder against other programs, until it is unlocked or closed.
    ///
    /// # Errors
    /// `WouldBlock` when another program holds the lock.
    pub(crate) fn lock(&self) -> io::Result<()> {
        Ok(flock(&self.fd, FlockOperation::NonBlockingLockExclusive)?)
    }

    /// Unlocks the folder, which stays open for its readers.
    pub(crate) fn unlock(&self) {
        // It fails only for a bad descriptor.
        let _ = flock(&self.fd, FlockOperation::Unlock);
    }

    /// Calls `see` with every name that is UTF-8, as the names of segments are.
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
    /// What the system says; `InvalidInput` for anything but a regular file.
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
        // NONBLOCK, because opening a pipe that somebody put there would block.
        let fd = openat(&self.fd, name, how | COMMON | OFlags::NONBLOCK, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(fd.into())
    }

    /// Creates a file, to append to it.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for any entry of that name.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::APPEND;
        Ok(openat(&self.fd, name, how | COMMON, FILE_MODE)?.into())
    }

    /// Syncs the names in the folder to disk.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.fd)?)
    }

    /// Deletes a file. A reader that has it open reads on.
    ///
    /// # Errors
    /// What the system says; a missing file is no error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(e) if e != Errno::NOENT => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Renames a file, and replaces one that has the new name.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }
}
