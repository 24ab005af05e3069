//! A recording written, damaged and read again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use super::playback::StoredFrame;
use super::recorder::segment_writer::SegmentWriter;
use super::store::Store;
use super::store::folder::Folder;
use super::store::part::is_whole;
use super::store::segment::Segment;
use super::time::{Micros, SECOND};
use crate::frame::{Frame, FrameBuf, Meta, Timestamp};

mod damage;

const NAME: &str = "camera";
/// 2026-11-21 11:28:35 UTC.
const START: Micros = 1_795_260_515 * SECOND;
const FRAME: Micros = SECOND / 30;

/// A folder that is gone after the test.
pub(super) struct Dir(PathBuf);

impl Dir {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Relaxed);
        let path = std::env::temp_dir().join(format!("mjpegd-rec-{}-{n}", std::process::id()));
        fs::create_dir_all(path.join(NAME)).unwrap();
        Self(path.join(NAME))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn folder(&self) -> Arc<Folder> {
        Arc::new(Folder::open(self.0.parent().unwrap(), NAME).unwrap())
    }

    /// The recording as it is found at a start.
    fn load(&self) -> Arc<Store> {
        let store = Arc::<Store>::default();
        store.load(self.folder(), true).unwrap();
        store
    }

    /// The files with this ending, in order.
    pub(super) fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
        files.sort();
        files
    }

    /// Writes a segment of frames that were taken then.
    fn write(&self, id: u64, times: impl IntoIterator<Item = Micros>) -> Segment {
        let mut times = times.into_iter();
        let first = frame(times.next().unwrap());
        let mut writer = SegmentWriter::begin(&self.folder(), id, &first).unwrap();
        times.for_each(|at| writer.append(&frame(at)).unwrap());
        writer.flush().unwrap();
        writer.segment
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// A picture of 60 bytes, all different.
fn frame(captured: Micros) -> Frame {
    let mut buf = FrameBuf::new();
    buf.extend(&[0xFF, 0xD8]);
    buf.extend(format!("{captured:056}").as_bytes());
    buf.extend(&[0xFF, 0xD9]);
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(captured);
    let at = Timestamp { wall: time, monotonic: Instant::now() };
    buf.finish(Meta { seq: captured / FRAME, at, width: 1, height: 1, is_status: false })
}

fn times(from: Micros, n: u64) -> impl Iterator<Item = Micros> {
    (0..n).map(move |i| from + i * FRAME)
}

/// The times of all frames that can be read from a moment on.
fn read(store: &Arc<Store>, from: Micros) -> Vec<Micros> {
    entries(store, from).into_iter().map(|entry| entry.record.captured).collect()
}

fn entries(store: &Arc<Store>, from: Micros) -> Vec<StoredFrame> {
    let Some(mut cursor) = store.seek(from) else { return Vec::new() };
    let (mut found, mut part) = (Vec::new(), Vec::new());
    while let Some(entry) = cursor.next() {
        if cursor.read(&entry.record, &mut part) {
            assert!(is_whole(&part));
            let jpeg = &part[entry.record.n_head.into()..part.len() - 2];
            assert_eq!(jpeg, frame(entry.record.captured).jpeg());
            found.push(entry);
        }
        assert!(found.len() < 10_000, "it does not end");
    }
    found
}

#[test]
fn what_is_written_is_read_from_any_moment_on() {
    let dir = Dir::new();
    dir.write(1, times(START, 10));
    dir.write(2, times(START + 10 * FRAME, 10));
    let store = dir.load();
    let all: Vec<_> = times(START, 20).collect();
    assert_eq!(read(&store, 0), all);
    for (i, at) in all.iter().enumerate() {
        assert_eq!(read(&store, *at), all[i..]);
        assert_eq!(read(&store, at + 1), all[i + 1..]);
    }
    assert_eq!(store.spans().len(), 1);
    assert!(entries(&store, 0).iter().all(|entry| !entry.is_after_gap));
}

#[test]
fn segment_is_the_stream_byte_by_byte() {
    let dir = Dir::new();
    dir.write(1, times(START, 3));
    let mut wire = b"--frame\r\n".to_vec();
    times(START, 3).for_each(|at| wire.extend(frame(at).full()));
    wire.truncate(wire.len() - b"--frame\r\n".len());
    assert_eq!(fs::read(&dir.files(".mjpeg")[0]).unwrap(), wire);
}

#[test]
fn clock_that_steps_neither_reorders_nor_overwrites() {
    let dir = Dir::new();
    let hour = 3600 * SECOND;
    dir.write(1, times(START, 5));
    dir.write(2, times(START - hour, 5));
    dir.write(3, times(START - hour + 5 * FRAME, 5));
    dir.write(4, times(START, 5));
    assert_eq!(dir.files(".mjpeg").len(), 4);
    let store = dir.load();
    assert_eq!(store.next_id(), 5);
    let ids: Vec<_> = store.segments().0.iter().map(|segment| segment.id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    let spans: Vec<_> = store.spans().iter().map(|span| (span.start, span.n_frames)).collect();
    assert_eq!(spans, [(START, 5), (START - hour, 10), (START, 5)]);
    // Of two that hold a moment, the one written last.
    assert_eq!(entries(&store, START)[0].segment, 4);
    assert_eq!(entries(&store, START - hour).len(), 15);
    let gaps: Vec<_> =
        entries(&store, START - hour).iter().map(|entry| entry.is_after_gap).collect();
    assert_eq!(gaps.iter().position(|gap| *gap), Some(10));
}

#[test]
fn segment_ends_where_its_frames_do_not_go_on() {
    let dir = Dir::new();
    let now = Instant::now();
    let taken = |captured: Micros, after: Duration| {
        let mut frame = frame(captured);
        frame.meta.at.monotonic = now + after;
        frame
    };
    let ms = Duration::from_millis;
    let writer = SegmentWriter::begin(&dir.folder(), 1, &taken(START, ms(0))).unwrap();
    let usual = Some(ms(33));
    for (captured, after, is_over) in [
        (START + FRAME, ms(33), false),
        (START + SECOND, ms(1000), false),
        (START + 3 * SECOND, ms(3000), true),
        (START - 1, ms(33), true),
        (START - 3600 * SECOND, ms(33), true),
        (START + 2 * SECOND, ms(33), true),
    ] {
        let frame = taken(captured, after);
        assert_eq!(writer.is_over(&frame, usual, u64::MAX), is_over, "{after:?}");
    }
    // A picture in ten seconds is no gap, once that is the usual.
    let slow = taken(START + 10 * SECOND, ms(10_000));
    assert!(!writer.is_over(&slow, Some(ms(10_000)), u64::MAX));
    assert!(writer.is_over(&taken(START + FRAME, ms(33)), usual, 200));
}

#[test]
fn picture_shown_at_a_moment_is_the_last_one_taken_by_then() {
    let dir = Dir::new();
    dir.write(1, times(START, 5));
    dir.write(2, times(START + 60 * SECOND, 5));
    let store = dir.load();
    let shown = |at: Micros| {
        store.seek_shown(at).and_then(|mut cursor| cursor.next()).map(|e| e.record.captured)
    };
    assert_eq!(shown(START - 1), None);
    assert_eq!(shown(START), Some(START));
    assert_eq!(shown(START + FRAME - 1), Some(START));
    assert_eq!(shown(START + 2 * FRAME), Some(START + 2 * FRAME));
    assert_eq!(shown(START + SECOND), Some(START + 4 * FRAME));
    assert_eq!(shown(START + 30 * SECOND), None);
    assert_eq!(shown(START + 60 * SECOND), Some(START + 60 * SECOND));
    let stepped = |n: i64| {
        let mut cursor = store.seek_shown(START + 60 * SECOND).unwrap();
        cursor.step(n);
        cursor.next().map(|entry| entry.record.captured)
    };
    assert_eq!(stepped(1), Some(START + 60 * SECOND + FRAME));
    assert_eq!(stepped(-1), Some(START + 4 * FRAME));
    assert_eq!(stepped(-3), Some(START + 2 * FRAME));
    assert_eq!(stepped(-100), Some(START));
    assert_eq!(stepped(100), None);
}

#[test]
fn nothing_outside_the_folder_is_opened() {
    let (dir, outside) = (Dir::new(), Dir::new());
    let secret = outside.write(7, times(START, 3));
    dir.write(1, times(START, 3));
    let theirs = outside.0.join(secret.name());
    symlink(&theirs, dir.0.join(secret.name())).unwrap();
    fs::create_dir(dir.0.join(Segment { id: 8, ..secret }.name())).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.0.join(Segment { id: 9, ..secret }.name()),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    // An index that is a link, too.
    let index = dir.files("_000001.idx")[0].clone();
    fs::remove_file(&index).unwrap();
    symlink(outside.files(".idx")[0].clone(), &index).unwrap();
    let store = dir.load();
    assert_eq!(store.segments().0.len(), 1);
    assert_eq!(read(&store, 0).len(), 3);
    assert!(store.segment_file(&secret.name()).is_none());
    for name in ["../x", "/etc/passwd", "2026-11-21T11-28-35Z_000001.idx", ""] {
        assert!(store.segment_file(name).is_none(), "{name}");
    }
    assert!(is_same_as_written(&theirs));
    symlink(&outside.0, dir.0.join("linked")).unwrap();
    assert!(Folder::open(&dir.0, "linked").is_err());
}

fn is_same_as_written(path: &Path) -> bool {
    fs::read(path).unwrap().len() > 300
}

#[test]
fn segment_that_is_deleted_is_read_on_and_the_next_ones_skipped() {
    let dir = Dir::new();
    dir.write(1, times(START, 5));
    let second = dir.write(2, times(START + 5 * FRAME, 5));
    dir.write(3, times(START + 10 * FRAME, 5));
    let store = dir.load();
    let mut cursor = store.seek(0).unwrap();
    let first = cursor.next().unwrap();
    for file in dir.files("_000001.mjpeg").iter().chain(&dir.files("_000002.mjpeg")) {
        fs::remove_file(file).unwrap();
    }
    let mut part = Vec::new();
    assert!(cursor.read(&first.record, &mut part));
    let rest: Vec<_> = std::iter::from_fn(|| cursor.next()).collect();
    let ids: Vec<_> = rest.iter().map(|entry| entry.segment).collect();
    assert_eq!(ids, [1, 1, 1, 1, 3, 3, 3, 3, 3]);
    assert!(rest[4].is_after_gap);
    store.forget(second.id);
    assert_eq!(store.spans().len(), 1, "a frame's time is missing, that is no gap");
}

#[test]
fn reader_follows_a_segment_that_grows() {
    let dir = Dir::new();
    let store = dir.load();
    let mut writer = SegmentWriter::begin(&dir.folder(), store.next_id(), &frame(START)).unwrap();
    store.put(writer.segment, &writer.tail);
    let mut cursor = store.seek(0).unwrap();
    assert_eq!(cursor.next().map(|e| e.record.captured), Some(START));
    assert_eq!(cursor.next(), None);
    // Before its record is in the index, and after.
    for (i, n_listed) in [(1, 0), (2, 2), (3, 2), (4, 4)] {
        writer.append(&frame(START + i * FRAME)).unwrap();
        store.put(writer.segment, &writer.tail);
        assert_eq!(fs::read(&dir.files(".idx")[0]).unwrap().len(), 32 + 32 * n_listed);
        assert_eq!(cursor.next().map(|e| e.record.captured), Some(START + i * FRAME));
        assert_eq!(cursor.next(), None);
        assert_eq!(read(&store, 0), times(START, i + 1).collect::<Vec<_>>());
        if i % 2 == 1 {
            writer.flush().unwrap();
        }
    }
    writer.flush().unwrap();
    let next =
        SegmentWriter::begin(&dir.folder(), store.next_id(), &frame(START + 5 * FRAME)).unwrap();
    store.put(next.segment, &next.tail);
    assert_eq!(cursor.next().map(|e| e.record.captured), Some(START + 5 * FRAME));
    assert_eq!(cursor.next(), None);
    assert_eq!(read(&store, 0), times(START, 6).collect::<Vec<_>>());
}

#[test]
fn folder_of_another_program_is_read_and_left_as_it_is() {
    let dir = Dir::new();
    dir.write(1, times(START, 3));
    let data = dir.files(".mjpeg")[0].clone();
    let bytes = fs::read(&data).unwrap();
    fs::write(&data, &bytes[..bytes.len() - 1]).unwrap();
    let (ours, theirs) = (dir.folder(), dir.folder());
    theirs.lock().unwrap();
    assert!(ours.lock().is_err());
    let store = Arc::<Store>::default();
    store.load(ours, false).unwrap();
    assert_eq!(read(&store, 0).len(), 2);
    assert_eq!(fs::read(&data).unwrap().len(), bytes.len() - 1);
}
