//! Appends events to files, which have a bounded size together.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};

use super::super::store::folder::Folder;
use crate::config::RecordConfig;
use crate::events::{Event, Micros};
use crate::short_sort::sort_short;

/// How many files there are at most. The oldest is deleted as a whole.
pub(super) const N_FILES: usize = 8;
/// The largest file of any recording.
pub(super) const MAX_FILE_BYTES: u64 = 512 << 10;
const START: &str = "events_";
const END: &str = ".jsonl";

/// How large the files may get.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) n_file_bytes: u64,
}

impl Limits {
    /// A 256th of the recording at most for all files together, but room for some
    /// hundred events beside the smallest recording.
    pub(super) fn new(config: &RecordConfig) -> Self {
        let share = config.max_bytes / 256 / N_FILES as u64;
        Self { n_file_bytes: share.clamp(16 << 10, MAX_FILE_BYTES) }
    }
}

/// The file that grows, and those before it.
pub(super) struct Writer {
    folder: Arc<Folder>,
    limits: Limits,
    pub(super) file: Arc<File>,
    number: u64,
    n_bytes: u64,
    /// The numbers of the files before it, in order.
    before: VecDeque<u64>,
    /// When the last event in the first of them happened, once that is known.
    first_ended: Option<Micros>,
}

pub(super) fn name(number: u64) -> String {
    format!("{START}{number:06}{END}")
}

/// The numbers of all files, in order.
///
/// # Errors
/// What the system says of the folder.
pub(super) fn numbers(folder: &Folder) -> io::Result<VecDeque<u64>> {
    let mut found = Vec::new();
    folder.each_name(|file| {
        let number = file.strip_prefix(START).and_then(|rest| rest.strip_suffix(END));
        let number = number.and_then(|number| number.parse().ok());
        // One spelling of a number, and room to count on.
        found.extend(number.filter(|number| name(*number) == file && *number < u64::MAX / 2));
    })?;
    sort_short(&mut found, Ord::cmp);
    Ok(found.into())
}

impl Writer {
    /// Goes on with the last file, or begins another if that one is full or another
    /// program writes to it. Also returns the largest number of an event in it.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(folder: &Arc<Folder>, limits: Limits) -> io::Result<(Self, u64)> {
        let mut before = numbers(folder)?;
        let folder = Arc::clone(folder);
        let (mut last_id, last) = (0, before.back().copied());
        if let Some(number) = last
            && let Ok(file) = folder.edit(&name(number))
        {
            let is_own = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            let text = read(&file)?;
            // A kill in the middle of a write leaves a part of a line.
            let n_bytes = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
            last_id = largest_id(&text[..n_bytes]);
            let n_bytes = n_bytes as u64;
            if is_own && n_bytes < limits.n_file_bytes {
                if file.metadata()?.len() > n_bytes {
                    file.set_len(n_bytes)?;
                }
                before.pop_back();
                let file = Arc::new(file);
                let writer =
                    Self { folder, limits, file, number, n_bytes, before, first_ended: None };
                return Ok((writer, last_id));
            }
        }
        let number = last.unwrap_or(0) + 1;
        let file = Arc::new(begin(&folder, number)?);
        let writer = Self { folder, limits, file, number, n_bytes: 0, before, first_ended: None };
        Ok((writer, last_id))
    }

    /// Appends a line. After an error the file holds whole lines only, unless it cannot
    /// be cut.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        if self.n_bytes > 0 && self.n_bytes + line.len() as u64 > self.limits.n_file_bytes {
            self.file = Arc::new(begin(&self.folder, self.number + 1)?);
            self.before.push_back(self.number);
            (self.number, self.n_bytes) = (self.number + 1, 0);
        }
        if let Err(e) = self.file.write_all_at(line.as_bytes(), self.n_bytes) {
            let _ = self.file.set_len(self.n_bytes);
            return Err(e);
        }
        self.n_bytes += line.len() as u64;
        Ok(())
    }

    /// Whether somebody has deleted the file.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Deletes files that are too many, and those whose events happened before the
    /// first recorded picture.
    pub(super) fn clean(&mut self, recorded_from: Option<Micros>) {
        while let Some(first) = self.before.front() {
            let ended = *self.first_ended.get_or_insert_with(|| ended(&self.folder, *first));
            let is_old = recorded_from.is_some_and(|start| ended < start);
            // The one that grows is not among them.
            if self.before.len() < N_FILES && !is_old {
                return;
            }
            // One that cannot be deleted must not keep the others.
            if let Err(e) = self.folder.remove(&name(*first)) {
                log::warn!("{}: cannot be deleted: {e}", name(*first));
            }
            self.before.pop_front();
            self.first_ended = None;
        }
    }
}

fn begin(folder: &Folder, number: u64) -> io::Result<File> {
    let file = folder.create(&name(number))?;
    // It is new, so nobody else holds it.
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let _ = folder.sync();
    Ok(file)
}

/// A whole file, or so much of one that this program cannot have written.
pub(super) fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES + (64 << 10)).read_to_end(&mut text)?;
    Ok(text)
}

/// The events in the lines of a file; damaged lines are left out.
pub(super) fn events(text: &[u8]) -> impl DoubleEndedIterator<Item = Event> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| Event::parse(std::str::from_utf8(line).ok()?))
}

fn largest_id(text: &[u8]) -> u64 {
    events(text).map(|event| event.id).max().unwrap_or(0)
}

/// When the last event of a file happened; 0 for a file without any.
fn ended(folder: &Folder, number: u64) -> Micros {
    let text = folder.read(&name(number)).and_then(|file| read(&file));
    text.ok().and_then(|text| Some(events(&text).next_back()?.at)).unwrap_or(0)
}
