//! Pictures as phones and odd cameras make them: what a client gets of them.

use crate::support::{
    Daemon, Dir, eventually, eventually_is, flat, number, numbered, size, with_segment,
};

const SOI: &[u8] = &[0xFF, 0xD8];
const EOI: &[u8] = &[0xFF, 0xD9];

fn daemon(camera: &str, more: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", camera, "--fps", "20"], more].concat())
}

fn n_of(marker: &[u8], jpeg: &[u8]) -> usize {
    memchr::memmem::find_iter(jpeg, marker).count()
}

/// EXIF of a picture that is to be turned, with a thumbnail, as phones write it.
fn exif(orientation: u8, thumbnail: &[u8]) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [&b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01"[..], &entry, &[0; 4], thumbnail].concat()
}

#[test]
fn one_picture_comes_out_of_one_whatever_hides_in_it() {
    let (plain, small) = (numbered(0, 0), flat(16, 16, [1, 2, 3]));
    let hidden = |name: &[u8]| [name, &small].concat();
    let picture = [
        (0xE0, hidden(b"JFXX\0\x10")),
        (0xE1, exif(6, &small)),
        (0xE2, hidden(b"MPFx")),
        (0xED, hidden(b"Photoshop 3.0\0")),
        (0xFE, hidden(b"a comment ")),
    ]
    .iter()
    .fold(plain, |jpeg, (marker, body)| with_segment(&jpeg, *marker, body));
    let dir = Dir::new(vec![[&picture[..], &small, b"SEFH\0SEFT"].concat()]);
    let daemon = daemon(&dir.camera(), &[]);
    let jpeg = daemon.watch("/stream").next().jpeg;
    assert_eq!((n_of(SOI, &jpeg), n_of(EOI, &jpeg)), (1, 1));
    assert!(jpeg.ends_with(EOI) && number(&jpeg) == Some(0));
    assert_eq!(n_of(b"\x01\x12\0\x03\0\0\0\x01\0\x06", &jpeg), 1, "its orientation is kept");
    let status = daemon.status();
    let shown = [&status["camera"]["width"], &status["camera"]["height"]];
    assert_eq!(shown, [48, 64], "64x48, turned");
}

#[test]
fn files_of_several_pictures_do_not_flicker() {
    let (big, small) = (flat(640, 480, [9, 9, 9]), flat(160, 120, [9, 9, 9]));
    let dir = Dir::new(vec![[big, small].concat().repeat(5)]);
    let file = dir.concatenated();
    let exec = format!("exec:while cat {}; do sleep 0.05; done", file.display());
    for camera in [format!("file:{}", file.display()), exec] {
        let daemon = daemon(&camera, &[]);
        let mut viewer = daemon.watch("/stream");
        assert!((0..12).all(|_| size(&viewer.next().jpeg) == (640, 480)), "{camera}");
    }
}

#[test]
fn picture_without_its_end_is_shown_if_asked_for_or_if_none_is_better() {
    let cut = |jpeg: Vec<u8>| jpeg[..jpeg.len() - 40].to_vec();
    let only = Dir::new(vec![cut(numbered(1, 3_000))]);
    let among = Dir::new(vec![numbered(0, 3_000), cut(numbered(1, 3_000))]);
    for (dir, option) in [(&only, &[][..]), (&among, &["--allow-truncated"])] {
        let daemon = daemon(&dir.camera(), option);
        let mut viewer = daemon.watch("/stream");
        let jpeg = eventually("the one without its end", || {
            Some(viewer.next().jpeg).filter(|jpeg| number(jpeg) == Some(1))
        });
        assert!(jpeg.ends_with(EOI) && jpeg.len() == dir.pictures.last().unwrap().len() + 2);
        assert!(daemon.figure("/camera/frames/repaired/truncated") >= 1);
        daemon.wait_for_log("pictures that lack their end are shown");
    }
    let daemon = daemon(&among.camera(), &[]);
    let mut viewer = daemon.watch("/stream");
    assert!((0..9).all(|_| number(&viewer.next().jpeg) == Some(0)));
}

#[test]
fn kind_that_no_browser_shows_is_a_cause_that_is_shown() {
    let sof = |jpeg: &[u8]| memchr::memmem::find(jpeg, &[0xFF, 0xC0]).unwrap();
    let mut arithmetic = numbered(0, 0);
    let at = sof(&arithmetic);
    arithmetic[at + 1] = 0xC9;
    let mut deep = numbered(0, 0);
    deep[at + 4] = 12;
    for (jpeg, counter, says) in
        [(arithmetic, "arithmetic", "with arithmetic coding"), (deep, "deep", "more than 8 bits")]
    {
        let dir = Dir::new(vec![jpeg]);
        let daemon = daemon(&dir.camera(), &[]);
        let mut viewer = daemon.watch("/stream");
        assert!(number(&viewer.next().jpeg).is_none(), "a status picture");
        let cause = daemon.status()["camera"]["cause"].as_str().unwrap().to_owned();
        assert!(cause.contains(says) && cause.contains("no browser shows"), "{cause}");
        assert!(daemon.figure(&format!("/camera/frames/dropped/{counter}")) >= 3);
        let snapshot = daemon.get("/snapshot");
        assert!(snapshot.code == 503 && snapshot.text().contains(says), "{}", snapshot.text());
        daemon.wait_for_log(says);
    }
}

#[test]
fn bad_files_in_a_folder_are_skipped_and_named_once() {
    let dir = Dir::numbered(2, 0);
    std::fs::write(dir.path().join("._000000.jpg"), b"\0\x05\x16\x07 of a Mac").unwrap();
    std::fs::write(dir.path().join("a.jpg"), b"").unwrap();
    std::fs::create_dir(dir.path().join("b.jpg")).unwrap();
    let daemon = daemon(&dir.camera(), &["--idle-timeout", "100ms"]);
    let late = dir.path().join("late.jpg");
    std::fs::write(&late, b"\x89PNG\r\n").unwrap();
    for _ in 0..2 {
        let mut viewer = daemon.watch("/stream");
        assert!((0..9).all(|_| number(&viewer.next().jpeg).is_some()));
        drop(viewer);
        daemon.wait_for_state("idle");
    }
    for name in
        ["/._000000.jpg: not a JPEG", "/a.jpg: no bytes", "/b.jpg: not a file", "/late.jpg: not"]
    {
        let n = daemon.log().iter().filter(|line| line.contains(name)).count();
        assert_eq!(n, 1, "{name}: {:?}", daemon.log());
    }
    eventually_is("they are counted", || daemon.figure("/camera/frames/dropped/not_jpeg") >= 2);
}
