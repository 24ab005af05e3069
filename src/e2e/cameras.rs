//! Cameras by name and by number.

use serde_json::Value;

use crate::support::{Daemon, Reply, TempDir, eventually_is, size};

/// A page up to its stream, which has another key each time, and its length.
fn page(daemon: &Daemon, target: &str) -> (String, usize) {
    let html = daemon.get(target).text();
    let (before, _) = html.split_once("?key=").unwrap();
    (before.to_owned(), html.len())
}

#[test]
fn one_camera_answers_by_its_name_and_number() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for target in ["/camera/snapshot", "/?action=snapshot_0", "/camera/?action=snapshot"] {
        let reply = daemon.get(target);
        assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("image/jpeg")));
    }
    let mut viewer = daemon.watch("/webcam/camera/stream");
    viewer.next();
    assert_eq!(daemon.status()["viewers"][0]["camera"], "camera");
    assert_eq!(page(&daemon, "/camera/"), page(&daemon, "/"));
    assert_eq!(
        daemon.get("/camera/style.css").header("Content-Type"),
        Some("text/css; charset=utf-8")
    );
    let slash = daemon.get("/camera");
    assert_eq!((slash.code, slash.header("Location")), (301, Some("camera/")));
    drop(viewer);
    eventually_is("it left", || daemon.figure("/seats/taken") == 0);
}

#[test]
fn unknown_camera_is_not_found_and_the_known_are_named() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for target in ["/back/stream", "/back/status", "/?action=snapshot_1", "/?action=stream_9"] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 404, "{target}");
        assert!(reply.text().contains("there are: camera"), "{target}: {}", reply.text());
    }
    let headers = ["Content-Type: application/json", "Content-Length: 0"];
    assert_eq!(daemon.request("POST", "/back/controls", &headers).code, 404);
    assert_eq!(daemon.figure("/camera/opened"), 0);
    assert_eq!(daemon.figure("/seats/refused"), 0);
}

#[test]
fn folder_of_the_page_is_no_camera() {
    let www = TempDir::new();
    std::fs::create_dir(www.path().join("more")).unwrap();
    www.write("more/index.html", "more");
    let daemon = Daemon::start(&["--camera", "demo", "--www", www.path().to_str().unwrap()]);
    for target in ["/more", "/more/", "/more/index.html", "/camera/more/"] {
        assert_eq!(daemon.get(target).text(), "more", "{target}");
    }
}

const TWO: [&str; 4] = ["--camera", "front=pattern:64x48@20", "--camera", "back=pattern:96x64@10"];

/// Width of the picture in a reply.
fn width(reply: &Reply) -> u16 {
    assert_eq!(reply.code, 200, "{}", reply.text());
    size(&reply.body).0
}

#[test]
fn each_camera_has_its_addresses_and_is_on_only_while_it_is_watched() {
    let daemon = Daemon::start(&TWO);
    for (target, is) in [
        ("/snapshot", 64),
        ("/front/snapshot", 64),
        ("/back/snapshot", 96),
        ("/?action=snapshot", 64),
        ("/?action=snapshot_0", 64),
        ("/?action=snapshot_1", 96),
        ("/back/?action=snapshot", 96),
        ("/webcam/back/snapshot", 96),
    ] {
        assert_eq!(width(&daemon.get(target)), is, "{target}");
    }
    let daemon = Daemon::start(&TWO);
    for target in ["/back/stream", "/back/video_feed", "/?action=stream_1"] {
        assert_eq!(size(&daemon.watch(target).next().jpeg).0, 96, "{target}");
    }
    let status = daemon.status();
    assert_eq!(status["cameras"][0]["state"], "idle");
    assert_eq!(status["cameras"][0]["opened"], 0);
    assert_eq!(status["cameras"][1]["opened"], 1);
    daemon.wait_for_log("camera back on: pattern:96x64@10");
}

#[test]
fn status_tells_of_all_cameras_and_of_the_one() {
    let daemon = Daemon::start(&TWO);
    let mut viewer = daemon.watch("/back/stream?key=k");
    viewer.next();
    let json =
        |target: &str| -> Value { serde_json::from_slice(&daemon.get(target).body).unwrap() };
    let (all, back) = (json("/status"), json("/back/status"));
    assert_eq!(all["camera"]["name"], "front");
    assert_eq!(back["camera"]["name"], "back");
    assert_eq!((&all["named"], &back["named"]), (&false.into(), &true.into()));
    for status in [&all, &back] {
        let names: Vec<_> =
            status["cameras"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
        assert_eq!(names, ["front", "back"]);
        assert_eq!(status["viewers"][0]["camera"], "back");
        assert_eq!(status["cameras"][1]["viewers"], 1);
        assert_eq!(status["cameras"][0]["viewers"], 0);
        assert_eq!(status["seats"]["taken"], 1);
    }
    let clients = |target: &str| json(target)["result"]["stream"]["clients"].as_u64();
    assert_eq!((clients("/state"), clients("/back/state")), (Some(0), Some(1)));
    let metrics = daemon.get("/metrics").text();
    for line in ["viewers{camera=\"front\"} 0", "viewers{camera=\"back\"} 1"] {
        assert!(metrics.contains(&format!("\nmjpegd_{line}\n")), "{line}: {metrics}");
    }
    daemon.wait_for_log("watches /stream of back (1 of 16 seats)");
}

#[test]
fn full_camera_is_named_and_others_have_seats() {
    let args = [&TWO[..], &["--max-viewers", "1", "--threads", "2"]].concat();
    let daemon = Daemon::start(&args);
    let mut first = daemon.watch("/front/stream");
    first.next();
    let refused = daemon.get("/front/stream");
    assert_eq!((refused.code, refused.header("Retry-After")), (503, Some("2")));
    assert!(refused.text().contains("all 1 seats of camera front"), "{}", refused.text());
    let mut second = daemon.watch("/back/stream");
    second.next();
    assert_eq!(daemon.status()["cameras"][0]["max_viewers"], 1);
    assert_eq!(daemon.figure("/seats/refused"), 1);
    assert_eq!(daemon.get("/front/snapshot").code, 200);
    drop(first);
    eventually_is("the seat is free", || daemon.figure("/cameras/0/viewers") == 0);
    daemon.watch("/front/stream").next();
}

#[test]
fn all_seats_are_shared() {
    let daemon = Daemon::start(&[&TWO[..], &["--threads", "1"]].concat());
    let mut viewer = daemon.watch("/front/stream");
    viewer.next();
    let refused = daemon.get("/back/stream");
    assert_eq!(refused.code, 503);
    assert!(refused.text().contains("all 1 seats are taken"), "{}", refused.text());
}

#[test]
fn file_has_cameras_and_options_and_the_command_line_wins() {
    let dir = TempDir::new();
    let file = dir.write(
        "c.toml",
        "threads = 3\nfps = 30\n[[camera]]\nname = 'front'\nsource = 'pattern:64x48'\nfps = 20\n\
         [[camera]]\nname = 'back'\nsource = 'pattern:96x64'\n",
    );
    let mut command = Daemon::command(&["--threads", "4"]);
    command.env("MJPEGD_CONFIG", &file);
    let status = Daemon::spawn(command).status();
    assert_eq!(status["seats"]["total"], 4);
    let asked = |n: usize| &status["cameras"][n]["asked"]["fps"];
    assert_eq!((asked(0), asked(1)), (&20.0.into(), &30.0.into()));
}

#[test]
fn config_is_checked_without_being_run() {
    let dir = TempDir::new();
    let check = |text: &str| {
        let file = dir.write("c.toml", text);
        let (code, out, err) = Daemon::run(&["check-config", file.to_str().unwrap()]);
        let shown = |text: String| text.replace(dir.path().to_str().unwrap(), "DIR");
        (code, shown(out), shown(err))
    };
    let right = "bind = ':80'\n[[camera]]\nname = 'a'\nsource = 'demo'\n";
    assert_eq!(check(right), (Some(0), "ok: a (demo)\n".into(), String::new()));
    for (text, says) in [
        (
            "[[camera]]\nfsp = 1",
            "mjpegd: DIR/c.toml:2: there is no option fsp; did you mean fps?\n",
        ),
        (
            "[[camera]]\nname = 'a'\nsource = 'file:/nowhere'\n",
            "mjpegd: DIR/c.toml:3: source file:/nowhere: ",
        ),
        ("rotate = 45", "mjpegd: DIR/c.toml:1: rotate \"45\": use one of 0, 90"),
        ("threads = 'x'", "mjpegd: DIR/c.toml:1: threads \"x\": use a number of viewers from 1"),
    ] {
        let (code, out, err) = check(text);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{text}");
        assert!(err.starts_with(says) && err.lines().count() == 1, "{text}: {err}");
    }
    let (code, _, err) = Daemon::run(&["check-config", "/nowhere"]);
    assert!(code == Some(2) && err.contains("--config /nowhere: No such file"), "{err}");
    let (code, _, err) = Daemon::run(&["check-config"]);
    assert!(code == Some(2) && err.contains("use mjpegd check-config FILE"), "{err}");
    let (code, _, err) = Daemon::run(&["--config", dir.path().to_str().unwrap()]);
    assert!(code == Some(2) && err.contains("directory"), "{err}");
}
