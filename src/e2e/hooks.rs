//! Commands and a server that are told of events.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use rustix::process::{Pid, test_kill_process};
use serde_json::Value;

use crate::events::events;
use crate::recording::end;
use crate::support::{Daemon, TempDir, eventually, eventually_is, python};

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
        "first-viewer=yes; yes >&2",
        "--on",
        &forks,
        "--on-timeout",
        "500ms",
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
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
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
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
