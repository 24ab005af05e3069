//! The index beside a segment: where each frame is. It only saves time: it is
//! checked when it is opened, and rebuilt from the segment if it is wrong.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::folder::Folder;
use super::index_record::{IndexRecord, MAGIC};
use super::index_tail::{Found, IndexTail};
use super::scan::{read_at_most, scan};
use super::segment::Segment;

/// Records read at once.
const N_WINDOW: usize = 128;

/// The records of one segment.
#[derive(Debug)]
pub(crate) enum Index {
    /// In a file, complete.
    File(File),
    /// Of the segment that is being written: in a file, but for its newest
    /// records.
    Growing(File, Arc<IndexTail>),
    /// Found by a scan.
    Memory(Vec<IndexRecord>),
}

impl Index {
    /// The record number `place`, from 0; `None` behind the last one.
    ///
    /// # Errors
    /// What the system says; `InvalidData` for bytes that are no record.
    pub(crate) fn get(&self, place: u64) -> io::Result<Option<IndexRecord>> {
        match self {
            Self::Memory(records) => {
                Ok(usize::try_from(place).ok().and_then(|place| records.get(place)).copied())
            }
            Self::File(file) => read(file, place),
            Self::Growing(file, tail) => match tail.find(place) {
                Found::InIndex => read(file, place),
                Found::InTail(record) => Ok(Some(record)),
                Found::Nowhere => Ok(None),
            },
        }
    }
}

fn read(file: &File, place: u64) -> io::Result<Option<IndexRecord>> {
    let mut bytes = [0; IndexRecord::N_BYTES];
    if read_at_most(file, &mut bytes, offset(place))? < bytes.len() {
        return Ok(None);
    }
    IndexRecord::from_bytes(&bytes).map(Some).ok_or_else(wrong)
}

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the index is wrong")
}

fn offset(place: u64) -> u64 {
    place.saturating_add(1).saturating_mul(IndexRecord::N_BYTES as u64)
}

/// Opens the index of a segment; of the one that is being written, with its
/// `tail`.
///
/// # Errors
/// What the system says of the segment. A wrong index is rebuilt and no error.
pub(crate) fn open(
    folder: &Folder,
    segment: &Segment,
    data: &File,
    tail: Option<Arc<IndexTail>>,
) -> io::Result<Index> {
    let kept = folder.read(&segment.index_name());
    // An index that grows is not rebuilt, because the recorder appends to it.
    if let Some(tail) = tail {
        let file = kept?;
        check(&file, tail.n_written(), data.metadata()?.len())?;
        return Ok(Index::Growing(file, tail));
    }
    let kept = kept.and_then(|file| {
        check(&file, segment.n_frames, data.metadata()?.len())?;
        if file.metadata()?.len() != offset(segment.n_frames) {
            return Err(wrong());
        }
        Ok(file)
    });
    match kept {
        Ok(file) => Ok(Index::File(file)),
        Err(_) => Ok(Index::Memory(rebuild(folder, segment, data)?)),
    }
}

/// Checks that the first `n` records can be true of a segment of `size` bytes.
/// It reads them all, which is cheap: a minute of records is 56 kB.
fn check(file: &File, n: u64, size: u64) -> io::Result<()> {
    let mut before: Option<IndexRecord> = None;
    each_record(file, n, |record| {
        let is_true = before.is_none_or(|before| record.follows(&before)) && record.end() <= size;
        before = Some(record);
        if is_true { Ok(()) } else { Err(wrong()) }
    })
}

/// Calls `see` with the first `n` records; an index with fewer is wrong.
fn each_record(
    file: &File,
    n: u64,
    mut see: impl FnMut(IndexRecord) -> io::Result<()>,
) -> io::Result<()> {
    let mut magic = [0; IndexRecord::N_BYTES];
    if read_at_most(file, &mut magic, 0)? < magic.len() || magic != MAGIC {
        return Err(wrong());
    }
    let mut window = [0; N_WINDOW * IndexRecord::N_BYTES];
    let mut place = 0;
    while place < n {
        let n_read = read_at_most(file, &mut window, offset(place))? / IndexRecord::N_BYTES;
        let (records, _) = window[..n_read * IndexRecord::N_BYTES].as_chunks();
        for bytes in records {
            if place == n {
                break;
            }
            see(IndexRecord::from_bytes(bytes).ok_or_else(wrong)?)?;
            place += 1;
        }
        if n_read == 0 {
            return Err(wrong());
        }
    }
    Ok(())
}

/// Scans a segment and writes its index again. If that fails, as on a full
/// disk, the records in memory are enough to read the segment.
///
/// # Errors
/// What the system says of the segment.
pub(crate) fn rebuild(
    folder: &Folder,
    segment: &Segment,
    data: &File,
) -> io::Result<Vec<IndexRecord>> {
    let records = scan(data, data.metadata()?.len())?;
    match write(folder, segment, &records) {
        Ok(()) => log::info!("{}: index rebuilt", segment.name()),
        Err(e) => log::debug!("{}: index kept in memory: {e}", segment.name()),
    }
    Ok(records)
}

/// Replaces the index of a segment.
///
/// # Errors
/// What the system says; also when another thread is about to do the same.
pub(crate) fn write(folder: &Folder, segment: &Segment, records: &[IndexRecord]) -> io::Result<()> {
    // The rename makes the new index appear as a whole, so that a crash or a
    // reader never meets half of it.
    let unfinished = segment.unfinished_name();
    let mut file = folder.create(&unfinished)?;
    let bytes: Vec<u8> =
        MAGIC.into_iter().chain(records.iter().flat_map(|record| record.to_bytes())).collect();
    let written =
        file.write_all(&bytes).and_then(|()| folder.rename(&unfinished, &segment.index_name()));
    if written.is_err() {
        let _ = folder.remove(&unfinished);
    }
    written
}

/// Makes the index of a segment that has none which fits. Without one the segment is
/// scanned at each opening.
pub(crate) fn make_if_missing(folder: &Folder, segment: &Segment) {
    let Ok(data) = folder.read(&segment.name()) else { return };
    let size = data.metadata().map_or(0, |data| data.len());
    if peek(folder, &segment.index_name(), size).is_none() {
        let _ = rebuild(folder, segment, &data);
    }
}

/// The number of records, the first and the last, if these fit a segment of
/// `size` bytes. The records between are not read, because a start looks at
/// thousands of segments.
pub(crate) fn peek(
    folder: &Folder,
    name: &str,
    size: u64,
) -> Option<(u64, IndexRecord, IndexRecord)> {
    let file = folder.read(name).ok()?;
    let n_bytes = file.metadata().ok()?.len();
    // The start is as long as a record, and a segment has one frame at least.
    let n = (n_bytes / IndexRecord::N_BYTES as u64).checked_sub(2)? + 1;
    let mut magic = [0; IndexRecord::N_BYTES];
    file.read_exact_at(&mut magic, 0).ok()?;
    let index = Index::File(file);
    let (first, last) = (index.get(0).ok()??, index.get(n - 1).ok()??);
    let is_true = n_bytes == offset(n)
        && magic == MAGIC
        && first.offset == 0
        && last.end() == size
        && first.captured <= last.captured;
    is_true.then_some((n, first, last))
}

/// Copies the numbers at capture into `records`, which a scan found. Only the
/// index on disk holds these numbers, and they are taken from it as far as all
/// else in it agrees with the scan. Returns whether the index is the same as
/// `records` then, so that it need not be written.
pub(crate) fn restore_numbers(
    folder: &Folder,
    segment: &Segment,
    records: &mut [IndexRecord],
) -> bool {
    let n = records.len() as u64;
    let Ok(file) = folder.read(&segment.index_name()) else { return false };
    let mut scanned = records.iter_mut();
    let is_same = each_record(&file, n, |record| match scanned.next() {
        Some(scanned) if IndexRecord { seq: scanned.seq, ..record } == *scanned => {
            scanned.seq = record.seq;
            Ok(())
        }
        _ => Err(wrong()),
    });
    is_same.is_ok() && file.metadata().is_ok_and(|m| m.len() == offset(n))
}
