//! The files in which the system describes itself.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The system, below its root folder: another one in tests.
pub(super) struct System {
    root: PathBuf,
}

impl System {
    pub(super) fn real() -> Self {
        Self { root: "/".into() }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A file's text without the blanks around it; `None` if it cannot be read.
    pub(super) fn text(&self, path: &str) -> Option<&'static str> {
        Some(fs::read_to_string(self.path(path)).ok()?.leak().trim())
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// The paths of what is in a folder.
    pub(super) fn folder(&self, path: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

/// A file's text without the blanks around it; empty if it cannot be read.
pub(super) fn text(folder: &Path, name: &str) -> &'static str {
    fs::read_to_string(folder.join(name)).unwrap_or_default().leak().trim()
}

#[cfg(test)]
pub(super) struct Fake(System);

#[cfg(test)]
impl Fake {
    /// A system with these files.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Relaxed);
        let name = format!("mjpegd-doctor-{}-{n}", std::process::id());
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(&root).unwrap();
        let fake = Self(System { root });
        files.iter().for_each(|(path, text)| fake.write(path, text));
        fake
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What a check says of it.
    pub(super) fn says(&self, check: impl FnOnce(&System, &mut super::report::Report)) -> String {
        let mut report = super::report::Report::default();
        check(&self.0, &mut report);
        report.end().0
    }
}

#[cfg(test)]
impl std::ops::Deref for Fake {
    type Target = System;

    fn deref(&self) -> &System {
        &self.0
    }
}

#[cfg(test)]
impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.root);
    }
}
