//! Clients of the field: addresses typed a little wrong, supervisors, programs
//! that reconnect without end, and daemons that relay a lost camera.

use std::time::Instant;

use crate::support::{Client, Daemon, Dir, TempDir, eventually, eventually_is, number};

#[test]
fn addresses_that_other_servers_have_are_served() {
    let daemon = Daemon::start(&["--camera", "front=pattern:64x48@20"]);
    for target in [
        "/snapshot.jpg",
        "/snapshot.jpeg?17",
        "/Snapshot.JPG",
        "/SNAPSHOT",
        "//snapshot",
        "/snapshot/",
        "/webcam/snapshot.jpg",
        "/front/snapshot.jpg",
        "/cam_1.jpg",
        "/snapshot_0",
        "/snapshot0?17",
        "/webcam/Snapshot_0",
        "/?action=snapshot?17",
        "/?Action=Snapshot",
    ] {
        let reply = daemon.get(target);
        assert_eq!(
            (reply.code, reply.header("Content-Type")),
            (200, Some("image/jpeg")),
            "{target}"
        );
    }
    for target in [
        "/stream.mjpg",
        "/stream.mjpeg",
        "/video_feed/",
        "//stream",
        "/Stream",
        "/front/stream/",
        "/cam_1.mjpg",
        "/stream_0",
        "/stream0",
        "/?action=stream?17",
    ] {
        assert!(!daemon.watch(target).next().jpeg.is_empty(), "{target}");
    }
    for target in ["/cam_2.jpg", "/stream_1", "/snapshot1"] {
        assert_eq!(daemon.get(target).code, 404, "{target}");
    }
}

#[test]
fn camera_whose_name_looks_like_an_address_stays_that_camera() {
    let daemon = Daemon::start(&["--camera", "Stream=pattern:64x48@20"]);
    assert_eq!(daemon.get("/Stream/").header("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(daemon.get("/Stream").code, 301);
}

/// A cookie that another program on the same host has set.
const COOKIE: &str = "Cookie: user=Z\u{fc}rich";

#[test]
fn byte_above_127_in_a_header_keeps_no_client_out() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for headers in [
        &[COOKIE][..],
        &[
            "X-authentik-name: Fran\u{e7}ais",
            "Remote-Name: \u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}",
        ],
        &[&*format!("Cookie: {}; user=Z\u{fc}rich", "x".repeat(1200))],
    ] {
        let reply = daemon.request("GET", "/snapshot", headers);
        assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("image/jpeg")));
        let mut viewer = daemon.watch_with("/stream", headers);
        (0..30).for_each(|_| assert!(!viewer.next().jpeg.is_empty()));
    }
    assert_eq!(daemon.request("HEAD", "/stream", &[COOKIE]).code, 200);
    assert_eq!(daemon.get("/snapshot?x=\u{fc}").code, 200);
    assert_eq!(daemon.figure("/connections/non_ascii"), 8);
    assert!(daemon.get("/metrics").text().contains("\nmjpegd_requests_non_ascii_total 8\n"));
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("a byte above 127 in a header").count(), 1, "{log}");
    daemon.wait_for_seats(0);
}

#[test]
fn byte_above_127_changes_nothing_about_who_may_see() {
    let dir = TempDir::new();
    let file = dir.write("users", "me:secret");
    let daemon = Daemon::start(&["--auth-file", file.to_str().unwrap()]);
    let code = |headers: &[&str]| daemon.request("GET", "/status", headers).code;
    assert_eq!(code(&[COOKIE]), 401);
    assert_eq!(code(&[COOKIE, "Authorization: Basic bWU6c2VjcmV0"]), 200);
    assert_eq!(code(&["Authorization: Basic bWU6d3Jvbmc=", COOKIE]), 401);
}

#[test]
fn crowd_with_such_cookies_is_served_and_leaves_nothing_behind() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--idle-timeout", "0"]);
    daemon.wait_for_state("live");
    let n_files = || daemon.open_files().iter().filter(|file| file.starts_with("socket:")).count();
    let before = n_files();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(daemon.request("GET", "/snapshot", &[COOKIE]).code, 200);
                }
            });
        }
        (0..20).for_each(|_| assert_eq!(daemon.get("/healthz").code, 200));
    });
    assert_eq!(daemon.figure("/connections/non_ascii"), 60);
    eventually_is("all sockets are closed", || n_files() <= before);
    assert_eq!(daemon.figure("/connections/leaked"), 0);
}

#[test]
fn large_head_with_such_a_byte_is_told_so_and_counted_once() {
    let daemon = Daemon::start(&["--max-head", "1024", "--head-timeout", "1h"]);
    let filler = format!("X: {}", "x".repeat(1024));
    for n in 1..=20 {
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/healthz", &[COOKIE, &filler]);
        let reply = client.take_rest();
        assert!(reply.starts_with(b"HTTP/1.1 431 "), "{}", reply.escape_ascii());
        assert_eq!(daemon.figure("/connections/cut/head_size"), n);
    }
}

/// What cannot be read past the library ends as it did: at once or at the time
/// for a head, and with no seat or socket lost.
#[test]
fn head_that_cannot_be_taken_over_is_closed() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--head-timeout", "1s"]);
    for pieces in [
        &["GET /stream HTTP/1.1\r\n", "X: \u{e4}\r\n\r\n"][..],
        &["GET /stream HTTP/1.1\r\nX: \u{e4}\r\n"],
        &["GET /\u{e4}\r\n\r\n"],
        &["GET / HTTP/1.1\r\nX: \u{e4}\r\nContent-Length: 5\r\n\r\nhello"],
        &["POST / HTTP/1.1\r\nX: \u{e4}\r\n\r\n"],
    ] {
        let mut client = Client::connect(daemon.address());
        for piece in pieces {
            client.send(piece);
            // The next piece must be a packet of its own, behind one that was read.
            eventually_is("it was read or dropped", || client.n_unread_by(&daemon) == 0);
        }
        let reply = client.take_rest();
        assert!(
            reply.is_empty() || reply.starts_with(b"HTTP/1.1 400 "),
            "{}",
            reply.escape_ascii()
        );
    }
    assert_eq!(daemon.figure("/connections/non_ascii"), 0);
    daemon.wait_for_seats(0);
}

#[test]
fn private_network_is_allowed_where_other_origins_are() {
    let asks = ["Origin: https://a.example", "Access-Control-Request-Private-Network: true"];
    let allowed = |daemon: &Daemon, headers: &[&str]| {
        let reply = daemon.request("OPTIONS", "/stream", headers);
        reply.header("Access-Control-Allow-Private-Network").map(str::to_owned)
    };
    let open = Daemon::start(&["--allow-origin", "https://a.example"]);
    assert_eq!(allowed(&open, &asks).as_deref(), Some("true"));
    assert_eq!(allowed(&open, &asks[..1]), None);
    assert_eq!(allowed(&Daemon::start(&[]), &asks), None);
}

#[test]
fn recorded_pictures_are_not_to_be_transformed() {
    let dir = TempDir::new();
    let path = dir.path().to_str().unwrap().to_owned();
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20", "--record", &path]);
    eventually_is("something is recorded", || daemon.get("/snapshot?at=-0s").code == 200);
    for target in ["/snapshot?at=-0s", "/download?from=-1m"] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 200, "{target}");
        assert!(reply.header("Cache-Control").unwrap().ends_with("no-transform"), "{target}");
    }
}

#[test]
fn health_of_the_cameras_is_that_of_those_that_are_watched() {
    let dir = Dir::numbered(1, 0);
    let args = ["--camera", &format!("front={}", dir.camera()), "--idle-timeout", "300ms"];
    let daemon = Daemon::start(&args);
    dir.remove();
    assert_eq!(daemon.get("/healthz?cameras=1").code, 200, "nobody watches");
    let viewer = daemon.watch("/stream");
    let sick = eventually("the camera is lost", || {
        Some(daemon.get("/healthz?cameras=1")).filter(|reply| reply.code == 503)
    });
    assert!(sick.text().starts_with("camera front is lost: "), "{}", sick.text());
    assert!(sick.text().contains("no picture in this folder"), "{}", sick.text());
    assert_eq!(daemon.get("/healthz").code, 200);
    assert_eq!(daemon.get("/healthz?cameras=0").code, 200);
    drop(viewer);
    eventually_is("it is off again", || daemon.get("/healthz?cameras=1").code == 200);
}

#[test]
fn causes_of_several_lost_cameras_are_one_line_of_the_reply_and_of_the_log() {
    let cameras = ["--camera", "a=exec:exit 3", "--camera", "b=exec:exit 4"];
    let daemon = Daemon::start(&[&cameras[..], &["--idle-timeout", "0"]].concat());
    let cause = |name, code| format!("camera {name} is lost: the command ended with status {code}");
    let both = format!("{}; {}", cause("a", 3), cause("b", 4));
    eventually_is("both are lost", || {
        daemon.get("/healthz?cameras=1").text() == format!("{both}\n")
    });
    let line = daemon.wait_for_log("; camera b is lost");
    assert!(line.ends_with(&format!(" for /healthz?cameras=1: {both}")), "{line}");
}

#[test]
fn program_ends_when_a_camera_is_lost_for_too_long() {
    let dir = Dir::numbered(1, 0);
    let mut daemon = Daemon::start(&["--camera", &dir.camera(), "--exit-on-lost", "1s"]);
    dir.remove();
    let _viewer = daemon.watch("/stream");
    assert_eq!(daemon.wait().code(), Some(1));
    let why = daemon.wait_for_log("mjpegd: camera camera has been lost for 1s (--exit-on-lost): ");
    assert!(why.contains("no picture in this folder"), "{why}");
}

#[test]
fn program_ends_at_the_first_loss_where_that_is_asked_for() {
    let dir = Dir::numbered(1, 0);
    let mut daemon = Daemon::start(&["--camera", &dir.camera(), "--exit-on-device-error"]);
    dir.remove();
    let _viewer = daemon.watch("/stream");
    assert_eq!(daemon.wait().code(), Some(1));
    let why = daemon.wait_for_log("mjpegd: camera camera is lost (--exit-on-device-error): ");
    assert!(why.contains("no picture in this folder"), "{why}");
}

#[test]
fn program_that_nobody_watches_ends_well_where_that_is_asked_for() {
    let mut daemon = Daemon::start(&["--exit-on-no-viewers", "5s"]);
    let mut viewer = daemon.watch("/stream");
    // The demo gives a picture a second, so this is longer than the time.
    (0..7).for_each(|_| drop(viewer.next()));
    assert!(daemon.is_running());
    drop(viewer);
    assert_eq!(daemon.wait().code(), Some(0));
    daemon.wait_for_log("nobody has watched for ");
}

#[test]
fn camera_that_nobody_watches_ends_nothing() {
    let dirs = [Dir::numbered(1, 0), Dir::numbered(1, 0)];
    let [first, second] = [0, 1].map(|i| format!("camera{i}={}", dirs[i].camera()));
    let limits = ["--exit-on-lost", "10s", "--idle-timeout", "200ms"];
    let mut daemon =
        Daemon::start(&[&["--camera", &first, "--camera", &second], &limits[..]].concat());
    dirs.iter().for_each(Dir::remove);
    let viewer = daemon.watch("/camera0/stream");
    daemon.wait_for_state("lost");
    drop(viewer);
    daemon.wait_for_state("idle");
    // If the first one still counted, its time would be over before that of the second.
    let _viewer = daemon.watch("/camera1/stream");
    assert_eq!(daemon.wait().code(), Some(1));
    let why = daemon.wait_for_log("(--exit-on-lost)");
    assert!(why.contains("camera camera1 has been lost for 10s"), "{why}");
}

#[test]
fn client_that_reconnects_without_end_keeps_nobody_out_and_fills_no_log() {
    // Each of them has two lines, so they are far more than may be logged.
    const N: u64 = 100;
    let daemon = Daemon::start(&["--camera", "pattern:64x48@2", "--threads", "2"]);
    let begun = Instant::now();
    eventually_is("many had a seat and left it", || {
        for _ in 0..30 {
            let mut client = Client::connect(daemon.address());
            client.request("GET", "/stream", &[]);
        }
        daemon.figure("/seats/brief") >= N
    });
    // It waits for a seat of those that have left, as a page does.
    eventually_is("a picture comes", || {
        let mut client = Client::connect(daemon.address());
        client.request("GET", "/stream", &[]);
        client.head().starts_with("HTTP/1.1 200 ") && !client.take(100).is_empty()
    });
    let (log, n_minutes) = (daemon.log(), begun.elapsed().as_secs() / 60 + 1);
    let n_lines = log.iter().filter(|line| line.contains("viewer ")).count() as u64;
    // 30 a minute of them, and each viewer that stayed for two seconds.
    assert!((2..=30 * n_minutes + 20).contains(&n_lines), "{n_lines} lines: {log:?}");
}

#[test]
fn relay_of_a_lost_camera_is_lost_with_its_cause() {
    let origin =
        Daemon::start(&["--camera", "exec:echo no camera >&2; exit 3", "--idle-timeout", "0"]);
    origin.wait_for_state("lost");
    let cause = origin.status()["camera"]["cause"].as_str().unwrap().to_owned();
    for target in
        ["/stream", "/video_feed", "/stream?extra_headers=1", "/stream?raw=1", "/snapshot"]
    {
        let url = origin.url(target);
        let dir = TempDir::new();
        let path = dir.path().to_str().unwrap().to_owned();
        let relay = Daemon::start(&["--camera", &url, "--idle-timeout", "0", "--record", &path]);
        relay.wait_for_state("lost");
        let camera = relay.status()["camera"].clone();
        let text = camera["cause"].as_str().unwrap();
        assert_eq!(text, format!("the server has lost its camera: {cause}"), "{target}");
        let snapshot = relay.get("/snapshot");
        assert_eq!(snapshot.code, 503, "{target}");
        assert!(snapshot.text().contains(&cause), "{}", snapshot.text());
        assert_eq!(relay.figure("/recording/written"), 0, "{target}");
        assert!(camera["faults"]["upstream"].as_u64() >= Some(1), "{camera}");
    }
}

#[test]
fn relay_is_live_again_when_the_camera_is() {
    let dir = Dir::numbered(3, 0);
    let origin = Daemon::start(&["--camera", &dir.camera(), "--fps", "20", "--idle-timeout", "0"]);
    let relay = Daemon::start(&["--camera", &origin.url("/stream"), "--idle-timeout", "0"]);
    relay.wait_for_state("live");
    dir.remove();
    relay.wait_for_state("lost");
    // A second relay says the cause once, not once for each step.
    let second = Daemon::start(&["--camera", &relay.url("/stream"), "--idle-timeout", "0"]);
    second.wait_for_state("lost");
    let cause = second.status()["camera"]["cause"].as_str().unwrap().to_owned();
    assert_eq!(cause.matches("lost its camera").count(), 1, "{cause}");
    dir.restore();
    second.wait_for_state("live");
    let mut viewer = second.watch("/stream");
    eventually("a picture of the camera", || number(&viewer.next().jpeg));
}

#[test]
fn daemon_knows_its_own_stream_but_takes_that_of_another_of_its_cameras() {
    // At an address where no other test gets a port before the daemon has this one.
    let port = std::net::TcpListener::bind("127.0.0.73:0").unwrap().local_addr().unwrap();
    let (bind, base) = (port.to_string(), format!("http://{port}"));
    let args = [
        "--camera",
        &format!("own={base}/own/stream"),
        "--camera",
        &format!("other={base}/source/video_feed"),
        "--camera",
        "source=pattern:64x48@20",
        "--bind",
        &bind,
    ];
    let daemon = Daemon::start(&args);
    let _viewers = [daemon.watch("/own/stream"), daemon.watch("/other/stream")];
    eventually("the own stream is refused", || {
        let status = daemon.status();
        let own = &status["cameras"][0];
        let is_told =
            own["cause"] == "this is the stream of this camera itself; name another server";
        let is_live = status["cameras"][1]["state"] == "live";
        (is_told && is_live && own["faults"]["itself"].as_u64() >= Some(1)).then_some(())
    });
}
