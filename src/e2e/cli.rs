//! Options, environment, help, usage errors, exit codes, first log lines.

use std::net::TcpListener;

use crate::support::{Daemon, Dir, TempDir};

/// Runs the program with arguments that it must refuse, and returns its one
/// line on standard error.
fn refusal(args: &[&str]) -> String {
    let (code, out, err) = Daemon::run(args);
    assert_eq!(code, Some(2), "{args:?}: {err}");
    assert_eq!(out, "", "{args:?}");
    assert!(err.starts_with("mjpegd: ") && err.ends_with('\n'), "{args:?}: {err}");
    assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
    err
}

#[test]
fn bad_sources_are_usage_errors_that_say_what_would_be_right() {
    let dir = TempDir::new();
    let empty = dir.write("empty/readme.txt", "no picture");
    let text = dir.write("text/a.jpg", "no JPEG");
    let hollow = dir.write("hollow/a.jpg", "");
    let plain = dir.write("plain.mjpeg", "no JPEG");
    let folder = |file: &std::path::Path| format!("images:{}", file.parent().unwrap().display());
    let file = |file: &std::path::Path| format!("file:{}", file.display());
    for (source, says) in [
        (
            "webcam".to_owned(),
            "use one of v4l2[:DEVICE], exec:COMMAND, http://[USER:PASSWORD@]HOST[:PORT]/PATH, demo",
        ),
        (String::new(), "use one of v4l2[:DEVICE], exec:COMMAND"),
        ("pattern:1x1".into(), "from 32x32"),
        ("pattern@0".into(), "use pattern:640x480@30"),
        ("images:".into(), "use images:DIR"),
        ("exec:".into(), "the command is missing; use exec:COMMAND"),
        ("http:camera.local".into(), "use http://[USER:PASSWORD@]HOST"),
        ("http://camera.local:x/".into(), "the port is no number"),
        ("images:/nowhere".into(), "/nowhere: no such folder"),
        (format!("images:{}", plain.display()), "for a single file use file:PATH"),
        (folder(&empty), "put files *.jpg or *.jpeg there"),
        (folder(&text), "must hold JPEG files"),
        (folder(&hollow), "must hold JPEG files"),
        ("file:/nowhere".into(), "/nowhere: no such file"),
        (file(&plain), "file:PATH takes a file of concatenated JPEGs"),
        (dir.path().display().to_string(), "for a folder use images:"),
        (plain.display().to_string(), "for a file use file:"),
    ] {
        let error = refusal(&["--camera", &source]);
        assert!(error.contains(says), "{source:?}: {error}");
        assert!(error.contains(&source), "{source:?} is not in {error}");
    }
}

#[test]
fn only_devices_change_their_size_for_a_snapshot() {
    for source in ["demo", "pattern", "http://camera.local/stream", "exec:cat"] {
        let error = refusal(&["--camera", source, "--snapshot-resolution", "1920x1080"]);
        assert!(error.contains("--snapshot-resolution: only V4L2 cameras"), "{error}");
    }
    let error = refusal(&["--camera", "v4l2", "--snapshot-resolution", "large"]);
    assert!(error.contains("--snapshot-resolution"), "{error}");
}

#[test]
fn bad_values_are_usage_errors_that_name_the_option() {
    for (option, value) in [
        ("--bind", "5000"),
        ("--bind", "127.0.0.1:99999"),
        ("--threads", "0"),
        ("--fps", "0"),
        ("--fps", "-1"),
        ("--write-timeout", "1ms"),
        ("--www", "/nowhere"),
        ("--auth-file", "/nowhere"),
        ("--allow-origin", "printer"),
        ("--record-before", "7200s"),
        ("--record-after", "7200s"),
        ("--record-before-size", "1kB"),
    ] {
        let error = refusal(&[&format!("{option}={value}")]);
        assert!(error.contains(option) && error.contains(value), "{option} {value}: {error}");
    }
    let error = refusal(&["--record", "/nowhere", "--record-on", "motion"]);
    assert!(error.contains("--record-on motion: use it with --motion"), "{error}");
}

#[test]
fn values_that_cannot_be_read_and_unknown_options_are_usage_errors() {
    for args in [
        &["--nonsense"][..],
        &["--threads", "many"],
        &["--idle-timeout", "10"],
        &["--idle-timeout", "10 parsecs"],
        &["demo"],
    ] {
        let (code, _, err) = Daemon::run(args);
        assert_eq!(code, Some(2), "{args:?}");
        let first = err.lines().next().unwrap_or_default();
        assert!(first.contains(args[0]) && !err.contains("panicked"), "{args:?}: {err}");
    }
}

#[test]
fn port_in_use_is_a_failure_while_running() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, err) = Daemon::run(&["--bind", &address]);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with(&format!("mjpegd: cannot listen on {address}: ")), "{err}");
    // This very process has the port.
    assert!(err.contains(&format!("(process {}) listens there", std::process::id())), "{err}");
    let next = taken.local_addr().unwrap().port().checked_add(1).unwrap_or(5001);
    assert!(err.contains(&format!("such as --bind 127.0.0.1:{next}")), "{err}");
}

#[test]
fn help_is_grouped_and_shows_defaults_and_variables() {
    let (code, help, err) = Daemon::run(&["--help"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for group in ["Camera:", "Server:", "Access:", "Cameras:"] {
        assert!(help.lines().any(|line| line == group), "no group {group} in {help}");
    }
    for (option, variable, default) in [
        ("--camera", "CAMERA", "demo"),
        ("--idle-timeout", "MJPEGD_IDLE_TIMEOUT", "10s"),
        ("--bind", "MJPEGD_BIND", "127.0.0.1:5000"),
        ("--threads", "MJPEGD_THREADS", "16"),
        ("--write-timeout", "MJPEGD_WRITE_TIMEOUT", "10s"),
        ("--head-timeout", "MJPEGD_HEAD_TIMEOUT", "10s"),
        ("--max-head", "MJPEGD_MAX_HEAD", "65536"),
        ("--max-leaks", "MJPEGD_MAX_LEAKS", "64"),
        ("--max-connections", "MJPEGD_MAX_CONNECTIONS", ""),
        ("--fps", "MJPEGD_FPS", ""),
        ("--www", "MJPEGD_WWW", ""),
        ("--auth-file", "MJPEGD_AUTH_FILE", ""),
        ("--allow-origin", "MJPEGD_ALLOW_ORIGIN", ""),
    ] {
        let start = help.find(&format!("{option} <")).expect(option);
        let text = &help[start..];
        let text = &text[..text[2..].find("--").unwrap_or(text.len() - 2)];
        assert!(text.contains(&format!("[env: {variable}")), "{text}");
        assert!(default.is_empty() || text.contains(&format!("[default: {default}]")), "{text}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    let (code, out, _) = Daemon::run(&["--version"]);
    assert_eq!((code, out), (Some(0), format!("mjpegd {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn options_can_be_environment_variables_and_the_command_line_wins() {
    let mut command = Daemon::command(&["--threads", "3"]);
    command.envs([("CAMERA", "pattern:64x48@5"), ("MJPEGD_THREADS", "5"), ("MJPEGD_FPS", "7")]);
    command.env("MJPEGD_ALLOW_ORIGIN", "*");
    let daemon = Daemon::spawn(command);
    let status = daemon.status();
    assert_eq!(status["camera"]["source"], "pattern:64x48@5");
    assert_eq!(status["seats"]["total"], 3);
    assert_eq!(daemon.get("/healthz").header("Access-Control-Allow-Origin"), Some("*"));
}

#[test]
fn bad_environment_variable_is_a_usage_error() {
    let output = Daemon::command(&[]).env("CAMERA", "webcam").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn first_lines_say_where_it_listens_how_to_reach_it_and_which_camera() {
    let daemon = Daemon::start(&[]);
    daemon.wait_for_log("camera:");
    let log = daemon.log();
    let port = daemon.address().port();
    assert!(log[0].ends_with(&format!("listening on http://127.0.0.1:{port}/")), "{log:?}");
    assert!(log[1].contains(&format!("for the network: --bind 0.0.0.0:{port}")), "{log:?}");
    assert!(log[2].ends_with("camera: demo"), "{log:?}");
}

#[test]
fn on_all_addresses_it_says_the_one_of_this_machine() {
    let daemon = Daemon::start(&["--bind", "0.0.0.0:0"]);
    let port = daemon.address().port();
    let line = daemon.wait_for_log("from the network: http://");
    assert!(line.ends_with(&format!(":{port}/")) && !line.contains("0.0.0.0"), "{line}");
    assert_eq!(daemon.get("/healthz").code, 200);
}

#[test]
fn listens_on_ipv6() {
    let daemon = Daemon::start(&["--bind", "[::1]:0"]);
    assert!(daemon.address().is_ipv6());
    assert_eq!(daemon.get("/healthz").code, 200);
    daemon.watch("/stream").next();
    let viewer = daemon.watch("/stream");
    let status = daemon.status();
    let rows = status["viewers"].as_array().unwrap();
    let address = viewer.client.local_address().to_string();
    assert!(rows.iter().any(|row| row["address"] == address.as_str()), "{address}: {status}");
}

#[test]
fn rust_log_chooses_what_is_logged() {
    let dir = Dir::numbered(1, 0);
    let lines = |level: Option<&str>| {
        let mut command = Daemon::command(&["--camera", &dir.camera()]);
        command.env("MJPEGD_BIND", "127.0.0.1:0");
        command.env("RUST_LOG", level.unwrap_or("info"));
        if level.is_none() {
            command.env_remove("RUST_LOG");
        }
        let daemon = Daemon::spawn(command);
        daemon.get("/status");
        daemon.watch("/stream").next();
        daemon.wait_for_log("camera on");
        daemon.log().join("\n")
    };
    let (usual, debug) = (lines(None), lines(Some("debug")));
    assert!(usual.contains(" INFO ") && !usual.contains(" DEBUG "), "{usual}");
    assert!(debug.contains(" DEBUG ") && debug.contains("GET /status"), "{debug}");
}

#[test]
fn rust_log_can_silence_it() {
    let output = Daemon::command(&["--bind", "192.0.2.1:1"]).env("RUST_LOG", "off").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("mjpegd: cannot listen on"));
}
