//! Commands and a server that get events.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use rustix::process::{Pid, Signal, test_kill_process};
use serde_json::Value;

use crate::events::{events, wait_for};
use crate::recording::{end, recorder, wait_for_frames};
use crate::support::{Daemon, Dir, TempDir, all_frames, eventually, eventually_is, python};

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn hook(daemon: &Daemon, n: usize) -> Value {
    daemon.status()["hooks"][n].clone()
}

/// Watches the camera for one picture and waits until it is off again.
fn visit(daemon: &Daemon) {
    daemon.watch("/stream").next();
    daemon.wait_for_seats(0);
}

#[test]
fn commands_run_in_order_with_what_happened_in_their_environment() {
    let dir = TempDir::new();
    let [seen, other] = ["seen", "other"].map(|name| dir.path().join(name));
    // The first ones take longer than the later ones.
    let command = format!(
        "n=$(wc -l < '{0}' 2>/dev/null || echo 0); sleep 0.$((4 - n)); \
         echo \"$MJPEGD_EVENT $MJPEGD_CAMERA $MJPEGD_TIME\" >> '{0}'",
        seen.display()
    );
    let last = format!("last-viewer=echo \"$MJPEGD_EVENT_WATCHED_S\" >> '{}'", other.display());
    let first = format!("first-viewer={command}");
    let daemon = Daemon::start(&["--camera", "front=demo", "--on", &first, "--on", &last]);
    (0..3).for_each(|_| visit(&daemon));
    eventually_is("three commands have ended", || hook(&daemon, 0)["done"] == 3);
    let times: Vec<f64> = lines(&seen)
        .iter()
        .map(|line| line.strip_prefix("first-viewer front ").unwrap().parse().unwrap())
        .collect();
    assert!(times.len() == 3 && times.is_sorted(), "{times:?}");
    eventually_is("so has the other", || hook(&daemon, 1)["done"] == 3);
    assert!(lines(&other)[0].parse::<f64>().unwrap() > 0.0);
    assert_eq!(hook(&daemon, 1)["event"], "last-viewer");
}

#[test]
fn commands_that_fail_flood_or_fork_are_counted_and_touch_nobody() {
    let dir = TempDir::new();
    let late = dir.path().join("late");
    let forks = format!(
        "first-viewer=for i in 1 2 3 4 5; do (sleep 600; touch '{}') & done",
        late.display()
    );
    let daemon = Daemon::start(&[
        "--on",
        "first-viewer=echo no such lamp >&2; exit 7",
        "--on",
        "first-viewer=yes & yes >&2",
        "--on",
        &forks,
        "--on-timeout",
        "3s",
    ]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let numbers: Vec<_> = (0..20).map(|_| viewer.next().timestamp()).collect();
    assert!(numbers.is_sorted());
    eventually_is("all have ended", || hook(&daemon, 2)["late"] == 1);
    let failed = hook(&daemon, 0);
    assert_eq!((&failed["failed"], &failed["done"]), (&1.into(), &0.into()));
    assert_eq!(failed["error"], "exit status: 7: no such lamp");
    assert_eq!(hook(&daemon, 1)["late"], 1);
    let line = daemon.wait_for_log("ran for more than");
    assert!(line.contains("the hook of first-viewer"), "{line}");
    let metrics = daemon.get("/metrics").text();
    for figure in ["{result=\"failed\"} 1", "{result=\"late\"} 2", "{result=\"lost\"} 0"] {
        assert!(metrics.contains(&format!("mjpegd_hooks_total{figure}")), "{figure}");
    }
    // 4 kB a line, if each went to the log.
    assert!(daemon.log().len() < 200, "{} lines", daemon.log().len());
    end(daemon);
    assert!(!late.exists());
}

#[test]
fn hooks_of_all_bad_kinds_leave_pictures_recording_and_stop_alone() {
    let (dir, to) = (Dir::numbered(40, 2000), TempDir::new());
    let daemon = recorder(
        &dir,
        to.path(),
        &[
            &["--on", "first-viewer=trap '' TERM; sleep 600"],
            &["--on", "recording-started=yes & yes >&2"],
            &["--on", "camera-on=exit 7"],
            &["--on", "segment-finished=for i in 1 2 3 4 5; do sleep 600 & done"],
            &["--record-segment", "1s", "--on-timeout", "600s"][..],
        ]
        .concat(),
    );
    let mut viewer = daemon.watch("/stream");
    let sees = |n| daemon.log().iter().any(|line: &String| line.contains(n));
    eventually_is("one fails", || hook(&daemon, 2)["failed"] == 1);
    eventually_is("one floods", || sees("recording-started says: y"));
    wait_for(&daemon, "segment-finished");
    // All of these run, and the others go on.
    let (seen, n) = (viewer.next().timestamp(), daemon.figure("/recording/written"));
    wait_for_frames(&daemon, n + 60);
    (0..60).for_each(|_| drop(viewer.next()));
    assert!(viewer.next().timestamp() > seen);
    assert_eq!(daemon.status()["recording"]["state"], "recording");
    let begun = Instant::now();
    end(daemon);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let frames = all_frames(to.path());
    assert!(frames.len() as u64 >= n + 60);
    assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time));
}

#[test]
fn command_that_obeys_is_not_killed_and_none_outlives_a_kill() {
    let dir = TempDir::new();
    let [first, last] = ["first", "last"].map(|name| dir.path().join(name));
    let [first_hook, last_hook] = [("first-viewer", &first), ("last-viewer", &last)]
        .map(|(event, path)| format!("{event}=echo $$ > '{}'; exec sleep 600", path.display()));
    let daemon = Daemon::start(&["--on", &first_hook, "--on", &last_hook, "--on-timeout", "500ms"]);
    visit(&daemon);
    eventually_is("both took too long", || (0..2).all(|n| hook(&daemon, n)["late"] == 1));
    assert!(!daemon.log().iter().any(|line| line.contains("does not end at SIGTERM")));
    fs::remove_file(&first).unwrap();
    let daemon = Daemon::start(&["--on", &first_hook]);
    daemon.watch("/stream").next();
    let shell = process(&first);
    assert!(test_kill_process(shell).is_ok());
    daemon.signal(Signal::KILL);
    eventually_is("it is gone", || test_kill_process(shell).is_err());
}

#[test]
fn reload_changes_commands_and_the_webhook() {
    let dir = TempDir::new();
    let [old, new] = ["old", "new"].map(|name| dir.path().join(name));
    let on = |path: &Path| format!("first-viewer=echo >> '{}'", path.display());
    let same = "last-viewer=true";
    let file = dir.path().join("c.toml");
    // Nobody is at the first address, so what is sent there is tried again.
    let nobody = TcpListener::bind("127.0.0.74:0").unwrap().local_addr().unwrap();
    let write = |on: &str, webhook: &str| {
        let text = format!("on = [\"{on}\", '{same}']\nwebhook = '{webhook}'\n");
        fs::write(&file, text).unwrap();
    };
    write(&on(&old), &format!("http://{nobody}/"));
    let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
    visit(&daemon);
    eventually_is("all have run", || (0..2).all(|n| hook(&daemon, n)["done"] == 1));
    eventually_is("it is tried again", || hook(&daemon, 2)["late"].as_u64() > Some(1));
    let (url, messages) = receiver(&[200; 6]);
    write(&on(&new), &url);
    daemon.signal(Signal::HUP);
    let types: Vec<String> = (0..3)
        .map(|_| {
            let (_, body) = messages.recv_timeout(Duration::from_secs(60)).unwrap();
            let event: Value = serde_json::from_slice(&body).unwrap();
            event["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(types.contains(&"first-viewer".to_owned()), "what waited: {types:?}");
    visit(&daemon);
    eventually_is("the new one has run", || lines(&new).len() == 1);
    assert_eq!(lines(&old).len(), 1);
    // One that stays the same keeps its figures.
    eventually_is("twice", || hook(&daemon, 1)["done"] == 2);
    assert!(!daemon.log().iter().any(|line| line.contains("takes effect")));
    // Without any. A counter never falls.
    let n_done = || {
        let metrics = daemon.get("/metrics").text();
        let line = metrics.lines().find(|line| line.contains(r#"hooks_total{result="done"}"#));
        line.unwrap().rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()
    };
    let n_before = n_done();
    assert!(n_before >= 4, "two commands, twice each: {n_before}");
    fs::write(&file, "").unwrap();
    daemon.signal(Signal::HUP);
    eventually_is("none is left", || daemon.status()["hooks"].as_array().unwrap().is_empty());
    assert!(n_done() >= n_before, "{} after {n_before}", n_done());
    visit(&daemon);
    assert_eq!(daemon.get("/snapshot").code, 200);
    assert_eq!(lines(&new).len(), 1);
}

/// The process that wrote its number there.
fn process(path: &Path) -> Pid {
    let number = eventually("a number", || lines(path).first()?.parse().ok());
    Pid::from_raw(number).unwrap()
}

#[test]
fn stop_ends_a_command_and_what_it_started() {
    let dir = TempDir::new();
    let [shell, child] = ["shell", "child"].map(|name| dir.path().join(name));
    let command = format!(
        "first-viewer=trap '' TERM; echo $$ > '{}'; sleep 600 & echo $! > '{}'; wait; sleep 600",
        shell.display(),
        child.display()
    );
    let daemon = Daemon::start(&["--on", &command]);
    visit(&daemon);
    let [shell, child] = [&shell, &child].map(|path| process(path));
    // Others wait behind it, and are not run at the stop.
    (0..3).for_each(|_| visit(&daemon));
    let begun = Instant::now();
    end(daemon);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    for process in [shell, child] {
        eventually_is("it is gone", || test_kill_process(process).is_err());
    }
}

#[test]
fn queue_is_bounded_and_what_is_lost_is_counted() {
    let dir = TempDir::new();
    let gate = dir.path().join("gate");
    let command = format!("first-viewer=while [ ! -e '{}' ]; do sleep 0.05; done", gate.display());
    let daemon = Daemon::start(&["--on", &command, "--config", &many_cameras(&dir)]);
    for n in 0..80 {
        daemon.watch(&format!("/c{n}/stream")).next();
    }
    daemon.wait_for_seats(0);
    assert_eq!(events(&daemon, "type=first-viewer").len(), 80);
    fs::write(&gate, "").unwrap();
    eventually_is("all that were kept have run", || hook(&daemon, 0)["done"] == 65);
    assert_eq!(hook(&daemon, 0)["lost"], 15);
}

/// A file with eighty cameras, each of which has a budget of events of its own.
fn many_cameras(dir: &TempDir) -> String {
    let table = |n| format!("[[camera]]\nname = \"c{n}\"\nsource = \"demo\"\n");
    let text: String = (0..80).map(table).collect();
    dir.write("cameras.toml", text).to_str().unwrap().to_owned()
}

/// A message that came: head and body.
type Message = (String, Vec<u8>);

/// A server that answers each message with the next of these statuses.
fn receiver(statuses: &'static [u16]) -> (String, Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://me:pass@{}/hook?a=b", listener.local_addr().unwrap());
    let (tx, rx) = unbounded();
    std::thread::spawn(move || {
        for status in statuses {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            let mut body = vec![0; length.unwrap()];
            reader.read_exact(&mut body).unwrap();
            let reply =
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            (&stream).write_all(reply.as_bytes()).unwrap();
            tx.send((head, body)).unwrap();
        }
    });
    (url, rx)
}

#[test]
fn webhook_is_tried_again_in_order_and_signed() {
    let dir = TempDir::new();
    let key = dir.write("key", "It's a secret\n");
    let (url, messages) = receiver(&[500, 429, 200, 404, 204, 200, 200]);
    let key = key.to_str().unwrap();
    let daemon =
        Daemon::start(&["--webhook", &url, "--webhook-key-file", key, "--idle-timeout", "0"]);
    daemon.wait_for_state("live");
    (0..2).for_each(|_| visit(&daemon));
    let came: Vec<Message> =
        (0..7).map(|_| messages.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
    let json: Vec<Value> =
        came.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect();
    let kinds: Vec<_> = json.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let (on, first, last) = ("camera-on", "first-viewer", "last-viewer");
    assert_eq!(kinds, [on, on, on, first, last, first, last]);
    let (head, body) = &came[0];
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    let has = |line: &str| head.lines().any(|l| l.eq_ignore_ascii_case(line));
    assert!(
        has("content-type: application/json") && has("authorization: Basic bWU6cGFzcw=="),
        "{head}"
    );
    let script = "import hmac, sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), 'sha256').hexdigest())";
    let text = std::str::from_utf8(body).unwrap();
    let code = python("hmac", "python3", script, &["It's a secret", text]);
    assert!(has(&format!("x-hub-signature-256: sha256={}", code.trim())), "{head}");
    eventually_is("the figures say so", || {
        let hook = hook(&daemon, 0);
        let figures = ["done", "failed", "late"].map(|name| hook[name].as_u64().unwrap());
        hook["event"].is_null() && figures == [4, 1, 2]
    });
    let shown = hook(&daemon, 0)["action"].as_str().unwrap().to_owned();
    assert!(shown.contains("***@") && !shown.contains("pass"), "{shown}");
    assert!(!daemon.log().iter().any(|line| line.contains("pass@")));
}

#[test]
fn server_that_hangs_holds_up_neither_viewers_nor_the_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let daemon = Daemon::start(&["--webhook", &url]);
    visit(&daemon);
    let (_stream, _) = listener.accept().unwrap();
    visit(&daemon);
    let begun = Instant::now();
    end(daemon);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
