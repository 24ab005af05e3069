//! Which frames a viewer gets: none twice, and each skipped one is counted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Client, Daemon, Dir, Viewer, eventually, eventually_is, number};

/// Turns the picture numbers of a looped folder of `n` pictures into numbers
/// that keep rising.
struct Unwrap {
    n: usize,
    last: usize,
}

impl Unwrap {
    fn next(&mut self, jpeg: &[u8]) -> usize {
        let number = number(jpeg).unwrap();
        self.last += (number + self.n - self.last % self.n) % self.n;
        self.last
    }
}

#[test]
fn frames_are_those_of_the_folder_byte_by_byte_and_in_order() {
    let dir = Dir::numbered(50, 20_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "25"]);
    for target in ["/stream", "/video_feed", "/stream?raw=1", "/stream?extra_headers=1"] {
        let mut viewer = daemon.watch(target);
        for _ in 0..20 {
            let jpeg = viewer.next().jpeg;
            assert!(jpeg == dir.pictures[number(&jpeg).unwrap()], "{target}");
        }
    }
}

#[test]
fn file_of_jpegs_is_played_in_order_and_from_its_beginning_again() {
    let dir = Dir::numbered(7, 3_000);
    let camera = format!("file:{}", dir.concatenated().display());
    let daemon = Daemon::start(&["--camera", &camera, "--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    let mut seen = BTreeSet::new();
    eventually_is("all pictures are seen", || {
        let jpeg = viewer.next().jpeg;
        assert!(jpeg == dir.pictures[number(&jpeg).unwrap()]);
        seen.insert(number(&jpeg).unwrap());
        seen.len() == 7
    });
}

#[test]
fn no_frame_comes_twice() {
    let dir = Dir::numbered(400, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/video_feed")];
    let mut last = [None, None];
    let mut n_twice = 0;
    for _ in 0..90 {
        for (viewer, last) in viewers.iter_mut().zip(&mut last) {
            let now = number(&viewer.next().jpeg).unwrap();
            let is_next = |last: usize| (now + 400 - last) % 400 < 200;
            assert!(last.is_none_or(is_next), "{last:?} then {now}");
            n_twice += u64::from(*last == Some(now));
            *last = Some(now);
        }
    }
    // But for the last one, when a machine that pauses brings none for a second.
    let repeated = |row: &Value| row["repeated"].as_u64().unwrap();
    let n_repeated: u64 = daemon.status()["viewers"].as_array().unwrap().iter().map(repeated).sum();
    assert!(n_twice <= n_repeated, "{n_twice} came twice, {n_repeated} were repeated");
}

#[test]
fn what_a_slow_viewer_missed_is_skipped_and_counted() {
    const N: usize = 400;
    let dir = Dir::numbered(N, 20_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "50"]);
    let mut client = Client::narrow(daemon.address());
    client.request("GET", "/stream?key=slow", &[]);
    let mut viewer = Viewer::new(client);
    let mut numbers = Unwrap { n: N, last: 0 };
    let first = numbers.next(&viewer.next().jpeg);
    // The viewer does not read until the camera is far ahead.
    eventually_is("the camera is ahead", || daemon.figure("/camera/frames/captured") >= 60);
    let mut n_read = 1;
    let mut last = first;
    while last < 80 {
        let now = numbers.next(&viewer.next().jpeg);
        n_read += usize::from(now != last);
        last = now;
    }
    // A picture is counted when its last byte is sent, and may be read before that.
    let row = eventually("all that was read is counted", || {
        let row = daemon.status()["viewers"][0].clone();
        (row["sent"].as_u64() >= Some(n_read as u64)).then_some(row)
    });
    let count = |name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
    assert!(count("skipped") > 10, "{row}");
    // Some of the sent pictures are still in socket buffers.
    while n_read < count("sent") {
        let now = numbers.next(&viewer.next().jpeg);
        n_read += usize::from(now != last);
        last = now;
    }
    assert_eq!(last - first + 1, count("sent") + count("skipped"), "{row}");
}

#[test]
fn slow_viewer_goes_on_with_the_newest_frame() {
    let dir = Dir::numbered(1000, 20_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "50"]);
    let mut client = Client::narrow(daemon.address());
    client.request("GET", "/stream", &[]);
    let mut viewer = Viewer::new(client);
    viewer.next();
    eventually_is("the camera is ahead", || daemon.figure("/camera/frames/captured") >= 150);
    // First come the old pictures that the two socket buffers hold, then the
    // newest one.
    let n_stale = (0..).take_while(|_| number(&viewer.next().jpeg).unwrap() < 100).count();
    assert!(n_stale < 40, "{n_stale} stale frames");
}

#[test]
fn last_frame_is_sent_again_after_a_second_without_a_new_one() {
    let dir = Dir::numbered(2, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "0.02"]);
    let begun = Instant::now();
    let mut viewer = daemon.watch("/stream");
    let first = viewer.next();
    for n in 1..=2 {
        assert_eq!(viewer.next(), first);
        // Since the request, as a viewer that is woken late sees two of them closer together.
        assert!(begun.elapsed() > n * Duration::from_secs(1), "{n} in {:?}", begun.elapsed());
    }
    eventually_is("the repeats are counted", || {
        let row = &daemon.status()["viewers"][0];
        row["sent"] == 1 && row["repeated"].as_u64() >= Some(2)
    });
}

#[test]
fn one_frame_a_second_is_no_reason_to_repeat() {
    let daemon = Daemon::start(&[]);
    let mut viewer = daemon.watch("/stream");
    let times: Vec<f64> = (0..12).map(|_| viewer.next().timestamp()).collect();
    // A busy machine may be late a few times, but not every time.
    let n_repeated = times.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(n_repeated <= 4, "{times:?}");
}

#[test]
fn new_viewer_gets_the_last_frame_at_once() {
    let dir = Dir::numbered(2, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "0.02"]);
    let first = daemon.watch("/stream").next();
    // The camera is on, and its next frame is due in nearly a minute.
    assert_eq!(daemon.watch("/stream").next(), first);
    assert_eq!(daemon.watch("/video_feed").next().jpeg, first.jpeg);
}

#[test]
fn fps_limits_one_viewer_and_nobody_else() {
    let dir = Dir::numbered(400, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    let mut free = daemon.watch("/stream");
    let mut limited = daemon.watch("/stream?fps=4");
    let times: Vec<f64> = (0..6).map(|_| limited.next().timestamp()).collect();
    let took = times[5] - times[0];
    assert!((1.0..5.0).contains(&took), "5 quarters of a second, not {took}");
    let numbers: Vec<_> = (0..30).map(|_| number(&free.next().jpeg).unwrap()).collect();
    let steps = numbers.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
    assert!(steps > 15, "{numbers:?}");
    let row = daemon.status()["viewers"][1].clone();
    assert_eq!(row["skipped"], 0, "what it did not want it did not miss: {row}");
}

#[test]
fn every_source_gives_pictures_of_its_size() {
    let dir = Dir::numbered(2, 0);
    let file = format!("file:{}", dir.concatenated().display());
    for (camera, size) in [
        ("demo", (640, 480)),
        ("pattern:320x240@5", (320, 240)),
        (&dir.camera(), (64, 48)),
        (&file, (64, 48)),
    ] {
        let daemon = Daemon::start(&["--camera", camera]);
        let jpeg = daemon.watch("/stream").next().jpeg;
        assert_eq!(crate::support::size(&jpeg), size, "{camera}");
        let camera = daemon.status()["camera"].clone();
        assert_eq!(
            (camera["width"].as_u64(), camera["height"].as_u64()),
            (Some(size.0.into()), Some(size.1.into()))
        );
    }
}

#[test]
fn pattern_moves_and_demo_shows_three_pictures() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    let mut shown = BTreeSet::new();
    eventually_is("five differ", || {
        shown.insert(viewer.next().jpeg);
        shown.len() >= 5
    });
    let daemon = Daemon::start(&["--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    let shown: BTreeSet<_> = (0..12).map(|_| viewer.next().jpeg).collect();
    assert_eq!(shown.len(), 3);
}

#[test]
fn pictures_that_are_not_taken_at_once_come_whole() {
    let dir = Dir::numbered(7, 300_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    for target in ["/stream", "/video_feed"] {
        let mut client = Client::narrow(daemon.address());
        client.request("GET", target, &[]);
        let mut viewer = Viewer::new(client);
        for _ in 0..20 {
            let jpeg = viewer.next().jpeg;
            let sent = &dir.pictures[number(&jpeg).expect("none of the camera's")];
            assert!(jpeg == *sent, "{} bytes are not those of the picture", jpeg.len());
        }
    }
}
