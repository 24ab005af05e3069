//! Segments that are cut or damaged, and indexes that are wrong.

use std::fs;
use std::os::unix::fs::FileExt;

use crate::recording::time::SECOND;

use super::{Dir, FRAME, START, entries, frame, read, times};
use crate::recording::recorder::segment_writer::SegmentWriter;
use crate::recording::store::index_record::{IndexRecord, MAGIC};

#[test]
fn cut_at_any_byte_loses_the_cut_frame_alone() {
    let dir = Dir::new();
    let segment = dir.write(1, times(START, 4));
    let (data, index) = (dir.files(".mjpeg")[0].clone(), dir.files(".idx")[0].clone());
    let (bytes, records) = (fs::read(&data).unwrap(), fs::read(&index).unwrap());
    let length = usize::try_from(segment.n_bytes / 4).unwrap();
    for n in 0..=bytes.len() {
        // The index may have come further than the frames, or less far.
        for n_index in [0, 31, 32, 63, records.len() * n / bytes.len(), records.len()] {
            fs::write(&data, &bytes[..n]).unwrap();
            fs::write(&index, &records[..n_index]).unwrap();
            let expected: Vec<_> = times(START, 4).take(n / length).collect();
            assert_eq!(read(&dir.load(), 0), expected, "cut at {n}, index at {n_index}");
            // What is left is whole, and the next start finds nothing to do.
            let left = fs::read(&data).unwrap_or_default();
            assert_eq!(left, bytes[..expected.len() * length], "cut at {n}");
            let n_expected = if expected.is_empty() { 0 } else { 32 * (expected.len() + 1) };
            assert_eq!(fs::read(&index).unwrap_or_default().len(), n_expected, "cut at {n}");
        }
    }
}

#[test]
fn numbers_at_capture_survive_as_far_as_they_are_in_the_index() {
    let dir = Dir::new();
    dir.write(1, times(START, 200));
    let index = dir.files(".idx")[0].clone();
    let sound = fs::read(&index).unwrap();
    let numbers = || {
        let entries = entries(&dir.load(), 0);
        entries.into_iter().map(|entry| entry.record.seq).collect::<Vec<_>>()
    };
    let whole: Vec<_> = times(START, 200).map(|at| at / FRAME).collect();
    assert_eq!(numbers(), whole);
    for n in [199, 130, 5] {
        // As after a kill: behind, and with half a record.
        fs::write(&index, &sound[..32 * (n + 1) + 7]).unwrap();
        let expected: Vec<_> = whole.iter().take(n).copied().chain(vec![0; 200 - n]).collect();
        assert_eq!(numbers(), expected, "{n} in the index");
    }
}

#[test]
fn index_that_is_missing_short_or_wrong_is_rebuilt() {
    let dir = Dir::new();
    dir.write(1, times(START, 6));
    dir.write(2, times(START + 6 * FRAME, 1));
    let index = dir.files(".idx")[0].clone();
    let sound = fs::read(&index).unwrap();
    let all: Vec<_> = times(START, 7).collect();
    let wrong_indexes: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no index", vec![7; 500]),
        ("short", sound[..sound.len() - 32].to_vec()),
        ("half a record", sound[..sound.len() - 5].to_vec()),
        ("long", [&sound[..], &sound[sound.len() - 32..]].concat()),
        ("zeros", [&MAGIC[..], &[0; 192]].concat()),
        ("reversed", [&sound[..32], &sound[64..96], &sound[32..64], &sound[96..]].concat()),
        ("shifted", shifted(&sound, |record| record.offset += 1)),
        ("too far", shifted(&sound, |record| record.offset += 1 << 40)),
        ("too long", shifted(&sound, |record| record.length += 1)),
        ("other heads", shifted(&sound, |record| record.n_head += 1)),
    ];
    for (what, wrong) in wrong_indexes {
        for is_found_at_start in [true, false] {
            fs::write(&index, &sound).unwrap();
            let before = dir.load();
            fs::write(&index, &wrong).unwrap();
            let store = if is_found_at_start { dir.load() } else { before };
            assert_eq!(read(&store, 0), all, "{what}");
            assert_eq!(fs::read(&index).unwrap().len(), sound.len(), "{what}");
        }
    }
    fs::remove_file(&index).unwrap();
    assert_eq!(read(&dir.load(), START + FRAME), all[1..]);
    assert!(index.exists());
}

/// An index whose records 2, 3 and 4 say something else.
fn shifted(sound: &[u8], change: impl Fn(&mut IndexRecord)) -> Vec<u8> {
    let mut wrong = sound.to_vec();
    for place in 2..5 {
        let at = 32 * place..32 * (place + 1);
        let mut record = IndexRecord::from_bytes(sound[at.clone()].try_into().unwrap()).unwrap();
        change(&mut record);
        wrong[at].copy_from_slice(&record.to_bytes());
    }
    wrong
}

#[test]
fn damaged_frames_are_skipped() {
    let dir = Dir::new();
    let segment = dir.write(1, times(START, 6));
    dir.write(2, times(START + 6 * FRAME, 1));
    let length = segment.n_bytes / 6;
    let data = fs::OpenOptions::new().write(true).open(&dir.files(".mjpeg")[0]).unwrap();
    // A head, and the end of a picture.
    data.write_all_at(b"torn", length * 2 + 4).unwrap();
    data.write_all_at(b"torn", length * 4 - 4).unwrap();
    let expected: Vec<_> =
        times(START, 7).enumerate().filter(|(i, _)| ![2, 3].contains(i)).map(|(_, t)| t).collect();
    assert_eq!(read(&dir.load(), 0), expected);
    fs::remove_file(&dir.files(".idx")[0]).unwrap();
    assert_eq!(read(&dir.load(), 0), expected);
    // Also in the last segment the frames behind the damage are not cut off.
    dir.files("_000002.mjpeg").iter().for_each(|file| fs::remove_file(file).unwrap());
    assert_eq!(read(&dir.load(), 0), expected[..4]);
}

#[test]
fn many_damaged_frames_are_a_gap() {
    let dir = Dir::new();
    let segment = dir.write(1, times(START, 600));
    let length = segment.n_bytes / 600;
    let data = fs::OpenOptions::new().write(true).open(&dir.files(".mjpeg")[0]).unwrap();
    let damage = vec![b'x'; usize::try_from(length * 300).unwrap()];
    data.write_all_at(&damage, length * 100).unwrap();
    // With the index, which knows nothing of the damage, and without.
    for _ in 0..2 {
        let store = dir.load();
        let entries = entries(&store, 0);
        assert_eq!(entries.len(), 300);
        let gaps: Vec<_> = entries.iter().filter(|entry| entry.is_after_gap).collect();
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].record.captured, START + 400 * FRAME);
        fs::remove_file(&dir.files(".idx")[0]).unwrap();
    }
}

#[test]
fn slow_frames_that_are_written_while_they_are_read_are_no_gap() {
    let dir = Dir::new();
    let store = dir.load();
    let mut writer = SegmentWriter::begin(&dir.folder(), store.next_id(), &frame(START)).unwrap();
    store.put(writer.segment, &writer.tail);
    let mut cursor = store.seek(0).unwrap();
    for i in 1..4 {
        writer.append(&frame(START + i * 10 * SECOND)).unwrap();
        assert!(!cursor.next().unwrap().is_after_gap);
    }
}

#[test]
fn sparse_file_is_searched_within_a_bound() {
    let dir = Dir::new();
    let segment = dir.write(1, times(START, 3));
    let path = &dir.files(".mjpeg")[0];
    let sound = fs::read(path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    // A file system may leave such a file after a power cut. It is sparse.
    file.write_all_at(&sound, 600 << 20).unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(read(&dir.load(), 0), times(START, 3).collect::<Vec<_>>());
    assert_eq!(fs::metadata(path).unwrap().len(), segment.n_bytes);
}

#[test]
fn record_of_a_wrong_index_takes_no_memory() {
    let dir = Dir::new();
    dir.write(1, times(START, 3));
    let store = dir.load();
    let mut cursor = store.seek(0).unwrap();
    let record = IndexRecord { length: 1 << 28, ..cursor.next().unwrap().record };
    let file = fs::OpenOptions::new().write(true).open(&dir.files(".mjpeg")[0]).unwrap();
    file.set_len(1 << 29).unwrap();
    let mut part = Vec::new();
    assert!(!cursor.read(&record, &mut part));
    assert_eq!(part.capacity(), 0);
}
