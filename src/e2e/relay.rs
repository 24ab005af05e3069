//! Relays: daemons whose camera is another daemon.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use crate::support::{Daemon, Dir, Part, Viewer, eventually, eventually_is, number};

/// Closes its camera one second after the last viewer has left.
fn relay_of(origin: &Daemon, target: &str) -> Daemon {
    Daemon::start(&["--camera", &origin.url(target), "--idle-timeout", "300ms"])
}

fn origin(dir: &Dir, bind: &str) -> Daemon {
    let camera = dir.camera();
    Daemon::start(&["--camera", &camera, "--fps", "25", "--idle-timeout", "300ms", "--bind", bind])
}

fn picture(viewer: &mut Viewer) -> usize {
    eventually("a picture of the origin", || number(&viewer.next().jpeg))
}

/// Pictures by their timestamp.
fn stamped(part: Part) -> (String, Vec<u8>) {
    (part.header("X-Timestamp").unwrap(), part.jpeg)
}

#[test]
fn pictures_and_their_times_come_through_a_chain_as_they_are() {
    let dir = Dir::numbered(400, 20_000);
    let origin = origin(&dir, "127.0.0.1:0");
    let [first, other] = ["/stream", "/video_feed"].map(|target| relay_of(&origin, target));
    let second = relay_of(&first, "/stream");
    let mut far = second.watch("/stream");
    let mut near = origin.watch("/stream");
    // Each stream is read by its own thread, so that a late picture on one does
    // not delay the other.
    let (sender, came) = mpsc::channel();
    let reading = thread::spawn(move || while sender.send(stamped(near.next())).is_ok() {});
    let (mut at_origin, mut at_end) = (BTreeMap::new(), BTreeMap::new());
    eventually_is("10 pictures are seen at both ends", || {
        let (time, jpeg) = stamped(far.next());
        assert!(jpeg == dir.pictures[number(&jpeg).unwrap()]);
        at_end.insert(time, jpeg);
        at_origin.extend(came.try_iter());
        let both = at_end.iter().filter_map(|(time, jpeg)| Some((jpeg, at_origin.get(time)?)));
        both.inspect(|(a, b)| assert!(a == b, "another picture of that time")).count() >= 10
    });
    drop(came);
    reading.join().unwrap();
    // The bytes are the same in the layout without lengths and times, too.
    let mut viewer = other.watch("/stream");
    for _ in 0..10 {
        let jpeg = viewer.next().jpeg;
        assert!(jpeg == dir.pictures[number(&jpeg).unwrap()]);
    }
}

#[test]
fn chain_sleeps_and_wakes_as_one() {
    let dir = Dir::numbered(50, 3_000);
    let origin = origin(&dir, "127.0.0.1:0");
    let first = relay_of(&origin, "/stream");
    let second = relay_of(&first, "/stream");
    let chain = [&origin, &first, &second];
    for n_opened in 1..=2 {
        assert!(chain.iter().all(|daemon| daemon.status()["camera"]["state"] == "idle"));
        let mut viewer = second.watch("/stream");
        picture(&mut viewer);
        chain.iter().for_each(|daemon| daemon.wait_for_state("live"));
        drop(viewer);
        for daemon in chain {
            daemon.wait_for_state("idle");
            daemon.wait_for_seats(0);
            assert_eq!(daemon.figure("/camera/opened"), n_opened);
        }
    }
    for daemon in chain {
        let faults = daemon.status()["camera"]["faults"].clone();
        let n: u64 = faults.as_object().unwrap().values().filter_map(|n| n.as_u64()).sum();
        assert_eq!(n, 0, "{faults}");
    }
}

#[test]
fn viewer_stays_when_the_origin_is_killed_and_comes_back() {
    let dir = Dir::numbered(50, 3_000);
    // An address that no other test uses, so that the port stays free between
    // the two starts.
    let mut first = origin(&dir, "127.0.0.71:0");
    let bind = first.address().to_string();
    let relay = relay_of(&first, "/stream");
    let end = relay_of(&relay, "/stream");
    let mut viewers = [end.watch("/stream"), relay.watch("/video_feed")];
    for viewer in &mut viewers {
        picture(viewer);
    }
    first.signal(Signal::KILL);
    first.wait();
    for viewer in &mut viewers {
        eventually_is("a status picture", || number(&viewer.next().jpeg).is_none());
    }
    relay.wait_for_state("lost");
    // The second relay knows the status pictures of the first one.
    end.wait_for_state("lost");
    let _second = origin(&dir, &bind);
    for viewer in &mut viewers {
        picture(viewer);
    }
    relay.wait_for_state("live");
    assert_eq!(end.status()["viewers"][0]["id"], 1, "nobody had to come back");
}

#[test]
fn relay_of_a_full_house_says_so() {
    let dir = Dir::numbered(5, 0);
    let origin = Daemon::start(&["--camera", &dir.camera(), "--fps", "25", "--threads", "1"]);
    let mut seat = origin.watch("/stream");
    seat.next();
    let relay = relay_of(&origin, "/stream");
    let mut viewer = relay.watch("/stream");
    let cause =
        eventually("the cause", || Some(relay.status()["camera"]["cause"].as_str()?.to_owned()));
    assert!(cause.contains("503") && cause.contains("all 1 seats are taken"), "{cause}");
    drop(seat);
    picture(&mut viewer);
}

#[test]
fn password_of_the_origin_is_sent_and_shown_nowhere() {
    let dir = Dir::numbered(5, 0);
    let users = crate::support::TempDir::new();
    let users = users.write("users", "me:se:cr@et\n");
    let origin = Daemon::start(&[
        "--camera",
        &dir.camera(),
        "--fps",
        "25",
        "--auth-file",
        users.to_str().unwrap(),
    ]);
    let url = origin.url("/stream");
    let with = |login: &str| url.replacen("://", &format!("://{login}@"), 1);
    let relay = Daemon::start(&["--camera", &with("me:se%3Acr%40et")]);
    picture(&mut relay.watch("/stream"));
    for target in ["/", "/status", "/state", "/metrics"] {
        let text = relay.get(target).text();
        assert!(!text.contains("cr%40et") && !text.contains("cr@et"), "{target}: {text}");
    }
    let log = relay.log().join("\n");
    assert!(log.contains("http://***@127.") && !log.contains("et@"), "{log}");
    let wrong = Daemon::start(&["--camera", &with("me:guess")]);
    let _viewer = wrong.watch("/stream");
    let cause =
        eventually("the cause", || Some(wrong.status()["camera"]["cause"].as_str()?.to_owned()));
    assert_eq!(cause, "user and password are wrong (401)");
    let (code, _, error) = Daemon::run(&["--camera", "http://me:secret@/"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("the host is missing") && !error.contains("secret"), "{error}");
}
