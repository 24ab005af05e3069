use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::*;

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

/// Long enough for any machine; only a failing test waits until it is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that sends each client the next of its answers, and then hangs up
/// or waits until the client has left.
struct Server {
    url: String,
    thread: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Wait,
    HangUp,
}

impl Server {
    fn new(answers: Vec<(String, Vec<u8>, Then)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/stream", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            for (head, body, then) in answers {
                let (mut peer, _) = listener.accept().unwrap();
                take_head(&mut peer);
                peer.write_all(head.as_bytes()).unwrap();
                peer.write_all(&body).unwrap();
                if then == Then::Wait {
                    let _ = peer.read(&mut [0]);
                }
            }
        });
        Self { url, thread }
    }

    fn streaming(bodies: Vec<(Vec<u8>, Then)>) -> Self {
        Self::new(bodies.into_iter().map(|(body, then)| (HEAD.into(), body, then)).collect())
    }

    fn client(&self) -> Client {
        Client::new(&self.url).unwrap().timeout(PATIENCE)
    }
}

fn take_head(peer: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
}

fn jpeg(n: u8) -> Vec<u8> {
    vec![0xFF, 0xD8, 0xFF, 0xFE, 0, 3, n, 0xFF, 0xD9]
}

/// Parts with frames of these numbers. Frame n was captured n + 0.5 seconds
/// after 1970.
fn parts(numbers: &[u8]) -> Vec<u8> {
    let mut body = b"--frame\r\n".to_vec();
    for n in numbers {
        let jpeg = jpeg(*n);
        let head = format!("Content-Length: {}\r\nX-Timestamp: {n}.5\r\n\r\n", jpeg.len());
        body = [&body, head.as_bytes(), &jpeg, b"\r\n--frame\r\n"].concat();
    }
    body
}

#[test]
fn every_frame_comes_in_order_and_repeats_are_skipped() {
    let server = Server::streaming(vec![(parts(&[1, 2, 2, 3]), Then::Wait)]);
    let mut frames = server.client().frames();
    for n in 1..=3 {
        let frame = frames.wait().unwrap();
        assert_eq!((frame.jpeg(), frame.number(), frame.n_skipped()), (&*jpeg(n), n.into(), 0));
        let captured = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::from(n) * 1000 + 500);
        assert_eq!(frame.captured(), Some(captured));
        assert!(frame.age() > Some(Duration::from_secs(3600)));
    }
    drop(frames);
    server.thread.join().unwrap();
}

#[test]
fn lost_connection_is_reported_once_and_made_again() {
    let body = |n| (parts(&[n]), Then::HangUp);
    let server = Server::streaming(vec![body(1), body(2)]);
    let seen: Vec<_> = server.client().frames().take(3).collect();
    assert_eq!(seen[0].as_ref().unwrap().number(), 1);
    assert_eq!(seen[1].as_ref().unwrap_err().to_string(), "the server ended the stream");
    assert_eq!(seen[2].as_ref().unwrap().number(), 2);
    assert_eq!(seen[2].as_ref().unwrap().jpeg(), jpeg(2));
}

#[test]
fn last_frame_needs_no_delimiter() {
    let no_end = [b"--frame\r\n\r\n", &jpeg(1)[..7], b"\r\n--frame\r\n\r\n", &jpeg(2)].concat();
    let server = Server::streaming(vec![(no_end, Then::HangUp)]);
    let frames: Vec<_> = server.client().frames().map_while(Result::ok).collect();
    assert_eq!(frames.last().unwrap().jpeg(), jpeg(2));
}

#[test]
fn single_jpeg_and_bare_jpegs_are_streams_too() {
    for kind in ["image/jpeg", "video/x-motion-jpeg"] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n");
        let server = Server::new(vec![(head, jpeg(7), Then::HangUp)]);
        let mut frames = server.client().frames();
        assert_eq!(frames.wait().unwrap().jpeg(), jpeg(7), "{kind}");
        assert!(matches!(frames.wait(), Err(ClientError::Ended(_))));
    }
}

#[test]
fn latest_returns_the_newest_and_counts_skipped_frames() {
    let numbers: Vec<u8> = (1..=50).collect();
    let server =
        Server::streaming(vec![(parts(&numbers), Then::HangUp), (parts(&[51]), Then::Wait)]);
    let mut latest = server.client().latest().unwrap();
    let mut seen = 0;
    while seen < 51 {
        match latest.wait() {
            Ok(frame) => {
                assert_eq!(frame.number(), seen + 1 + frame.n_skipped());
                assert_eq!(u64::from(frame.jpeg()[6]), frame.number());
                seen = frame.number();
            }
            Err(lost) => assert!(matches!(lost, ClientError::Ended(_)), "{lost}"),
        }
    }
    assert_eq!(latest.wait_for(Duration::ZERO).map(|_| ()), None);
    // Joins the thread and closes the connection, which ends the server.
    drop(latest);
    server.thread.join().unwrap();
}

#[test]
fn stopper_ends_a_wait_from_another_thread() {
    let server = Server::streaming(vec![(parts(&[1]), Then::Wait)]);
    let (mut frames, stopper) = server.client().stoppable_frames();
    frames.wait().unwrap();
    let waiting = thread::spawn(move || frames.next().map(|_| ()));
    drop(stopper);
    assert_eq!(waiting.join().unwrap(), None);
    server.thread.join().unwrap();
}

#[test]
fn each_cause_has_its_error() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = |url: &str| Client::new(url).unwrap().frames().wait().unwrap_err();
    assert!(matches!(error(&format!("http://{closed}/")), ClientError::Away(_)));
    type Is = fn(&ClientError) -> bool;
    let cases: [(&str, &str, Is); 5] = [
        ("404 Not Found", "", |e| matches!(e, ClientError::Away(_))),
        ("401 Unauthorized", "", |e| matches!(e, ClientError::Denied(_))),
        ("503 Busy", "", |e| matches!(e, ClientError::Busy(_))),
        ("200 OK", "Content-Type: text/html\r\n", |e| matches!(e, ClientError::Unusable(_))),
        ("200 OK", "Content-Type: multipart/a\r\n", |e| matches!(e, ClientError::Unusable(_))),
    ];
    for (status, header, is) in cases {
        let head = format!("HTTP/1.1 {status}\r\n{header}Connection: close\r\n\r\n");
        let server = Server::new(vec![(head, b"<html>".to_vec(), Then::HangUp)]);
        let error = error(&server.url);
        assert!(is(&error), "{status} {header}: {error:?}");
    }
    assert!(matches!(Client::new("camera").unwrap_err(), ClientError::Address(_)));
}

#[test]
fn silent_server_is_a_timeout() {
    let server = Server::streaming(vec![(Vec::new(), Then::Wait)]);
    let mut frames = server.client().timeout(Duration::from_millis(100)).frames();
    let begun = Instant::now();
    assert!(matches!(frames.wait(), Err(ClientError::Timeout(_))));
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn frame_above_the_limit_is_an_error() {
    for body in [parts(&[1]), [b"--frame\r\n\r\n", &jpeg(1)[..], &[0; 100]].concat()] {
        let server = Server::streaming(vec![(body, Then::HangUp)]);
        let error = server.client().max_frame_bytes(8).frames().wait().unwrap_err();
        assert!(matches!(error, ClientError::Unusable(_)), "{error:?}");
    }
}
