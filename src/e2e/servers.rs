//! Fake servers as cameras: every dialect, every fault.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use crate::support::{Asked, Client, Daemon, Fake, eventually, eventually_is, number, numbered};

/// Between two pictures.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn daemon(camera: &str, more: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", camera, "--idle-timeout", "300ms"], more].concat())
}

pub(crate) fn pictures() -> Vec<Vec<u8>> {
    (0..5).map(|n| numbered(n, 3_000)).collect()
}

/// A server that sends a head, an opening, and then one part at a time.
fn parts(
    head: &'static str,
    opening: &'static str,
    part: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
) -> Fake {
    let pictures = pictures();
    Fake::start(move |asked: &mut Asked| {
        asked.send(format!("{}\r\n\r\n{opening}", head.replace('\n', "\r\n")));
        asked.repeat(PAUSE, |n| part(&pictures[n % pictures.len()]));
        asked.close();
    })
}

/// Checks that a viewer gets the pictures of a server unchanged.
pub(crate) fn shows_all(server: &Fake, what: &str) {
    shows_pictures(&daemon(&server.url("/stream"), &[]), what);
}

/// Checks that a viewer of this daemon gets those pictures unchanged.
pub(crate) fn shows_pictures(daemon: &Daemon, what: &str) {
    let (mut viewer, pictures) = (daemon.watch("/stream"), pictures());
    for _ in 0..8 {
        let jpeg = viewer.next().jpeg;
        let n = number(&jpeg).unwrap_or_else(|| panic!("{what}: {}", daemon.status()["camera"]));
        assert!(jpeg == pictures[n], "{what}");
    }
}

pub(crate) fn with(before: &str, jpeg: &[u8], after: &str) -> Vec<u8> {
    [before.replace("LENGTH", &jpeg.len().to_string()).as_bytes(), jpeg, after.as_bytes()].concat()
}

/// Name of a dialect, head of the reply, opening of the body, and the bytes
/// before and after each picture.
type Dialect = (&'static str, &'static str, &'static str, &'static str, &'static str);

const DIALECTS: [Dialect; 8] = [
    (
        "with a length",
        "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b",
        "--b\r\n",
        "Content-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n",
        "\r\n--b\r\n",
    ),
    (
        "without a length",
        "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b",
        "",
        "--b\r\nContent-Type: image/jpeg\r\n\r\n",
        "\r\n",
    ),
    (
        "quoted, HTTP/1.0",
        "HTTP/1.0 200 OK\nContent-type: Multipart/X-Mixed-Replace;boundary=\"a b\"",
        "--a b\r\n",
        "content-length:LENGTH\r\ncontent-type:image/jpeg\r\n\r\n",
        "\r\n--a b\r\n",
    ),
    (
        "dashes in the header",
        "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=--b",
        "",
        "--b\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n",
        "\r\n",
    ),
    (
        "line feeds only",
        "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b",
        "",
        "--b\nContent-Type: image/jpeg\n\n",
        "\n",
    ),
    (
        "a preamble, no blank line between",
        "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b",
        "this is no picture\r\n",
        "--b\r\nCONTENT-TYPE: image/jpeg\r\nX-Other: y\r\nCONTENT-LENGTH: LENGTH\r\n\r\n",
        "",
    ),
    (
        "parts of another type",
        "HTTP/1.1 200 OK\nContent-Type: application/octet-stream",
        "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n",
        "--b\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n",
        "\r\n",
    ),
    ("JPEGs one after the other", "HTTP/1.1 200 OK\nContent-Type: video/x-motion-jpeg", "", "", ""),
];

#[test]
fn parts_of_every_dialect_are_taken_as_they_are() {
    for (what, head, opening, before, after) in DIALECTS {
        shows_all(&parts(head, opening, move |jpeg| with(before, jpeg, after)), what);
    }
}

#[test]
fn chunks_are_none_of_the_pictures_bounds() {
    let head = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Type: \
                multipart/x-mixed-replace; boundary=b";
    let server = parts(head, "", |jpeg| {
        let part = with("--b\r\nContent-Type: image/jpeg\r\n\r\n", jpeg, "\r\n");
        let chunk =
            |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        part.chunks(997).flat_map(chunk).collect()
    });
    shows_all(&server, "chunked");
}

#[test]
fn time_of_a_picture_is_that_of_the_server() {
    let head = "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let stamp = format!("{}.000123", now.as_secs() - 100);
    let before = format!("--b\r\nContent-Length: LENGTH\r\nX-Timestamp: {stamp}\r\n\r\n");
    let server = parts(head, "", move |jpeg| with(&before, jpeg, "\r\n"));
    let shown = daemon(&server.url("/"), &[]).watch("/stream").next().header("X-Timestamp");
    assert_eq!(shown, Some(stamp));
}

#[test]
fn time_of_a_clock_that_was_never_set_is_left_out() {
    let head = "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b";
    let before = "--b\r\nContent-Length: LENGTH\r\nX-Timestamp: 77.5\r\n\r\n";
    let server = parts(head, "", |jpeg| with(before, jpeg, "\r\n"));
    let daemon = daemon(&server.url("/"), &[]);
    assert!(daemon.watch("/stream").next().timestamp() > 1e9);
    assert_eq!(daemon.get("/snapshot").code, 200);
}

#[test]
fn picture_that_is_sent_again_is_not_a_new_one() {
    let head = "HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b";
    let picture = numbered(0, 0);
    let before = "--b\r\nContent-Length: LENGTH\r\nX-Timestamp: 1795197222.490963\r\n\r\n";
    let server = parts(head, "", move |_| with(before, &picture, "\r\n"));
    let daemon = daemon(&server.url("/"), &["--stall-timeout", "3s"]);
    let mut viewer = daemon.watch("/stream");
    // The daemon repeats a picture after 1.2 s, so this takes two stall
    // timeouts.
    (0..6).for_each(|_| assert_eq!(number(&viewer.next().jpeg), Some(0)));
    let camera = daemon.status()["camera"].clone();
    assert_eq!((&camera["frames"]["captured"], &camera["opened"]), (&1.into(), &1.into()));
}

#[test]
fn lone_picture_is_asked_for_again_and_again() {
    let pictures = pictures();
    let server = Fake::start(move |asked| {
        thread::sleep(PAUSE);
        let n_bytes = pictures[0].len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {n_bytes}");
        asked.send(with(&format!("{head}\r\n\r\n"), &pictures[0], ""));
    });
    let daemon = daemon(&server.url("/now.jpg"), &["--fps", "10"]);
    let begun = Instant::now();
    let mut viewer = daemon.watch("/stream");
    (0..5).for_each(|_| assert!(viewer.next().jpeg == pictures_0()));
    assert!(begun.elapsed() > Duration::from_millis(350), "{:?}", begun.elapsed());
    assert_eq!(daemon.figure("/camera/opened"), 1);
    let requests = server.requests();
    assert!(requests.len() >= 5 && requests[0].starts_with("GET /now.jpg HTTP/1.1\r\n"));
    drop(viewer);
    daemon.wait_for_state("idle");
    let n = server.requests().len();
    assert!(daemon.get("/status").code == 200 && server.requests().len() == n);
}

fn pictures_0() -> Vec<u8> {
    numbered(0, 3_000)
}

#[test]
fn redirects_are_followed() {
    let stream =
        parts("HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=b", "", |jpeg| {
            with("--b\r\nContent-Length: LENGTH\r\n\r\n", jpeg, "\r\n")
        });
    let target = stream.url("/real");
    let first = Fake::start(move |asked| {
        let to = if asked.head.starts_with("GET /stream ") { "/next" } else { &target };
        asked.send(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    });
    shows_all(&first, "redirected");
    assert!(stream.requests()[0].starts_with("GET /real "));
}

/// Why the daemon gets no picture from a server with this reply: the cause, and
/// the name of its counter.
fn refused(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> (String, String) {
    let server = Fake::start(move |asked| {
        asked.send(&answer);
        asked.close();
    });
    lost(&daemon(&server.url("/stream"), &[]))
}

/// The cause of a loss as text, and the name of its counter.
pub(crate) fn lost(daemon: &Daemon) -> (String, String) {
    let _viewer = daemon.watch("/stream");
    let cause = eventually("the camera is lost", || {
        Some(daemon.status()["camera"]["cause"].as_str()?.to_owned())
    });
    let faults = daemon.status()["camera"]["faults"].as_object().unwrap().clone();
    let counted = faults.into_iter().find(|(_, n)| n.as_u64() > Some(0)).unwrap();
    (cause, counted.0)
}

#[test]
fn answers_that_are_no_pictures_are_named() {
    for (answer, says, counted) in [
        ("HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found: streams often are at", "no_device"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "answered 403 Forbidden", "denied"),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "use http://USER:PASSWORD@HOST/PATH", "denied"),
        ("HTTP/1.1 503 Full\r\nRetry-After: 9\r\n\r\n", "seats may be taken", "busy"),
        ("HTTP/1.1 500 No\r\n\r\n", "answered 500", "unsupported"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", "with text/html", "unsupported"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\nftypisom",
            "neither parts",
            "unsupported",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", "without a whole picture", "ended"),
        ("HTTP/1.1 302 Found\r\n\r\n", "missing a location header", "unsupported"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "not an HTTP answer", "unsupported"),
        ("", "", "io"),
    ] {
        let (cause, counter) = refused(answer);
        assert!(cause.contains(says), "{answer:?}: {cause}");
        assert_eq!(counter, counted, "{answer:?}: {cause}");
    }
}

#[test]
fn circle_of_redirects_is_named() {
    let server = Fake::start(|asked| {
        let to = if asked.head.starts_with("GET /a ") { "/b" } else { "/a" };
        asked.send(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    });
    let (cause, _) = lost(&daemon(&server.url("/a"), &[]));
    let [a, b] = ["/a", "/b"].map(|path| server.url(path));
    let ways = [format!("{a} -> {b} -> {a}"), format!("{b} -> {a} -> {b}")];
    assert!(ways.iter().any(|way| cause == format!("redirected in a circle: {way}")), "{cause}");
}

#[test]
fn nobody_there_is_named() {
    let closed = TcpListener::bind("127.0.0.76:0").unwrap().local_addr().unwrap();
    let (cause, counted) = lost(&daemon(&format!("http://{closed}/"), &[]));
    assert!(cause.contains("connection was refused"), "{cause}");
    assert_eq!(counted, "no_device");
    let (cause, counted) = lost(&daemon("http://no-such-host.invalid/", &[]));
    assert!(cause.contains("no such host"), "{cause}");
    assert_eq!(counted, "no_device");
}

/// The peak resident memory of the daemon, in kB.
fn peak_kb(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn what_has_no_end_costs_no_memory() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n";
    let jpeg = "--b\r\nContent-Type: image/jpeg\r\n\r\n\u{0}";
    for (what, begin, endless, says) in [
        (
            "headers",
            "HTTP/1.1 200 OK\r\n".to_owned(),
            "X-More: of the same\r\n",
            "within 262144 bytes",
        ),
        ("header", "HTTP/1.1 200 OK\r\nX-More: ".to_owned(), "and more", "within 262144 bytes"),
        ("preamble", format!("{HEAD}\r\n"), "no delimiter", "no delimiter line"),
        (
            "part headers",
            format!("{HEAD}\r\n--b\r\n"),
            "X-More: of the same\r\n",
            "bytes of headers",
        ),
        ("part", format!("{HEAD}\r\n{jpeg}"), "no end of it", "are allowed"),
        (
            "claim",
            format!("{HEAD}\r\n--b\r\nContent-Length: 4294967296\r\n\r\n"),
            "no end of it",
            "4294967296 bytes or more; 1000000 are allowed",
        ),
        (
            "picture",
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n".to_owned(),
            "no end of it",
            "neither parts nor JPEGs",
        ),
    ] {
        let server = Fake::start(move |asked| {
            asked.send(&begin);
            let more = endless.repeat(5000);
            while asked.send(&more) {}
        });
        let daemon = daemon(&server.url("/"), &["--max-frame-size", "1MB"]);
        let (cause, counted) = lost(&daemon);
        assert!(cause.contains(says), "{what}: {cause}");
        assert_eq!(counted, "unsupported", "{what}: {cause}");
        assert!(peak_kb(&daemon) < 40_000, "{what}: {} kB", peak_kb(&daemon));
    }
}

#[test]
fn server_that_stalls_is_asked_anew() {
    let picture = numbered(0, 0);
    let server = Fake::start(move |asked| {
        asked
            .send("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n");
        asked.send(with("--b\r\nContent-Length: LENGTH\r\n\r\n", &picture, "\r\n--b\r\n"));
        asked.say_nothing();
    });
    let daemon = daemon(&server.url("/"), &["--stall-timeout", "3s"]);
    let mut viewer = daemon.watch("/stream");
    assert_eq!(number(&viewer.next().jpeg), Some(0));
    let (cause, counted) = lost(&daemon);
    assert_eq!(cause, "the server stalled, no picture for 3s");
    assert_eq!(counted, "stalled");
    eventually_is("the server gets another request", || server.requests().len() >= 2);
    eventually("a picture again", || number(&viewer.next().jpeg));
}

/// A port that neither accepts nor refuses connections.
fn black_hole() -> (Socket, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let fill = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        socket
    };
    let filling = (0..4).map(|_| fill()).collect();
    (listener, filling)
}

#[test]
fn order_to_stop_is_obeyed_in_every_wait() {
    let silent = Fake::start(|asked| asked.say_nothing());
    let half = Fake::start(|asked| {
        asked.send(
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b",
        );
        asked.say_nothing();
    });
    let (listener, _filling) = black_hole();
    let hole = format!("http://{}/", listener.local_addr().unwrap().as_socket().unwrap());
    for url in [silent.url("/"), half.url("/"), hole] {
        let mut daemon = daemon(&url, &["--stall-timeout", "60s"]);
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/stream", &[]);
        eventually_is("the camera is being opened", || {
            daemon.threads().iter().any(|name| name.starts_with("capture"))
        });
        assert_eq!(daemon.end_within(Duration::from_secs(2), Signal::TERM).code(), Some(0));
    }
}

#[test]
fn server_that_never_answers_is_let_go_when_nobody_watches() {
    let silent = Fake::start(|asked| asked.say_nothing());
    let daemon = daemon(&silent.url("/"), &["--stall-timeout", "2s"]);
    let mut client = Client::connect(daemon.address());
    client.request("GET", "/stream", &[]);
    eventually_is("it is asked", || !silent.requests().is_empty());
    drop(client);
    daemon.wait_for_state("idle");
}
