//! What an earlier version left: its configuration works, and its recording is read. The files
//! are in `testdata/version-0.1`, as the last commit of that version wrote and took them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Daemon, TempDir, eventually_is};

fn old(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/version-0.1").join(name)
}

/// A folder with all that the file of 0.1 names, and that file.
fn unpacked() -> (TempDir, PathBuf) {
    let dir = TempDir::new();
    dir.write("www/index.html", "<p>mine");
    dir.write("users", "me:secret\n");
    for file in fs::read_dir(old("recording")).unwrap() {
        let file = file.unwrap();
        let name = format!("recordings/front/{}", file.file_name().to_str().unwrap());
        dir.write(&name, fs::read(file.path()).unwrap());
    }
    let text = fs::read_to_string(old("mjpegd.toml")).unwrap();
    let file = dir.write("mjpegd.toml", text.replace("FOLDER", dir.path().to_str().unwrap()));
    (dir, file)
}

/// `me:secret`
const LOGIN: &str = "Authorization: Basic bWU6c2VjcmV0";

#[test]
fn configuration_and_recording_of_0_1_work() {
    let (dir, file) = unpacked();
    let file = file.to_str().unwrap();
    let (code, out, err) = Daemon::run(&["check-config", file]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    // The file says where to listen.
    let mut command = Daemon::command(&["--config", file]);
    command.env_remove("MJPEGD_BIND");
    let daemon = Daemon::spawn(command);
    let get = |target: &str| daemon.request("GET", target, &[LOGIN]);
    let status: serde_json::Value = serde_json::from_slice(&get("/status").body).unwrap();
    assert_eq!(status["seats"]["total"], 8, "{status}");
    assert_eq!(status["cameras"].as_array().map(Vec::len), Some(3), "{status}");
    assert_eq!(status["camera"]["max_viewers"], 2, "{status}");
    assert_eq!(get("/").text(), "<p>mine");
    // The first picture of the recording that 0.1 made, byte by byte.
    let segment = fs::read_dir(old("recording")).unwrap().map(|file| file.unwrap().path());
    let segment = segment.filter(|file| file.extension().is_some_and(|e| e == "mjpeg"));
    let bytes = fs::read(segment.min().unwrap()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let time = text.split_once("X-Timestamp: ").unwrap().1.lines().next().unwrap().to_owned();
    let target = format!("/front/snapshot?at={time}");
    // The recorder opens the folder while the server starts.
    eventually_is("the recording is read", || get(&target).code == 200);
    let snapshot = get(&target);
    let is_in = bytes.windows(snapshot.body.len()).any(|window| window == &snapshot.body[..]);
    assert!(is_in && snapshot.header("X-Timestamp") == Some(&time), "another picture");
    // And recording goes on beside it.
    let n_segments = || fs::read_dir(dir.path().join("recordings/front")).unwrap().count();
    let before = fs::read_dir(old("recording")).unwrap().count();
    eventually_is("a new segment is written", || n_segments() > before);
    let listed = get("/front/recordings").text();
    assert!(listed.contains(time.split('.').next().unwrap()), "{listed}");
}
