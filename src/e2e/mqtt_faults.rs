//! Brokers of MQTT that fail, hang or lie.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::mqtt::{change_controls, mqtt, visit};
use crate::recording::end;
use crate::support::{Daemon, Dir, PATIENCE, eventually, eventually_is};

/// One packet: its first byte, and all behind its length.
fn packet(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut byte = || {
        let mut byte = [0];
        stream.read_exact(&mut byte).map(|()| byte[0])
    };
    let first = byte().unwrap();
    let (mut length, mut shift) = (0, 0);
    loop {
        let digit = byte().unwrap();
        length |= usize::from(digit & 0x7F) << shift;
        shift += 7;
        if digit & 0x80 == 0 {
            break;
        }
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).unwrap();
    (first, rest)
}

/// Lets the program in, and returns its connection.
fn let_in(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (first, connect) = packet(&mut stream);
    assert_eq!((first, &connect[..7]), (0x10, &b"\x00\x04MQTT\x04"[..]));
    stream.write_all(b"\x20\x02\x00\x00").unwrap();
    stream
}

/// The next PUBLISH at QoS 1: its first byte, its number and its payload.
fn next_event(stream: &mut TcpStream) -> (u8, [u8; 2], Vec<u8>) {
    loop {
        let (first, rest) = packet(stream);
        if first & 0xF6 == 0x32 {
            let at = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            return (first, [rest[at], rest[at + 1]], rest[at + 2..].to_vec());
        }
    }
}

#[test]
fn event_that_is_not_acknowledged_comes_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}/p", listener.local_addr().unwrap());
    let daemon = Daemon::start(&["--mqtt", &url]);
    let mut stream = let_in(&listener);
    change_controls(&daemon, 2);
    let (first, id, payload) = next_event(&mut stream);
    assert_eq!(first, 0x32);
    let second = next_event(&mut stream);
    stream.write_all(&[&[0x40, 2], &second.1[..]].concat()).unwrap();
    eventually_is("it has read that", || mqtt(&daemon)["waiting"] == 1);
    drop(stream);
    let mut stream = let_in(&listener);
    // The same number, marked as a repetition; the other one is not sent again.
    assert_eq!(next_event(&mut stream), (0x3A, id, payload));
    stream.write_all(&[&[0x40, 2], &id[..]].concat()).unwrap();
    eventually_is("it has read that", || mqtt(&daemon)["waiting"] == 0);
    assert_eq!(mqtt(&daemon)["failures"], 1);
}

#[test]
fn server_that_is_no_broker_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}/p", listener.local_addr().unwrap());
    let daemon = Daemon::start(&["--mqtt", &url]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    let line = daemon.wait_for_log("this is no MQTT broker");
    assert!(line.contains(&url), "{line}");
}

/// Viewers are served, and the program ends in time.
fn is_not_held_up(daemon: Daemon) {
    let mut viewer = daemon.watch("/stream");
    (0..5).for_each(|_| drop(viewer.next()));
    let begun = Instant::now();
    end(daemon);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn broker_that_hangs_holds_up_neither_viewers_nor_the_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}/p", listener.local_addr().unwrap());
    // It says nothing at all.
    let daemon = Daemon::start(&["--mqtt", &url]);
    let _silent = listener.accept().unwrap();
    is_not_held_up(daemon);
    // It acknowledges nothing.
    let daemon = Daemon::start(&["--mqtt", &url]);
    let _silent = let_in(&listener);
    change_controls(&daemon, 300);
    eventually_is("all wait", || mqtt(&daemon)["waiting"] == 300);
    is_not_held_up(daemon);
    // It takes a part of a picture that is larger than what sockets hold.
    let dir = Dir::numbered(2, 15_000_000);
    let options = ["--camera", &dir.camera(), "--idle-timeout", "0", "--mqtt", &url];
    let daemon = Daemon::start(&options);
    let mut stream = let_in(&listener);
    let mut seen = Vec::new();
    while !seen.ends_with(b"p/camera/snapshot\xFF\xD8") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    is_not_held_up(daemon);
}

#[test]
fn broker_that_floods_is_read_with_bounds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}/p", listener.local_addr().unwrap());
    let daemon = Daemon::start(&["--mqtt", &url]);
    let mut stream = let_in(&listener);
    let flood = thread::spawn(move || {
        let acks = b"\x40\x02\x12\x34".repeat(4096);
        while stream.write_all(&acks).is_ok() {}
    });
    // It still gets what happens, and ends.
    visit(&daemon);
    let published =
        eventually("it publishes", || mqtt(&daemon)["published"].as_u64().filter(|n| *n > 5));
    assert!(published > 5 && daemon.log().len() < 20);
    end(daemon);
    flood.join().unwrap();
}
