//! A cpio archive in the "newc" format, which is what the kernel takes for an initramfs.
//!
//! Called by `initramfs`. Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.

use std::collections::BTreeSet;

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// An archive under construction. Adding a file creates its parent folders.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    n_entries: u32,
    names: BTreeSet<String>,
}

impl Archive {
    /// Adds a file at an absolute path, executable by everyone, since nothing in this machine needs protection. Of two
    /// files at the same path, the first one stays.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) {
        self.folders_of(path);
        self.entry(path, PROGRAM, (0, 0), content);
    }

    /// Adds a character device node.
    pub(crate) fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.folders_of(path);
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[]);
    }

    /// Adds an empty folder.
    pub(crate) fn folder(&mut self, path: &str) {
        self.folders_of(path);
        self.entry(path, DIRECTORY, (0, 0), &[]);
    }

    /// Completes the archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("/TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn folders_of(&mut self, path: &str) {
        let slashes: Vec<usize> =
            path.match_indices('/').map(|(at, _)| at).filter(|&at| at > 0).collect();
        for at in slashes {
            self.entry(&path[..at], DIRECTORY, (0, 0), &[]);
        }
    }

    fn entry(&mut self, path: &str, mode: u32, (major, minor): (u32, u32), content: &[u8]) {
        if !self.names.insert(path.to_string()) {
            return;
        }
        self.n_entries += 1;
        let name = path.trim_start_matches('/');
        let size = u32::try_from(content.len()).expect("a file of the machine is far below 4 GB");
        let name_bytes = u32::try_from(name.len() + 1).expect("a name is short");
        // inode, mode, uid, gid, links, time, size, the device it lies on (2), the device it is (2), name, checksum.
        let fields = [self.n_entries, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_bytes, 0];
        let head: String = fields.iter().map(|field| format!("{field:08x}")).collect();
        self.bytes.extend(format!("070701{head}{name}\0").bytes());
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// Name and content are padded to a multiple of 4.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
