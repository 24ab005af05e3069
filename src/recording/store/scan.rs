//! Finds the whole frames of a segment without an index: it goes from head to
//! head by their lengths, and searches for the next head behind damaged bytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::index_record::IndexRecord;
use super::part::{self, HEAD_ROOM, Head, MARK, MAX_JPEG};

/// More frames than the recorder writes into a segment; a scan ignores the rest
/// of a longer file.
const MAX_FRAMES: usize = 1 << 16;
/// Bytes that are searched at once.
const WINDOW: usize = 64 << 10;
/// Bytes that are searched behind damage before a scan gives up: longer than any
/// part. A sparse file may claim any length, and reading it would take hours.
const MAX_DAMAGE: u64 = 2 * MAX_JPEG as u64;

/// All whole frames of a file of `size` bytes, in order.
///
/// # Errors
/// What the system says when it is read.
pub(crate) fn scan(file: &File, size: u64) -> io::Result<Vec<IndexRecord>> {
    let mut records: Vec<IndexRecord> = Vec::new();
    let mut at = 0;
    while records.len() < MAX_FRAMES {
        let found = whole_part(file, at, size)?;
        // Bytes of a picture may look like a head; one that does not follow the last is none.
        match found.filter(|record| records.last().is_none_or(|last| record.follows(last))) {
            Some(record) => {
                at = record.end();
                records.push(record);
            }
            None => match next_mark(file, at + 1, size)? {
                Some(mark) => at = mark,
                None => break,
            },
        }
    }
    Ok(records)
}

/// The part that begins at `at`, if it is whole.
fn whole_part(file: &File, at: u64, size: u64) -> io::Result<Option<IndexRecord>> {
    let mut start = [0; HEAD_ROOM];
    let n = read_at_most(file, &mut start, at)?;
    let Some(head) = Head::parse(&start[..n]) else { return Ok(None) };
    let record = IndexRecord::new(at, 0, head);
    if record.end() > size {
        return Ok(None);
    }
    let mut end = [0; 4];
    file.read_exact_at(&mut end, record.end() - 4)?;
    Ok(part::is_closed(&start[head.n_head.into()..n], &end).then_some(record))
}

/// The next place from `at` on where a part may begin.
fn next_mark(file: &File, mut at: u64, size: u64) -> io::Result<Option<u64>> {
    let mut window = vec![0; WINDOW];
    let end = size.min(at.saturating_add(MAX_DAMAGE));
    while at < end {
        let n = read_at_most(file, &mut window, at)?;
        if let Some(found) = memchr::memmem::find(&window[..n], MARK) {
            return Ok(Some(at + found as u64));
        }
        if n < WINDOW {
            return Ok(None);
        }
        // Windows overlap, because a mark may lie across the border of two.
        at += (WINDOW - MARK.len()) as u64;
    }
    Ok(None)
}

/// Fills the buffer from `at` on, up to the end of the file; returns how many
/// bytes were read.
pub(crate) fn read_at_most(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read_at(&mut buffer[n..], at + n as u64) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
