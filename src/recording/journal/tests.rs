use std::fs;
use std::os::unix::fs::symlink;

use super::writer::{N_FILES, name, numbers};
use super::*;
use crate::events::Kind;
use crate::recording::tests::Dir;

const SMALL: Limits = Limits { n_file_bytes: 1000 };

/// The lines of `n` events.
fn lines(n: usize) -> Vec<Arc<Event>> {
    let events = Events::default();
    (0..n).for_each(|n| events.emit("camera", Kind::CameraOn, &[("n", n.into())]));
    events.recent(&Filter::default())
}

fn written(folder: &Folder) -> Vec<u64> {
    let all = reader::read(folder, &Filter::default(), 10_000);
    all.iter().map(|event| event.id).collect()
}

#[test]
fn events_of_earlier_starts_stay_and_numbers_go_on() {
    let (dir, all) = (Dir::new(), lines(100));
    let folder = dir.folder();
    let mut last_ids = Vec::new();
    for part in all.chunks(10) {
        let (mut writer, last_id) = Writer::open(&folder, SMALL).unwrap();
        last_ids.push(last_id);
        part.iter().for_each(|event| writer.append(&event.json).unwrap());
    }
    let ids: Vec<_> = all.iter().map(|event| event.id).collect();
    assert_eq!(written(&folder), ids);
    assert_eq!(last_ids[1..], ids[9..].iter().step_by(10).copied().collect::<Vec<_>>()[..9]);
    assert_eq!(reader::read(&folder, &Filter::default(), 7).len(), 7);
}

#[test]
fn numbers_go_on_beside_another_program_that_writes() {
    let (dir, all) = (Dir::new(), lines(2));
    let folder = dir.folder();
    let (mut other, _) = Writer::open(&folder, SMALL).unwrap();
    other.append(&all[0].json).unwrap();
    let (mut writer, last_id) = Writer::open(&folder, SMALL).unwrap();
    assert_eq!(last_id, all[0].id);
    writer.append(&all[1].json).unwrap();
    assert_eq!(dir.files(".jsonl").len(), 2);
}

#[test]
fn line_that_a_kill_cut_is_taken_off_and_no_other() {
    let (dir, all) = (Dir::new(), lines(3));
    let folder = dir.folder();
    let path = dir.path().join(name(1));
    let whole: String = all[..2].iter().map(|event| format!("{}\n", event.json)).collect();
    let last = &all[2].json;
    for n in 0..last.len() {
        fs::write(&path, format!("{whole}{}", &last[..n])).unwrap();
        assert_eq!(written(&folder).len(), 2, "a reader does not take a part for an event");
        let (mut writer, _) = Writer::open(&folder, SMALL).unwrap();
        writer.append(last).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}{last}\n"));
    }
    fs::write(&path, b"\xFF\xFE no event\n{}\n\n").unwrap();
    let (mut writer, last_id) = Writer::open(&folder, SMALL).unwrap();
    writer.append(last).unwrap();
    assert_eq!((last_id, written(&folder)), (0, vec![all[2].id]));
}

#[test]
fn files_are_bounded_and_go_with_the_pictures() {
    let (dir, all) = (Dir::new(), lines(200));
    let folder = dir.folder();
    let (mut writer, _) = Writer::open(&folder, SMALL).unwrap();
    for event in &all {
        writer.append(&event.json).unwrap();
        writer.clean(None);
        assert!(numbers(&folder).unwrap().len() <= N_FILES);
    }
    let sizes = dir.files(".jsonl").into_iter().map(|path| path.metadata().unwrap().len());
    let sizes: Vec<_> = sizes.collect();
    assert!(sizes.len() == N_FILES && sizes.iter().all(|size| *size <= 1000), "{sizes:?}");
    // The newest stay, and all of them are there.
    let left = written(&folder);
    assert!(all.iter().map(|event| event.id).collect::<Vec<_>>().ends_with(&left));
    let oldest_picture = all[150].at;
    writer.clean(Some(oldest_picture));
    let left = reader::read(&folder, &Filter::default(), 1000);
    assert!(left.iter().any(|event| event.at <= oldest_picture), "a file goes as a whole");
    assert!(left.len() < 62 && left.back().unwrap().id == all[199].id, "{}", left.len());
}

#[test]
fn second_program_in_the_folder_has_a_file_of_its_own() {
    let (dir, all) = (Dir::new(), lines(2));
    let folder = dir.folder();
    let (mut first, _) = Writer::open(&folder, SMALL).unwrap();
    let (mut second, _) = Writer::open(&folder, SMALL).unwrap();
    second.append(&all[1].json).unwrap();
    first.append(&all[0].json).unwrap();
    assert_eq!(numbers(&folder).unwrap(), [1, 2]);
    assert_eq!(written(&folder), [all[0].id, all[1].id]);
}

#[test]
fn links_are_not_followed_and_a_deleted_file_is_noticed() {
    let dir = Dir::new();
    let folder = dir.folder();
    let outside = dir.path().parent().unwrap().join("outside");
    fs::write(&outside, "mine\n").unwrap();
    symlink(&outside, dir.path().join(name(1))).unwrap();
    let (mut writer, _) = Writer::open(&folder, SMALL).unwrap();
    writer.append(&lines(1)[0].json).unwrap();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine\n");
    assert!(!writer.is_deleted());
    fs::remove_file(dir.path().join(name(2))).unwrap();
    assert!(writer.is_deleted());
}

#[test]
fn events_that_cannot_be_kept_are_counted() {
    let dir = Dir::new();
    // A file in the place of the folder.
    let place = dir.path().join("file");
    fs::write(&place, "").unwrap();
    let config = RecordConfig { name: "camera".to_owned(), ..RecordConfig::of_others(place) };
    let (events, journal) = (Events::default(), Journal::default());
    let subscription = events.subscribe(Filter::default(), 4);
    (0..10).for_each(|_| events.emit("camera", Kind::CameraOn, &[]));
    let (to_sync, _to_sync) = crossbeam_channel::bounded(1);
    let (stop, stopped) = crossbeam_channel::bounded(0);
    drop(stop);
    let task = Task {
        config: &config,
        store: &Store::default(),
        journal: &journal,
        events: &events,
        subscription: &subscription,
        to_sync: &to_sync,
        stop: &stopped,
    };
    // It ends at once, as the program stops: six fell out of the queue, four are given up.
    run(&task);
    assert_eq!(journal.n_lost(), 10);
}
