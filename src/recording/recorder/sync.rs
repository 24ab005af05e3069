//! The files of a segment that is being written, and their sync to disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use parking_lot::Mutex;

use crate::recording::store::folder::Folder;

/// The two files of a segment that is being written. The recorder writes to
/// them while another thread syncs them.
#[derive(Debug)]
pub(crate) struct SegmentFiles {
    folder: Arc<Folder>,
    pub(super) data: File,
    pub(super) index: File,
    /// Bytes that were written to `data`: it must not be shorter.
    n_written: AtomicU64,
    /// Whether the folder was synced after these files were created.
    is_listed: AtomicBool,
    /// Why the last sync failed.
    error: Mutex<Option<io::Error>>,
}

impl SegmentFiles {
    pub(super) fn new(folder: &Arc<Folder>, data: File, index: File) -> Self {
        Self {
            folder: Arc::clone(folder),
            data,
            index,
            n_written: AtomicU64::new(0),
            is_listed: AtomicBool::new(false),
            error: Mutex::default(),
        }
    }

    /// Sets the total number of bytes that were written to `data`.
    pub(super) fn set_written(&self, n_bytes: u64) {
        self.n_written.store(n_bytes, SeqCst);
    }

    /// Syncs what was written so far, so that it survives a power cut. Also checks
    /// that the files were neither deleted nor truncated by another program. The
    /// recorder gets an error by [`SegmentFiles::take_error`]. Blocks on the disk.
    pub(crate) fn sync(&self) {
        // The index is not synced: a lost index is rebuilt from the segment, so a second
        // sync would only cost time.
        let synced = self.data.sync_data();
        if !self.is_listed.swap(true, SeqCst) {
            // Some file systems cannot sync a folder, and keep names anyway.
            let _ = self.folder.sync();
        }
        let n_written = self.n_written.load(SeqCst);
        let has = |file: &File, n| file.metadata().is_ok_and(|m| m.nlink() > 0 && m.len() >= n);
        if let Err(e) = synced {
            *self.error.lock() = Some(e);
        } else if !has(&self.data, n_written) || !has(&self.index, 0) {
            *self.error.lock() = Some(io::Error::other("the segment was deleted or truncated"));
        }
    }

    /// Why the last sync failed, once.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.lock().take()
    }
}
