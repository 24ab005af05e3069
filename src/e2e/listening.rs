//! Several addresses, and Unix sockets.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Client, Daemon, TempDir, eventually_is};

/// A daemon at an address and at a Unix socket.
fn start(dir: &TempDir, args: &[&str]) -> (Daemon, PathBuf) {
    let path = dir.path().join("http.sock");
    let unix = format!("unix:{}", path.display());
    let common = ["--camera", "pattern:64x48@20", "--bind", "127.0.0.1:0", "--bind", &unix];
    let daemon = Daemon::start(&[&common[..], args].concat());
    daemon.wait_for_log(&format!("listening on {unix}"));
    (daemon, path)
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes until the daemon closes the connection.
fn rest(mut stream: &UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get(path: &Path, target: &str) -> String {
    let mut stream = connect(path);
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
    rest(&stream)
}

#[test]
fn each_address_serves_and_they_share_the_seats() {
    let dir = TempDir::new();
    let (daemon, path) = start(&dir, &["--bind", "127.0.0.2:0", "--threads", "1"]);
    daemon.wait_for_log("listening on http://127.0.0.2:");
    let log = daemon.log();
    let addresses = log.iter().filter_map(|line| line.split_once("listening on http://"));
    let addresses: Vec<SocketAddr> =
        addresses.map(|(_, rest)| rest.trim_end_matches('/').parse().unwrap()).collect();
    assert_eq!(addresses.len(), 2, "{log:?}");
    for address in addresses {
        let mut client = Client::connect(address);
        client.request("GET", "/snapshot", &[]);
        assert_eq!(client.reply("GET").code, 200);
    }
    assert!(get(&path, "/snapshot").starts_with("HTTP/1.1 200 OK\r\n"));
    // The one seat is taken through one listener, and refused through the other.
    let mut viewer = connect(&path);
    viewer.write_all(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut piece = [0; 4096];
    assert!(viewer.read(&mut piece).unwrap() > 0);
    daemon.wait_for_seats(1);
    assert_eq!(daemon.get("/stream").code, 503);
    assert_eq!(daemon.status()["viewers"][0]["address"], "unix");
    drop(viewer);
    daemon.wait_for_seats(0);
}

#[test]
fn curl_and_a_body_in_pieces_come_through_a_unix_socket() {
    let dir = TempDir::new();
    let (_daemon, path) = start(&dir, &["--threads", "2"]);
    let curl = |args: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "20", "--unix-socket"]).arg(&path).args(args);
        command.output().unwrap()
    };
    let picture = curl(&["http://localhost/snapshot"]);
    assert!(picture.stdout.starts_with(b"\xff\xd8"), "{picture:?}");
    // A pattern has no controls: what counts is that the body was read.
    let json = ["-H", "Content-Type: application/json", "-d", r#"{"nothing": 1}"#];
    let answer = curl(&[&json[..], &["http://localhost/controls"]].concat());
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let head = "POST /controls HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 14\r\n\r\n";
    let mut stream = connect(&path);
    stream.write_all(head.as_bytes()).unwrap();
    let mut piece = [0; 25];
    stream.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{\"nothing\"").unwrap();
    stream.write_all(b": 1}").unwrap();
    let whole = rest(&stream);
    assert!(!answer.is_empty() && whole.ends_with(&answer), "{whole} and {answer}");
}

#[test]
fn clients_that_send_no_whole_head_are_cut_and_counted() {
    let dir = TempDir::new();
    let (daemon, path) = start(&dir, &["--head-timeout", "2s", "--max-head", "2000"]);
    let silent = connect(&path);
    let mut slow = connect(&path);
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert_eq!((rest(&silent), rest(&slow)), (String::new(), String::new()));
    let mut large = connect(&path);
    let _ = large.write_all(&[b'x'; 3000]);
    assert!(rest(&large).starts_with("HTTP/1.1 431 "));
    let mut bad = connect(&path);
    bad.write_all(b"nonsense\r\n\r\n").unwrap();
    assert!(rest(&bad).starts_with("HTTP/1.1 400 "));
    assert!(get(&path, "/healthz").starts_with("HTTP/1.1 200 "));
    let cut = &daemon.status()["connections"]["cut"];
    assert_eq!((&cut["head_timeout"], &cut["head_size"]), (&2.into(), &1.into()));
    eventually_is("none waits", || daemon.figure("/connections/waiting") == 0);
}

#[test]
fn silent_clients_keep_nobody_out() {
    let dir = TempDir::new();
    let args = ["--threads", "2", "--max-connections", "18", "--head-timeout", "1day"];
    let (daemon, path) = start(&dir, &args);
    let crowd: Vec<_> = (0..60).map(|_| connect(&path)).collect();
    assert!(get(&path, "/healthz").starts_with("HTTP/1.1 200 "));
    // A slow processor is still at it, and cuts what it sees first.
    let is_cut = |mut stream: &UnixStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0]).map_or_else(|e| e.kind() != ErrorKind::WouldBlock, |n| n == 0)
    };
    let n_cut = || crowd.iter().filter(|stream| is_cut(stream)).count();
    eventually_is("the crowd is cut", || n_cut() >= 40);
    assert_eq!(daemon.get("/healthz").code, 200);
    assert!(daemon.figure("/connections/cut/crowd") >= 40);
    drop(crowd);
}

#[test]
fn file_goes_with_a_daemon_that_cannot_listen_at_its_next_address() {
    let (dir, taken) = (TempDir::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let path = dir.path().join("first.sock");
    let (unix, next) = (format!("unix:{}", path.display()), taken.local_addr().unwrap());
    let (code, _, stderr) = Daemon::run(&["--bind", &unix, "--bind", &next.to_string()]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {next}")), "{stderr}");
    assert!(!path.exists());
}

#[test]
fn file_has_its_mode_and_goes_with_the_daemon_unless_that_is_killed() {
    let dir = TempDir::new();
    let (mut daemon, path) = start(&dir, &["--unix-mode", "600"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A second daemon reports who is there, and leaves the socket alone.
    let unix = format!("unix:{}", path.display());
    let (code, _, stderr) = Daemon::run(&["--bind", &unix]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("another program listens there"), "{stderr}");
    assert!(get(&path, "/healthz").starts_with("HTTP/1.1 200 "));
    daemon.signal(Signal::KILL);
    daemon.wait();
    assert!(path.exists());
    let (mut daemon, path) = start(&dir, &[]);
    assert!(get(&path, "/healthz").starts_with("HTTP/1.1 200 "));
    daemon.signal(Signal::TERM);
    assert!(daemon.wait().success());
    assert!(!path.exists());
}
