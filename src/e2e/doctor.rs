//! `mjpegd doctor`, on this machine as it is: what it finds, and what it says helps.

use std::net::TcpListener;

use crate::support::{Daemon, TempDir, eventually_is};

/// Runs it for a camera that always works, and returns what it found.
fn doctor(options: &[&str]) -> String {
    let (code, found, err) = Daemon::run(&[&["doctor"], options].concat());
    // What else there is to do on the machine that runs the test is not known.
    match found.matches(" to do  ").count() {
        0 => assert_eq!((code, err.as_str()), (Some(0), ""), "{found}"),
        n => assert_eq!((code, err), (Some(1), format!("mjpegd: {n} to do\n")), "{found}"),
    }
    found
}

/// The finding of a topic, with what helps, in one line.
fn finding(found: &str, topic: &str) -> String {
    let mut lines = found.lines().skip_while(|line| !line.starts_with(topic));
    let first = lines.next().unwrap_or_else(|| panic!("nothing of {topic} in {found}"));
    let rest: Vec<_> = lines.take_while(|line| line.starts_with(' ')).collect();
    let words = [&[first], &rest[..]].concat().join(" ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn camera_that_works_is_tried() {
    let found = doctor(&["--camera", "front=pattern:64x48@20", "--bind", "127.0.0.1:0"]);
    let camera = finding(&found, "camera");
    assert!(camera.starts_with("camera ok camera front: pattern:64x48@20 (20 fps): "), "{camera}");
    assert_eq!(finding(&found, "daemon"), "daemon ok none runs here");
    assert_eq!(finding(&found, "files"), "files ok enough for 16 viewers");
    let network = finding(&found, "network   note   only this");
    assert!(network.ends_with("-> --bind 0.0.0.0:0"), "{network}");
}

#[test]
fn options_are_those_of_the_daemon() {
    let dir = TempDir::new();
    let file = dir.write("c.toml", "[[camera]]\nname = 'shed'\nsource = 'exec:echo broken >&2'\n");
    let found = doctor(&["--config", file.to_str().unwrap()]);
    let camera = finding(&found, "camera");
    assert!(camera.starts_with("camera to do camera shed: exec:echo broken >&2: the"), "{camera}");
    assert!(camera.contains("-> try the command in a shell"), "{camera}");
    for (options, says) in [
        (&["--camera", "webcam"][..], "no such source"),
        (&["--nonsense"], "unexpected argument '--nonsense'"),
        (&["devices"], "doctor takes the options of the daemon"),
    ] {
        let (code, _, err) = Daemon::run(&[&["doctor"], options].concat());
        let (_, out, _) = Daemon::run(&[&["doctor"], options].concat());
        let is_refused = code == Some(2) && err.contains(says);
        assert!(is_refused || out.contains(says), "{options:?}: {code:?} {out} {err}");
    }
}

#[test]
fn port_that_is_taken_is_named_with_its_owner() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let found = doctor(&["--camera", "pattern", "--bind", &address.to_string()]);
    let port = finding(&found, "port");
    assert!(port.contains(&format!("to do cannot listen on {address}")), "{port}");
    let owner = format!("(process {}) listens there; use another port", std::process::id());
    assert!(port.contains(&owner), "{port}");
    // Nobody reaches it where it cannot listen.
    assert!(!found.lines().any(|line| line.starts_with("network")), "{found}");
    drop(taken);
    let dir = TempDir::new();
    let none = format!("unix:{}/none/http.sock", dir.path().display());
    let found = doctor(&["--camera", "pattern", "--bind", &none]);
    assert!(finding(&found, "port").contains("its folder does not exist"), "{found}");
}

#[test]
fn folder_that_takes_no_recording_is_named() {
    let dir = TempDir::new();
    let file = dir.write("file", "");
    let (file, folder) = (file.to_str().unwrap(), dir.path().to_str().unwrap());
    let disk = |options: &[&str]| {
        finding(&doctor(&[&["--camera", "a=pattern", "--record"], options].concat()), "disk")
    };
    let refused = disk(&[file]);
    assert!(refused.contains(&format!("to do {file}/a: this user may not write to")), "{refused}");
    let nowhere = disk(&["/nowhere/at/all"]);
    let says = "to do /nowhere/at/all/a: there is no folder /nowhere/at -> sudo mkdir -p";
    assert!(nowhere.contains(says), "{nowhere}");
    let small = disk(&[folder, "--record-max-size", "900TiB"]);
    assert!(small.contains("and --record-max-size allows") && small.contains("to do"), "{small}");
    let well = disk(&[folder, "--record-max-size", "1MiB"]);
    assert!(well.starts_with("disk ok") || well.starts_with("disk note"), "{well}");
    assert!(!dir.path().join("a").exists(), "it makes no folder");
}

#[test]
fn daemon_that_runs_is_asked() {
    let camera = "front=images:/nowhere-at-all";
    let lost = ["--camera", "front=exec:echo broken >&2; exit 3", "--idle-timeout", "0"];
    let daemon = Daemon::start(&lost);
    let bind = ["--bind", &daemon.address().to_string()];
    eventually_is("it is lost", || daemon.status()["camera"]["state"] == "lost");
    let found = doctor(&[&["--camera", camera], &bind[..]].concat());
    let at = format!("daemon ok a daemon runs at http://{}/", daemon.address());
    assert_eq!(finding(&found, "daemon"), at);
    let of_it = finding(&found, "daemon    to do");
    assert!(of_it.contains("its camera front is lost: ") && of_it.contains("broken"), "{of_it}");
    // Its port is not taken by somebody else.
    assert!(!found.contains("cannot listen"), "{found}");
    assert!(finding(&found, "camera").contains("to do camera front: images:/nowhere"), "{found}");
}

#[test]
fn recording_of_each_camera_of_a_daemon_is_asked_for() {
    let dir = TempDir::new();
    let no_folder = dir.write("taken", "");
    let text = format!(
        "[[camera]]\nname = 'front'\nsource = 'pattern@5'\n\
         [[camera]]\nname = 'back'\nsource = 'pattern@5'\nrecord = '{}'\n",
        no_folder.display()
    );
    let daemon = Daemon::start(&["--config", dir.write("c.toml", &text).to_str().unwrap()]);
    daemon.wait_for_log("not recording: ");
    let found = doctor(&["--camera", "pattern", "--bind", &daemon.address().to_string()]);
    let of_it = finding(&found, "daemon    to do");
    assert!(of_it.contains("it cannot record camera back: "), "{of_it}");
}

#[test]
fn daemon_with_a_login_is_seen() {
    let dir = TempDir::new();
    let users = dir.write("users", "me:secret\n");
    let daemon = Daemon::start(&["--auth-file", users.to_str().unwrap()]);
    let found = doctor(&["--camera", "pattern", "--bind", &daemon.address().to_string()]);
    assert!(finding(&found, "daemon").ends_with(", and asks for a login"), "{found}");
}
