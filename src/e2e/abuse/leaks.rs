//! Connections that the HTTP library never releases (leaks), and the restart
//! that frees them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::connections;
use crate::support::{Client, Daemon, Growth, Over, eventually_is};

/// What an HTTP/2 client sends to a server that it expects to speak HTTP/2. It
/// deadlocks a thread of the HTTP library for ever.
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn lose(daemon: &Daemon, n: usize) {
    for _ in 0..n {
        Client::connect(daemon.address()).send(PREFACE);
    }
}

#[test]
fn lost_connections_are_counted_and_nothing_else_is() {
    let camera = ["--camera", "pattern:64x48@20", "--threads", "60"];
    let daemon = Daemon::start(&[&["--head-timeout", "2s"], &camera[..]].concat());
    lose(&daemon, 10);
    let silent = Client::connect(daemon.address());
    for _ in 0..20 {
        daemon.get("/healthz");
        daemon.watch("/stream").next();
    }
    eventually_is("ten are lost", || connections(&daemon, "leaked") >= 10);
    drop(silent);
    assert_eq!(connections(&daemon, "leaked"), 10);
    assert!(daemon.get("/metrics").text().contains("mjpegd_connections_leaked_total 10\n"));
}

/// How often it has restarted; `None` where the restart has cut this very request.
fn n_restarts(daemon: &Daemon) -> Option<u64> {
    let mut client = Client::connect(daemon.address());
    client.request("GET", "/status", &[]);
    let reply = String::from_utf8(client.take_rest()).unwrap();
    let status: serde_json::Value = serde_json::from_str(reply.split_once("\r\n\r\n")?.1).ok()?;
    status.pointer("/connections/restarts")?.as_u64()
}

/// Sends requests until `is_over` is set. Returns how many were answered and
/// how many cut off. A refused connection fails the test.
fn ask_on(address: SocketAddr, is_over: &AtomicBool) -> (usize, usize) {
    let (mut n_answered, mut n_cut) = (0, 0);
    while !is_over.load(Relaxed) {
        let mut stream = TcpStream::connect(address).expect("the port is refused");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut reply = Vec::new();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        let _ = stream.read_to_end(&mut reply);
        if reply.starts_with(b"HTTP/1.1 200") {
            n_answered += 1;
        } else {
            n_cut += 1;
        }
    }
    (n_answered, n_cut)
}

#[test]
fn too_many_lost_connections_make_it_start_anew_without_refusing_one() {
    let args = ["--head-timeout", "2s", "--max-leaks", "20"];
    let mut daemon = Daemon::start(&args);
    let pid = daemon.pid();
    let growth = Growth::watch(&daemon);
    let is_over = AtomicBool::new(false);
    let (n_answered, n_cut) = thread::scope(|scope| {
        let over = Over(&is_over);
        let asking = scope.spawn(|| ask_on(daemon.address(), &is_over));
        lose(&daemon, 100);
        eventually_is("it restarts", || n_restarts(&daemon) == Some(1));
        drop(over);
        asking.join().unwrap()
    });
    assert!(n_answered > 20 && n_cut <= 1, "{n_answered} answered, {n_cut} cut off");
    assert!(daemon.is_running() && daemon.pid() == pid);
    daemon.wait_for_log("restarting, because");
    growth.must_be_small();
    assert_eq!(connections(&daemon, "leaked"), 0);
    assert!(daemon.get("/metrics").text().contains("\nmjpegd_restarts_total 1\n"));
    let n_threads = daemon.threads().len();
    assert!(n_threads < 20, "{n_threads} threads");
    // The restarted program listens as before, and can restart again.
    lose(&daemon, 30);
    eventually_is("it restarts a second time", || n_restarts(&daemon) == Some(2));
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn new_start_waits_for_viewers_as_long_as_it_can() {
    let args = ["--head-timeout", "2s", "--max-leaks", "5", "--camera", "pattern:64x48@20"];
    let daemon = Daemon::start(&args);
    let mut viewer = daemon.watch("/stream");
    lose(&daemon, 10);
    eventually_is("ten are lost", || connections(&daemon, "leaked") == 10);
    viewer.next();
    assert_eq!(connections(&daemon, "restarts"), 0);
    lose(&daemon, 10);
    eventually_is("four times as many are too many", || n_restarts(&daemon) == Some(1));
    viewer.client.take_rest();
    daemon.watch("/stream").next();
}
