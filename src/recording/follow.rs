//! The thread `recording`: follows a folder that others write to, such as one that is
//! synchronised from a bucket, or mounted.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Shared;
use super::status::State;
use super::store::folder::Folder;
use crate::log_limit::LogReasons;
use crate::shutdown::Shutdown;

/// How often to look for files that have come, grown or gone.
const EVERY: Duration = Duration::from_secs(3);

/// Runs until the order to stop.
pub(super) fn run(shared: &Shared, stop: &Shutdown) {
    let (path, mut known, mut log) = (shared.config.path(), BTreeMap::new(), LogReasons::default());
    let indexes = index_folder(&path);
    shared.stats.set(State::Off);
    loop {
        // Opened each time: what is mounted may come and go.
        let folder = Folder::open_foreign(&path, indexes.as_deref());
        let looked = folder.and_then(|folder| shared.store.look_again(folder, &mut known));
        match looked {
            Ok(()) => shared.stats.set(State::Off),
            Err(e) => {
                let cause = format!("cannot read {}: {e}", path.display());
                log.warn(&cause, &cause);
                shared.stats.fail(cause);
            }
        }
        if stop.wait_for(EVERY) {
            return;
        }
    }
}

/// Where the indexes of a folder are kept that is somebody else's: one folder for each, in
/// that of caches. `None`: the system names none.
fn index_folder(path: &Path) -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // As systemd gives it to a unit with CacheDirectory=, and as a user has it.
    let caches = named("CACHE_DIRECTORY")
        .or_else(|| named("XDG_CACHE_HOME").map(|path| path.join("mjpegd")))
        .or_else(|| named("HOME").map(|path| path.join(".cache/mjpegd")))?;
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mark = crc32fast::hash(whole.as_os_str().as_encoded_bytes());
    Some(caches.join(format!("indexes-{mark:08x}")))
}
