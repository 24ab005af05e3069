//! `mjpegd probe`, `mjpegd grab` and `mjpegd health`, with the daemon and with other servers.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{
    Daemon, Dir, Fake, Program, TempDir, eventually, eventually_is, number, numbered, program,
};

/// Runs a subcommand that must succeed, and returns its output.
fn stdout_of(args: &[&str]) -> String {
    let (code, out, err) = Daemon::run(args);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}: {out}");
    out
}

/// Runs a subcommand that must fail, and returns its one line of error.
fn refusal(args: &[&str], code: i32) -> String {
    let (seen, out, err) = Daemon::run(args);
    assert_eq!((seen, out.as_str()), (Some(code), ""), "{args:?}: {err}");
    assert!(err.starts_with("mjpegd: ") && err.lines().count() == 1, "{args:?}: {err}");
    err
}

fn probe(url: &str) -> Value {
    serde_json::from_str(&stdout_of(&["probe", "--json", "--duration", "1s", url])).unwrap()
}

/// As [`probe`], until it has seen some pictures: its second begins at its start.
fn probe_well(url: &str) -> Value {
    eventually("some pictures are seen", || {
        let (_, out, _) = Daemon::run(&["probe", "--json", "--duration", "1s", url]);
        let seen: Value = serde_json::from_str(&out).ok()?;
        (seen["pictures"].as_u64() > Some(2)).then_some(seen)
    })
}

/// The arguments for `n` pictures into a folder.
fn grab<'a>(url: &'a str, n: &'a str, dir: &'a Path) -> [&'a str; 6] {
    ["grab", url, "-n", n, "-o", dir.to_str().unwrap()]
}

#[test]
fn probe_measures_rate_size_and_age() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@20"]);
    let full = probe_well(&daemon.url("/stream?extra_headers=1"));
    assert_eq!((&full["width"], &full["height"]), (&320.into(), &240.into()));
    let fps = full["fps"].as_f64().unwrap();
    assert!((2.0..60.0).contains(&fps), "{full}");
    let age = &full["age_ms"];
    let p = |name: &str| age[name].as_f64().unwrap();
    assert!(p("p50") > 0.0 && p("p50") <= p("p95") && p("p95") <= p("p99"), "{full}");
    assert!(full["skipped"].is_u64() && full["errors"].as_object().unwrap().is_empty(), "{full}");
    // The layout for browsers has neither length nor time.
    let short = probe_well(&daemon.url("/video_feed"));
    assert!(short["age_ms"].is_null() && short["skipped"].is_null(), "{short}");
}

#[test]
fn probe_prints_a_table_for_people() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@20"]);
    let rows = ["pictures  ", "rate      ", "size      320x240", "age       p50", "errors    0"];
    // Its half second begins at its start.
    eventually_is("the table has all rows", || {
        let (code, text, _) =
            Daemon::run(&["probe", "--duration", "500ms", &daemon.url("/stream")]);
        code == Some(0) && rows.iter().all(|row| text.contains(row))
    });
}

#[test]
fn probe_counts_lost_connections() {
    let fake = Fake::start(|asked| {
        let part = [b"--frame\r\n\r\n", &numbered(1, 0)[..], b"\r\n--frame--"].concat();
        asked.send(
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n",
        );
        asked.send(part);
        asked.close();
    });
    let seen = probe(&fake.url("/"));
    let errors = seen["errors"].as_object().unwrap();
    assert!(errors["the server ended the stream"].as_u64() > Some(0), "{seen}");
}

#[test]
fn probe_stops_at_a_signal_and_says_what_it_saw() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut command = Daemon::command(&["probe", "--duration", "1h", &daemon.url("/stream")]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    daemon.wait_for_state("live");
    eventually("a picture was sent", || {
        (daemon.figure("/camera/frames/captured") > 3).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("errors    0"), "{text}");
}

#[test]
fn line_on_a_terminal_is_written_over() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let on_terminal = |args: &[&str]| {
        let program = program();
        let words = [program.get_program()].into_iter().chain(program.get_args());
        let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        let words = [&words[..], args].concat().join(" ");
        Program::new("script", "bsdutils").args(["-qec", &words, "/dev/null"]).text()
    };
    let url = daemon.url("/stream");
    let seen = on_terminal(&["probe", "--duration", "5s", &url]);
    assert!(seen.matches("\r\x1b[2K").count() > 2 && seen.contains(" fps  "), "{seen:?}");
    let last = seen.rsplit("\x1b[2K").next().unwrap();
    assert!(last.starts_with("pictures  "), "{seen:?}");
    let dir = TempDir::new();
    let seen = on_terminal(&grab(&url, "10", dir.path()));
    assert!(seen.contains("-] 1 of 10"), "{seen:?}");
}

#[test]
fn grab_saves_every_picture_as_it_came() {
    let dir = Dir::numbered(6, 3000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let grab_in_order = |target: &str| {
        let temp = TempDir::new();
        let into = temp.path().join("new/folder");
        let text = stdout_of(&grab(&daemon.url(target), "8", &into));
        assert!(text.starts_with("8 pictures, "), "{text}");
        let mut numbers = Vec::new();
        for n in 1..=8 {
            let jpeg = fs::read(into.join(format!("{n:06}.jpg"))).unwrap();
            assert!(dir.pictures.contains(&jpeg), "{n} of {target} is not as it was sent");
            numbers.push(number(&jpeg).unwrap());
        }
        assert_eq!(fs::read_dir(&into).unwrap().count(), 8);
        numbers.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 6)
    };
    for target in ["/stream", "/video_feed"] {
        // On a busy machine the daemon may skip one.
        assert!((0..5).any(|_| grab_in_order(target)), "{target}: never in order");
    }
}

#[test]
fn grab_keeps_existing_files_without_overwrite() {
    let daemon = Daemon::start(&[]);
    let (dir, url) = (TempDir::new(), daemon.url("/stream"));
    let mine = dir.write("000002.jpg", "mine");
    let refused = refusal(&grab(&url, "2", dir.path()), 2);
    assert!(refused.contains("000002.jpg is already there") && refused.contains("--overwrite"));
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    stdout_of(&[&grab(&url, "2", dir.path())[..], &["--overwrite"]].concat());
    assert_ne!(fs::read(&mine).unwrap(), b"mine");
}

#[test]
fn grab_goes_on_after_lost_connections_and_reports_how_many_it_got() {
    let fake = Fake::start(|asked| {
        asked.send("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n");
        asked.send(numbered(1, 0));
        asked.close();
    });
    let dir = TempDir::new();
    stdout_of(&grab(&fake.url("/"), "3", dir.path()));
    assert!(dir.path().join("000003.jpg").exists());
    let silent = Fake::start(|asked| {
        asked.send("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n--a\r\n\r\n");
        asked.send([&numbered(1, 0)[..], b"\r\n--a\r\n"].concat());
        asked.say_nothing();
    });
    let (dir, url) = (TempDir::new(), silent.url("/"));
    let error = refusal(&[&grab(&url, "99", dir.path())[..], &["--timeout", "3s"]].concat(), 1);
    assert!(error.contains("1 of 99 pictures: no answer in time"), "{error}");
}

#[test]
fn picture_drawn_for_a_lost_camera_is_none_of_its_own() {
    let daemon = Daemon::start(&["--camera", "exec:false"]);
    let (dir, url) = (TempDir::new(), daemon.url("/stream"));
    let error = refusal(&[&grab(&url, "2", dir.path())[..], &["--timeout", "3s"]].concat(), 1);
    assert!(error.contains("the camera is lost: "), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let probed = probe(&url);
    let errors = probed["errors"].as_object().unwrap();
    assert!(errors.keys().any(|cause| cause.starts_with("drawn, ")), "{probed}");
}

#[test]
fn health_is_an_exit_code() {
    let daemon = Daemon::start(&["--camera", "exec:false"]);
    let health = |target: &str| Daemon::run(&["health", &daemon.url(target)]);
    assert_eq!(health("/healthz"), (Some(0), "ok\n".into(), String::new()));
    let _viewer = daemon.watch("/stream");
    eventually_is("the camera is lost", || daemon.get("/healthz?cameras=1").code == 503);
    let (code, out, error) = health("/healthz?cameras=1");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("503") && error.contains("the command ended"), "{error}");
    let fake = Fake::start(|asked| asked.say_nothing());
    let error = refusal(&["health", &fake.url("/"), "--timeout", "300ms"], 1);
    assert!(error.contains("no answer in time"), "{error}");
}

#[test]
fn address_or_folder_that_cannot_be_used_is_an_error() {
    let daemon = Daemon::start(&[]);
    let dir = TempDir::new();
    let closed = TcpListener::bind("127.0.0.75:0").unwrap().local_addr().unwrap();
    for (url, code, says) in [
        ("camera.local".to_owned(), 2, "use http://"),
        (format!("http://{closed}/"), 1, "no server runs there"),
        (daemon.url("/nothing"), 1, "404"),
        (daemon.url("/status"), 1, "application/json"),
    ] {
        assert!(refusal(&["probe", &url], code).contains(says), "{url}");
        if !url.ends_with("/status") {
            assert!(refusal(&["health", &url], code).contains(says), "{url}");
        }
        assert!(refusal(&grab(&url, "1", dir.path()), code).contains(says), "{url}");
    }
    let file = dir.write("file", "");
    let error = refusal(&grab(&daemon.url("/stream"), "1", &file.join("x")), 2);
    assert!(error.contains("--output"), "{error}");
    for args in [&["grab"][..], &["grab", "http://h/", "-n", "0"], &["probe"]] {
        assert_eq!(Daemon::run(args).0, Some(2), "{args:?}");
    }
}

#[test]
fn ffmpegs_own_listener_is_grabbed_from() {
    let address = TcpListener::bind("127.0.0.73:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-re", "-f", "lavfi"]);
    command.args(["-i", "testsrc=size=160x120:rate=15", "-t", "60"]);
    command.args(["-f", "mpjpeg", "-listen", "1", &url]).stdin(Stdio::null());
    let mut ffmpeg = command.spawn().unwrap();
    let dir = TempDir::new();
    // ffmpeg serves a single client, so the test cannot probe whether it
    // listens: it grabs until that works.
    eventually("ffmpeg listens", || {
        (Daemon::run(&grab(&url, "5", dir.path())).0 == Some(0)).then_some(())
    });
    let _ = ffmpeg.kill();
    let _ = ffmpeg.wait();
    for n in 1..=5 {
        let jpeg = fs::read(dir.path().join(format!("{n:06}.jpg"))).unwrap();
        assert_eq!(crate::support::size(&jpeg), (160, 120));
    }
}
