//! What a real Mosquitto receives.

use std::fs;

use serde_json::{Value, json};

use crate::events::{events, wait_for};
use crate::motion::crossing;
use crate::recording::end;
use crate::support::{Broker, Daemon, Message, Subscriber, TempDir, eventually_is};
use crate::turned::post;

pub(crate) fn mqtt(daemon: &Daemon) -> Value {
    daemon.status()["mqtt"].clone()
}

fn wait_until_connected(daemon: &Daemon) {
    eventually_is("it is connected", || mqtt(daemon)["connected"] == true);
}

/// Watches the camera for one picture and waits until the seat is free again.
pub(crate) fn visit(daemon: &Daemon) {
    daemon.watch("/stream").next();
    daemon.wait_for_seats(0);
}

/// Causes `n` events.
pub(crate) fn change_controls(daemon: &Daemon, n: usize) {
    for n in 0..n {
        let value = if n % 2 == 0 { 180 } else { 0 };
        let reply = post(daemon, &format!(r#"{{"picture_rotate": {value}}}"#));
        assert_eq!(reply.code, 200, "{}", reply.text());
    }
}

fn ids(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["id"].as_u64().unwrap()).collect()
}

fn json_at(subscriber: &Subscriber, topic: &str) -> Vec<Value> {
    subscriber.at(topic).iter().map(Message::json).collect()
}

#[test]
fn states_and_events_are_published_and_the_end_too() {
    let broker = Broker::start();
    let all = broker.subscribe("all", "home/#");
    let options = ["--camera", "front=demo", "--idle-timeout", "3s"];
    let daemon = Daemon::start(&[&options[..], &["--mqtt", &broker.url("home/pi")]].concat());
    all.wait_for_text("home/pi/status", "online");
    let state = |state: &str, viewers: u64| {
        all.wait_for("home/pi/front/state", |message| {
            let found = message.json();
            found["state"] == state && found["viewers"] == viewers
        })
        .json()
    };
    let idle = json!({"state": "idle", "cause": null, "viewers": 0, "recording": null});
    assert_eq!(state("idle", 0), idle);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    state("live", 1);
    drop(viewer);
    state("live", 0);
    wait_for(&daemon, "camera-off");
    eventually_is("all events are there", || {
        json_at(&all, "home/pi/front/events") == events(&daemon, "")
    });
    assert!(all.at("home/pi/front/events").iter().all(|event| event.qos == 1));
    // Its end is an event too, and the last word is that the program is gone.
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    eventually_is("the broker has them", || mqtt(&daemon)["waiting"] == 0);
    end(daemon);
    all.wait_for_text("home/pi/status", "offline");
    let last = all.wait_for("home/pi/front/events", |event| event.json()["id"] != Value::Null);
    assert!(last.json()["id"].as_u64().is_some());
    eventually_is("the camera was closed", || {
        json_at(&all, "home/pi/front/events").iter().filter(|e| e["type"] == "camera-off").count()
            == 2
    });
    // What is retained is there for those who come later.
    let later = broker.subscribe("later", "home/#");
    later.wait_for_text("home/pi/status", "offline");
    assert!(later.at("home/pi/status")[0].is_retained);
    let state = later.wait_for("home/pi/front/state", |_| true);
    assert!(state.is_retained && state.json()["state"] == "idle", "{state:?}");
    assert_eq!(later.at("home/pi/front/events"), []);
}

#[test]
fn login_is_by_a_password_that_nobody_sees() {
    let broker = Broker::with("allow_anonymous false\n", &[("me", "TOPSECRET"), ("you", "other")]);
    let dir = TempDir::new();
    let file = dir.write("password", "TOPSECRET\n");
    let url = format!("mqtt://me@127.0.0.1:{}", broker.port);
    let file = ["--mqtt-password-file", file.to_str().unwrap()];
    let daemon = Daemon::start(&[&["--mqtt", &url], &file[..]].concat());
    wait_until_connected(&daemon);
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(mqtt(&daemon)["prefix"], format!("mjpegd/{name}"));
    let typed = url.replace("me@", "me:TOPSECRET@");
    let also = Daemon::start(&["--mqtt", &format!("{typed}/other")]);
    wait_until_connected(&also);
    for daemon in [&daemon, &also] {
        let shown = ["/status", "/metrics", "/state"].map(|target| daemon.get(target).text());
        assert!(!shown.concat().contains("TOPSECRET"), "{shown:?}");
        assert!(!daemon.log().concat().contains("TOPSECRET"), "{:?}", daemon.log());
    }
    let typed = fs::read(format!("/proc/{}/cmdline", daemon.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&typed).contains("TOPSECRET"));
    let (_, printed, _) = Daemon::run(&["--mqtt", &typed_url(&broker), "--print-config"]);
    assert!(printed.contains("mqtt = ") && !printed.contains("TOPSECRET"), "{printed}");
    let wrong = Daemon::start(&["--mqtt", &url.replace("me@", "me:wrong@")]);
    eventually_is("it has tried again", || wrong.figure("/mqtt/failures") > 2);
    let error = mqtt(&wrong)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("(5)") || error.contains("(4)"), "{error}");
    let n_lines = wrong.log().iter().filter(|line| line.contains("trying again")).count();
    assert_eq!(n_lines, 1, "{:?}", wrong.log());
    assert!(wrong.get("/metrics").text().contains("\nmjpegd_mqtt_connected 0\n"));
}

fn typed_url(broker: &Broker) -> String {
    format!("mqtt://me:TOPSECRET@127.0.0.1:{}", broker.port)
}

#[test]
fn program_that_is_killed_is_offline() {
    let broker = Broker::start();
    let status = broker.subscribe("status", "p/status");
    let daemon = Daemon::start(&["--mqtt", &broker.url("p")]);
    status.wait_for_text("p/status", "online");
    daemon.signal(rustix::process::Signal::KILL);
    status.wait_for_text("p/status", "offline");
    // And it is back after a start.
    let _daemon = Daemon::start(&["--mqtt", &broker.url("p")]);
    status.wait_for_text("p/status", "online");
}

#[test]
fn events_outlast_a_restart_of_the_broker() {
    let mut broker = Broker::start();
    let before = broker.subscribe("events", "p/+/events");
    let daemon = Daemon::start(&["--mqtt", &broker.url("p"), "--idle-timeout", "0"]);
    wait_until_connected(&daemon);
    visit(&daemon);
    eventually_is("the broker has them", || {
        before.at("p/camera/events").len() == events(&daemon, "").len()
    });
    let seen = json_at(&before, "p/camera/events");
    drop(before);
    broker.stop();
    eventually_is("it is gone", || mqtt(&daemon)["connected"] == false);
    visit(&daemon);
    change_controls(&daemon, 40);
    assert!(mqtt(&daemon)["waiting"].as_u64().unwrap() >= 40);
    broker.go_on();
    wait_until_connected(&daemon);
    eventually_is("the broker has all", || mqtt(&daemon)["waiting"] == 0);
    assert_eq!(mqtt(&daemon)["lost"], 0);
    let after = broker.subscribe("events", "p/+/events");
    let all = events(&daemon, "");
    eventually_is("all are there, and each in its place", || {
        let now = json_at(&after, "p/camera/events");
        let mut ids_seen = ids(&[&seen[..], &now].concat());
        // QoS 1 may bring one twice.
        ids_seen.dedup();
        ids_seen == ids(&all)
    });
}

#[test]
fn queue_is_bounded_and_what_is_lost_is_counted() {
    let mut broker = Broker::start();
    // From now on the broker keeps what comes for this subscriber.
    drop(broker.subscribe("events", "p/+/events"));
    broker.stop();
    let daemon = Daemon::start(&["--mqtt", &broker.url("p")]);
    change_controls(&daemon, 300);
    assert_eq!(mqtt(&daemon)["waiting"], 256);
    assert_eq!(mqtt(&daemon)["lost"], 44);
    broker.go_on();
    let seen = broker.subscribe("events", "p/+/events");
    let all = ids(&events(&daemon, ""));
    eventually_is("the newest are there", || {
        let mut now = ids(&json_at(&seen, "p/camera/events"));
        // QoS 1 may bring one twice.
        now.dedup();
        now.len() == 256 && all.ends_with(&now)
    });
    let metrics = daemon.get("/metrics").text();
    assert!(metrics.contains("\nmjpegd_mqtt_lost_total 44\n"), "{metrics}");
}

#[test]
fn motion_is_published_with_a_picture() {
    let (broker, dir) = (Broker::start(), crossing(40));
    let all = broker.subscribe("all", "p/#");
    let options = ["--motion", "--motion-hold", "1s", "--fps", "10", "--mqtt-snapshot", "0"];
    let camera = ["--camera", &dir.camera(), "--mqtt", &broker.url("p")].map(str::to_owned);
    let camera: Vec<_> = camera.iter().map(String::as_str).collect();
    let daemon = Daemon::start(&[&camera[..], &options].concat());
    all.wait_for_text("p/camera/motion", "OFF");
    all.wait_for_text("p/camera/motion", "ON");
    let picture = all.wait_for("p/camera/snapshot", |_| true);
    let mut decoder = jpeg_decoder::Decoder::new(&*picture.payload);
    decoder.read_info().unwrap();
    assert_eq!(decoder.info().map(|info| (info.width, info.height)), Some((320, 240)));
    all.wait_for_text("p/camera/motion", "OFF");
    // No picture before it, as none comes at a rate.
    let all_messages = all.all();
    let first = |topic: &str, text: &[u8]| {
        let is_it = |m: &Message| m.topic == topic && m.payload.starts_with(text);
        all_messages.iter().position(is_it)
    };
    assert!(first("p/camera/motion", b"ON") < first("p/camera/snapshot", b""));
    let begun = wait_for(&daemon, "motion-begin");
    assert!(json_at(&all, "p/camera/events").contains(&begun));
}

#[test]
fn pictures_come_at_a_rate_and_keep_no_camera_on() {
    let broker = Broker::start();
    let pictures = broker.subscribe("pictures", "p/camera/snapshot");
    let options = ["--mqtt-snapshot", "1s", "--idle-timeout", "300ms"];
    let daemon = Daemon::start(&[&["--mqtt", &broker.url("p")], &options[..]].concat());
    wait_until_connected(&daemon);
    assert_eq!(daemon.status()["camera"]["state"], "idle");
    let n_pictures = || pictures.at("p/camera/snapshot").len();
    let mut viewer = daemon.watch("/stream");
    eventually_is("pictures come", || {
        viewer.next();
        n_pictures() >= 2
    });
    assert_eq!(&pictures.all()[0].payload[..2], b"\xFF\xD8");
    drop(viewer);
    wait_for(&daemon, "camera-off");
    assert_eq!(events(&daemon, "type=camera-on").len(), 1);
    // One that is always on sends them without viewers.
    let always = ["--mqtt-snapshot", "1s", "--idle-timeout", "0"];
    let url = broker.url("always");
    let _daemon = Daemon::start(&[&["--mqtt", &url], &always[..]].concat());
    let pictures = broker.subscribe("more", "always/camera/snapshot");
    eventually_is("pictures come", || pictures.all().len() >= 2);
}

const SENSOR: &str = "homeassistant/binary_sensor/home_pi_4/front";
const CAMERA: &str = "homeassistant/camera/home_pi_4/front_camera/config";

/// A sensor's topic.
fn sensor(kind: &str) -> String {
    format!("{SENSOR}_{kind}/config")
}

/// What is announced of a camera that looks for motion, and where.
fn announced() -> [(String, Value); 3] {
    let with = |own: Value| {
        let version = env!("CARGO_PKG_VERSION");
        let mut all = json!({
            "availability_topic": "home/pi.4/status",
            "device": {
                "identifiers": ["home_pi_4_front"],
                "name": "front",
                "manufacturer": "mjpegd",
                "model": "Motion JPEG camera",
                "sw_version": version,
            },
            "origin": {"name": "mjpegd", "sw_version": version},
        });
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    let motion = with(json!({
        "device_class": "motion",
        "state_topic": "home/pi.4/front/motion",
        "unique_id": "home_pi_4_front_motion",
    }));
    let connectivity = with(json!({
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": "home/pi.4/front/state",
        "value_template": "{{ 'OFF' if value_json.state == 'lost' else 'ON' }}",
        "json_attributes_topic": "home/pi.4/front/state",
        "unique_id": "home_pi_4_front_connectivity",
    }));
    let camera = with(json!({
        "name": null,
        "topic": "home/pi.4/front/snapshot",
        "unique_id": "home_pi_4_front_camera",
    }));
    [(sensor("motion"), motion), (sensor("connectivity"), connectivity), (CAMERA.into(), camera)]
}

#[test]
fn home_assistant_finds_what_there_is() {
    let broker = Broker::start();
    let all = broker.subscribe("all", "homeassistant/#");
    let url = broker.url("home/pi.4");
    let start = |more: &[&str]| {
        Daemon::start(&[&["--camera", "front=demo", "--mqtt", &url], more].concat())
    };
    let due = announced();
    let daemon = start(&["--motion"]);
    for (topic, json) in &due {
        assert_eq!(all.wait_for(topic, |_| true).json(), *json, "{topic}");
    }
    let later = broker.subscribe("later", "homeassistant/#");
    for (topic, json) in &due {
        let found = later.wait_for(topic, |_| true);
        assert!(found.is_retained && found.json() == *json, "{found:?}");
    }
    end(daemon);
    // The same after a restart, but for the sensor that is not there any more.
    let daemon = start(&[]);
    all.wait_for_text(&sensor("motion"), "");
    for (topic, json) in &due[1..] {
        eventually_is("it comes again", || all.at(topic).len() == 2);
        assert_eq!(all.at(topic)[1].json(), *json, "{topic}");
    }
    end(daemon);
    // Without pictures there is no camera to show.
    let _daemon = start(&["--mqtt-snapshot", "0"]);
    all.wait_for_text(CAMERA, "");
    eventually_is("one is left", || all.at(&sensor("connectivity")).len() == 3);
}

#[test]
fn camera_that_is_removed_is_taken_away() {
    let (broker, dir) = (Broker::start(), TempDir::new());
    let table = |name: &str| format!("[[camera]]\nname = \"{name}\"\nsource = \"demo\"\n");
    let file = dir.write("mjpegd.toml", table("a") + &table("b"));
    let args = ["--config", file.to_str().unwrap(), "--mqtt", &broker.url("p")].map(str::to_owned);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let daemon = Daemon::start(&args);
    let all = broker.subscribe("all", "#");
    let of_b = ["p/b/state", "homeassistant/binary_sensor/p/b_connectivity/config"];
    of_b.iter().for_each(|topic| drop(all.wait_for(topic, |m| !m.payload.is_empty())));
    dir.write("mjpegd.toml", table("a"));
    daemon.signal(rustix::process::Signal::HUP);
    of_b.iter().for_each(|topic| all.wait_for_text(topic, ""));
    assert!(!all.at("p/a/state").last().unwrap().payload.is_empty());
    let _daemon = Daemon::start(&["--mqtt", &broker.url("q"), "--mqtt-discovery", "none"]);
    all.wait_for("q/camera/state", |_| true);
    assert!(!all.all().iter().any(|m| m.topic.starts_with("homeassistant/camera/q")));
}
