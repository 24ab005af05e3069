//! Addresses and bodies as uStreamer has them, for programs and pages that were
//! made for it. The real program answers the same questions.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::foreign::Server;
use crate::support::{Client, Daemon, Dir, Layout, Reply, eventually, free_port, number};

const MARK: &str = "X-UStreamer-";

fn daemon(args: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", "pattern:64x48@20"], args].concat())
}

fn state(address: SocketAddr) -> Value {
    serde_json::from_slice(&get(address, "/state").body).unwrap()
}

fn get(address: SocketAddr, target: &str) -> Reply {
    let mut client = Client::connect(address);
    client.request("GET", target, &["Connection: close"]);
    client.reply("GET")
}

/// The value of the cookie in a head, and its attributes.
fn cookie(head: &str) -> (String, String) {
    let line = head.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).expect(head);
    let (value, attributes) = line.split_once("; ").unwrap();
    (value.to_owned(), attributes.trim_end().to_owned())
}

/// Seconds on the clock of uStreamer's headers.
fn monotonic() -> f64 {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap().as_secs_f64()
}

#[test]
fn cookie_names_the_client_in_the_state() {
    let daemon = daemon(&[]);
    for (query, key, shown) in [
        ("", "0", "0"),
        ("?key=abc", "abc", "abc"),
        ("?key=a%20b;c%0D%0AX:", "a%20b%3Bc%0D%0AX%3A", "a b;c\r\nX:"),
    ] {
        let mut viewer = daemon.watch(&format!("/stream{query}"));
        viewer.next();
        let (value, attributes) = cookie(&viewer.head);
        assert_eq!(attributes, "path=/; max-age=30");
        let id = value.strip_prefix(&format!("stream_client={key}/")).expect(&value).to_owned();
        let clients = state(daemon.address())["result"]["stream"]["clients_stat"].take();
        assert_eq!(clients[&id]["key"], shown, "{clients}");
        drop(viewer);
        daemon.wait_for_seats(0);
    }
    assert_eq!(daemon.request("HEAD", "/stream", &[]).header("Set-Cookie"), None);
}

#[test]
fn instance_has_its_name_in_state_and_cookie() {
    let daemon = daemon(&["--instance-id", "printer-1"]);
    assert_eq!(state(daemon.address())["result"]["instance_id"], "printer-1");
    let (value, _) = cookie(&daemon.watch("/video_feed?key=k").head);
    assert!(value.starts_with("stream_client_printer-1=k/"), "{value}");
}

#[test]
fn state_tells_what_each_client_asked_for() {
    let daemon = daemon(&[]);
    let flags = ["extra_headers", "advance_headers", "dual_final_frames", "zero_data"];
    for on in flags {
        let mut viewer = daemon.watch(&format!("/stream?{on}=1"));
        viewer.next();
        let clients = state(daemon.address())["result"]["stream"]["clients_stat"].take();
        let client = clients.as_object().unwrap().values().next().unwrap();
        for flag in flags {
            assert_eq!(client[flag], flag == on, "{on}: {client}");
        }
        drop(viewer);
        daemon.wait_for_seats(0);
    }
}

#[test]
fn state_tells_who_encodes_and_the_size_of_a_camera_that_is_off() {
    let encoder = |daemon: &Daemon| state(daemon.address())["result"]["encoder"].take();
    let drawn = daemon(&["--idle-timeout", "100ms"]);
    assert_eq!(drawn.get("/snapshot").code, 200);
    assert_eq!(encoder(&drawn), json!({ "type": "CPU", "quality": 80 }));
    drawn.wait_for_state("idle");
    assert_eq!(encoder(&drawn), json!({ "type": "CPU", "quality": 80 }));
    let dir = Dir::numbered(2, 0);
    let passed_on = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    assert_eq!(passed_on.get("/snapshot").code, 200);
    assert_eq!(encoder(&passed_on), json!({ "type": "HW", "quality": 0 }));
    let asleep = Daemon::start(&["--camera", "v4l2:/dev/nothing", "--resolution", "800x600"]);
    let size = state(asleep.address())["result"]["source"]["resolution"].take();
    assert_eq!(size, json!({ "width": 800, "height": 600 }));
}

#[test]
fn parts_without_data_have_heads_alone() {
    let daemon = daemon(&[]);
    let mut viewer = daemon.watch("/stream?zero_data=1");
    for _ in 0..3 {
        let part = viewer.next();
        assert_eq!((part.header("Content-Length").as_deref(), part.jpeg.len()), (Some("0"), 0));
        assert!(part.timestamp() > 1.7e9);
    }
    assert_eq!(viewer.layout(), Layout::Full);
    let mut extra = daemon.watch("/stream?zero_data=1&extra_headers=1");
    assert_eq!(extra.next().header("X-UStreamer-Online").as_deref(), Some("true"));
    let mut advance = daemon.watch("/stream?zero_data=1&advance_headers=1");
    (0..3).for_each(|_| assert!(advance.next().jpeg.is_empty()));
    assert_eq!(advance.layout(), Layout::Advance);
    let sent = daemon.status()["viewers"][0].clone();
    assert!(sent["bytes"].as_u64().unwrap() < 200 * sent["sent"].as_u64().unwrap(), "{sent}");
}

#[test]
fn advance_headers_win_over_extra_headers() {
    let daemon = daemon(&[]);
    for query in ["extra_headers=1&advance_headers=1", "headers=minimal&extra_headers=1"] {
        let mut viewer = daemon.watch(&format!("/stream?{query}"));
        (0..3).for_each(|_| assert!(!viewer.next().jpeg.is_empty()));
        assert_eq!(viewer.layout(), Layout::Advance, "{query}");
    }
}

#[test]
fn final_frame_is_dual_where_a_viewer_asked_for_it() {
    let dir = Dir::numbered(100, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "0.5"]);
    let mut viewer = daemon.watch("/stream?dual_final_frames=1");
    let mut last = viewer.next();
    // Every viewer gets it again after 1.2 seconds. A busy machine may be late.
    eventually("a second copy that comes sooner", || {
        let part = viewer.next();
        let is_second = std::mem::replace(&mut last, part) == last;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        (is_second && now - last.timestamp() < 1.1).then_some(())
    });
}

#[test]
fn snapshot_says_what_ustreamer_says_of_it() {
    let daemon = daemon(&[]);
    let begun = monotonic();
    let reply = daemon.get("/snapshot");
    let header = |name: &str| reply.header(&format!("{MARK}{name}")).expect(name).to_owned();
    let time = |name: &str| header(name).parse::<f64>().unwrap();
    assert_eq!(header("Online"), "true");
    assert_eq!((header("Width"), header("Height")), ("64".into(), "48".into()));
    let (grabbed, sent) = (time("Grab-Timestamp"), time("Send-Timestamp"));
    assert!(begun <= grabbed && grabbed <= sent && sent <= monotonic(), "{}", reply.head);
    assert_eq!((time("Grab-Begin-Timestamp"), time("Grab-End-Timestamp")), (grabbed, grabbed));
    let mut viewer = daemon.watch("/stream?extra_headers=1");
    let part = viewer.next();
    let time =
        |name: &str| part.header(&format!("{MARK}{name}")).expect(name).parse::<f64>().unwrap();
    let (grabbed, sent) = (time("Grab-End-Time"), time("Send-Time"));
    assert!((sent - grabbed - time("Latency")).abs() < 1.0, "{}", part.head);
    assert!(begun <= grabbed && grabbed <= sent && sent <= monotonic(), "{}", part.head);
}

#[test]
fn snapshot_of_a_lost_camera_is_the_drawn_picture_where_it_is_wanted_so() {
    let dir = Dir::numbered(1, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--lost-snapshot", "picture"]);
    // While the picture is still being drawn, the answer is 503.
    let online = |is_it| {
        eventually(&format!("online is {is_it}"), || {
            let reply = daemon.get("/snapshot");
            (reply.header("X-UStreamer-Online") == Some(is_it)).then_some(reply)
        })
    };
    let reply = daemon.get("/snapshot");
    assert_eq!((reply.code, reply.header("X-UStreamer-Online")), (200, Some("true")));
    assert_eq!(reply.header("X-Mjpegd-Status"), None);
    dir.remove();
    let reply = online("false");
    assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("image/jpeg")));
    assert_eq!(number(&reply.body), None, "no picture of the camera");
    assert!(reply.header("X-Mjpegd-Status").unwrap().starts_with("lost; "));
    // A daemon that takes its snapshots is lost with it, and stores none of them.
    let relay = Daemon::start(&["--camera", &daemon.url("/snapshot")]);
    assert_eq!(relay.get("/snapshot").code, 503);
    dir.restore();
    online("true");
}

/// The real program, without a device.
fn real() -> (Server, SocketAddr) {
    let port = free_port();
    let mut command = Command::new("ustreamer");
    command.args(["--host", "127.0.0.1", "--device", "/dev/none", "--port", &port.to_string()]);
    let (server, _) = Server::start(&mut command, "ustreamer", "Listening HTTP");
    (server, ([127, 0, 0, 1], port).into())
}

/// The names of a JSON value, with those that it is nested in. The names of
/// clients are numbers.
fn names(of: &Value, under: &str, found: &mut BTreeSet<String>) {
    for (name, value) in of.as_object().into_iter().flatten() {
        let is_id = under.ends_with("clients_stat");
        let path = format!("{under}/{}", if is_id { "ID" } else { name });
        names(value, &path, found);
        found.insert(path);
    }
}

/// uStreamer's headers in a head, without those of its encoder and of its queue,
/// and without the name that its version 4 alone has.
fn marked(head: &str) -> BTreeSet<String> {
    let lines = head.lines().filter_map(|line| line.strip_prefix(MARK)?.split(':').next());
    let is_ours = |name: &&str| !name.contains("Encode") && !name.contains("Expose");
    lines.filter(is_ours).filter(|name| *name != "Grab-Time").map(str::to_owned).collect()
}

/// The first whole part of a stream, from whichever boundary.
fn part_head(client: &mut Client) -> String {
    client.take_through(b"\r\n").unwrap();
    String::from_utf8(client.take_through(b"\r\n\r\n").unwrap()).unwrap()
}

#[test]
fn real_ustreamer_answers_alike() {
    let dir = Dir::numbered(1, 0);
    let ours = Daemon::start(&["--camera", &dir.camera(), "--lost-snapshot", "picture"]);
    dir.remove();
    let (_server, theirs) = real();
    let both = [ours.address(), theirs];
    let heads = both.map(|address| {
        let reply = get(address, "/snapshot");
        assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("image/jpeg")));
        assert_eq!(reply.header("X-UStreamer-Online"), Some("false"));
        marked(&reply.head)
    });
    // Ours never leaves a picture out of a snapshot.
    let missing: Vec<_> = heads[1].difference(&heads[0]).collect();
    assert_eq!(missing, ["Dropped"]);
    for query in
        ["", "key=a%20b;c", "extra_headers=1", "zero_data=1", "zero_data=yes&advance_headers=1"]
    {
        let parts = both.map(|address| {
            let mut client = Client::connect(address);
            client.request("GET", &format!("/stream?{query}"), &[]);
            let head = client.head();
            let (value, attributes) = cookie(&head);
            let (key, id) = value.split_once('/').unwrap();
            assert!(id.bytes().all(|b| b.is_ascii_hexdigit()), "{value}");
            let part = part_head(&mut client);
            let length = part.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let has_data = length.map(|length| length != "0");
            let mut all = BTreeSet::new();
            names(&state(address), "", &mut all);
            (key.to_owned(), attributes, marked(&part), has_data, all)
        });
        let ((our_key, our_attributes, our_names, our_data, our_state), theirs) =
            (&parts[0], &parts[1]);
        assert_eq!(
            (our_key, our_attributes, our_data),
            (&theirs.0, &theirs.1, &theirs.3),
            "{query}"
        );
        assert!(our_names.is_superset(&theirs.2), "{query}: {our_names:?} {:?}", theirs.2);
        let missing: Vec<_> = theirs.4.difference(our_state).collect();
        assert!(missing.is_empty(), "{query}: {missing:?}");
        assert!(our_state.contains("/result/stream/clients_stat/ID/key"), "{our_state:?}");
    }
}
