//! A viewer outside the machine: reads the daemon's stream and status through the forwarded port.
//!
//! Called by the tests of the daemon. It works for any camera.

use crate::machine::Machine;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longer than any wait in these tests may take in an emulated machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open stream, in the layout with lengths.
pub(crate) struct Viewer(pub(crate) BufReader<TcpStream>);

impl Viewer {
    pub(crate) fn open(machine: &Machine) -> Self {
        Self::of(machine, "/stream")
    }

    /// A viewer of another address, such as that of a camera by its name.
    pub(crate) fn of(machine: &Machine, path: &str) -> Self {
        Self(request(machine.service, path))
    }

    /// The JPEG of the next part.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut length = None;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("the stream goes on");
            assert!(!line.is_empty(), "the stream has ended");
            if let Some(number) = line.strip_prefix("Content-Length: ") {
                length = Some(number.trim().parse().expect("a length is a number"));
            }
            match length {
                Some(length) if line == "\r\n" => {
                    let mut jpeg = vec![0; length];
                    self.0.read_exact(&mut jpeg).expect("the part is as long as it says");
                    return jpeg;
                }
                _ => {}
            }
        }
    }

    /// Reads until `n` pictures have come in the order of the camera's `round` without a gap. Each must equal one of
    /// the round, byte for byte. A viewer that was delayed gets the newest picture, not those in between; the count
    /// then restarts.
    pub(crate) fn read_in_a_row(&mut self, n: usize, round: &[Vec<u8>]) {
        let end = Instant::now() + PATIENCE;
        let (mut last, mut n_in_a_row) = (None, 0);
        while n_in_a_row < n {
            let jpeg = self.next();
            let place = round.iter().position(|picture| *picture == jpeg);
            let place = place.expect("what came is not one of the camera's pictures");
            let follows = last.is_none_or(|last: usize| place == (last + 1) % round.len());
            n_in_a_row = if follows { n_in_a_row + 1 } else { 1 };
            last = Some(place);
            assert!(Instant::now() < end, "no {n} pictures in a row in {PATIENCE:?}");
        }
    }

    /// Reads until a JPEG satisfies `is_it`, and returns how many came before it.
    pub(crate) fn next_that(&mut self, what: &str, is_it: impl Fn(&[u8]) -> bool) -> usize {
        let end = Instant::now() + PATIENCE;
        for n_before in 0.. {
            if is_it(&self.next()) {
                return n_before;
            }
            assert!(Instant::now() < end, "{what} has not come in {PATIENCE:?}");
        }
        unreachable!("the loop ends at its deadline")
    }
}

/// A viewer outside the machine that discards what it gets.
pub(crate) struct BackgroundViewer {
    socket: TcpStream,
    n_bytes: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundViewer {
    pub(crate) fn open(machine: &Machine) -> Self {
        let mut viewer = Viewer::open(machine);
        let socket = viewer.0.get_ref().try_clone().expect("a descriptor is free");
        let n_bytes = Arc::default();
        let mut count = Count(Arc::clone(&n_bytes));
        // The thread ends when `drop` closes the connection, with or without an error.
        let read = move || drop(io::copy(&mut viewer.0, &mut count));
        Self { socket, n_bytes, thread: Some(thread::spawn(read)) }
    }

    /// The number of bytes received so far.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes.load(Relaxed)
    }
}

impl Drop for BackgroundViewer {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Count(Arc<AtomicU64>);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of a short reply.
pub(crate) fn get(machine: &Machine, path: &str) -> Vec<u8> {
    let mut reply = Vec::new();
    request(machine.service, path).read_to_end(&mut reply).expect("a short reply ends");
    let head = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a reply has a head");
    reply.split_off(head + 4)
}

/// POSTs JSON to /controls. Returns the status code and the body of the reply.
pub(crate) fn post(machine: &Machine, changes: &serde_json::Value) -> (u16, String) {
    let body = changes.to_string();
    let mut stream = connect(machine.service);
    write!(
        stream,
        "POST /controls HTTP/1.1\r\nHost: camera\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request can be sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a short reply ends");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a reply has a head");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (code.expect("a reply has a code"), body.to_string())
}

/// As `post`. Returns for each control the value that the camera has set, or the error.
pub(crate) fn set(machine: &Machine, changes: &serde_json::Value) -> serde_json::Value {
    let (_, body) = post(machine, changes);
    let reply: serde_json::Value = serde_json::from_str(&body).expect(&body);
    reply["controls"].clone()
}

/// The control of this name, as the daemon lists it.
pub(crate) fn control(machine: &Machine, name: &str) -> serde_json::Value {
    let reply = String::from_utf8(get(machine, "/controls")).expect("JSON is UTF-8");
    let list: serde_json::Value = serde_json::from_str(&reply).expect(&reply);
    let all = list["controls"].as_array().expect(&reply);
    all.iter().find(|control| control["name"] == name).expect(&reply).clone()
}

/// `camera` of the status.
pub(crate) fn camera(machine: &Machine) -> serde_json::Value {
    let status: serde_json::Value =
        serde_json::from_slice(&get(machine, "/status")).expect("the status is JSON");
    status["camera"].clone()
}

/// Waits until the status of the camera satisfies `is_it`.
pub(crate) fn camera_that(
    machine: &Machine,
    what: &str,
    is_it: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let camera = camera(machine);
        if is_it(&camera) {
            return camera;
        }
        assert!(Instant::now() < end, "{what} has not come in {PATIENCE:?}: {camera}");
    }
}

/// Waits until the camera is lost and the cause contains this text.
pub(crate) fn lost(machine: &Machine, says: &str) {
    camera_that(machine, &format!("a camera lost for '{says}'"), |camera| {
        camera["state"] == "lost"
            && camera["cause"].as_str().is_some_and(|cause| cause.contains(says))
    });
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("the forwarded port is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

fn request(server: SocketAddr, path: &str) -> BufReader<TcpStream> {
    let mut stream = connect(server);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: camera\r\n\r\n").expect("a request can be sent");
    BufReader::new(stream)
}
