//! Reads the files of a recording, independently of the daemon's code.

use std::fs;
use std::path::{Path, PathBuf};

/// A frame of a segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    /// When it was captured, in seconds since 1970.
    pub(crate) time: f64,
    pub(crate) jpeg: Vec<u8>,
}

/// The folder that a camera without a name is recorded to.
pub(crate) fn of_camera(record: &Path) -> PathBuf {
    record.join("camera")
}

/// The segments in a folder for `--record`, ordered by number.
pub(crate) fn segments(record: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(of_camera(record)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|p| p.extension().is_some_and(|e| e == "mjpeg")).collect();
    files.sort_by_key(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        stem.rsplit_once('_').unwrap().1.parse::<u64>().unwrap()
    });
    files
}

/// The index of a segment.
pub(crate) fn index(segment: &Path) -> PathBuf {
    segment.with_extension("idx")
}

/// The whole frames of a segment, and the bytes after the last one.
pub(crate) fn frames(segment: &Path) -> (Vec<Recorded>, Vec<u8>) {
    let bytes = fs::read(segment).unwrap();
    let (mut rest, mut frames) = (&bytes[..], Vec::new());
    while let Some((frame, behind)) = frame(rest) {
        frames.push(frame);
        rest = behind;
    }
    (frames, rest.to_vec())
}

/// All whole frames of a folder for `--record`.
pub(crate) fn all_frames(record: &Path) -> Vec<Recorded> {
    segments(record).iter().flat_map(|segment| frames(segment).0).collect()
}

/// Writes a segment without an index, of frames captured at these times in
/// microseconds since 1970.
pub(crate) fn write_segment(record: &Path, id: u64, jpeg: &[u8], times: &[u64]) {
    let started = std::time::UNIX_EPOCH + std::time::Duration::from_micros(times[0]);
    let name = humantime::format_rfc3339_seconds(started).to_string().replace(':', "-");
    let mut bytes = Vec::new();
    for time in times {
        let (second, micros, n) = (time / 1_000_000, time % 1_000_000, jpeg.len());
        let head = format!(
            "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {n}\r\n\
             X-Timestamp: {second}.{micros:06}\r\n\r\n"
        );
        bytes.extend([head.as_bytes(), jpeg, b"\r\n"].concat());
    }
    fs::create_dir_all(of_camera(record)).unwrap();
    fs::write(of_camera(record).join(format!("{name}_{id:06}.mjpeg")), bytes).unwrap();
}

fn frame(bytes: &[u8]) -> Option<(Recorded, &[u8])> {
    let rest = bytes.strip_prefix(b"--frame\r\n")?;
    let at = memchr::memmem::find(rest, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&rest[..at]).ok()?;
    let value = |name: &str| {
        head.split("\r\n").find_map(|line| line.strip_prefix(name)).map(|value| value.trim())
    };
    let (length, time) = (value("Content-Length:")?.parse().ok()?, value("X-Timestamp:")?);
    let (jpeg, behind) = rest[at + 4..].split_at_checked(length)?;
    let frame = Recorded { time: time.parse().ok()?, jpeg: jpeg.to_vec() };
    Some((frame, behind.strip_prefix(b"\r\n")?))
}
