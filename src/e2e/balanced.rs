//! The page behind a balancer that sends each request to any of several servers, and
//! the heartbeat by which a page learns that its stream has ended.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use rustix::process::Signal;

use crate::support::{Browser, Client, Daemon, eventually_is};

/// Which of the servers answers a path, at the how manieth time it is asked for.
type Choose = fn(path: &str, n: usize) -> usize;

/// A balancer of TCP that keeps no client at a server.
struct Balancer {
    address: SocketAddr,
    n_streams: Arc<AtomicUsize>,
    n_states: Arc<AtomicUsize>,
}

impl Balancer {
    fn start(servers: Vec<SocketAddr>, choose: Choose) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (n_streams, n_states) = (Arc::default(), Arc::default());
        let new = Self { address, n_streams, n_states };
        let (n_streams, n_states) = (Arc::clone(&new.n_streams), Arc::clone(&new.n_states));
        // Ends with the test's process.
        thread::spawn(move || {
            for (n, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let (servers, n_streams, n_states) =
                    (servers.clone(), Arc::clone(&n_streams), Arc::clone(&n_states));
                thread::spawn(move || {
                    let head = head(&client);
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    n_streams.fetch_add(path.starts_with("/video_feed").into(), Relaxed);
                    n_states.fetch_add(path.starts_with("/status").into(), Relaxed);
                    // A server that is gone is left out, as by a check of its health.
                    let first = choose(path, n);
                    let mut order =
                        (0..servers.len()).map(|i| servers[(first + i) % servers.len()]);
                    if let Some(server) = order.find_map(|s| TcpStream::connect(s).ok()) {
                        relay(&client, &server, &head);
                    }
                });
            }
        });
        new
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn head(mut client: &TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn relay(mut client: &TcpStream, mut server: &TcpStream, head: &str) {
    thread::scope(|scope| {
        let _ = server.write_all(head.as_bytes());
        // A page that closes its stream.
        scope.spawn(move || {
            let _ = copy(&mut client, &mut server);
            let _ = server.shutdown(Shutdown::Both);
        });
        let _ = copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Both);
    });
}

fn servers() -> [Daemon; 2] {
    [(); 2].map(|()| Daemon::start(&["--camera", "pattern:320x240@10", "--drain-timeout", "1s"]))
}

/// Two servers with the same two cameras.
fn pairs() -> [Daemon; 2] {
    let cameras = ["--camera", "one=pattern:320x240@10", "--camera", "two=pattern:320x240@10"];
    [(); 2].map(|()| Daemon::start(&[&cameras[..], &["--drain-timeout", "1s"]].concat()))
}

fn open(balancer: &Balancer) -> Browser {
    let browser = Browser::start();
    browser.open(&balancer.url());
    eventually_is("the page is live", || state(&browser) == "live");
    browser
}

fn state(browser: &Browser) -> String {
    browser.run("return document.documentElement.dataset.state").as_str().unwrap().to_owned()
}

/// Streams to the first server, all else in turn.
fn in_turn(path: &str, n: usize) -> usize {
    if path.starts_with("/video_feed") { 0 } else { n % 2 }
}

/// The first server answers streams and heartbeats, the second one states.
fn apart(path: &str, _: usize) -> usize {
    usize::from(!path.contains("/video_feed") && !path.starts_with("/heartbeat"))
}

#[test]
fn page_finds_itself_and_does_not_open_its_stream_again() {
    let servers = servers();
    let balancer = Balancer::start(servers.iter().map(Daemon::address).collect(), in_turn);
    let browser = open(&balancer);
    // It has seen itself, between answers of the one that does not know it.
    eventually_is("the page shows its rate", || browser.text("fps").ends_with("fps"));
    let n_before = balancer.n_states.load(Relaxed);
    eventually_is("states of both", || balancer.n_states.load(Relaxed) > n_before + 6);
    assert_eq!(balancer.n_streams.load(Relaxed), 1);
    assert_eq!((servers[0].figure("/seats/taken"), servers[1].figure("/seats/taken")), (1, 0));
}

#[test]
fn page_of_which_no_state_tells_keeps_its_stream_until_that_ends() {
    let [mut first, second] = servers();
    let balancer = Balancer::start(vec![first.address(), second.address()], apart);
    let _browser = open(&balancer);
    eventually_is("many states", || balancer.n_states.load(Relaxed) > 5);
    assert_eq!(balancer.n_streams.load(Relaxed), 1);
    // No state tells, and an <img> says nothing.
    first.signal(Signal::TERM);
    first.wait();
    second.wait_for_seats(1);
}

#[test]
fn tiles_of_which_no_state_tells_keep_their_streams_until_these_end() {
    let [mut first, second] = pairs();
    let balancer = Balancer::start(vec![first.address(), second.address()], apart);
    let browser = Browser::start();
    browser.open(&balancer.url());
    first.wait_for_seats(2);
    let asked = || {
        browser.run(
            "return performance.getEntriesByType('resource').map(({ name }) => name).join(' ')",
        )
    };
    eventually_is("many states", || balancer.n_states.load(Relaxed) > 5);
    assert_eq!((first.figure("/seats/taken"), second.figure("/seats/taken")), (2, 0));
    // No state tells, and an <img> says nothing.
    let n_before = balancer.n_states.load(Relaxed);
    first.signal(Signal::TERM);
    first.wait();
    second.wait_for_seats(2);
    // Without the heartbeat it takes half a minute, and the page asks every two seconds.
    assert!(balancer.n_states.load(Relaxed) < n_before + 8);
    // One reply beats for both.
    let asked = asked().to_string();
    assert!(asked.contains("/heartbeat?key=") && asked.contains("&key="), "{asked}");
}

#[test]
fn heartbeat_of_several_streams_tells_them_apart_and_ends_with_the_first() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewers = ["a", "b"].map(|key| daemon.watch(&format!("/stream?key={key}")));
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let mut client = Client::connect(daemon.address());
    client.request("GET", "/heartbeat?key=a&key=none&key=b", &[]);
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    let beats = client.take(4);
    let n = |byte: u8| beats.iter().filter(|beat| **beat == byte).count();
    assert!(n(b'.') > 0 && n(b'0') > 0 && n(b'.') + n(b'0') == 4, "{beats:?}");
    let [first, mut second] = viewers;
    drop(first);
    assert!(client.take_rest().len() < 20, "it ends");
    second.next();
    assert_eq!(daemon.get("/heartbeat?key=none&key=other").code, 404);
    assert_eq!(daemon.get("/heartbeat?key=b&key=").code, 400);
}

#[test]
fn heartbeat_goes_on_as_long_as_the_stream() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--threads", "1"]);
    assert_eq!(daemon.get("/heartbeat").code, 400);
    assert_eq!(daemon.get("/heartbeat?key=").code, 400);
    assert_eq!(daemon.get("/heartbeat?key=a").code, 404);
    let mut viewer = daemon.watch("/stream?key=a");
    viewer.next();
    let listen = || {
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/heartbeat?key=a", &[]);
        assert!(client.head().starts_with("HTTP/1.1 200 "));
        client
    };
    let mut first = listen();
    assert_eq!(first.take(2), b"..", "while pictures come");
    assert_eq!(daemon.request("HEAD", "/heartbeat?key=a", &[]).code, 200);
    // Not one more for each reload of a page.
    let mut second = listen();
    assert!(first.take_rest().len() < 10, "the earlier one ends");
    assert_eq!(second.take(1), b".");
    assert_eq!(daemon.figure("/seats/taken"), 1, "it takes no seat");
    drop(viewer);
    second.take_rest();
    eventually_is("it is known no more", || daemon.get("/heartbeat?key=a").code == 404);
    daemon.wait_for_seats(0);
}

#[test]
fn heartbeats_leave_connections_for_requests() {
    // 16 more than seats is the least, and 64 stay free of heartbeats.
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--max-connections", "66"]);
    let mut viewers: Vec<_> = (0..4).map(|n| daemon.watch(&format!("/stream?key={n}"))).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let reply = daemon.get("/heartbeat?key=1");
    assert_eq!(reply.code, 503);
    assert!(reply.text().starts_with("too many connections"), "{}", reply.text());
}

#[test]
fn instance_is_that_of_the_process_in_the_status_and_in_the_cookie() {
    let [one, other] = servers();
    let instance = |daemon: &Daemon| daemon.status()["instance"].as_str().unwrap().to_owned();
    assert_eq!(instance(&one), instance(&one));
    assert_ne!(instance(&one), instance(&other));
    let head = one.watch("/stream?key=a%20b").head;
    let cookie = format!("\r\nSet-Cookie: mjpegd_a%20b={}; path=/;", instance(&one));
    assert!(head.contains(&cookie), "{head}");
    assert!(!one.watch("/stream").head.contains("mjpegd_"), "nobody looks for it");
}
