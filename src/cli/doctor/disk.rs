//! Whether recordings have a folder that takes them.

use std::fs;
use std::path::Path;

use rustix::fs::{Access, StatVfsMountFlags, access, statfs, statvfs};

use super::report::{Report, text};
use crate::config::{Config, RecordConfig};

/// File systems that recordings should not be on, by their numbers in statfs(2).
const KINDS: [(u64, &str); 6] = [
    (0x0102_1994, "in memory (tmpfs): a restart of the machine empties it"),
    (0x6969, "on another machine (NFS): when the network is slow, recording is too"),
    (0xFF53_4D42, "on another machine (CIFS): when the network is slow, recording is too"),
    (0xFE53_4D42, "on another machine (SMB): when the network is slow, recording is too"),
    (0x6573_5546, "behind a program (FUSE): a sync each second may be slow there"),
    (0x794C_7630, "in the image of a container (overlay): it goes with the container"),
];

pub(super) fn look(config: &Config, report: &mut Report) {
    report.topic("disk");
    let records = config.cameras.iter().filter_map(|camera| camera.record.as_ref());
    for record in records.filter(|record| !record.is_of_others) {
        look_at(record, report);
    }
}

fn look_at(record: &RecordConfig, report: &mut Report) {
    let path = record.path();
    // What does not exist is made by the daemon, if it may.
    let existing = path.ancestors().find(|path| path.exists() || *path == Path::new(""));
    let existing = existing.filter(|path| *path != Path::new("")).unwrap_or(Path::new("."));
    let Ok(disk) = statvfs(existing) else { return };
    let (name, there) = (text(&path.display()), text(&existing.display()));
    // The daemon makes the last two: that of all recordings, and that of the camera.
    if let Some(parent) = record.dir.parent().filter(|dir| *dir != Path::new("") && !dir.exists()) {
        let parent = text(&parent.display());
        return report.fault("@: there is no folder @\nsudo mkdir -p @", &[name, parent, parent]);
    }
    let (free, due) = (disk.f_bavail * disk.f_frsize, record.max_bytes);
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let what = "@: its file system is read-only\nsudo mount -o remount,rw @";
        report.fault(what, &[name, there]);
    } else if !existing.is_dir() || access(existing, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let what = "@: this user may not write to @\nsudo mkdir -p @ && sudo chown \"$USER\" @";
        report.fault(what, &[name, there, name, name]);
    } else if free.saturating_add(size(&path)) < due {
        // A tenth stays for the rest of the machine.
        let fits = mb((free.saturating_add(size(&path)) / 10).saturating_mul(9));
        let (free, due) = (mb(free), mb(due));
        let what = "@: room for @, and --record-max-size allows @\n--record-max-size @";
        report.fault(what, &[name, free, due, fits]);
    } else if let Some((_, what)) = KINDS.iter().find(|(kind, _)| Some(*kind) == kind_of(existing))
    {
        report.note("@: @\n--record on a disk of this machine", &[name, what]);
    } else {
        report.ok("@: room for @", &[name, mb(free)]);
    }
}

fn kind_of(path: &Path) -> Option<u64> {
    // 32 bits of it, which some machines extend by the sign.
    #[expect(clippy::allow_attributes, reason = "the type is another one on each machine")]
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, trivial_numeric_casts)]
    statfs(path).ok().map(|disk| disk.f_type as u64 & 0xFFFF_FFFF)
}

/// The bytes in a folder, without those in folders of it.
fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// A size in the form that options take.
fn mb(bytes: u64) -> &'static str {
    ((bytes / 1_000_000).to_string() + "MB").leak()
}
