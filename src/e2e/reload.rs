//! SIGHUP: the configuration file is read again while viewers watch, or the
//! terminal was closed.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::support::{Daemon, Program, TempDir, eventually_is, program, size};

struct Stage {
    daemon: Daemon,
    file: PathBuf,
    _dir: TempDir,
}

fn camera(name: &str, source: &str) -> String {
    format!("[[camera]]\nname = '{name}'\nsource = '{source}'\n")
}

impl Stage {
    fn new(text: &str) -> Self {
        let dir = TempDir::new();
        let file = dir.write("c.toml", text);
        let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
        Self { daemon, file, _dir: dir }
    }

    fn reload(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
        self.daemon.signal(Signal::HUP);
    }
}

#[test]
fn what_stays_the_same_notices_nothing_and_what_changes_goes_on_as_another() {
    let front = camera("front", "pattern:64x48@20");
    let stage = Stage::new(&(front.clone() + &camera("back", "pattern:96x64@20")));
    let (mut same, mut changed) =
        (stage.daemon.watch("/front/stream?key=same"), stage.daemon.watch("/back/stream"));
    assert_eq!(size(&same.next().jpeg), (64, 48));
    assert_eq!(size(&changed.next().jpeg), (96, 64));
    // Other lines and another order do not make it another camera.
    stage.reload(&("\n".to_owned() + &camera("back", "pattern:128x96@20") + &front));
    while size(&changed.next().jpeg) != (128, 96) {}
    same.next();
    // The new picture may be there before the new list.
    eventually_is("the list is the new one", || {
        stage.daemon.status()["cameras"][0]["name"] == "back"
    });
    let status = stage.daemon.status();
    let cameras = &status["cameras"];
    assert_eq!((&cameras[0]["name"], &cameras[0]["opened"]), (&"back".into(), &2.into()));
    assert_eq!((&cameras[1]["name"], &cameras[1]["opened"]), (&"front".into(), &1.into()));
    assert_eq!(cameras[0]["source"], "pattern:128x96@20");
    assert_eq!(status["camera"]["name"], "back", "the first one is meant where none is named");
    assert_eq!(stage.daemon.figure("/seats/taken"), 2);
    let log = stage.daemon.log().join("\n");
    assert!(!log.contains("front: pattern:64x48@20, changed"), "{log}");
    assert!(!log.contains("was lost") && !log.contains("front off"), "{log}");
}

#[test]
fn cameras_come_and_go() {
    let stage = Stage::new(&(camera("front", "pattern:64x48@20") + &camera("back", "pattern@20")));
    let mut viewers =
        [stage.daemon.watch("/back/stream"), stage.daemon.watch("/back/stream?fps=0.01")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    stage.reload(&(camera("front", "pattern:64x48@20") + &camera("side", "pattern:128x96")));
    for mut viewer in viewers {
        while viewer.next_or_end().is_some() {}
    }
    // It leaves the list when its threads have ended.
    eventually_is("it is gone", || stage.daemon.get("/back/snapshot").code == 404);
    let gone = stage.daemon.get("/back/stream");
    assert_eq!(gone.code, 404);
    assert!(gone.text().contains("there are: front, side"), "{}", gone.text());
    assert_eq!(size(&stage.daemon.get("/side/snapshot").body), (128, 96));
    eventually_is("both seats are free", || stage.daemon.figure("/seats/taken") == 0);
    let metrics = stage.daemon.get("/metrics").text();
    assert!(!metrics.contains("camera=\"back\""), "{metrics}");
}

#[test]
fn camera_that_takes_long_to_end_is_refused_until_it_is_gone() {
    let front = camera("front", "pattern:64x48@20");
    let command = r#"exec:trap "" TERM; while sleep 1; do :; done"#;
    let stage = Stage::new(&(front.clone() + &camera("back", command)));
    let _viewer = stage.daemon.watch("/back/stream");
    eventually_is("the command runs", || stage.daemon.figure("/cameras/1/viewers") == 1);
    stage.reload(&(front + "resolution = '640x480'\n"));
    let log = || stage.daemon.log().join("\n");
    eventually_is("it is being removed", || log().contains("done, removed"));
    eventually_is("it is gone", || {
        let reply = stage.daemon.get("/back/stream");
        assert!(reply.code == 404 || reply.text().contains("the camera was removed"), "{reply:?}");
        reply.code == 404
    });
    assert!(log().contains("--resolution: without effect"), "{}", log());
}

#[test]
fn bad_file_is_refused_and_all_goes_on() {
    let good = camera("front", "pattern:64x48@20");
    let stage = Stage::new(&good);
    let mut viewer = stage.daemon.watch("/stream");
    viewer.next();
    for (text, says) in [
        ("[[camera]]\nfsp = 1", "c.toml:2: there is no option fsp; did you mean fps?"),
        ("[[camera]]\nname = 'a'\nsource = 'file:/nowhere'", "c.toml:3: source file:/nowhere"),
        ("threads = 0", "c.toml:1: threads 0: use"),
    ] {
        stage.reload(text);
        let line = stage.daemon.wait_for_log(says);
        assert!(line.contains("ERROR") && line.contains("nothing changes"), "{line}");
        viewer.next();
    }
    std::fs::remove_file(&stage.file).unwrap();
    stage.daemon.signal(Signal::HUP);
    stage.daemon.wait_for_log("No such file");
    viewer.next();
    stage.reload(&good);
    stage.daemon.wait_for_log("c.toml again");
    viewer.next();
    assert_eq!(stage.daemon.figure("/camera/opened"), 1);
}

#[test]
fn users_that_changed_are_named_as_their_file_is_read_at_the_start() {
    let dir = TempDir::new();
    let users = dir.write("users", "me:first\n");
    let options = format!("auth-file = '{}'\n", users.display());
    let text = options + &camera("front", "pattern:64x48@20");
    let file = dir.write("c.toml", &text);
    let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
    daemon.signal(Signal::HUP);
    daemon.wait_for_log("c.toml again");
    dir.write("users", "me:second\n");
    daemon.signal(Signal::HUP);
    let line = daemon.wait_for_log("takes effect when the program is restarted");
    assert!(line.contains("the --auth-file has changed"), "{line}");
    let n_named = daemon.log().iter().filter(|line| line.contains("takes effect")).count();
    assert_eq!(n_named, 1, "not at the first SIGHUP");
}

#[test]
fn options_that_wait_for_a_new_start_are_named() {
    let front = camera("front", "pattern:64x48@20");
    let stage = Stage::new(&("threads = 3\nfps = 5\n".to_owned() + &front));
    stage.reload(&("threads = 4\nfps = 6\nmax-viewers = 1\n".to_owned() + &front));
    let line = stage.daemon.wait_for_log("takes effect when the program is restarted");
    assert!(line.contains("threads has changed"), "{line}");
    eventually_is("the camera has changed", || stage.daemon.figure("/camera/max_viewers") == 1);
    assert_eq!(stage.daemon.status()["camera"]["asked"]["fps"], 6.0);
    assert_eq!(stage.daemon.figure("/seats/total"), 3);
    let named = stage.daemon.log().iter().filter(|l| l.contains("is restarted")).count();
    assert_eq!(named, 1);
    let mut viewer = stage.daemon.watch("/stream");
    viewer.next();
    assert_eq!(stage.daemon.get("/stream").code, 503);
}

#[test]
fn without_a_file_there_is_nothing_to_read_again() {
    let mut daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    daemon.signal(Signal::HUP);
    daemon.wait_for_log("SIGHUP: there is no file to read again; start with --config FILE");
    viewer.next();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
}

/// Starts the daemon in a terminal of its own, closes the terminal, and returns
/// how the daemon ended.
const TERMINAL: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b''
while b'listening on' not in said:
    said += os.read(terminal, 4096)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[test]
fn daemon_ends_with_its_terminal() {
    let dir = TempDir::new();
    let file = dir.write("c.toml", camera("front", "demo"));
    let daemon = program();
    let words = [daemon.get_program()].into_iter().chain(daemon.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
    for args in [&["--camera", "demo"][..], &["--config", file.to_str().unwrap()]] {
        let python = Program::new("/usr/bin/python3", "python3");
        let typed = [&["-c", TERMINAL], &words[..], &["--bind", "127.0.0.1:0"], args].concat();
        let ended = python.args(typed).text();
        assert_eq!(ended.trim(), "0", "{args:?}");
    }
}

#[test]
fn recording_begins_and_ends_with_the_file() {
    let front = camera("front", "pattern:64x48@20");
    let stage = Stage::new(&front);
    let folder = stage.file.with_file_name("recorded");
    let record = format!("record = '{}'\n", folder.display());
    stage.reload(&(front.clone() + &record));
    let segments = || std::fs::read_dir(folder.join("front")).map_or(0, Iterator::count);
    eventually_is("a segment is written", || segments() > 0);
    stage.reload(&(front.clone() + &record + "record-fps = 5\n"));
    eventually_is("it is recorded again", || {
        stage.daemon.status()["recording"]["state"] == "recording"
    });
    stage.reload(&front);
    eventually_is("nothing is recorded", || {
        stage.daemon.status().get("recording").is_none_or(serde_json::Value::is_null)
    });
    assert_eq!(stage.daemon.get("/front/snapshot").code, 200);
}
