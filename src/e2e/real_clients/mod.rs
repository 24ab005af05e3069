//! Programs that people run beside a camera server, as their makers publish them:
//! OctoPrint, Moonraker and Home Assistant from PyPI, motion from Debian. They
//! find this program under the names of uStreamer and mjpg-streamer.
//!
//! `make test-clients` installs them and runs these tests.

// Home Assistant's code for MJPEG cameras.
mod home_assistant;
// And for cameras at an MQTT broker.
#[cfg(feature = "mqtt")]
mod home_assistant_mqtt;
// This program as crowsnest and OctoPi start it.
mod launch;
// Moonraker, the server of Klipper's printers.
mod moonraker;
// motion, which records where something moves.
mod motion;
// OctoPrint, a server of printers.
mod octoprint;
// Their processes.
mod process;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

#[cfg(feature = "mqtt")]
use crate::support::{Broker, eventually};
use crate::support::{Daemon, Dir, number};
use launch::Launched;

/// Checks that a picture is one of the camera, or the one that stands in for a
/// camera that is not there.
fn check_picture(launched: &Launched, jpeg: &[u8]) {
    assert!(jpeg.starts_with(b"\xFF\xD8") && jpeg.ends_with(b"\xFF\xD9"), "{} bytes", jpeg.len());
    assert_eq!(number(jpeg).is_some(), launched.has_camera, "{} bytes", jpeg.len());
}

fn from_base64(value: &serde_json::Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
#[ignore = "make test-clients"]
fn launch_lines_of_crowsnest_and_octopi_serve() {
    let crowsnest = launch::crowsnest();
    assert_eq!(crowsnest.daemon.get("/").text(), launch::PAGE);
    let state = crowsnest.daemon.get("/state");
    assert!(state.head.contains("Access-Control-Allow-Origin: *"), "{}", state.head);
    check_picture(&crowsnest, &crowsnest.daemon.get("/?action=snapshot").body);
    check_picture(&crowsnest, &crowsnest.daemon.watch("/?action=stream").next().jpeg);

    let webcamd = launch::webcamd_with_a_device();
    assert_eq!(webcamd.daemon.get("/").text(), launch::PAGE);
    check_picture(&webcamd, &webcamd.daemon.watch("/?action=stream").next().jpeg);
    // mjpg-streamer ends without its device, so there is nothing of its to answer alike.
    assert_eq!(webcamd.daemon.get("/?action=snapshot").code, 503);

    let dir = Dir::numbered(6, 20_000);
    let webcamd = launch::webcamd(&dir, "");
    check_picture(&webcamd, &webcamd.daemon.get("/?action=snapshot").body);
    check_picture(&webcamd, &webcamd.daemon.watch("/?action=stream").next().jpeg);
}

#[test]
#[ignore = "make test-clients"]
fn octoprint_takes_snapshots_of_both() {
    let octoprint = octoprint::OctoPrint::start();
    let dir = Dir::numbered(6, 20_000);
    for launched in [launch::crowsnest(), launch::webcamd(&dir, "")] {
        for target in ["/?action=snapshot", "/snapshot"] {
            let url = launched.daemon.url(target);
            let tested = octoprint.test_snapshot(&url, None);
            assert_eq!(
                (&tested["status"], &tested["result"]),
                (&200.into(), &true.into()),
                "{tested}"
            );
            check_picture(&launched, &from_base64(&tested["response"]["content"]));
            check_picture(&launched, &octoprint.take_snapshot(&url, None).body);
        }
    }
}

#[test]
#[ignore = "make test-clients"]
fn octoprint_logs_in_at_mjpg_streamer() {
    let octoprint = octoprint::OctoPrint::start();
    let dir = Dir::numbered(6, 20_000);
    let launched = launch::webcamd(&dir, "-c me:SECRET");
    let url = launched.daemon.url("/?action=snapshot");
    let tested = octoprint.test_snapshot(&url, Some("SECRET"));
    assert_eq!((&tested["status"], &tested["result"]), (&200.into(), &true.into()), "{tested}");
    check_picture(&launched, &octoprint.take_snapshot(&url, Some("SECRET")).body);
    for password in [None, Some("wrong")] {
        let tested = octoprint.test_snapshot(&url, password);
        assert_eq!(
            (&tested["status"], &tested["result"]),
            (&401.into(), &false.into()),
            "{tested}"
        );
        assert_eq!(octoprint.take_snapshot(&url, password).code, 500);
    }
}

#[test]
#[ignore = "make test-clients"]
fn moonraker_reaches_snapshots_of_both() {
    let moonraker = moonraker::Moonraker::start();
    let dir = Dir::numbered(6, 20_000);
    for launched in [launch::crowsnest(), launch::webcamd(&dir, "")] {
        let url = |target: &str| launched.daemon.url(target);
        let tested = moonraker.test_webcam(&url("/?action=stream"), &url("/?action=snapshot"));
        assert_eq!(tested["snapshot_reachable"], true, "{tested}");
        assert_eq!(tested["stream_url"], url("/?action=stream"), "{tested}");
        // It sees an error, so the answer above says something.
        let tested = moonraker.test_webcam(&url("/?action=stream"), &url("/nothing"));
        assert_eq!(tested["snapshot_reachable"], false, "{tested}");
    }
}

fn check_home_assistant(launched: &Launched, password: Option<&str>) {
    let url = |target: &str| launched.daemon.url(target);
    let shown =
        home_assistant::add_camera(&url("/?action=stream"), &url("/?action=snapshot"), password);
    assert_eq!(shown["errors"], serde_json::json!({}));
    assert_eq!(shown["authentication"], "basic");
    check_picture(launched, &from_base64(&shown["still"]));
    check_picture(launched, &from_base64(&shown["out_of_stream"]));
    let content_type = shown["content_type"].as_str().unwrap();
    assert!(content_type.starts_with("multipart/x-mixed-replace"), "{content_type}");
    let proxied = from_base64(&shown["proxied"]);
    let start = memchr::memmem::find(&proxied, b"\xFF\xD8").unwrap();
    let length = memchr::memmem::find(&proxied[start..], b"\xFF\xD9").unwrap() + 2;
    check_picture(launched, &proxied[start..start + length]);
}

#[test]
#[ignore = "make test-clients"]
fn home_assistant_shows_both() {
    let dir = Dir::numbered(6, 20_000);
    check_home_assistant(&launch::crowsnest(), None);
    check_home_assistant(&launch::webcamd(&dir, ""), None);
}

#[test]
#[ignore = "make test-clients"]
fn home_assistant_logs_in_and_sees_a_wrong_password() {
    let dir = Dir::numbered(6, 20_000);
    let launched = launch::webcamd(&dir, "-c me:SECRET");
    check_home_assistant(&launched, Some("SECRET"));
    let url = |target: &str| launched.daemon.url(target);
    let shown = home_assistant::add_camera(
        &url("/?action=stream"),
        &url("/?action=snapshot"),
        Some("wrong"),
    );
    assert_eq!(shown["errors"], serde_json::json!({ "username": "invalid_auth" }));
}

#[test]
#[ignore = "make test-clients"]
fn motion_saves_pictures_of_both() {
    let dir = Dir::flat(640, 480);
    let launched = launch::webcamd(&dir, "-c me:SECRET");
    let saved = motion::saved_picture(&launched.daemon.url("/?action=stream"), Some("me:SECRET"));
    motion::check_colour(&saved);
    let launched = launch::crowsnest();
    let saved = motion::saved_picture(&launched.daemon.url("/?action=stream"), None);
    assert_eq!(crate::support::size(&saved), crate::support::size(&snapshot(&launched.daemon)));
}

#[test]
#[cfg(feature = "mqtt")]
#[ignore = "make test-clients"]
fn home_assistant_finds_cameras_at_a_broker() {
    let (broker, dir) = (Broker::start(), crate::motion::crossing(40));
    let front = format!("front={}", dir.camera());
    let url = broker.url("home");
    let options = ["--motion", "--motion-hold", "1s", "--fps", "10", "--mqtt-snapshot", "1s"];
    let args = ["--camera", &front, "--camera", "back=exec:false", "--mqtt", &url];
    let daemon = Daemon::start(&[&args[..], &options].concat());
    let mut assistant = home_assistant_mqtt::WithBroker::start(broker.port);
    let mut wait_for = |pointer: &str, value: &str| {
        eventually(&format!("{pointer} is {value}"), || {
            let entities = assistant.entities();
            (entities.pointer(pointer).is_some_and(|found| found == value)).then_some(entities)
        })
    };
    wait_for("/binary_sensor.front_motion/state", "on");
    wait_for("/binary_sensor.front_motion/state", "off");
    wait_for("/binary_sensor.back_connectivity/state", "off");
    let entities = wait_for("/binary_sensor.front_connectivity/state", "on");
    assert_eq!(entities.as_object().unwrap().len(), 6, "{entities}");
    for (entity, kind) in [
        ("camera.front", "camera"),
        ("binary_sensor.front_motion", "motion"),
        ("binary_sensor.front_connectivity", "connectivity"),
    ] {
        let found = &entities[entity];
        assert_eq!(found["unique_id"], format!("home_front_{kind}"), "{entities}");
        assert_eq!(found["device"], "front");
        assert!(kind == "camera" || found["device_class"] == kind, "{entities}");
    }
    assert_eq!(entities["binary_sensor.front_connectivity"]["viewers"], 0);
    let picture = eventually("it shows a picture", || {
        let entities = wait_for("/binary_sensor.front_connectivity/state", "on");
        entities["camera.front"]["picture"].as_str().filter(|p| !p.is_empty()).map(str::to_owned)
    });
    let picture = BASE64_STANDARD.decode(picture).unwrap();
    let mut decoder = jpeg_decoder::Decoder::new(&*picture);
    decoder.read_info().unwrap();
    assert_eq!(decoder.info().map(|info| (info.width, info.height)), Some((320, 240)));
    crate::recording::end(daemon);
    wait_for("/camera.front/state", "unavailable");
}

fn snapshot(daemon: &Daemon) -> Vec<u8> {
    daemon.get("/snapshot").body
}
