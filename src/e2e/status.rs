//! /status, /state and /metrics, and whether their figures add up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Daemon, Dir, eventually, eventually_is};

fn state(daemon: &Daemon) -> Value {
    serde_json::from_slice(&daemon.get("/state").body).unwrap()
}

/// Parses the Prometheus text format, and fails on a line that does not follow
/// it.
fn metrics(daemon: &Daemon) -> BTreeMap<String, f64> {
    let reply = daemon.get("/metrics");
    let content_type = reply.header("Content-Type").unwrap();
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    let mut kinds = BTreeMap::new();
    let mut values = BTreeMap::new();
    for line in reply.text().lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let words: Vec<_> = head.splitn(3, ' ').map(str::to_owned).collect();
            match &words[..] {
                [what, _, text] if what == "HELP" => assert!(!text.is_empty(), "{line}"),
                [what, name, kind] if what == "TYPE" => {
                    assert!(["gauge", "counter"].contains(&&**kind), "{line}");
                    assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                    assert_eq!(kinds.insert(name.clone(), kind.clone()), None, "{name} twice");
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (key, value) = line.rsplit_once(' ').expect(line);
        let name = key.split('{').next().unwrap();
        assert!(name.starts_with("mjpegd_") && kinds.contains_key(name), "{line}");
        assert!(key == name || (key.ends_with("\"}") && key.contains("=\"")), "{line}");
        assert_eq!(values.insert(key.to_owned(), value.parse().expect(line)), None, "{key} twice");
    }
    assert!(!values.is_empty());
    values
}

#[test]
fn status_of_a_sleeping_camera_has_all_fields() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let reply = daemon.get("/status");
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
    assert_eq!(reply.header("Cache-Control"), Some("no-store"));
    let status = daemon.status();
    assert_eq!(status["name"], "mjpegd");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert!(status["uptime_s"].as_f64() > Some(0.0));
    assert_eq!(status["seats"], json!({ "total": 16, "taken": 0, "refused": 0, "brief": 0 }));
    assert_eq!(status["viewers"], json!([]));
    let camera = &status["camera"];
    assert_eq!(camera["source"], "pattern:64x48@20");
    assert_eq!(camera["state"], "idle");
    for unknown in ["cause", "width", "height", "frame_age_ms"] {
        assert_eq!(camera[unknown], Value::Null, "{unknown}");
    }
    assert!(camera["since"].as_f64() > Some(1.7e9));
    assert_eq!(camera["frames"]["captured"], 0);
    assert!(camera["frames"]["dropped"].is_object() && camera["faults"].is_object());
}

#[test]
fn status_of_a_camera_that_runs_has_its_figures() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    (0..10).for_each(|_| drop(viewer.next()));
    // A machine that pauses has a lower one for a moment.
    let camera = eventually("the rate is near 20", || {
        let camera = daemon.status()["camera"].clone();
        camera["fps"].as_f64().is_some_and(|fps| (5.0..40.0).contains(&fps)).then_some(camera)
    });
    assert_eq!(camera["state"], "live");
    assert_eq!((&camera["width"], &camera["height"]), (&json!(64), &json!(48)));
    assert_eq!(camera["fps_asked"], 20.0);
    let age = camera["frame_age_ms"].as_f64().unwrap();
    assert!((0.0..5000.0).contains(&age), "{age}");
    assert!(camera["frames"]["captured"].as_u64() >= Some(10));
    assert_eq!(camera["opened"], 1);
}

#[test]
fn state_has_the_shape_that_ustreamer_gives() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    assert_eq!(state(&daemon)["result"]["source"]["online"], false);
    let mut viewer = daemon.watch("/video_feed?key=abc&extra_headers=0");
    (0..10).for_each(|_| drop(viewer.next()));
    let rates = ["/result/source/captured_fps", "/result/stream/queued_fps"];
    let mut state = eventually("both rates are near 20", || {
        let state = state(&daemon);
        let rate = |path: &str| state.pointer(path).and_then(Value::as_u64);
        let is_near = |path: &&str| rate(path).is_some_and(|fps| (5..40).contains(&fps));
        rates.iter().all(is_near).then_some(state)
    });
    let clients = state["result"]["stream"]["clients_stat"].take();
    let (id, client) = clients.as_object().unwrap().iter().next().unwrap();
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert!(client["fps"].is_u64(), "{client}");
    assert_eq!(client["key"], "abc");
    assert_eq!(client["advance_headers"], true);
    for flag in ["extra_headers", "dual_final_frames", "zero_data"] {
        assert_eq!(client[flag], false, "{flag}");
    }
    rates.iter().for_each(|rate| drop(state.pointer_mut(rate).unwrap().take()));
    let due = json!({ "ok": true, "result": {
        "instance_id": "",
        "encoder": { "type": "CPU", "quality": 80 },
        "source": {
            "resolution": { "width": 64, "height": 48 },
            "online": true, "desired_fps": 20, "captured_fps": null,
        },
        "stream": { "queued_fps": null, "clients": 1, "clients_stat": null },
    }});
    assert_eq!(state, due);
}

#[test]
fn state_tells_who_has_extra_headers() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream?extra_headers=1");
    viewer.next();
    let state = state(&daemon);
    let clients = state["result"]["stream"]["clients_stat"].as_object().unwrap();
    let client = clients.values().next().unwrap();
    assert_eq!(
        (&client["extra_headers"], &client["advance_headers"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn metrics_are_in_the_prometheus_format_and_agree_with_the_status() {
    let dir = Dir::numbered(4, 3_000);
    std::fs::write(dir.path().join("000001.jpg"), &dir.pictures[1][..1_500]).unwrap();
    let args = ["--camera", &dir.camera(), "--fps", "20", "--idle-timeout", "500ms"];
    let daemon = Daemon::start(&[&args[..], &["--threads", "1"]].concat());
    let mut viewer = daemon.watch("/stream");
    (0..10).for_each(|_| drop(viewer.next()));
    assert_eq!(daemon.get("/stream").code, 503);
    assert_eq!(metrics(&daemon)["mjpegd_viewers{camera=\"camera\"}"], 1.0);
    drop(viewer);
    daemon.wait_for_state("idle");
    let (metrics, status) = (metrics(&daemon), daemon.status());
    let figure = |pointer: &str| status.pointer(pointer).and_then(Value::as_f64).expect(pointer);
    for (name, pointer) in [
        ("mjpegd_frames_captured_total{camera=\"camera\"}", "/camera/frames/captured"),
        (
            "mjpegd_frames_dropped_total{camera=\"camera\",cause=\"truncated\"}",
            "/camera/frames/dropped/truncated",
        ),
        (
            "mjpegd_camera_faults_total{camera=\"camera\",cause=\"no_device\"}",
            "/camera/faults/no_device",
        ),
        ("mjpegd_camera_opened_total{camera=\"camera\"}", "/camera/opened"),
        ("mjpegd_seats", "/seats/total"),
        ("mjpegd_viewers{camera=\"camera\"}", "/seats/taken"),
        ("mjpegd_viewers_refused_total{camera=\"camera\"}", "/seats/refused"),
    ] {
        assert_eq!(metrics.get(name).copied(), Some(figure(pointer)), "{name}");
    }
    assert!(metrics["mjpegd_frames_dropped_total{camera=\"camera\",cause=\"truncated\"}"] > 0.0);
    assert_eq!(metrics["mjpegd_viewers_total{camera=\"camera\"}"], 1.0);
    assert_eq!(metrics["mjpegd_viewers_refused_total{camera=\"camera\"}"], 1.0);
    assert_eq!(metrics["mjpegd_camera_state{camera=\"camera\",state=\"idle\"}"], 1.0);
    assert_eq!(metrics["mjpegd_camera_state{camera=\"camera\",state=\"live\"}"], 0.0);
    assert_eq!(metrics[&format!("mjpegd_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
}

#[test]
fn sent_frames_and_bytes_add_up() {
    let dir = Dir::numbered(5, 3_000);
    // All pictures have one length, so that bytes give the number of frames.
    assert!(dir.pictures.iter().all(|jpeg| jpeg.len() == dir.pictures[0].len()));
    let args = ["--camera", &dir.camera(), "--fps", "20", "--idle-timeout", "500ms"];
    let daemon = Daemon::start(&args);
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/stream")];
    for viewer in &mut viewers {
        (0..10).for_each(|_| drop(viewer.next()));
    }
    let part = viewers[0].next();
    let n_part_bytes = part.head.len() + part.jpeg.len() + "\r\n--frame\r\n".len();
    drop(viewers);
    daemon.wait_for_state("idle");
    let logged = eventually("both have a line in the log", || {
        let lines: Vec<_> = daemon.log().iter().filter_map(|line| pictures_in(line)).collect();
        (lines.len() == 2).then(|| lines.iter().sum::<u64>())
    });
    let metrics = metrics(&daemon);
    let sent = metrics["mjpegd_frames_sent_total{camera=\"camera\"}"];
    assert_eq!(sent, f64::from(u32::try_from(logged).unwrap()));
    assert!(sent >= 21.0);
    let parts = sent + metrics["mjpegd_frames_repeated_total{camera=\"camera\"}"];
    let n_part_bytes = f64::from(u32::try_from(n_part_bytes).unwrap());
    assert_eq!(metrics["mjpegd_sent_bytes_total{camera=\"camera\"}"], parts * n_part_bytes);
}

/// N of a log line that ends with "... after 1.0 s, N pictures, 0 skipped".
fn pictures_in(line: &str) -> Option<u64> {
    line.split_once(" pictures, ")?.0.rsplit(' ').next()?.parse().ok()
}

#[test]
fn rates_and_ages_follow_what_happens() {
    let dir = Dir::numbered(400, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream?fps=2&key=slow");
    viewer.next();
    eventually("a rate of two", || {
        viewer.next();
        let fps = daemon.status()["viewers"][0]["fps"].as_f64()?;
        (1.0..4.0).contains(&fps).then_some(())
    });
    eventually_is("a rate of twenty", || {
        let fps = daemon.status()["camera"]["fps"].as_f64().unwrap();
        (10.0..30.0).contains(&fps)
    });
}
