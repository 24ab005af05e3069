//! Proxies that say for whom they ask, and clients that only pretend to be one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::support::{Client, Daemon, Reply, TempDir, eventually_is};

const TRUSTED: &str = "127.0.0.1";
/// Also of this machine, but not trusted.
const OTHER: &str = "127.0.0.2";

fn daemon(args: &[&str]) -> Daemon {
    let proxies = ["--trusted-proxy", "127.0.0.1,10.0.0.0/8"];
    Daemon::start(&[&["--camera", "pattern:64x48@20"][..], &proxies, args].concat())
}

fn ask(daemon: &Daemon, from: &str, method: &str, target: &str, headers: &[&str]) -> Reply {
    let mut client = Client::connect_from(from.parse().unwrap(), daemon.address());
    client.request(method, target, headers);
    client.reply(method)
}

/// The addresses of all viewers in the status.
fn addresses(daemon: &Daemon) -> Vec<String> {
    let status = daemon.status();
    let rows = status["viewers"].as_array().unwrap();
    rows.iter().map(|row| row["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn viewer_is_the_client_of_a_trusted_proxy() {
    let daemon = daemon(&[]);
    let chain = "X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.0.0.2";
    let mut viewer = daemon.watch_with("/stream", &[chain]);
    viewer.next();
    assert_eq!(addresses(&daemon), ["203.0.113.7"]);
    daemon.wait_for_log("from 203.0.113.7 watches");
    assert!(daemon.get("/clients.json").text().contains("203.0.113.7"));
    let mut by_rfc = daemon.watch_with("/stream", &["Forwarded: for=\"[2001:db8::7]:80\""]);
    by_rfc.next();
    assert_eq!(addresses(&daemon)[1], "2001:db8::7");
    // Lines of one name are one list.
    let lines = ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.0.0.3"];
    daemon.watch_with("/stream", &lines).next();
    daemon.wait_for_log("from 203.0.113.9 watches");
}

#[test]
fn anybody_elses_headers_are_ignored() {
    let daemon = daemon(&[]);
    let mut client = Client::connect_from(OTHER.parse().unwrap(), daemon.address());
    client.request(
        "GET",
        "/stream",
        &["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7"],
    );
    client.head();
    daemon.wait_for_seats(1);
    assert!(addresses(&daemon)[0].starts_with("127.0.0.2:"), "{:?}", addresses(&daemon));
    // Nor where no proxy was named.
    let closed = Daemon::start(&["--camera", "pattern:64x48@20"]);
    closed.watch_with("/stream", &["X-Forwarded-For: 203.0.113.7"]).next();
    closed.wait_for_log("from 127.0.0.1:");
}

#[test]
fn passwords_are_counted_by_client() {
    let dir = TempDir::new();
    let users = dir.path().join("users");
    std::fs::write(&users, "user:right\n").unwrap();
    let daemon = daemon(&["--auth-file", users.to_str().unwrap()]);
    let guess = |from: &str, client: &str| {
        let header = format!("X-Forwarded-For: {client}");
        let headers = ["Authorization: Basic dXNlcjp3cm9uZw==", &*header];
        ask(&daemon, from, "GET", "/status", &headers).code
    };
    // "user:wrong", 20 times and once more.
    let slow_down = |from, client| {
        eventually_is("the guesser is slowed", || guess(from, client) == 429);
    };
    slow_down(TRUSTED, "203.0.113.7");
    assert_eq!(guess(TRUSTED, "203.0.113.8"), 401, "another client of the same proxy");
    // What a client invents in front of its address gives it no new tries. One is allowed
    // again every two seconds, and a new address would have 20.
    let invents = |n| {
        slow_down(TRUSTED, "203.0.113.7");
        guess(TRUSTED, &format!("198.51.100.{n}, 203.0.113.7")) == 429
    };
    assert!((1..=5).any(invents));
    // Nor does an invented proxy.
    let invents = |n| {
        slow_down(OTHER, "203.0.113.9");
        guess(OTHER, &format!("203.0.113.{}", 10 + n)) == 429
    };
    assert!((1..=5).any(invents));
}

#[test]
fn page_may_change_what_its_proxy_says_is_its_own() {
    let daemon = daemon(&[]);
    let post = |from: &str, headers: &[&str]| {
        let body = ["Content-Type: application/json", "Content-Length: 0"];
        ask(&daemon, from, "POST", "/controls", &[&body[..], headers].concat()).code
    };
    // As nginx asks by default: with a Host of its own.
    let origin = "Origin: https://cam.example:8443";
    assert_eq!(post(TRUSTED, &[origin]), 403);
    assert_ne!(post(TRUSTED, &[origin, "X-Forwarded-Host: cam.example:8443"]), 403);
    assert_ne!(post(TRUSTED, &[origin, "Forwarded: host=\"cam.example:8443\";proto=https"]), 403);
    assert_eq!(post(TRUSTED, &[origin, "X-Forwarded-Host: other.example"]), 403);
    assert_eq!(post(OTHER, &[origin, "X-Forwarded-Host: cam.example:8443"]), 403);
    // A command by a link: only the scheme says that nobody else can have this name.
    let command = "/?action=command&id=1&value=1";
    let get = |headers: &[&str]| ask(&daemon, TRUSTED, "GET", command, headers).code;
    let host = "X-Forwarded-Host: cam.example";
    assert_eq!(get(&[host]), 403);
    assert_ne!(get(&[host, "X-Forwarded-Proto: https"]), 403);
}

#[test]
fn proxy_at_a_unix_socket_can_be_trusted() {
    let dir = TempDir::new();
    for (proxies, is) in [("unix", "203.0.113.7"), ("127.0.0.1", "unix")] {
        let path = dir.path().join(format!("{is}.sock"));
        let bind = format!("127.0.0.1:0,unix:{}", path.display());
        let args = ["--camera", "pattern:64x48@20", "--bind", &*bind, "--trusted-proxy", proxies];
        let daemon = Daemon::start(&args);
        let mut client = UnixStream::connect(&path).unwrap();
        client
            .write_all(b"GET /stream HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
            .unwrap();
        client.read_exact(&mut [0; 16]).unwrap();
        daemon.wait_for_log(&format!("from {is} watches"));
    }
}
