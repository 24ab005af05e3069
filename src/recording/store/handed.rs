//! How far a recording was handed over: one number in a file of its folder, the last
//! segment that `--on-segment` has got. Segments are handed over in the order of
//! their numbers, so one is enough.

use std::io::{self, ErrorKind, Read, Write};

use super::folder::Folder;

const NAME: &str = "handed_over";
const UNFINISHED: &str = "handed_over.tmp";
/// More digits than a number has.
const MAX_BYTES: u64 = 32;

/// The number; 0 where nothing was handed over. A file that is none is as good as
/// missing: a segment that is handed over twice does no harm, and one that is not is
/// lost.
pub(super) fn read(folder: &Folder) -> u64 {
    let mut text = String::new();
    let read = folder.read(NAME).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    match (read, text.trim().parse()) {
        (Ok(_), Ok(id)) if id < u64::MAX / 2 => id,
        (Err(e), _) if e.kind() == ErrorKind::NotFound => 0,
        _ => {
            let shown = folder.path().display();
            log::warn!("{shown}/{NAME} cannot be read; all segments are handed over again");
            0
        }
    }
}

/// # Errors
/// What the system says.
pub(super) fn write(folder: &Folder, id: u64) -> io::Result<()> {
    // Renamed when it is on disk, so that a power cut leaves the old number or the new.
    folder.remove(UNFINISHED)?;
    let mut file = folder.create(UNFINISHED)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    folder.rename(UNFINISHED, NAME)?;
    folder.sync()
}
