//! Answers that a server sends piece by piece, over a real connection.

pub(crate) mod doors;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::shutdown::{self, Trigger};

/// Long enough for any machine; only a failing test waits until it is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose connections the test itself answers.
struct Server(TcpListener);

impl Server {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// A fetcher for this server. It works until the trigger is dropped.
    fn fetcher(&self, login: &str) -> (Fetcher, Trigger) {
        let url = Url::parse(&format!("http://{login}{}/", self.0.local_addr().unwrap())).unwrap();
        let (trigger, stop) = shutdown::channel();
        (Fetcher::new(url, &Trust::Public, stop), trigger)
    }
}

/// Reads the head of a request.
fn request(peer: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// The next bytes of a body, up to this many or its end.
fn read_all(body: &mut BodyReader, n_expected: usize) -> Vec<u8> {
    let (mut seen, mut buf, until) = (Vec::new(), [0; 100], Instant::now() + PATIENCE);
    while seen.len() < n_expected {
        match body.read(&mut buf, until).unwrap() {
            0 => break,
            n => seen.extend_from_slice(&buf[..n]),
        }
    }
    seen
}

/// A camera may pause anywhere, also inside the line with the size of the first chunk.
/// The reader then waits in vain, more than once, and goes on where it was.
#[test]
fn pause_before_a_body_does_not_change_how_its_chunks_are_read() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for pieces in [
        // As ureq takes them, with line feeds alone, and a body that has no chunks.
        [&b""[..], b"5\r\n", b"hello\r\n0\r\n\r\n"],
        [b"", b"5\n", b"hello\n0\n\n"],
        [b"", b"5; a=\"longer than twenty bytes\"", b"\r\nhello\r\n0\r\n\r\n"],
        [b"5", b"\n", b"hello\n0\n\n"],
        [b"5\n", b"he", b"llo\n0\n\n"],
        [b"", b"h", b"ello"],
    ] {
        let server = Server::new();
        let (mut fetcher, _trigger) = server.fetcher("");
        let peer = thread::spawn(move || {
            let (mut peer, _) = server.0.accept().unwrap();
            request(&mut peer);
            peer.write_all(HEAD).unwrap();
            peer
        });
        let mut body = fetcher.get(Instant::now() + PATIENCE).unwrap().body;
        let (mut peer, mut seen) = (peer.join().unwrap(), Vec::new());
        for piece in pieces {
            peer.write_all(piece).unwrap();
            // Reads what came, until a wait is in vain: the piece is in the connection.
            for _ in 0..2 {
                let (mut buf, until) = ([0; 100], Instant::now() + Duration::from_millis(20));
                match body.read(&mut buf, until) {
                    Ok(n) => seen.extend_from_slice(&buf[..n]),
                    Err(e) => assert_eq!(e.kind(), io::ErrorKind::WouldBlock, "{pieces:?}"),
                }
            }
        }
        seen.extend(read_all(&mut body, 5 - seen.len().min(5)));
        let shown = pieces.map(|piece| piece.escape_ascii().to_string());
        assert_eq!(seen.escape_ascii().to_string(), "hello", "{shown:?}");
    }
}

/// Cameras count failed logins and lock out who has too many, so a login that was
/// accepted once is sent with each request until the server refuses it.
#[test]
fn login_survives_answers_that_do_not_judge_it() {
    let server = Server::new();
    let (mut fetcher, _trigger) = server.fetcher("me:secret@");
    let answering = thread::spawn(move || {
        let answers = [
            "401 No\r\nWWW-Authenticate: Digest realm=a, nonce=first",
            "503 Full",
            "503 Full",
            "", // The connection breaks.
            "401 No\r\nWWW-Authenticate: Digest realm=a, nonce=second",
            "200 OK",
            "500 Broken",
            "200 OK",
        ];
        answers.map(|answer| {
            let (mut peer, _) = server.0.accept().unwrap();
            let head = request(&mut peer);
            if !answer.is_empty() {
                let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n");
                peer.write_all(answer.as_bytes()).unwrap();
            }
            ["first", "second"].into_iter().find(|nonce| head.contains(&format!("\"{nonce}\"")))
        })
    });
    let mut get = || match fetcher.get(Instant::now() + PATIENCE) {
        Ok(_) => None,
        Err(Error::Failed(cause, _)) => Some(cause),
        Err(Error::Stopped) => panic!("nobody stops it"),
    };
    // Two requests for the first call, since it must ask for the challenge, and for the
    // fourth, whose nonce the server has forgotten.
    let seen = [get(), get(), get(), get(), get(), get()];
    use Cause::{Busy, Io, Unusable};
    assert_eq!(seen, [Some(Busy), Some(Busy), Some(Io), None, Some(Unusable), None]);
    let (first, second) = (Some("first"), Some("second"));
    let sent = answering.join().unwrap();
    assert_eq!(sent, [None, first, first, first, first, second, second, second]);
}
