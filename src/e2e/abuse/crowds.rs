//! Many at once: bytes without sense, requests without end, viewers in a crowd.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::{idle, worst_gap};
use crate::support::{Daemon, Metronome};

/// Numbers without a pattern, the same at each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// Connects, sends something that is no whole request and goes, by a reset or
/// not.
fn make_noise(address: SocketAddr, numbers: &mut Numbers) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let kind = numbers.next() % 6;
    let bytes = match kind {
        0 => numbers.bytes(2000),
        1 => b"GET /stream HTTP/1.1\r\nHo".to_vec(),
        2 => [&b"GET /"[..], &numbers.bytes(500), b" HTTP/1.1\r\n\r\n"].concat(),
        3 => b"POST /controls HTTP/1.1\r\nContent-Length: 9000\r\n\r\n{".to_vec(),
        4 => b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        _ => Vec::new(),
    };
    // The daemon may have hung up: that is its good right.
    let _ = stream.write_all(&bytes);
    if numbers.next().is_multiple_of(2) {
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
    if numbers.next().is_multiple_of(4) {
        thread::sleep(Duration::from_millis(numbers.next() % 100));
    }
}

#[test]
fn noise_from_fifty_clients_leaves_a_viewer_without_a_gap() {
    let mut daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "60"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let is_over = AtomicBool::new(false);
    let metronome = Metronome::start();
    let (gap, limit) = thread::scope(|scope| {
        for seed in 1..=50 {
            let (address, is_over) = (daemon.address(), &is_over);
            scope.spawn(move || {
                let mut numbers = Numbers(seed * 0x9E37_79B9);
                while !is_over.load(Relaxed) {
                    make_noise(address, &mut numbers);
                    thread::sleep(Duration::from_millis(5));
                }
            });
        }
        let gap = worst_gap(&mut viewer, Duration::from_secs(20));
        is_over.store(true, Relaxed);
        (gap, metronome.allow(Duration::from_millis(200)))
    });
    assert!(gap < limit, "{gap:?}, and {limit:?} would be right");
    assert_eq!(daemon.get("/healthz").code, 200);
    daemon.wait_for_seats(1);
    assert!(daemon.is_running());
}

/// Asks for so long, and gives back how many were answered by which code.
fn ask_for(address: SocketAddr, target: &str, is_over: &AtomicBool) -> [usize; 2] {
    let mut answered = [0, 0];
    while !is_over.load(Relaxed) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        match reply.get(9..12) {
            Some(b"200") => answered[0] += 1,
            Some(b"503") => answered[1] += 1,
            _ => panic!("no reply but {:?}", String::from_utf8_lossy(&reply)),
        }
    }
    answered
}

#[test]
fn snapshots_at_full_speed_are_all_answered_and_a_viewer_has_no_gap() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let is_over = AtomicBool::new(false);
    let metronome = Metronome::start();
    let (gap, limit, answered) = thread::scope(|scope| {
        let ask = || ask_for(daemon.address(), "/snapshot?max_delay=1000", &is_over);
        let asking: Vec<_> = (0..10).map(|_| scope.spawn(ask)).collect();
        let gap = worst_gap(&mut viewer, Duration::from_secs(8));
        let limit = metronome.allow(Duration::from_millis(250));
        is_over.store(true, Relaxed);
        let answered: Vec<_> = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
        (gap, limit, answered)
    });
    assert!(gap < limit, "{gap:?}, and {limit:?} would be right");
    assert!(answered.iter().all(|[n_pictures, _]| *n_pictures > 10), "{answered:?}");
}

#[test]
fn three_hundred_viewers_at_once_are_served_or_refused_soon() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "200"]);
    let metronome = Metronome::start();
    let begun = Instant::now();
    let mut clients = idle(&daemon, 300);
    clients.iter_mut().for_each(|client| client.request("GET", "/stream", &[]));
    let heads: Vec<_> = clients.iter_mut().map(|client| client.head()).collect();
    let took = begun.elapsed();
    assert!(took < metronome.allow(Duration::from_secs(2)), "{took:?}");
    let n_with = |code: &str| heads.iter().filter(|head| head.contains(code)).count();
    assert_eq!((n_with(" 200 OK"), n_with(" 503 ")), (200, 100));
}
