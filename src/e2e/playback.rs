//! Playback of recordings: streams, pictures and lists.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::recording::{end, recorder, wait_for_frames};
use crate::support::{
    Client, Daemon, Dir, Layout, Recorded, TempDir, all_frames, eventually_is, number, of_camera,
    segments, write_segment,
};

/// Pictures a second where a recording is played faster than it was taken.
const MAX_FPS: f64 = 30.0;

/// A finished recording of at least `n` frames. Its daemon runs on without
/// recording.
struct Past {
    daemon: Daemon,
    frames: Vec<Recorded>,
    to: TempDir,
    _dir: Dir,
}

impl Past {
    fn new(n: u64, n_runs: usize) -> Self {
        let (dir, to) = (Dir::numbered(1000, 3000), TempDir::new());
        for _ in 1..n_runs {
            let daemon = recorder(&dir, to.path(), &[]);
            wait_for_frames(&daemon, n);
            end(daemon);
        }
        let daemon = recorder(&dir, to.path(), &["--threads", "2"]);
        wait_for_frames(&daemon, n);
        daemon.request("POST", "/record/stop", &[]);
        eventually_is("it stopped", || daemon.status()["recording"]["state"] == "off");
        let frames = all_frames(to.path());
        Self { daemon, frames, to, _dir: dir }
    }

    fn time(&self, place: usize) -> f64 {
        self.frames[place].time
    }
}

#[test]
fn recording_is_played_frame_by_frame_and_then_live() {
    let (dir, to) = (Dir::numbered(1000, 3000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 30);
    let begun = all_frames(to.path());
    for (target, layout) in [("/stream", Layout::Full), ("/video_feed", Layout::Advance)] {
        let mut viewer = daemon.watch(&format!("{target}?from={}&speed=3", begun[5].time));
        assert_eq!(viewer.layout(), layout);
        let mut last = number(&begun[5].jpeg).unwrap();
        let live = |daemon: &Daemon| daemon.figure("/camera/frames/captured");
        // At triple speed, playback catches up with the present and stays live.
        let deadline = Instant::now() + Duration::from_secs(60);
        let (mut n_near, mut n, mut n_jumps) = (0, 0, 0);
        while n_near < 20 {
            assert!(Instant::now() < deadline, "it does not catch up: at {last}");
            let now = number(&viewer.next().jpeg).unwrap();
            assert!(now >= last, "{now} after {last}");
            // What is late is left out, as on a machine that pauses.
            (n, n_jumps) = (n + 1, n_jumps + usize::from(now >= last + 40));
            n_near += usize::from(live(&daemon) < now as u64 + 20);
            last = now;
        }
        assert!(n_jumps * 4 <= n, "{n_jumps} jumps in {n} pictures");
    }
}

#[test]
fn every_frame_of_a_span_comes_once_and_the_stream_ends() {
    let past = Past::new(30, 1);
    let (due, from, to) = (&past.frames[4..=20], past.time(4), past.time(20));
    for target in ["/stream?", "/stream?headers=minimal&"] {
        let play = || {
            let mut viewer = past.daemon.watch(&format!("{target}from={from}&to={to}&speed=0.9"));
            let parts: Vec<_> = std::iter::from_fn(|| viewer.next_or_end()).collect();
            let is_full = viewer.layout() == Layout::Full;
            let places = parts.iter().map(|part| {
                let place = due.iter().position(|due| due.jpeg == part.jpeg).unwrap();
                assert!(!is_full || (part.timestamp() - due[place].time).abs() < 1e-6);
                place
            });
            let places: Vec<_> = places.collect();
            assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
            places.len()
        };
        // What is late by 0.15 s is left out, so a busy machine may need several tries.
        let n_played: Vec<_> = (0..10).map(|_| play()).take_while(|n| *n < due.len()).collect();
        assert!(n_played.len() < 10, "{n_played:?} of {}", due.len());
    }
    past.daemon.wait_for_seats(0);
}

#[test]
fn speed_is_kept_by_leaving_frames_out() {
    let past = Past::new(200, 1);
    let n = past.frames.len();
    let target = format!("/stream?from={}&to={}&speed=4", past.time(0), past.time(n - 1));
    let begun = Instant::now();
    let mut viewer = past.daemon.watch(&target);
    let times: Vec<_> =
        std::iter::from_fn(|| viewer.next_or_end()).map(|part| part.timestamp()).collect();
    let (took, recorded) = (begun.elapsed().as_secs_f64(), past.time(n - 1) - past.time(0));
    // Playback is never too fast. How much slower it is depends on how busy the
    // machine is.
    assert!(took > recorded / 4.0 - 0.2, "{took} s for {recorded} s");
    // A busy machine records fewer pictures a second, of which more are shown.
    let (n_shown, most) = (times.len(), 1.1 * MAX_FPS * recorded / 4.0 + 2.0);
    assert!(n_shown >= 5 && n_shown < n && (n_shown as f64) < most, "{n_shown} of {n}, {most}");
    assert!(times.is_sorted());
}

#[test]
fn gaps_are_played_over_without_waiting() {
    let (dir, to) = (Dir::numbered(1000, 0), TempDir::new());
    let first = recorder(&dir, to.path(), &[]);
    wait_for_frames(&first, 10);
    end(first);
    let gap = Instant::now();
    let second = recorder(&dir, to.path(), &[]);
    eventually_is("the gap is long enough", || gap.elapsed() > Duration::from_secs(5));
    second.request("POST", "/record/stop", &[]);
    eventually_is("it stopped", || second.status()["recording"]["state"] == "off");
    second.request("POST", "/record/start", &[]);
    let n = second.figure("/recording/frames");
    eventually_is("it goes on", || second.figure("/recording/frames") > n + 3);
    // Delete the segments in the middle, which leaves a gap.
    let files = segments(to.path());
    assert_eq!(files.len(), 3);
    fs::remove_file(&files[1]).unwrap();
    let frames = all_frames(to.path());
    let place = frames.windows(2).position(|pair| pair[1].time - pair[0].time > 3.0).unwrap();
    let target = format!("/stream?from={}&speed=0.5", frames[place - 3].time);
    let mut viewer = second.watch(&target);
    let begun = Instant::now();
    let parts: Vec<_> = (0..6).map(|_| viewer.next()).collect();
    assert!(parts[5].timestamp() - parts[0].timestamp() > 3.0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn segment_that_is_deleted_while_it_is_played_goes_on() {
    let past = Past::new(40, 2);
    let files = segments(past.to.path());
    let n_first = crate::support::frames(&files[0]).0.len();
    let last = past.frames.last().unwrap().time;
    let target = format!("/stream?from={}&to={last}&speed=0.3", past.time(0));
    let mut viewer = past.daemon.watch(&target);
    viewer.next();
    fs::remove_file(&files[0]).unwrap();
    let rest: Vec<_> = std::iter::from_fn(|| viewer.next_or_end()).collect();
    // A busy machine may skip some.
    assert!(rest.len() > past.frames.len() * 2 / 3, "{} of {}", rest.len(), past.frames.len());
    assert!(rest.iter().filter(|part| part.timestamp() < past.time(n_first)).count() > n_first / 2);
    let next = past.daemon.get(&format!("/snapshot?at={}", past.time(0)));
    assert_eq!(next.code, 404, "{}", next.text());
}

#[test]
fn playback_takes_a_seat_as_any_viewer() {
    let past = Past::new(60, 1);
    let target = format!("/stream?from={}&speed=0.1", past.time(0));
    let mut viewers = [past.daemon.watch(&target), past.daemon.watch(&target)];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let row = past.daemon.status()["viewers"][0].clone();
    assert!(row["frame_age_ms"].is_null(), "{row}");
    assert_eq!(past.daemon.get(&target).code, 503);
    assert_eq!(past.daemon.get(&format!("/snapshot?at={}", past.time(1))).code, 200);
    drop(viewers);
    past.daemon.wait_for_seats(0);
}

#[test]
fn picture_of_a_moment_and_those_around_it() {
    let past = Past::new(20, 1);
    let at = |query: &str| past.daemon.get(&format!("/snapshot?{query}"));
    let same = |query: &str, due: &Recorded| {
        let reply = at(query);
        assert_eq!(reply.code, 200, "{query}: {}", reply.text());
        assert!(reply.body == due.jpeg, "{query}");
        let time: f64 = reply.header("X-Timestamp").unwrap().parse().unwrap();
        assert!((time - due.time).abs() < 1e-6, "{query}");
    };
    let (frames, seven) = (&past.frames, past.time(7));
    same(&format!("at={seven}"), &frames[7]);
    // Pictures of a busy machine may be near to each other.
    same(&format!("at={}", f64::midpoint(seven, past.time(8))), &frames[7]);
    same(&format!("at={seven}&step=1"), &frames[8]);
    same(&format!("at={seven}&step=-3"), &frames[4]);
    // Rounded, since cutting off the fraction may give the microsecond before
    // the picture.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in this century")]
    let since = Duration::from_micros((seven * 1e6).round() as u64);
    let text = humantime::format_rfc3339_micros(std::time::SystemTime::UNIX_EPOCH + since);
    same(&format!("at={text}"), &frames[7]);
    same(&format!("at={}", text.to_string().replace('Z', "%2B00:00")), &frames[7]);
    assert_eq!(at("at=2001-01-01T00:00:00Z").code, 404);
    assert_eq!(at(&format!("at={seven}&step=900")).code, 404);
    let reply = past.daemon.request("HEAD", &format!("/snapshot?at={seven}"), &[]);
    assert_eq!(reply.code, 200);
}

#[test]
fn lists_are_true() {
    let past = Past::new(20, 2);
    let list: Value = serde_json::from_slice(&past.daemon.get("/recordings").body).unwrap();
    let spans = list["spans"].as_array().unwrap();
    let sum = |key: &str| spans.iter().map(|span| span[key].as_u64().unwrap()).sum::<u64>();
    let files = segments(past.to.path());
    let n_bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!((sum("frames"), sum("bytes")), (past.frames.len() as u64, n_bytes));
    assert_eq!(list["gaps"].as_array().unwrap().len(), spans.len() - 1);
    assert!((spans[0]["start"].as_f64().unwrap() - past.time(0)).abs() < 1e-6);
    assert_eq!(list["recording"]["state"], "off");
    assert!(list.get("segments").is_none());
    let list: Value =
        serde_json::from_slice(&past.daemon.get("/recordings?segments=1").body).unwrap();
    let names: Vec<_> = list["segments"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    let due: Vec<_> =
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, due);

    let csv = |query: &str| {
        let mut client = Client::connect(past.daemon.address());
        client.request("GET", &format!("/recordings/frames.csv{query}"), &[]);
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        String::from_utf8(client.take_rest()).unwrap()
    };
    let whole = csv("");
    let rows: Vec<Vec<&str>> =
        whole.trim_end().split("\r\n").map(|row| row.split(',').collect()).collect();
    assert_eq!(rows[0], ["time", "seq", "jpeg_bytes", "segment", "offset", "gap"]);
    assert_eq!(rows.len() - 1, past.frames.len());
    for (row, due) in rows[1..].iter().zip(&past.frames) {
        let time = humantime::parse_rfc3339(row[0]).unwrap();
        let time = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((time - due.time).abs() < 1e-6);
        assert_eq!(row[2], due.jpeg.len().to_string());
        let file = fs::read(of_camera(past.to.path()).join(row[3])).unwrap();
        assert!(file[row[4].parse::<usize>().unwrap()..].starts_with(b"--frame\r\n"));
    }
    let some = csv(&format!("?from={}&to={}", past.time(3), past.time(8)));
    assert_eq!(some.trim_end().split("\r\n").count(), 1 + 6);
}

#[test]
fn list_of_a_stretch_has_the_spans_that_reach_into_it() {
    let (dir, to) = (Dir::numbered(5, 0), TempDir::new());
    // A second each, ten seconds apart.
    let starts = [0, 10, 20, 30].map(|s| 1_795_260_500 + s);
    for (id, start) in (1..).zip(starts) {
        let times = [0, 500_000, 1_000_000].map(|us| start * 1_000_000 + us);
        write_segment(to.path(), id, &[0xFF, 0xD8, 0xFF, 0xD9], &times);
    }
    let daemon = recorder(&dir, to.path(), &[]);
    let list = |query: &str| -> Value {
        let reply = daemon.get(&format!("/recordings?segments=1&{query}"));
        assert_eq!(reply.code, 200, "{}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    };
    eventually_is("the folder was scanned", || list("")["spans"].as_array().unwrap().len() >= 4);
    let [first, second, third, last] = starts;
    for (query, due) in [
        (format!("to={}", last + 5), starts.to_vec()),
        (format!("from={}&to={}", second + 1, third), vec![second, third]),
        (format!("to={}", second - 1), vec![first]),
        (format!("from={}&to={}", second + 2, third - 1), vec![]),
    ] {
        let list = list(&query);
        let starts = |of: &str| -> Vec<_> {
            let list = list[of].as_array().unwrap().iter();
            list.map(|item| item["start"].as_f64()).collect()
        };
        let due: Vec<_> = due.into_iter().map(|start| Some(start as f64)).collect();
        assert_eq!((starts("spans"), starts("segments")), (due.clone(), due.clone()), "{query}");
        assert_eq!(starts("gaps").len(), due.len().saturating_sub(1), "{query}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    let past = Past::new(5, 1);
    let (first, last) = (past.time(0), past.time(past.frames.len() - 1));
    for (target, code, says) in [
        ("/stream?from=yesterday".to_owned(), 400, "2026-11-21T11:28:35Z"),
        ("/stream?from=".into(), 400, "is not a time"),
        ("/stream?from=-30".into(), 400, "-30s"),
        (format!("/stream?from={last}&to={first}"), 400, "from: use a time before to"),
        ("/stream?to=-1s".into(), 400, "to: use it together with from"),
        (format!("/stream?from={first}&speed=0"), 400, "from 0.1 to 100"),
        (format!("/stream?from={first}&speed=1e9"), 400, "from 0.1 to 100"),
        (format!("/stream?from={first}&speed=NaN"), 400, "from 0.1 to 100"),
        (format!("/stream?from={first}&speed=fast"), 400, "from 0.1 to 100"),
        (format!("/stream?from={}", last + 1000.0), 404, "nothing was recorded"),
        ("/stream?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z".into(), 404, "there is"),
        ("/snapshot?at=then".into(), 400, "at: \"then\" is not a time"),
        (format!("/snapshot?at={first}&step=x"), 400, "step: use a number"),
        (format!("/snapshot?at={first}&step=99999999999"), 400, "step: use a number"),
        ("/recordings?from=x".into(), 400, "is not a time"),
        ("/recordings?from=-1s&to=-2s".into(), 400, "from: use a time before to"),
        ("/recordings/frames.csv?from=x".into(), 400, "is not a time"),
        ("/recordings/frames.csv?from=-1s&to=-2s".into(), 400, "from: use a time before to"),
        (format!("/recordings/frames.csv?from={}", last + 1000.0), 404, "nothing was recorded"),
        ("/recordings/none".into(), 404, "no such segment"),
        ("/download?format=exe".into(), 400, "avi, mjpeg or zip"),
        ("/download?from=99999999999999".into(), 400, "is not a time"),
        ("/download?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z".into(), 404, "there is"),
    ] {
        let reply = past.daemon.get(&target);
        assert_eq!(reply.code, code, "{target}: {}", reply.text());
        assert!(reply.text().contains(says), "{target}: {}", reply.text());
    }
    past.daemon.wait_for_seats(0);
}
