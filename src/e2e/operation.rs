//! Systems that lack something, files of other systems, clocks that are wrong.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::recording::wait_for_frames;
use crate::support::{
    Daemon, Dir, Program, TempDir, all_frames, eventually, eventually_is, faketime, number, unshare,
};

/// Makes the system's calls behave as where there is no IPv6.
const NO_IPV6: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol)
{
    if (domain == AF_INET6 && !getenv("SOCKETS")) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *to, socklen_t n)
{
    if (to->sa_family == AF_INET6) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    return ((int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind"))(fd, to, n);
}
"#;

#[test]
fn without_ipv6_it_listens_on_ipv4_and_says_so() {
    let dir = TempDir::new();
    let (from, to) = (dir.write("no6.c", NO_IPV6), dir.path().join("no6.so"));
    let compiler = Program::new("cc", "gcc").args(["-shared", "-fPIC", "-O1", "-o"]);
    compiler.args([to.to_str().unwrap(), from.to_str().unwrap(), "-ldl"]).output();
    for (bind, says) in
        [(":0", "listening on 0.0.0.0:0"), ("[::]:0", "0.0.0.0:0"), ("[::1]:0", "127.0.0.1:0")]
    {
        // None in the kernel; and none that has an address.
        for sockets in [false, true] {
            let mut command = Daemon::command(&["--bind", bind]);
            command.env("LD_PRELOAD", &to);
            if sockets {
                command.env("SOCKETS", "1");
            }
            let daemon = Daemon::spawn(command);
            let line = daemon.wait_for_log("this system has no IPv6");
            assert!(line.contains(says), "{line}");
            assert_eq!(daemon.get("/healthz").code, 200);
        }
    }
    let mut command = Daemon::command(&["--bind", "[2001:db8::1]:0"]);
    let output = command.env("LD_PRELOAD", &to).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "an address of its own is not replaced");
}

/// The daemon as the parent of all orphans, as process 1 of a container is.
fn as_parent_of_orphans(args: &[&str]) -> Daemon {
    let plain = Daemon::command(args);
    let script = "import ctypes, os, sys\n\
        assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0\n\
        os.execv(sys.argv[1], sys.argv[1:])";
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", script]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Daemon::spawn({
        command.env("RUST_LOG", "debug");
        command
    })
}

/// Children of a process that have ended and were not waited for.
fn n_zombies(parent: u32) -> usize {
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| stat(entry.ok()?));
    let is_its = |stat: &String| {
        let behind = stat.rsplit(") ").next().unwrap();
        behind.starts_with(&format!("Z {parent} "))
    };
    all.filter(is_its).count()
}

#[test]
fn orphans_of_a_command_are_reaped_and_its_status_is_kept() {
    let dir = Dir::numbered(2, 0);
    let orphans = "(setsid sleep 0.1 &); (sh -c 'exit 5' &); (sleep 0.2 | cat &)";
    // The shell itself ends before its children, too.
    for command in [
        format!("{orphans}; while cat {}/0*.jpg; do sleep 0.05; done", dir.path().display()),
        format!("{orphans}; (while cat {}/0*.jpg; do sleep 0.05; done) &", dir.path().display()),
    ] {
        let camera = format!("exec:{command}");
        let daemon = as_parent_of_orphans(&["--camera", &camera, "--idle-timeout", "300ms"]);
        for _ in 0..2 {
            let mut viewer = daemon.watch("/stream");
            assert!(number(&viewer.next().jpeg).is_some());
            daemon.wait_for_log("which a command had left behind");
            eventually_is("no zombie is left while it runs", || n_zombies(daemon.pid()) == 0);
            drop(viewer);
            daemon.wait_for_state("idle");
            eventually_is("no zombie is left", || n_zombies(daemon.pid()) == 0);
        }
    }
    let daemon = as_parent_of_orphans(&["--camera", "exec:exit 3", "--idle-timeout", "0"]);
    let cause =
        eventually("it is lost", || daemon.status()["camera"]["cause"].as_str().map(str::to_owned));
    assert_eq!(cause, "the command ended with status 3");
}

#[test]
fn files_of_windows_are_read_or_refused_with_what_to_do() {
    let dir = TempDir::new();
    let text = "bind = '127.0.0.1:0'\r\n[[camera]]\r\nname = 'front'\r\nsource = 'demo'\r\n";
    for bytes in [text.into(), format!("\u{feff}{text}"), format!("{text}\x1a")] {
        let file = dir.write("c.toml", bytes);
        let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
        assert_eq!(daemon.status()["camera"]["name"], "front");
    }
    for (bytes, password) in [
        (&b"me:secret\r\n"[..], &b"secret"[..]),
        (b"\xEF\xBB\xBFme:secret\r\n", b"secret"),
        (b"# users\r\n\xEF\xBB\xBFme:secret", b"secret"),
        (b"me:secret \r\n", b"secret"),
        (b"me:secret \r\n", b"secret "),
        (b"me:gr\xFCn\r\n", "gr\u{fc}n".as_bytes()),
        ("me:gr\u{fc}n".as_bytes(), b"gr\xFCn"),
    ] {
        let file = dir.write("users", bytes);
        let daemon = Daemon::start(&["--auth-file", file.to_str().unwrap()]);
        let login = BASE64_STANDARD.encode([b"me:", password].concat());
        let header = format!("Authorization: Basic {login}");
        assert_eq!(daemon.request("GET", "/status", &[&header]).code, 200, "{bytes:?}");
        assert_eq!(daemon.get("/status").code, 401);
    }
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let file = dir.write("c.toml", utf16(&format!("\u{feff}{text}")));
    let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
    assert_eq!(daemon.status()["camera"]["name"], "front");
    // Without its mark nobody can tell UTF-16 from another file.
    for (option, text) in [("--config", text), ("--auth-file", "me:secret\r\n")] {
        let file = dir.write("file", utf16(text));
        let (code, _, err) = Daemon::run(&[option, file.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(option) && err.contains("save it as UTF-8"), "{err}");
    }
}

#[test]
fn limit_of_open_files_is_refused_with_what_works() {
    let run = |limit: &str, threads: &str| {
        let daemon = Daemon::command(&[]);
        let mut command = Command::new("sh");
        let script =
            format!("ulimit -n {limit}; exec \"$0\" --threads {threads} --bind 192.0.2.1:1");
        command.args(["-c", &script]).arg(daemon.get_program()).output().unwrap()
    };
    for limit in ["30", "97", "100"] {
        let output = run(limit, "16");
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        let behind = |text: &str| {
            let rest = err.split_once(text)?.1;
            Some(rest.split([' ', ',', ')']).next()?.to_owned())
        };
        let raised = behind("ulimit -n ").unwrap();
        // Another error then: it cannot listen on that address.
        assert_eq!(run(&raised, "16").status.code(), Some(1), "{err}");
        if let Some(n) = behind("use --threads ") {
            assert_eq!(run(limit, &n).status.code(), Some(1), "{err}");
        }
    }
}

#[test]
fn clock_that_begins_in_1970_and_jumps_deletes_nothing_new() {
    let (dir, to) = (TempDir::new(), TempDir::new());
    // 1970 and some days; faketime takes what is behind the real time.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let clock = dir.write("clock", format!("-{}", now - 400_000));
    let record = to.path().to_str().unwrap();
    let args = ["--camera", "pattern:64x48@20", "--record", record, "--record-max-age", "1h"];
    let mut command = Daemon::command(&args);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let daemon = Daemon::spawn(command);
    wait_for_frames(&daemon, 30);
    let early = all_frames(to.path());
    assert!(early[0].time < 1e6, "{}", early[0].time);
    let jump = |to: &str| fs::rename(dir.write("next", to), &clock).unwrap();
    jump("+0");
    daemon.wait_for_log("the clock was set forwards");
    let n_before = daemon.figure("/recording/written");
    wait_for_frames(&daemon, n_before + 40);
    let all = all_frames(to.path());
    assert!(all.len() >= early.len() + 40 && all[..early.len()] == early, "some were deleted");
    // A day back, and the right time again.
    jump("-86400");
    wait_for_frames(&daemon, n_before + 100);
    jump("+0");
    wait_for_frames(&daemon, n_before + 160);
    let all = all_frames(to.path());
    assert!(all.starts_with(&early) && all.len() >= early.len() + 120, "{}", all.len());
    // Each of them can be asked for by its time.
    let right = all.iter().find(|frame| frame.time > 1e9).unwrap();
    for frame in [&early[0], &early[20], right, all.last().unwrap()] {
        let mut viewer = daemon.watch(&format!("/stream?from={}&extra_headers=1", frame.time));
        let first = viewer.next();
        assert!(
            (first.timestamp() - frame.time).abs() < 0.01,
            "{} {}",
            first.timestamp(),
            frame.time
        );
    }
    let list = daemon.get("/recordings").text();
    let list: Value = serde_json::from_str(&list).expect(&list);
    assert!(list["spans"][0]["start"].as_f64() < Some(1e6), "{list}");
}

#[test]
fn closed_streams_and_an_empty_environment_do_no_harm() {
    let daemon = Daemon::command(&[]);
    // Without standard input and output, HOME, PATH and /dev/shm's variables.
    let script = "exec env -i \"$0\" --bind 127.0.0.1:0 <&- >&-";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(daemon.get_program());
    let daemon = Daemon::spawn(command);
    assert_eq!(daemon.get("/snapshot").code, 200);
    daemon.watch("/stream").next();
    let log = daemon.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}

/// The daemon in a folder that holds it and its libraries alone, mounted
/// read-only, as a container made from scratch.
fn alone(mut command: Command, dir: &TempDir, args: &[&str]) -> Daemon {
    let plain = Daemon::command(args);
    let program = plain.get_program().to_str().unwrap();
    let libraries = Program::new("ldd", "libc-bin").args([program]).text();
    let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries {
        let copy = dir.write(file.trim_start_matches('/'), "");
        fs::copy(file, copy).unwrap();
    }
    let copy = dir.path().join("mjpegd");
    fs::copy(program, copy).unwrap();
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && \
        exec env -i RUST_LOG=info \"$(PATH=/usr/sbin:/sbin:$PATH command -v chroot)\" \"$0\" /mjpegd \"$@\"";
    command.args(["sh", "-c", script]).arg(dir.path());
    command.args(plain.get_args()).stdin(std::process::Stdio::null());
    Daemon::spawn(command)
}

#[test]
fn container_that_holds_nothing_else_says_what_is_missing() {
    // Some systems and containers forbid it, such as Ubuntu by AppArmor.
    let unshare = match unshare() {
        Ok(command) => command,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let dir = TempDir::new();
    let args = ["--bind", "localhost:0", "--idle-timeout", "0", "--record", "/records"];
    let cameras = ["--camera", "demo", "--camera", "shell=exec:cat x", "--camera", "usb=v4l2"];
    let daemon = alone(unshare, &dir, &[&cameras[..], &args].concat());
    assert_eq!(daemon.get("/snapshot").code, 200);
    daemon.watch("/stream").next();
    daemon.wait_for_log("cannot start the command: there is no /bin/sh here");
    daemon.wait_for_log("no camera is plugged in");
    daemon.wait_for_log("cannot open /records/camera: Read-only file system");
    let log = daemon.log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}
