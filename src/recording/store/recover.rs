//! Finds the segments of a folder at the start, and repairs what a crash left
//! there.
//!
//! A crash, a kill or a power cut can leave one half-written frame at the end
//! of the last segment, and an index that is behind or ahead of it. So the last
//! segment is scanned, cut behind its last whole frame, and gets a new index.
//! Of all others only both ends of their indexes are read: a start must not
//! take longer the more is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;

use super::folder::Folder;
use super::index;
use super::index_record::IndexRecord;
use super::part::{HEAD_ROOM, MAX_JPEG};
use super::scan::scan;
use super::segment::Segment;

/// All segments of a folder. Without `may_repair`, when another program writes
/// there, nothing is changed.
///
/// # Errors
/// What the system says of the folder. A segment that cannot be read is left
/// out, which the log says.
pub(crate) fn recover(folder: &Folder, may_repair: bool) -> io::Result<BTreeMap<u64, Segment>> {
    let (mut named, mut others) = (BTreeMap::new(), BTreeSet::new());
    folder.each_name(|name| {
        if let Some((time, id)) = Segment::parse(name, Segment::DATA) {
            named.insert(id, time);
        } else if Segment::parse(name, Segment::UNFINISHED).is_some()
            || Segment::parse(name, Segment::INDEX).is_some()
        {
            others.insert(name.to_owned());
        }
    })?;
    let last = named.last_key_value().map(|(id, _)| *id);
    let mut segments = BTreeMap::new();
    for (id, time) in named {
        let bare = Segment { id, named: time, start: 0, end: 0, n_frames: 0, n_bytes: 0 };
        match inspect(folder, bare, Some(id) == last, may_repair) {
            Ok(Some(segment)) => drop(segments.insert(id, segment)),
            // Without frames its index stays in `others` and is removed.
            Ok(None) => continue,
            Err(e) => log::warn!("{}/{} is left out: {e}", folder.path().display(), bare.name()),
        }
        others.remove(&bare.index_name());
    }
    if may_repair {
        for name in others {
            // An index without its segment is of no use, and one that cannot
            // be removed does no harm.
            let _ = folder.remove(&name);
        }
    }
    Ok(segments)
}

/// What a segment holds; `None`: no frame.
///
/// # Errors
/// What the system says of its file.
pub(super) fn inspect(
    folder: &Folder,
    bare: Segment,
    is_last: bool,
    may_repair: bool,
) -> io::Result<Option<Segment>> {
    let name = bare.name();
    let file = folder.read(&name)?;
    let size = file.metadata()?.len();
    if !is_last && let Some((n, first, last)) = index::peek(folder, &bare.index_name(), size) {
        return Ok(Some(filled(bare, n, &first, &last)));
    }
    let mut records = scan(&file, size)?;
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        // A file that can be one cut frame is of no use. A larger one may
        // hold something that people want to look at themselves.
        if may_repair && size <= HEAD_ROOM as u64 + u64::from(MAX_JPEG) {
            folder.remove(&name)?;
        }
        return Ok(None);
    };
    let segment = filled(bare, records.len() as u64, first, last);
    if may_repair {
        repair(folder, &bare, &file, &mut records);
    }
    Ok(Some(segment))
}

fn filled(bare: Segment, n_frames: u64, first: &IndexRecord, last: &IndexRecord) -> Segment {
    Segment { start: first.captured, end: last.captured, n_frames, n_bytes: last.end(), ..bare }
}

/// Cuts the half-written end and writes the index. If that fails, as on a
/// read-only disk, readers scan the segment instead.
fn repair(folder: &Folder, segment: &Segment, file: &File, records: &mut [IndexRecord]) {
    let name = segment.name();
    let end = records.last().map_or(0, IndexRecord::end);
    let is_longer = |file: &File| file.metadata().is_ok_and(|m| m.len() > end);
    if is_longer(file) {
        match folder.edit(&name).and_then(|file| file.set_len(end)) {
            Ok(()) => log::info!("{name}: a half-written frame at its end was cut off"),
            Err(e) => log::warn!("{name}: its half-written end stays: {e}"),
        }
    }
    if !index::restore_numbers(folder, segment, records)
        && let Err(e) = index::write(folder, segment, records)
    {
        log::warn!("{name}: its index is not written: {e}");
    }
}
