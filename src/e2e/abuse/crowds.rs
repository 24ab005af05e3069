//! Many clients at once: random bytes, endless requests, crowds of viewers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use socket2::SockRef;

use super::{connections, idle, worst_gap};
use crate::support::{Client, Daemon, Growth, Metronome, Over};

/// Pseudo-random numbers, the same in each run (xorshift).
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

/// Connects, sends something that is no complete request and leaves, with or
/// without a reset.
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
    // The daemon may have closed the connection, which is correct.
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
    let (metronome, growth) = (Metronome::start(), Growth::watch(&daemon));
    let (gap, limit) = thread::scope(|scope| {
        let over = Over(&is_over);
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
        drop(over);
        (gap, metronome.allow(Duration::from_millis(200)))
    });
    assert!(gap < limit, "{gap:?}, and {limit:?} would be right");
    growth.must_be_small();
    // A client that leaves before it is served must not count as a fault of the
    // HTTP library.
    assert_eq!((connections(&daemon, "leaked"), connections(&daemon, "restarts")), (0, 0));
    assert_eq!(daemon.get_within(Duration::from_secs(1), "/healthz").code, 200);
    daemon.wait_for_seats(1);
    assert!(daemon.is_running());
}

/// Sends requests for this long, and returns how many replies had each status
/// code.
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

/// Ten clients poll snapshots as fast as they can while a viewer watches.
fn ask_at_full_speed(target: &str) {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let is_over = AtomicBool::new(false);
    let (metronome, growth) = (Metronome::start(), Growth::watch(&daemon));
    let (gap, limit, answered) = thread::scope(|scope| {
        let over = Over(&is_over);
        let ask = || ask_for(daemon.address(), target, &is_over);
        let asking: Vec<_> = (0..10).map(|_| scope.spawn(ask)).collect();
        let gap = worst_gap(&mut viewer, Duration::from_secs(10));
        let limit = metronome.allow(Duration::from_millis(250));
        drop(over);
        let answered: Vec<_> = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
        (gap, limit, answered)
    });
    assert!(gap < limit, "{gap:?}, and {limit:?} would be right");
    assert!(answered.iter().all(|[n_pictures, _]| *n_pictures > 10), "{answered:?}");
    growth.must_be_small();
}

#[test]
fn snapshots_at_full_speed_are_all_answered_and_a_viewer_has_no_gap() {
    ask_at_full_speed("/snapshot");
}

#[test]
fn snapshots_that_need_no_new_picture_are_all_answered_and_a_viewer_has_no_gap() {
    ask_at_full_speed("/snapshot?max_delay=1000");
}

/// `n` clients request a stream at the same moment. Returns how many got a
/// seat, and how many the reply that there is none.
fn ask_for_seats(daemon: &Daemon, n: usize) -> (Vec<Client>, [usize; 2]) {
    let metronome = Metronome::start();
    daemon.freeze();
    let mut clients = idle(daemon, n);
    clients.iter_mut().for_each(|client| client.request("GET", "/stream", &[]));
    daemon.signal(Signal::CONT);
    let begun = Instant::now();
    let heads: Vec<_> = clients.iter_mut().map(Client::head).collect();
    let took = begun.elapsed();
    assert!(took < metronome.allow(Duration::from_secs(2)), "{took:?}");
    let n_with = |code: &str| heads.iter().filter(|head| head.contains(code)).count();
    let n_answered = [n_with(" 200 OK"), n_with(" 503 ")];
    (clients, n_answered)
}

#[test]
fn three_hundred_viewers_at_once_are_served_or_refused_soon() {
    let args = ["--camera", "pattern:64x48@20", "--threads", "200", "--max-connections", "600"];
    let daemon = Daemon::start(&args);
    let growth = Growth::watch(&daemon);
    let (before, n_answered) = ask_for_seats(&daemon, 300);
    assert_eq!(n_answered, [200, 100]);
    // They reconnect at once, when their old seats may not be free yet.
    drop(before);
    let (after, [n_seated, n_refused]) = ask_for_seats(&daemon, 300);
    assert_eq!(n_seated + n_refused, 300, "{n_seated} and {n_refused}");
    drop(after);
    growth.must_be_small();
}
