//! The figures of the guard; and that it sleeps while there are no connections.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::resets::reset;
use super::{idle, worst_gap};
use crate::support::{Client, Daemon, TempDir, eventually_is};

/// Figures in `/status`, and their names in `/metrics`. The tests of the new
/// listener and of the restart check their own figures.
const FIGURES: [(&str, &str); 11] = [
    ("cut/head_timeout", "connections_cut_total{cause=\"head_timeout\"}"),
    ("cut/head_size", "connections_cut_total{cause=\"head_size\"}"),
    ("cut/crowd", "connections_cut_total{cause=\"crowd\"}"),
    ("cut/pipelined", "connections_cut_total{cause=\"pipelined\"}"),
    ("kicked", "connections_kicked_total"),
    ("leaked", "connections_leaked_total"),
    ("forgotten", "requests_forgotten_total"),
    ("panics", "panics_total"),
    ("wrong_passwords", "passwords_wrong_total"),
    ("slowed_guesses", "passwords_slowed_total"),
    ("max", "connections_max"),
];

/// `user:pass`
const LOGIN: &str = "Authorization: Basic dXNlcjpwYXNz";
/// `user:word`
const GUESS: &str = "Authorization: Basic dXNlcjp3b3Jk";

/// Causes each event once.
fn bring_all_about(daemon: &Daemon) {
    let send = |bytes: &[u8]| {
        let mut client = Client::connect(daemon.address());
        client.send(bytes);
        client
    };
    let large = send(&[b'a'; 2000]);
    // The first request is answered by an endless stream, so the pipelined ones
    // arrive during a reply.
    let many = send(format!("GET /stream HTTP/1.1\r\n{LOGIN}\r\n\r\n").repeat(8).as_bytes());
    drop(send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    drop(send(b"GET / HTTP/1.1\r\nContent-Length: 1000000000000000\r\n\r\n"));
    for _ in 0..30 {
        let mut guesser = Client::connect_from([127, 0, 0, 2].into(), daemon.address());
        guesser.request("GET", "/", &[GUESS]);
        let code = guesser.reply("GET").code;
        assert!(matches!(code, 401 | 429), "{code}");
    }
    daemon.freeze();
    (0..20).for_each(|_| reset(daemon.address(), b"GET / HTTP/1.1\r\n\r\n"));
    daemon.signal(Signal::CONT);
    // Most exceed the limit and are refused; the rest stay until their timeout.
    let mut crowd = idle(daemon, 40);
    eventually_is("all are cut", || crowd.iter_mut().all(Client::is_closed));
    drop((large, many));
}

#[test]
fn each_event_is_counted_in_the_status_and_in_the_metrics() {
    let dir = TempDir::new();
    let users = dir.write("users", "user:pass\n");
    let args = ["--head-timeout", "2s", "--max-head", "1024", "--threads", "1"];
    let more = ["--max-connections", "17", "--auth-file", users.to_str().unwrap()];
    let daemon = Daemon::start(&[&args[..], &more].concat());
    bring_all_about(&daemon);
    for (name, metric) in FIGURES {
        eventually_is(&format!("{name} is counted, and in both alike"), || {
            let status = daemon.request("GET", "/status", &[LOGIN]);
            let metrics = daemon.request("GET", "/metrics", &[LOGIN]).text();
            let status: serde_json::Value = serde_json::from_slice(&status.body).unwrap();
            let figure = status["connections"].pointer(&format!("/{name}")).unwrap();
            *figure != 0 && metrics.contains(&format!("\nmjpegd_{metric} {figure}\n"))
        });
    }
}

#[test]
fn every_limit_is_an_option_with_a_default() {
    let (_, help, _) = Daemon::run(&["--help"]);
    for (option, default) in [
        ("--threads", "16"),
        ("--write-timeout", "10s"),
        ("--head-timeout", "10s"),
        ("--max-head", "65536"),
        ("--max-leaks", "64"),
    ] {
        let own = help.split_once(&format!("{option} <")).expect(option).1;
        let own = own.split_once("\n      --").expect(option).0;
        assert!(own.contains(&format!("[default: {default}]")), "{option} <{own}");
    }
    // The figure depends on --threads.
    assert!(help.contains("--max-connections <N>"), "{help}");
    let daemon = Daemon::start(&["--threads", "7"]);
    assert_eq!(daemon.figure("/connections/max"), 256 + 7);
}

/// How often threads of the daemon went to sleep, in total.
fn sleeps(daemon: &Daemon) -> u64 {
    let mut names = daemon.threads();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| daemon.sleeps_of(name)).sum()
}

#[test]
fn nothing_wakes_up_while_nobody_is_there() {
    let daemon = Daemon::start(&[]);
    let visitors = idle(&daemon, 5);
    daemon.get("/healthz");
    drop(visitors);
    let mut before = sleeps(&daemon);
    eventually_is("all of it sleeps for two seconds", || {
        thread::sleep(Duration::from_secs(2));
        let now = sleeps(&daemon);
        std::mem::replace(&mut before, now) == now
    });
}

#[test]
fn guard_sleeps_while_everybody_is_served() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let mut before = daemon.sleeps_of("guard");
    eventually_is("it goes to sleep", || {
        worst_gap(&mut viewer, Duration::from_secs(1));
        let now = daemon.sleeps_of("guard");
        std::mem::replace(&mut before, now) == now
    });
    let silent = Client::connect(daemon.address());
    eventually_is("it wakes up", || daemon.sleeps_of("guard") > before + 3);
    drop(silent);
}
