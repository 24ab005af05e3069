//! The file of a Unix socket that this process made: it goes with the socket.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Removes the file when it is dropped.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number of the file; `None`: not to be removed.
    made: Option<(u64, u64)>,
}

impl SocketFile {
    /// The file at this path, which was just made.
    pub(super) fn made(path: &Path) -> Self {
        Self { path: path.to_owned(), made: identity(path) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file where it is: for the next image of this process, or as it was
    /// another program that made it.
    pub(super) fn keep(&mut self) {
        self.made = None;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Not the file of another program that has taken the path since.
        if self.made.is_some() && identity(&self.path) == self.made {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
