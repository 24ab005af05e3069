//! Passwords: who may see the camera.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::{Client, Daemon, Metronome, TempDir};

/// `openssl passwd -6 -salt saltsalt geheim`
const SHA512: &str = "$6$saltsalt$sfZR6YSW/Dp0uCiyF9fDipa6ORr5LVLOwXNgtzRlXXhkC7xA3w4zy97VIC3vL14AUXGJp3yBjZVztkdiBzJnX1";

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// A daemon with this password file.
fn guarded(users: &str) -> (Daemon, TempDir) {
    let dir = TempDir::new();
    let file = dir.write("users", users);
    let args = ["--camera", "pattern:64x48@20", "--auth-file", file.to_str().unwrap()];
    (Daemon::start(&args), dir)
}

fn code(daemon: &Daemon, target: &str, header: &str) -> u16 {
    daemon.request("HEAD", target, &[header]).code
}

/// As `code`, from the address 127.0.1.`n`: the limit on wrong passwords counts
/// per address.
fn code_from(n: usize, daemon: &Daemon, header: &str) -> u16 {
    let own = [127, 0, 1, u8::try_from(n).unwrap()];
    let mut client = Client::connect_from(own.into(), daemon.address());
    client.request("HEAD", "/status", &[header]);
    client.reply("HEAD").code
}

#[test]
fn everything_but_health_asks_for_a_password() {
    let (daemon, _dir) = guarded("# users\n\nuser:pass\n");
    let targets = [
        "/",
        "/app.js",
        "/stream",
        "/video_feed",
        "/?action=stream",
        "/snapshot",
        "/status",
        "/state",
        "/metrics",
        "/controls",
        "/nothing",
        "/webcam/",
        "/healthz/../status",
    ];
    for target in targets {
        for method in ["GET", "HEAD"] {
            let reply = daemon.request(method, target, &[]);
            assert_eq!(reply.code, 401, "{method} {target}");
            let asks = reply.header("WWW-Authenticate").unwrap();
            assert!(asks.starts_with("Basic realm="), "{asks}");
        }
        let code = code(&daemon, target, &basic("user", "pass"));
        assert!(matches!(code, 200 | 404), "{target}: {code}");
    }
    assert_eq!(daemon.get("/healthz").code, 200);
    assert_eq!(daemon.request("OPTIONS", "/stream", &[]).code, 204, "a preflight has none");
}

#[test]
fn right_password_shows_the_stream() {
    let (daemon, _dir) = guarded("user:pass\r\nother:with:colon\r\n");
    daemon.watch_with("/stream", &[&basic("user", "pass")]).next();
    daemon.watch_with("/stream", &[&basic("other", "with:colon")]).next();
}

#[test]
fn plain_and_hashed_passwords_are_checked() {
    let bcrypt = bcrypt::hash("geheim", 4).unwrap();
    let htpasswd = bcrypt.replacen("$2b$", "$2y$", 1);
    let users = format!("p:plain\nb:{bcrypt}\nh:{htpasswd}\ns:{SHA512}\n");
    let (daemon, _dir) = guarded(&users);
    let all = [("p", "plain"), ("b", "geheim"), ("h", "geheim"), ("s", "geheim")];
    for (n, (user, password)) in all.into_iter().enumerate() {
        // A second round: the daemon may remember passwords that were right.
        for _ in 0..2 {
            assert_eq!(code_from(n, &daemon, &basic(user, password)), 200, "{user}");
            for wrong in ["", "Geheim", "geheim2", "gehei", "plain ", SHA512, &bcrypt] {
                assert_eq!(code_from(n, &daemon, &basic(user, wrong)), 401, "{user}:{wrong}");
            }
        }
    }
    for (user, password) in
        [("", ""), ("x", "geheim"), ("p", "geheim"), ("b", "plain"), ("B", "geheim")]
    {
        assert_eq!(code_from(9, &daemon, &basic(user, password)), 401, "{user}:{password}");
    }
}

#[test]
fn headers_that_are_no_password_are_refused() {
    let (daemon, _dir) = guarded("user:pass\n");
    for header in [
        "Authorization: Basic",
        "Authorization: Basic !!!!",
        "Authorization: Basic dXNlcg==",
        "Authorization: Bearer dXNlcjpwYXNz",
        "Authorization: dXNlcjpwYXNz",
        "Authorization:",
        "X-Authorization: Basic dXNlcjpwYXNz",
    ] {
        assert_eq!(code(&daemon, "/status", header), 401, "{header}");
    }
    assert_eq!(daemon.get("/status").text(), "user and password are needed\n");
    let wrong = daemon.request("GET", "/status", &["Authorization: Basic dXNlcjp4"]);
    assert_eq!(wrong.text(), "user or password is wrong\n");
    assert_eq!(code(&daemon, "/status", "authorization: basic dXNlcjpwYXNz"), 200);
}

#[test]
fn slow_hashes_hold_up_nobody_else() {
    let (daemon, _dir) = guarded(&format!("user:{SHA512}\nplain:pass\n"));
    let wrong = basic("user", "wrong");
    let guesses: Vec<_> = (0..4)
        .map(|_| {
            let mut client = Client::connect(daemon.address());
            client.request("GET", "/status", &[&wrong]);
            client
        })
        .collect();
    let (metronome, begun) = (Metronome::start(), Instant::now());
    assert_eq!(daemon.get("/healthz").code, 200);
    assert_eq!(code_from(2, &daemon, &basic("plain", "pass")), 200);
    assert!(begun.elapsed() < metronome.allow(Duration::from_secs(5)), "{:?}", begun.elapsed());
    for client in guesses {
        assert_eq!(client.reply("GET").code, 401);
    }
}

#[test]
fn bad_files_are_usage_errors_and_show_no_password() {
    let dir = TempDir::new();
    for (text, says) in [
        ("", "no user in it"),
        ("# nobody\n", "no user in it"),
        ("a:b\ngeheim\n", "line 2: no colon"),
        (":geheim\n", "no user before the colon"),
        ("user:\n", "no password"),
        ("user:$2y$05$geheim\n", "damaged"),
        ("user:$6$geheim\n", "damaged"),
        ("user:$apr1$geheim\n", "htpasswd -nB"),
    ] {
        let file = dir.write("users", text);
        let (code, _, err) = Daemon::run(&["--auth-file", file.to_str().unwrap()]);
        assert_eq!((code, err.lines().count()), (Some(2), 1), "{text:?}: {err}");
        assert!(err.contains(says) && err.contains("users"), "{text:?}: {err}");
        assert!(!err.contains("geheim"), "{err}");
    }
}
