//! The program under the names of uStreamer and mjpg-streamer: their command
//! lines serve, and the real uStreamer judges options alike.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Client, Daemon, Dir, TempDir, eventually, eventually_is, free_port, number, size,
};

/// A link to the program, by which it is started under another name.
fn link(dir: &TempDir, name: &str) -> PathBuf {
    let path = dir.path().join(name);
    symlink(env!("CARGO_BIN_EXE_mjpegd"), &path).unwrap();
    path
}

/// A command by a link, without options of the environment.
fn by_link(dir: &TempDir, name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(link(dir, name));
    let own = Daemon::command(&["--bind"]);
    for (variable, value) in own.get_envs() {
        if value.is_none() {
            command.env_remove(variable);
        }
    }
    command.args(args).stdin(Stdio::null());
    command
}

fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn login(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

#[test]
fn link_named_ustreamer_serves_that_command_line() {
    let (dir, port) = (TempDir::new(), free_port().to_string());
    let args = "--device /dev/nowhere -r320x240 --desired-fps=15 --device-timeout 2 -l \
                --allow-origin * --user me --passwd SECRET --static /nowhere/www --host 127.0.0.1";
    let mut args: Vec<_> = args.split_whitespace().collect();
    args.extend(["--port", &port]);
    let mut daemon = Daemon::spawn(by_link(&dir, "ustreamer", &args));
    assert_eq!(daemon.address().to_string(), format!("127.0.0.1:{port}"));
    assert_eq!(daemon.get("/stream").code, 401);
    let right = login("me", "SECRET");
    let mut viewer = daemon.watch_with("/stream", &[&right]);
    let (width, height) = size(&viewer.next().jpeg);
    assert!(width >= 160 && height >= 120, "{width}x{height}");
    let status = daemon.request("GET", "/status", &[&right]);
    let status: serde_json::Value = serde_json::from_slice(&status.body).unwrap();
    let cause = status["camera"]["cause"].as_str().unwrap();
    assert_eq!(cause, "/dev/nowhere: no such device");
    let asked = &status["camera"]["asked"];
    assert!(asked.to_string().contains("320") && asked.to_string().contains("15"), "{status}");
    assert!(daemon.request("GET", "/status", &[&right]).head.contains("Allow-Origin: *"));
    daemon.wait_for_log(
        "ustreamer means: mjpegd --camera v4l2:/dev/nowhere --fps 15 --stall-timeout 2s \
         --resolution 320x240 ",
    );
    let snapshot = daemon.request("GET", "/snapshot", &[&right]);
    assert_eq!((snapshot.code, snapshot.header("X-UStreamer-Online")), (200, Some("false")));
    daemon.wait_for_log("--slowdown: the camera is closed while nobody watches");
    daemon.wait_for_log("--static /nowhere/www: no such folder");
    daemon.wait_for_log("--passwd: the password stands in the list of processes");
    assert!(!daemon.log().concat().contains("SECRET"), "{:?}", daemon.log());
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn link_named_mjpg_streamer_serves_that_command_line() {
    let (dir, port, pictures) = (TempDir::new(), free_port(), Dir::numbered(3, 0));
    let page = dir.write("www/index.html", "their page");
    let input = format!("input_file.so -e -d 0.05 -f {}", pictures.path().display());
    let www = page.parent().unwrap().display();
    let output = format!("/lib/output_http.so -w {www} -n -l 127.0.0.1 -p {port} -c me:SECRET");
    let daemon = Daemon::spawn(by_link(&dir, "mjpg_streamer", &["-i", &input, "-o", &output]));
    assert_eq!(daemon.address().port(), port);
    // Not by an option that this command line does not have.
    daemon.wait_for_log("only this machine can reach it; for the network: listen at 0.0.0.0:");
    assert_eq!(daemon.get("/?action=snapshot").code, 401);
    assert_eq!(daemon.request("GET", "/", &[&login("me", "wrong")]).code, 401);
    let right = login("me", "SECRET");
    assert_eq!(daemon.request("GET", "/", &[&right]).body, b"their page");
    let snapshot = daemon.request("GET", "/?action=snapshot", &[&right]);
    assert_eq!((snapshot.code, number(&snapshot.body).is_some()), (200, true));
    let mut viewer = daemon.watch_with("/?action=stream", &[&right]);
    assert!((0..3).all(|_| number(&viewer.next().jpeg).is_some()));
    let command = daemon.request("GET", "/?action=command&id=1&value=1", &[&right]);
    assert_eq!(command.code, 403, "-n was given: {}", command.text());
    assert!(!daemon.log().concat().contains("SECRET"), "{:?}", daemon.log());
}

#[test]
fn several_inputs_are_several_cameras() {
    let (dir, port) = (TempDir::new(), free_port());
    let output = format!("output_http -l 127.0.0.1 -p {port}");
    let args = ["-i", "input_testpicture -r QVGA", "-i", "input_testpicture -r 64x48 -d 50"];
    let args = [&args[..], &["-o", &output]].concat();
    let daemon = Daemon::spawn(by_link(&dir, "mjpg_streamer", &args));
    for (target, is) in [
        ("/?action=snapshot", (320, 240)),
        ("/?action=snapshot_0", (320, 240)),
        ("/?action=snapshot_1", (64, 48)),
    ] {
        assert_eq!(size(&daemon.get(target).body), is, "{target}");
    }
}

/// The processes whose command line begins with this program.
fn processes_of(program: &Path) -> Vec<Pid> {
    let is_it = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|b| *b == 0).next() == Some(program.as_os_str().as_encoded_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(is_it).filter_map(Pid::from_raw).collect()
}

fn is_answering(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
}

#[test]
fn several_outputs_are_several_ports_and_a_socket_takes_the_place_of_the_port() {
    let (dir, ports) = (TempDir::new(), [free_port(), free_port()]);
    let outputs = ports.map(|port| format!("output_http.so -l 127.0.0.1 -p {port}"));
    let args = ["-i", "input_testpicture.so", "-o", &outputs[0], "-o", &outputs[1]];
    let _daemon = Daemon::spawn(by_link(&dir, "mjpg_streamer", &args));
    for port in ports {
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)));
        client.request("GET", "/?action=snapshot", &[]);
        assert_eq!(size(&client.reply("GET").body), (640, 480));
    }
    let path = dir.path().join("u.sock");
    let args = ["-d", "/dev/nowhere", "-U", path.to_str().unwrap(), "-M", "600"];
    let mut child = by_link(&dir, "ustreamer", &args).stderr(Stdio::null()).spawn().unwrap();
    eventually_is("it answers", || UnixStream::connect(&path).is_ok());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
}

#[test]
fn in_the_background_it_serves_after_its_start_has_returned() {
    let (dir, port) = (TempDir::new(), free_port());
    let output = format!("output_http.so -l 127.0.0.1 -p {port}");
    let args = ["-b", "-i", "input_testpicture.so", "-o", &output];
    let command = by_link(&dir, "mjpg_streamer", &args);
    let program = PathBuf::from(command.get_program());
    // Waits for the end of the output, too.
    let (code, _, err) = run(command);
    assert_eq!(code, Some(0), "{err}");
    eventually_is("it answers", || is_answering(port));
    let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)));
    client.request("GET", "/?action=snapshot", &[]);
    assert_eq!(size(&client.reply("GET").body), (640, 480));
    let name = |pid: Pid| fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()));
    let pid = processes_of(&program)[..].first().copied().expect("it runs under its name");
    assert_eq!(rustix::process::getsid(Some(pid)), Ok(pid), "it has a session of its own");
    // Scripts end it by its name.
    assert_eq!(name(pid).unwrap(), "mjpg_streamer\n");
    kill_process(pid, Signal::TERM).unwrap();
    eventually_is("it ends", || processes_of(&program).is_empty());
}

#[test]
fn mistakes_are_seen_before_it_goes_to_the_background() {
    let dir = TempDir::new();
    let input = ["-b", "-i", "input_file.so -e -f /nowhere"];
    let (code, _, err) = run(by_link(&dir, "mjpg_streamer", &input));
    assert_eq!(code, Some(1));
    assert!(err.contains("/nowhere: no such folder"), "{err}");
}

#[test]
fn it_ends_with_its_parent_where_that_is_asked_for() {
    let (dir, port) = (TempDir::new(), free_port());
    let program = link(&dir, "ustreamer");
    let line = format!(
        "{} -d /dev/nowhere -p {port} --exit-on-parent-death & wait",
        program.to_str().unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = shell.spawn().unwrap();
    eventually_is("it answers", || is_answering(port));
    shell.kill().unwrap();
    shell.wait().unwrap();
    eventually_is("it has ended too", || processes_of(&program).is_empty());
}

/// Options, and the exit code of a program that takes them and then prints its
/// version.
const OPTIONS: &[(&str, i32)] = &[
    ("-r 640x480", 0),
    ("-r640x480", 0),
    ("--res 640x480", 0),
    ("--resolution=640x480", 0),
    ("-nlr640x480", 0),
    ("-p 0x1F90", 0),
    ("-p 010", 0),
    ("-f +5", 0),
    ("-f 0", 0),
    ("-m mjpeg", 0),
    ("-m UYVY", 0),
    ("-c hw", 0),
    ("-c NOOP", 0),
    ("-a pal", 0),
    ("-I mmap", 0),
    ("-z 8192", 0),
    ("-K 0", 0),
    ("-e 30", 0),
    ("--drop-same-frame=30", 0),
    ("--brightness auto", 0),
    ("--contrast default", 0),
    ("--flip-vertical 1", 0),
    ("-M 660", 0),
    ("--device-timeout 60", 0),
    ("--allow-origin *", 0),
    ("--static /nowhere", 0),
    ("--exit-on-parent-death --notify-parent --no-log-colors", 0),
    ("word", 0),
    ("--version --nonsense", 0),
    ("--nonsense", 1),
    ("-Z", 1),
    ("--de x", 1),
    ("--persistent=1", 1),
    ("-r 640", 1),
    ("-r VGA", 1),
    ("-p 0", 1),
    ("-p 65536", 1),
    ("-p 18x", 1),
    ("-p 080", 1),
    ("-f 121", 1),
    ("-f -1", 1),
    ("-q 0", 1),
    ("-q 101", 1),
    ("-m mjpg", 1),
    ("-c XX", 1),
    ("-a X", 1),
    ("-z 0", 1),
    ("-b 33", 1),
    ("-w 0", 1),
    ("-e m2m-image", 1),
    ("--contrast auto", 1),
    ("--brightness 5x", 1),
    ("-M 999", 1),
    ("--log-level 4", 1),
    ("--device-timeout 0", 1),
    ("--server-timeout 61", 1),
];

#[test]
fn options_are_good_or_bad_as_for_the_real_ustreamer() {
    let dir = TempDir::new();
    let own = link(&dir, "ustreamer");
    for program in [Path::new("ustreamer"), &own] {
        for (options, due) in OPTIONS {
            let mut command = Command::new(program);
            command.args(options.split(' ')).arg("--version").stdin(Stdio::null());
            let output = command.output().unwrap_or_else(|e| {
                panic!("{}: {e}; apt install ustreamer", program.display());
            });
            let (code, err) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
            assert_eq!(code, Some(*due), "{} {options}: {err}", program.display());
        }
    }
}

#[test]
fn configuration_is_printed_for_those_who_move_on() {
    let dir = TempDir::new();
    let args = ["-d", "/dev/video2", "-f", "15", "--passwd", "SECRET", "--user", "me"];
    let args = [&args[..], &["--print-config"]].concat();
    let (code, out, err) = run(by_link(&dir, "ustreamer", &args));
    assert_eq!((code, &*err), (Some(0), ""));
    let first = "# mjpegd --camera v4l2:/dev/video2 --fps 15 --resolution 640x480 \
                 --bind 127.0.0.1:8080 --lost-snapshot picture --auth-file FILE\n";
    assert!(out.starts_with(first) && !out.contains("SECRET"), "{out}");
    // It is a file, and without the password it does not start open.
    let file = dir.write("mjpegd.toml", &out);
    let (code, _, err) = Daemon::run(&["check-config", file.to_str().unwrap()]);
    assert!(code == Some(2) && err.contains("auth-file"), "{err}");
    let file = dir.write("mjpegd.toml", out.replace("auth-file", "# auth-file"));
    let checked = Daemon::run(&["check-config", file.to_str().unwrap()]);
    assert_eq!((checked.0, &*checked.1), (Some(0), "ok: camera (v4l2:/dev/video2)\n"));
    let (code, out, _) = Daemon::run(&["--print-config", "--fps", "5", "--threads", "3"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("--camera demo --fps 5 ") && out.contains("\nthreads = 3\n"), "{out}");
}

#[test]
fn variables_of_the_environment_hold_for_what_is_left_open() {
    let (dir, port) = (TempDir::new(), free_port().to_string());
    let mut command =
        by_link(&dir, "ustreamer", &["-p", &port, "-d", "/dev/nowhere", "-r", "64x48"]);
    command.env("MJPEGD_THREADS", "3").env("MJPEGD_RESOLUTION", "32x32").env("CAMERA", "demo");
    command.env("MJPEGD_LOST_SNAPSHOT", "503");
    let daemon = Daemon::spawn(command);
    let status = eventually("a status", || Some(daemon.status()));
    assert_eq!(status["seats"]["total"], 3);
    // uStreamer's own default is weaker than a variable.
    assert_eq!(daemon.get("/snapshot").code, 503);
    assert_eq!(status["camera"]["source"].as_str(), Some("v4l2:/dev/nowhere"), "{status}");
    assert!(status["camera"]["asked"].to_string().contains("64"), "{status}");
}
