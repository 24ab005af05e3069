//! The folder of a recording, and no file outside it.
//!
//! All files are opened relative to one descriptor, by their plain names, with
//! links refused. So an entry that somebody else puts into the folder cannot
//! make the program read or write outside it.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, fstatvfs, fsync,
    mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::segment::Segment;

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
    /// Where indexes are kept, if not beside the segments.
    indexes: Indexes,
}

/// Where the indexes of a folder are kept.
#[derive(Debug)]
enum Indexes {
    Beside,
    /// The folder is somebody else's, and nothing is changed there.
    In(OwnedFd),
    /// Likewise, and there is no other place: segments are scanned at each opening.
    Nowhere,
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
        Ok(Self { fd, path: path.join(name), indexes: Indexes::Beside })
    }

    /// Opens a folder that others write to, and keeps the indexes of its segments in
    /// another one. Nothing is created in it.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub(crate) fn open_foreign(path: &Path, indexes: Option<&Path>) -> io::Result<Self> {
        let opening = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, opening, Mode::empty())?;
        let made = indexes.map(|path| {
            fs::create_dir_all(path)?;
            io::Result::Ok(openat(CWD, path, opening, Mode::empty())?)
        });
        let indexes = made.and_then(Result::ok).map_or(Indexes::Nowhere, Indexes::In);
        Ok(Self { fd, path: path.to_owned(), indexes })
    }

    /// The folder in which a file of this name is changed.
    fn place(&self, name: &str) -> io::Result<&OwnedFd> {
        match &self.indexes {
            Indexes::Beside => Ok(&self.fd),
            Indexes::In(fd) if !name.ends_with(Segment::DATA) => Ok(fd),
            Indexes::In(_) | Indexes::Nowhere => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    /// The second in which a file was changed last, and a number that changes with it.
    ///
    /// # Errors
    /// What the system says.
    #[allow(clippy::cast_sign_loss, reason = "any other number is as good")]
    pub(crate) fn stamp(&self, name: &str) -> io::Result<(u64, u64)> {
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let (second, size) = (stat.st_mtime as u64, stat.st_size as u64);
        Ok((second, second.rotate_left(32) ^ size))
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
        // An own index was made as there was none that fits.
        let own = match &self.indexes {
            Indexes::In(fd) if name.ends_with(Segment::INDEX) => {
                open_file(fd, name, OFlags::RDONLY).ok()
            }
            _ => None,
        };
        own.map_or_else(|| open_file(&self.fd, name, OFlags::RDONLY), Ok)
    }

    /// Opens a file to cut it.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub(crate) fn edit(&self, name: &str) -> io::Result<File> {
        open_file(self.place(name)?, name, OFlags::RDWR)
    }

    /// Creates a file, to append to it.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for any entry of that name.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::APPEND;
        Ok(openat(self.place(name)?, name, how | COMMON, FILE_MODE)?.into())
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
        match unlinkat(self.place(name)?, name, AtFlags::empty()) {
            Err(e) if e != Errno::NOENT => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Renames a file, and replaces one that has the new name.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let place = self.place(to)?;
        Ok(renameat(place, from, place, to)?)
    }
}

fn open_file(folder: &OwnedFd, name: &str, how: OFlags) -> io::Result<File> {
    // NONBLOCK, because opening a pipe that somebody put there would block.
    let fd = openat(folder, name, how | COMMON | OFlags::NONBLOCK, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(fd.into())
}
