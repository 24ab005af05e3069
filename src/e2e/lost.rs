//! A camera that is lost and found again while viewers watch.

use std::collections::BTreeSet;

use crate::support::{Daemon, Dir, Layout, Viewer, eventually, eventually_is, number, size};

/// Reads until a status picture comes, which has no number.
fn status_picture(viewer: &mut Viewer) -> Vec<u8> {
    eventually("a status picture", || Some(viewer.next().jpeg).filter(|j| number(j).is_none()))
}

/// Reads until a numbered picture of the camera comes.
fn picture(viewer: &mut Viewer) {
    eventually("a picture of the camera", || number(&viewer.next().jpeg));
}

#[test]
fn viewers_survive_the_loss_of_the_camera() {
    let dir = Dir::numbered(5, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/video_feed")];
    viewers.iter_mut().for_each(picture);
    for _ in 0..2 {
        dir.remove();
        for viewer in &mut viewers {
            let (width, height) = size(&status_picture(viewer));
            assert!(width >= 160 && height >= 120, "too small to be read: {width}x{height}");
        }
        daemon.wait_for_state("lost");
        dir.restore();
        viewers.iter_mut().for_each(picture);
        daemon.wait_for_state("live");
    }
    let status = daemon.status();
    assert_eq!(status["camera"]["cause"], serde_json::Value::Null);
    let ids: Vec<_> = status["viewers"].as_array().unwrap().iter().map(|v| &v["id"]).collect();
    assert_eq!(ids, [1, 2], "no viewer had to reconnect");
    assert_eq!(viewers.map(|mut viewer| viewer.layout()), [Layout::Full, Layout::Advance]);
}

#[test]
fn status_names_the_cause_and_counts_the_fault() {
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    picture(&mut viewer);
    dir.remove();
    let cause = format!("{}: no picture in this folder", dir.path().display());
    eventually("the cause is in the status", || {
        let camera = daemon.status()["camera"].clone();
        let is_cause = camera["cause"].as_str().unwrap_or("").starts_with(&cause);
        (is_cause && camera["state"] == "lost").then_some(())
    });
    let faults = daemon.status()["camera"]["faults"].clone();
    assert!(faults["no_device"].as_u64() >= Some(1), "{faults}");
    daemon.wait_for_log("camera lost: ");
}

#[test]
fn repeated_fault_is_logged_once() {
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    dir.remove();
    let mut viewer = daemon.watch("/stream");
    let n_faults = || daemon.figure("/camera/faults/no_device");
    eventually("it was tried three times", || (n_faults() >= 3).then_some(()));
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("camera lost").count(), 1, "{log}");
    status_picture(&mut viewer);
}

#[test]
fn camera_that_is_away_at_the_first_reader_shows_why() {
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    dir.remove();
    let mut viewer = daemon.watch("/stream");
    let picture_of_loss = viewer.next();
    assert_eq!(number(&picture_of_loss.jpeg), None);
    dir.restore();
    picture(&mut viewer);
}

#[test]
fn status_picture_has_the_size_of_the_camera() {
    let big = (0..2).map(|i| crate::support::flat(320, 240, crate::support::COLOURS[i]));
    let dir = Dir::new(big.collect());
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    assert!(dir.pictures.contains(&viewer.next().jpeg));
    dir.remove();
    let shown = eventually("a status picture", || {
        Some(viewer.next().jpeg).filter(|jpeg| !dir.pictures.contains(jpeg))
    });
    assert_eq!(size(&shown), (320, 240));
}

#[test]
fn other_causes_give_other_status_pictures() {
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    picture(&mut viewer);
    dir.remove();
    let empty = status_picture(&mut viewer);
    std::fs::remove_dir(dir.path()).unwrap();
    eventually("the cause is another", || {
        let cause = daemon.status()["camera"]["cause"].clone();
        cause.as_str()?.ends_with("no such folder").then_some(())
    });
    // Further ones of the first cause may be on their way.
    eventually_is("another status picture comes", || status_picture(&mut viewer) != empty);
    std::fs::create_dir(dir.path()).unwrap();
    dir.restore();
    picture(&mut viewer);
}

#[test]
fn garbage_is_dropped_by_cause_and_in_the_end_a_loss() {
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    picture(&mut viewer);
    dir.overwrite(b"no picture at all");
    status_picture(&mut viewer);
    let camera = daemon.status()["camera"].clone();
    let cause = camera["cause"].as_str().unwrap();
    assert!(cause.starts_with("only damaged pictures come"), "{cause}");
    assert!(camera["frames"]["dropped"]["not_jpeg"].as_u64() >= Some(3), "{camera}");
    assert!(camera["faults"]["no_signal"].as_u64() >= Some(1), "{camera}");
    dir.restore();
    picture(&mut viewer);
}

#[test]
fn damaged_pictures_among_good_ones_are_left_out() {
    let dir = Dir::numbered(4, 3_000);
    let half = &dir.pictures[1][..1_500];
    std::fs::write(dir.path().join("000001.jpg"), half).unwrap();
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    // Emptied only after the start: at the start an empty file is a usage
    // error.
    std::fs::write(dir.path().join("000003.jpg"), "").unwrap();
    let mut viewer = daemon.watch("/stream");
    let seen: BTreeSet<_> = (0..12).map(|_| number(&viewer.next().jpeg)).collect();
    assert_eq!(seen, BTreeSet::from([Some(0), Some(2)]));
    let dropped = daemon.status()["camera"]["frames"]["dropped"].clone();
    for cause in ["truncated", "empty"] {
        assert!(dropped[cause].as_u64() >= Some(1), "{cause}: {dropped}");
    }
    assert_eq!(daemon.status()["camera"]["state"], "live");
}
