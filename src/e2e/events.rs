//! Events: the list, the stream, the files beside the recording.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::recording::{end, recorder, wait_for_frames};
use crate::support::{Client, Daemon, Dir, TempDir, eventually, eventually_is, of_camera};

/// The events that a query gives.
pub(crate) fn events(daemon: &Daemon, query: &str) -> Vec<Value> {
    let reply = daemon.get(&format!("/events?{query}"));
    assert_eq!(reply.code, 200, "{}", reply.text());
    let list: Value = serde_json::from_slice(&reply.body).unwrap();
    list["events"].as_array().unwrap().clone()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn id(event: &Value) -> u64 {
    event["id"].as_u64().unwrap()
}

pub(crate) fn wait_for(daemon: &Daemon, kind: &str) -> Value {
    eventually(kind, || events(daemon, &format!("type={kind}")).pop())
}

#[test]
fn what_viewers_and_cameras_do_is_listed() {
    let dir = Dir::flat(64, 48);
    let front = format!("front={}", dir.camera());
    let options = ["--camera", &*front, "--camera", "back=demo", "--idle-timeout", "300ms"];
    let daemon = Daemon::start(&options);
    assert_eq!(events(&daemon, ""), [] as [Value; 0]);
    let mut viewers = [daemon.watch("/front/stream"), daemon.watch("/front/stream")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    drop(viewers);
    wait_for(&daemon, "camera-off");
    let all = events(&daemon, "");
    let mut kinds = types(&all);
    // The camera and its first viewer come at once.
    kinds[..2].sort_unstable();
    assert_eq!(kinds, ["camera-on", "first-viewer", "last-viewer", "camera-off"]);
    assert!(all.iter().all(|event| event["camera"] == "front"), "{all:?}");
    assert!(all.is_sorted_by_key(id));
    assert!(all[2]["data"]["watched_s"].as_f64().unwrap() > 0.0, "{all:?}");
    let begun = all[0]["time"].as_f64().unwrap();
    for (query, n) in [
        ("camera=back".to_owned(), 0),
        ("type=camera-on,camera-off".to_owned(), 2),
        (format!("from={}", begun + 3600.0), 0),
        ("from=-1h&to=-0s".to_owned(), 4),
    ] {
        assert_eq!(events(&daemon, &query).len(), n, "{query}");
    }
    let of_back = daemon.get("/back/events").text();
    assert!(of_back.contains("\"events\":[]"), "{of_back}");
    let newest: Value = serde_json::from_slice(&daemon.get("/events?limit=1").body).unwrap();
    assert_eq!(
        (types(newest["events"].as_array().unwrap()), &newest["more"]),
        (vec!["camera-off"], &true.into())
    );
    let wrong = daemon.get("/events?type=tea-ready");
    assert_eq!(wrong.code, 400);
    assert!(wrong.text().contains("use some of camera-on, camera-off"), "{}", wrong.text());
    assert!(daemon.get("/metrics").text().contains("mjpegd_events_total{type=\"camera-off\"} 1"));
}

#[test]
fn lost_camera_is_one_event_and_its_return_another() {
    let dir = Dir::flat(64, 48);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    dir.overwrite(b"no picture");
    let lost = wait_for(&daemon, "camera-lost");
    assert!(!lost["data"]["cause"].as_str().unwrap().is_empty(), "{lost}");
    eventually_is("it is tried again", || daemon.figure("/camera/opened") >= 3);
    dir.restore();
    let back = wait_for(&daemon, "camera-back");
    assert!(back["data"]["lost_s"].as_f64().unwrap() > 0.0, "{back}");
    assert_eq!(events(&daemon, "type=camera-lost,camera-on,camera-off").len(), 2);
}

/// A client of `/events/stream`, behind the head of its reply.
fn follow(daemon: &Daemon, target: &str, headers: &[&str]) -> Client {
    let mut client = Client::connect(daemon.address());
    client.request("GET", target, headers);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
    client
}

/// The next event of a stream. The beginning and signs of life are passed over.
fn next(client: &mut Client) -> Option<(u64, Value)> {
    loop {
        let block = String::from_utf8(client.take_through(b"\n\n")?).unwrap();
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let (Some(id), Some(data)) = (field("id: "), field("data: ")) else { continue };
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(field("event: "), event["type"].as_str());
        return Some((id.parse().unwrap(), event));
    }
}

#[test]
fn stream_gives_each_event_and_goes_on_after_the_last_one_that_was_seen() {
    let dir = Dir::flat(64, 48);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--idle-timeout", "300ms"]);
    let target = "/events/stream?type=camera-on,camera-off";
    let mut client = follow(&daemon, target, &[]);
    assert_eq!(daemon.get("/snapshot").code, 200);
    let (first, event) = next(&mut client).unwrap();
    assert_eq!((event["type"].as_str(), id(&event)), (Some("camera-on"), first));
    drop(client);
    wait_for(&daemon, "camera-off");
    let mut client = follow(&daemon, target, &[&format!("Last-Event-ID: {first}")]);
    assert_eq!(next(&mut client).unwrap().1["type"], "camera-off");
    // A stop ends it at once.
    end(daemon);
    assert!(next(&mut client).is_none());
}

#[test]
fn streams_of_events_take_no_seats_and_have_a_limit_of_their_own() {
    let daemon = Daemon::start(&["--threads", "2"]);
    let mut streams: Vec<_> = (0..16).map(|_| follow(&daemon, "/events/stream", &[])).collect();
    let refused = daemon.get("/events/stream");
    assert_eq!(refused.code, 503);
    assert!(refused.text().contains("too many streams of events at once"), "{}", refused.text());
    assert!(refused.header("Retry-After").is_some());
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/stream")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    assert_eq!(daemon.get("/events").code, 200);
    assert_eq!(daemon.request("HEAD", "/events/stream", &[]).code, 200);
    // A place is free soon after its client has left.
    streams.pop();
    eventually_is("a place is free", || {
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/events/stream", &[]);
        client.head().starts_with("HTTP/1.1 200")
    });
}

/// Switches recording off and on, which are two events each time.
fn switch(daemon: &Daemon, n: usize) {
    for _ in 0..n {
        for (order, state) in [("stop", "off"), ("start", "recording")] {
            assert_eq!(daemon.request("POST", &format!("/record/{order}"), &[]).code, 200);
            eventually_is(state, || daemon.status()["recording"]["state"] == state);
        }
    }
}

fn files(record: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(of_camera(record)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect()
}

#[test]
fn events_survive_kills_and_none_is_there_twice() {
    let (dir, to) = (Dir::numbered(40, 2000), TempDir::new());
    let mut seen = BTreeSet::new();
    for n_switches in [1, 3, 2, 4] {
        let daemon = recorder(&dir, to.path(), &[]);
        wait_for_frames(&daemon, 1);
        switch(&daemon, n_switches);
        let before = events(&daemon, "");
        let last = format!("\"id\":{},", id(before.last().unwrap()));
        eventually_is("the last one is on disk", || {
            let mut texts = files(to.path()).into_iter().map(fs::read_to_string);
            texts.any(|text| text.unwrap().contains(&last))
        });
        assert_eq!(before.iter().map(id).collect::<BTreeSet<_>>().len(), before.len());
        // All of earlier starts are there, and whatever came since.
        let ids: BTreeSet<_> = before.iter().map(id).collect();
        assert!(seen.is_subset(&ids), "{:?} are lost", &seen - &ids);
        // The kill comes in the middle of further ones.
        assert_eq!(daemon.request("POST", "/record/stop", &[]).code, 200);
        daemon.signal(Signal::KILL);
        seen = ids;
    }
    assert_eq!(files(to.path()).len(), 1);
    let text = fs::read_to_string(&files(to.path())[0]).unwrap();
    let kinds = ["recording-started", "recording-stopped", "segment-finished", "camera-on"];
    assert!(kinds.iter().all(|kind| text.contains(kind)), "{text}");
}

#[test]
fn end_of_the_program_is_written_too() {
    let (dir, to) = (Dir::numbered(40, 2000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 5);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    end(daemon);
    let text = fs::read_to_string(&files(to.path())[0]).unwrap();
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last = types(&all[all.len() - 4..]);
    last.sort_unstable();
    assert_eq!(last, ["camera-off", "last-viewer", "recording-stopped", "segment-finished"]);
    let finished = all.iter().find(|event| event["type"] == "segment-finished").unwrap();
    assert!(finished["data"]["frames"].as_u64().unwrap() >= 5, "{finished}");
    let segment = of_camera(to.path()).join(finished["data"]["segment"].as_str().unwrap());
    assert!(segment.exists(), "{}", segment.display());
}

#[test]
fn folder_that_cannot_be_had_is_told_and_events_come_when_it_is_there() {
    let (dir, to) = (Dir::numbered(40, 2000), TempDir::new());
    let missing = to.path().join("disk/rec");
    let daemon = recorder(&dir, &missing, &[]);
    daemon.wait_for_log("events are not kept in");
    let failed = wait_for(&daemon, "recording-failed");
    // They wait, so none is lost.
    let metrics = daemon.get("/metrics").text();
    assert!(metrics.contains("mjpegd_events_lost_total{camera=\"camera\"} 0\n"), "{metrics}");
    fs::create_dir(to.path().join("disk")).unwrap();
    wait_for(&daemon, "recording-started");
    let id = id(&failed).to_string();
    eventually_is("it is on disk", || {
        let entries = fs::read_dir(of_camera(&missing)).into_iter().flatten();
        let mut texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
        texts.any(|text| text.contains(&id))
    });
}
