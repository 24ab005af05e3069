//! `--record-on motion`: stretches around what moves, their gaps and their downloads.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::events::{events, wait_for};
use crate::motion::crossing;
use crate::recording::{end, n_breaks};
use crate::support::{
    Browser, Client, Daemon, Dir, Faults, TempDir, all_frames, eventually, eventually_is, index,
    of_camera, segments,
};

/// A thing crosses for two of eight seconds, and is recorded with a second before and after.
fn watcher(dir: &Dir, to: &Path, args: &[&str]) -> Daemon {
    watcher_with(dir, to, &[&["--record-before", "1s"], args].concat())
}

fn watcher_with(dir: &Dir, to: &Path, args: &[&str]) -> Daemon {
    Daemon::spawn(command(dir, to, args))
}

fn command(dir: &Dir, to: &Path, args: &[&str]) -> Command {
    let (camera, to) = (dir.camera(), to.to_str().unwrap());
    let fixed = ["--camera", &*camera, "--fps", "10", "--motion", "--motion-hold", "500ms"];
    let on = ["--record", to, "--record-on", "motion", "--record-after", "1s"];
    Daemon::command(&[&fixed[..], &on, args].concat())
}

fn json(daemon: &Daemon, target: &str) -> Value {
    let reply = daemon.get(target);
    assert_eq!(reply.code, 200, "{target}: {}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

fn wait_for_state(daemon: &Daemon, state: &str) {
    eventually_is(state, || daemon.status()["recording"]["state"] == state);
}

fn post(daemon: &Daemon, target: &str) -> Value {
    let reply = daemon.request("POST", target, &[]);
    assert_eq!(reply.code, 200, "{target}: {}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

/// Waits until `n` motions have been recorded to their ends. Returns their events.
fn motions(daemon: &Daemon, n: usize) -> Vec<(Value, Value)> {
    let stopped = || events(daemon, "type=recording-stopped").len() >= n;
    eventually_is("stretches have ended", stopped);
    let begins = events(daemon, "type=motion-begin");
    let ends = events(daemon, "type=motion-end");
    begins.into_iter().zip(ends).take(n).collect()
}

fn time(event: &Value) -> f64 {
    event["time"].as_f64().unwrap()
}

#[test]
fn only_stretches_around_motion_are_kept() {
    let (dir, to) = (crossing(60), TempDir::new());
    let daemon = watcher(&dir, to.path(), &[]);
    wait_for_state(&daemon, "waiting");
    assert_eq!(daemon.status()["recording"]["mode"], "motion");
    assert_eq!(daemon.figure("/recording/written"), 0);
    let metrics = daemon.get("/metrics").text();
    let waiting = "mjpegd_recording_state{camera=\"camera\",state=\"waiting\"} 1";
    assert!(metrics.contains(waiting), "{metrics}");
    wait_for(&daemon, "motion-begin");
    wait_for_state(&daemon, "recording");
    let motions = motions(&daemon, 2);
    let list = json(&daemon, "/recordings");
    let spans = list["spans"].as_array().unwrap();
    assert!(spans.len() >= 2 && list["gaps"][0]["start"].is_f64(), "{list}");
    let (interval, mut befores) = (0.1, Vec::new());
    for ((begin, end), span) in motions.iter().zip(spans) {
        let [from, to] = ["start", "end"].map(|name| span[name].as_f64().unwrap());
        let (before, after) = (time(begin) - from, to - time(end));
        assert!(before <= 1.0 + interval, "{before} s before {begin}: {list}");
        assert!((0.5..2.5).contains(&after), "{after} s after {end}: {list}");
        befores.push(before);
    }
    // A camera that pauses in that second leaves less of it.
    assert!(befores.iter().any(|before| *before >= 0.7), "{befores:?}");
    let skipped = daemon.figure("/recording/skipped");
    end(daemon);
    // Nothing is missing where the frames from memory meet those that come.
    for segment in &segments(to.path())[..2] {
        assert!(n_breaks(&index(segment), usize::MAX) as u64 <= skipped, "{skipped} skipped");
    }
    let frames = all_frames(to.path());
    assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time), "in order, none twice");
    assert_eq!(segments(to.path()).len(), spans.len());
}

#[test]
fn motion_can_be_downloaded_by_its_event() {
    let (dir, to) = (crossing(60), TempDir::new());
    let daemon = watcher(&dir, to.path(), &[]);
    let (begin, end_event) = motions(&daemon, 1).remove(0);
    let link = begin["download"].as_str().unwrap();
    assert_eq!(link, format!("camera/download?event={}", begin["id"]));
    let named = json(&daemon, "/camera/events?type=motion-end")["events"][0].clone();
    assert_eq!(named["download"], format!("download?event={}", end_event["id"]));
    assert!(events(&daemon, "type=camera-on")[0]["download"].is_null());
    let first = &json(&daemon, "/recordings")["spans"][0];
    for event in [&begin, &end_event] {
        let list = json(&daemon, &format!("/recordings?event={}", event["id"]));
        assert_eq!(list["event"]["begin"], begin["time"]);
        assert_eq!(list["event"]["end"], end_event["time"]);
        assert_eq!((&list["spans"][0], &list["spans"][1]), (first, &Value::Null));
        let mjpeg = daemon.get(&format!("/download?event={}&format=mjpeg", event["id"]));
        assert_eq!(mjpeg.code, 200);
        let n = memchr::memmem::find_iter(&mjpeg.body, b"\xFF\xD8\xFF").count() as u64;
        // Those within the stretch; the recorder notices the end a moment later.
        let all = first["frames"].as_u64().unwrap();
        assert!(n <= all && n + 15 >= all, "{n} of {all}");
    }
    let avi = daemon.get(&format!("/{link}"));
    assert_eq!(avi.header("Content-Type"), Some("video/x-msvideo"));
    let id = &begin["id"];
    let mut client = Client::connect(daemon.address());
    client.request("GET", &format!("/recordings/frames.csv?event={id}"), &[]);
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    let csv = String::from_utf8(client.take_rest()).unwrap();
    assert!(csv.lines().count() > 20, "{csv}");
    let mut viewer = daemon.watch(&format!("/stream?event={id}"));
    let mut n = 0;
    while viewer.next_or_end().is_some() {
        n += 1;
    }
    assert!(n > 5, "{n} pictures, and the stream ends");
    for (target, code, says) in [
        ("/download?event=17", 404, "there is no event 17 of a motion at this camera"),
        ("/download?event=x", 400, "event: use a number from 1"),
        ("/stream?event=17", 404, "see /events"),
        (&*format!("/recordings?event={id}&from=-1h"), 400, "use it without from and to"),
    ] {
        let reply = daemon.get(target);
        assert!(reply.code == code && reply.text().contains(says), "{target}: {reply:?}");
    }
}

#[test]
fn order_to_record_always_holds_until_another_one() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let daemon = watcher(&dir, to.path(), &["--record-fps", "5"]);
    // Colours change, but the whole picture does: that is no motion.
    wait_for_state(&daemon, "waiting");
    assert_eq!(post(&daemon, "/record/start?on=always")["mode"], "always");
    eventually_is("it records", || daemon.figure("/recording/written") >= 10);
    assert_eq!(daemon.status()["recording"]["state"], "recording");
    let back = post(&daemon, "/record/start");
    assert_eq!((&back["mode"], &back["on"]), (&"motion".into(), &true.into()));
    wait_for_state(&daemon, "waiting");
    eventually("a segment", || events(&daemon, "type=segment-finished").pop());
    let n = daemon.figure("/recording/written");
    post(&daemon, "/record/stop");
    wait_for_state(&daemon, "off");
    post(&daemon, "/record/start?on=motion");
    wait_for_state(&daemon, "waiting");
    assert_eq!(daemon.figure("/recording/written"), n);
    let wrong = daemon.request("POST", "/record/start?on=tea", &[]);
    assert!(wrong.code == 400 && wrong.text().contains("on: use one of always, motion"));
    let taken = daemon.get("/?action=take");
    assert!(taken.code == 404 && taken.text().contains("nothing moves"), "{}", taken.text());
    end(daemon);
    let frames = all_frames(to.path());
    // With what was in memory when the order came.
    assert_eq!(frames.len() as u64, n);
    // Which of the camera's 10 a second are due changes with jitter, so the mean counts.
    let spans: Vec<f64> = frames.windows(6).map(|six| six[5].time - six[0].time).collect();
    assert!(!spans.is_empty() && spans.iter().all(|&span| span > 0.75), "5 a second: {spans:?}");
}

#[test]
fn memory_before_a_motion_is_bounded_and_the_log_says_so() {
    let (dir, to) = (Dir::numbered(40, 200_000), TempDir::new());
    let daemon = watcher(&dir, to.path(), &["--record-before-size", "1MiB"]);
    let line = daemon.wait_for_log("--record-before-size holds");
    assert!(line.contains("and not 1s (--record-before)"), "{line}");
    let looks = || daemon.figure("/camera/frames/captured");
    let before = looks();
    eventually_is("more frames come", || looks() > before + 20);
    let lines = daemon.log().into_iter().filter(|line| line.contains("--record-before-size"));
    assert_eq!(lines.count(), 1, "once");
}

#[test]
fn kills_in_a_motion_cost_no_event_and_no_recorded_picture() {
    let (dir, to) = (crossing(60), TempDir::new());
    let (mut ids, mut times): (Vec<Value>, Vec<f64>) = (Vec::new(), Vec::new());
    for n in [1, 4, 7] {
        let daemon = watcher(&dir, to.path(), &[]);
        // Soon after the start, when the files are open.
        eventually_is("no event is lost", || {
            let kept: Vec<Value> = events(&daemon, "").iter().map(|e| e["id"].clone()).collect();
            ids.iter().all(|id| kept.contains(id))
        });
        wait_for(&daemon, "motion-begin");
        eventually_is("it records", || daemon.figure("/recording/written") > 10 + n);
        ids = events(&daemon, "").iter().map(|event| event["id"].clone()).collect();
        // More than a second later.
        let written = daemon.figure("/recording/written");
        eventually_is("it goes on", || daemon.figure("/recording/written") > written + 11);
        let now = json(&daemon, "/recordings")["spans"].clone();
        times.push(now.as_array().unwrap().last().unwrap()["end"].as_f64().unwrap());
        daemon.signal(Signal::KILL);
    }
    let daemon = watcher(&dir, to.path(), &[]);
    wait_for_state(&daemon, "waiting");
    let all = events(&daemon, "");
    let mut all_ids: Vec<u64> = all.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    let n_all = all_ids.len();
    all_ids.dedup();
    assert_eq!(all_ids.len(), n_all, "none twice");
    // The motion that was cut has no end, and its download ends with its last picture.
    let begins = events(&daemon, "type=motion-begin");
    assert!(begins.len() >= 3, "{begins:?}");
    let of = |begin: &Value| json(&daemon, &format!("/recordings?event={}", begin["id"]));
    let is_cut = |list: &Value| list["event"]["end"].is_null();
    let list = begins.iter().map(of).find(is_cut).expect("one that was cut");
    assert!(!list["spans"].as_array().unwrap().is_empty(), "{list}");
    assert!(
        times.iter().any(|time| list["event"]["to"].as_f64() >= Some(*time)),
        "{list} {times:?}"
    );
    end(daemon);
    let frames = all_frames(to.path());
    assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time));
    let held = |t: &f64| frames.iter().any(|frame| (frame.time - t).abs() < 1e-4);
    assert!(times.iter().all(held), "what was listed is there after a kill");
}

#[test]
fn stretch_is_handed_over_when_it_ends() {
    let (dir, to, bucket) = (crossing(60), TempDir::new(), TempDir::new());
    let command = format!("cp \"$MJPEGD_SEGMENT\" {}/", bucket.path().display());
    let none_before = ["--record-before", "0s", "--on-segment", &command];
    let daemon = watcher_with(&dir, to.path(), &none_before);
    let (begin, _) = motions(&daemon, 1).remove(0);
    eventually_is("it is handed over", || daemon.figure("/recording/on_segment/done") >= 1);
    let copy = fs::read_dir(bucket.path()).unwrap().next().unwrap().unwrap();
    let own = of_camera(to.path()).join(copy.file_name());
    assert!(fs::read(copy.path()).unwrap() == fs::read(own).unwrap());
    // Without memory it begins with the motion, give or take a picture.
    let first = json(&daemon, "/recordings")["spans"][0]["start"].as_f64().unwrap();
    assert!(first > time(&begin) - 0.3, "{first} {begin}");
    // Those that came while nothing moved were not missed.
    let skipped = daemon.figure("/recording/skipped");
    assert!(skipped < 20, "{skipped}");
}

/// How many pictures of a motion are missed by a recorder with a slow disk.
fn n_skipped_by_a_slow_disk() -> u64 {
    let (dir, to, faults) = (crossing(60), TempDir::new(), &Faults::new());
    // Three seconds from memory take more than one to write.
    let args = ["--record-before", "3s"];
    let daemon = Daemon::spawn(faults.into(command(&dir, to.path(), &args)));
    faults.slow_down("recorder");
    motions(&daemon, 1);
    let recording = daemon.status()["recording"].clone();
    assert!(recording["written"].as_u64() >= Some(50), "{recording}");
    recording["skipped"].as_u64().unwrap()
}

#[test]
fn slow_disk_delays_the_pictures_of_a_motion_and_loses_none() {
    // All at once would miss a dozen. A machine that pauses may miss some as well.
    assert!((0..3).any(|_| n_skipped_by_a_slow_disk() <= 4), "never at most 4");
}

#[test]
fn motion_to_record_on_must_be_looked_for() {
    let to = TempDir::new();
    let daemon = Daemon::start(&["--record", to.path().to_str().unwrap()]);
    let refused = daemon.request("POST", "/record/start?on=motion", &[]);
    assert!(refused.code == 400 && refused.text().contains("--record-on motion"), "{refused:?}");
}

#[test]
fn page_says_that_the_recording_waits_and_its_switch_leads_back_to_motion() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let daemon = watcher(&dir, to.path(), &[]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    let says = |text: &str| {
        eventually_is(text, || browser.text("record-state").starts_with(text));
    };
    says("Recording when something moves");
    let click = "document.getElementById('record').click()";
    browser.run(click);
    says("Not recording");
    browser.run(click);
    says("Recording when something moves");
    let checked = "return document.getElementById('record').getAttribute('aria-checked')";
    assert_eq!(browser.run(checked), "true");
    assert_eq!(daemon.status()["recording"]["mode"], "motion");
}
