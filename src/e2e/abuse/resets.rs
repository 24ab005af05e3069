//! Clients that disconnect before they are served.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::Signal;
use socket2::SockRef;

use super::connections;
use crate::support::{Daemon, Footprint, eventually_is};

fn daemon() -> Daemon {
    Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "4"])
}

/// Sends these bytes and resets the connection.
pub(super) fn reset(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(bytes);
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn clients_that_reset_their_connections_are_survived() {
    let mut daemon = daemon();
    let mut viewer = daemon.watch("/stream");
    for n in 0..50 {
        reset(daemon.address(), [&b"GET /stream HTTP/1.1\r\n\r\n"[..], b""][n % 2]);
        viewer.next();
    }
    daemon.wait_for_seats(1);
    assert_eq!(daemon.get_within(Duration::from_secs(1), "/healthz").code, 200);
    assert!(daemon.is_running());
}

#[test]
fn clients_that_are_gone_before_they_are_accepted_are_survived() {
    let mut daemon = daemon();
    let fresh = Footprint::fresh(&daemon);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    daemon.freeze();
    (0..100).for_each(|_| reset(daemon.address(), b"GET /stream HTTP/1.1\r\n\r\n"));
    daemon.signal(Signal::CONT);
    (0..20).for_each(|_| drop(viewer.next()));
    assert_eq!(daemon.get_within(Duration::from_secs(1), "/healthz").code, 200);
    // The HTTP library panics at each. The daemon logs that once and counts
    // them all.
    eventually_is("they are counted", || connections(&daemon, "panics") >= 100);
    let log = daemon.log();
    let n_lines = log.iter().filter(|line| line.contains("panic")).count();
    assert!(n_lines <= 2, "{n_lines} lines");
    drop(viewer);
    Footprint::settled(&daemon, &fresh);
    assert!(daemon.is_running());
}
