//! Requests that change something: their bodies, and from which web pages they
//! are accepted.

use crate::support::{Client, Daemon, Program, Reply, TempDir, eventually_is};

const METHODS: &str = "GET, HEAD, POST, OPTIONS";
const JSON: &str = "Content-Type: application/json";

fn daemon(args: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", "pattern:64x48@20"], args].concat())
}

/// A POST of JSON with further header lines.
fn post(daemon: &Daemon, body: &str, headers: &[&str]) -> Reply {
    let mut client = Client::connect(daemon.address());
    let length = format!("Content-Length: {}", body.len());
    client.request("POST", "/controls", &[&[JSON, &length], headers].concat());
    client.send(body);
    client.reply("POST")
}

/// JSON of `n` bytes.
fn long(n: usize) -> String {
    format!("{{}}{}", " ".repeat(n - 2))
}

/// A request that changes nothing is answered like this when it is accepted.
fn is_heard(reply: &Reply) -> bool {
    reply.code == 200 && reply.text() == "{\"controls\":{}}"
}

#[test]
fn route_says_which_methods_it_takes() {
    let daemon = daemon(&[]);
    for method in ["PUT", "DELETE", "PATCH", "BREW"] {
        let reply = daemon.request(method, "/controls", &["Content-Length: 0"]);
        assert_eq!((reply.code, reply.header("Allow")), (405, Some(METHODS)), "{method}");
    }
    let reply = daemon.request("OPTIONS", "/controls", &[]);
    assert_eq!((reply.code, reply.header("Allow")), (204, Some(METHODS)));
    assert_eq!(reply.header("Access-Control-Allow-Methods"), Some(METHODS));
    assert_eq!(
        daemon.request("OPTIONS", "/status", &[]).header("Allow"),
        Some("GET, HEAD, OPTIONS")
    );
}

#[test]
fn camera_that_is_no_device_has_those_of_its_pictures() {
    let daemon = daemon(&[]);
    for target in ["/controls", "/webcam/controls", "/camera/controls"] {
        let reply = daemon.get(target);
        assert_eq!(reply.header("Content-Type"), Some("application/json"));
        let text = reply.text();
        assert_eq!(text.matches("\"group\":\"Picture\"").count(), 2, "{target}: {text}");
    }
    let unknown = post(&daemon, r#"{"brightness": 40}"#, &[]);
    assert_eq!(unknown.code, 400);
    let says = "there is no control brightness; there are picture_rotate, picture_flip";
    assert!(unknown.text().contains(says), "{}", unknown.text());
    let mut client = Client::connect(daemon.address());
    client.send(format!(
        "POST /camera/controls HTTP/1.1\r\nHost: a\r\n{JSON}\r\nContent-Length: 5000\r\n\r\n{}",
        long(5000)
    ));
    assert!(is_heard(&client.reply("POST")));
    assert_eq!(daemon.figure("/camera/opened"), 0);
}

#[test]
fn body_of_any_size_up_to_the_limit_is_read() {
    let daemon = daemon(&[]);
    for n in [2, 1000, 1024, 1025, 5000, 65_535, 65_536] {
        let reply = post(&daemon, &long(n), &[]);
        assert!(is_heard(&reply), "{n}: {} {}", reply.code, reply.text());
    }
    for n in [65_537, 100_000, 1 << 20] {
        let reply = post(&daemon, &long(n), &[]);
        assert_eq!(reply.code, 413, "{n}: {}", reply.text());
        assert!(reply.text().contains("at most 64 KiB"), "{}", reply.text());
    }
}

#[test]
fn body_may_come_in_pieces() {
    let daemon = daemon(&[]);
    let mut client = Client::connect(daemon.address());
    client.request("POST", "/controls", &[JSON, "Content-Length: 3000"]);
    for piece in long(3000).as_bytes().chunks(500) {
        // A request of another client between the pieces proves that the daemon
        // has read each piece by itself.
        assert_eq!(daemon.get("/healthz").code, 200);
        client.send(piece);
    }
    assert!(is_heard(&client.reply("POST")));
}

#[test]
fn body_without_length_or_type_is_refused() {
    let daemon = daemon(&[]);
    let code = |headers: &[&str], body: &str| {
        let mut client = Client::connect(daemon.address());
        client.request("POST", "/controls", headers);
        client.send(body);
        client.reply("POST").code
    };
    assert_eq!(code(&[JSON], ""), 411);
    assert_eq!(code(&[JSON, "Content-Length: -1"], ""), 411);
    assert_eq!(code(&[JSON, "Transfer-Encoding: chunked"], "2\r\n{}\r\n0\r\n\r\n"), 411);
    assert_eq!(code(&["Content-Length: 2"], "{}"), 415);
    assert_eq!(code(&["Content-Length: 2", "Content-Type: text/plain"], "{}"), 415);
    for not_json in ["", "brightness=1", "[1]", "{", "{}{}"] {
        let reply = post(&daemon, not_json, &[]);
        assert_eq!(reply.code, 400, "{not_json:?}");
        assert!(reply.text().contains("such as {\"brightness\""), "{}", reply.text());
    }
    // Refused while the body still arrives: a reset must not destroy the reply.
    for n in [3000, 65_536] {
        let mut client = Client::connect(daemon.address());
        client.request("POST", "/controls", &[&format!("Content-Length: {n}")]);
        client.send(long(n));
        assert_eq!(client.reply("POST").code, 415, "{n}");
    }
}

#[test]
fn body_that_does_not_come_holds_nobody_up() {
    let daemon = daemon(&[]);
    let slow: Vec<_> = (0..8).map(|_| begin(&daemon)).collect();
    assert_eq!(daemon.get("/healthz").code, 200);
    daemon.watch("/stream").next();
    for client in slow {
        assert_eq!(client.reply("POST").code, 408);
    }
}

#[test]
fn body_that_drips_is_not_waited_for() {
    let daemon = daemon(&[]);
    let mut client = begin(&daemon);
    eventually_is("a slow client gets its reply", || {
        client.send(" ");
        client.has_bytes()
    });
    assert_eq!(client.reply("POST").code, 408);
}

/// A client that sends the head of a long body.
fn begin(daemon: &Daemon) -> Client {
    let mut client = Client::connect(daemon.address());
    client.request("POST", "/controls", &[JSON, "Content-Length: 60000"]);
    client
}

#[test]
fn body_is_not_taken_for_a_request() {
    let daemon = daemon(&[]);
    let inner = "GET /stream?key=smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for target in ["/controls", "/status", "/nothing"] {
        let mut client = Client::connect(daemon.address());
        client.send(format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\n{JSON}\r\nContent-Length: 2\r\n\r\n{{}}{inner}"
        ));
        let replies = String::from_utf8(client.take_rest()).unwrap();
        assert_eq!(replies.matches("HTTP/1.1 ").count(), 1, "{target}: {replies}");
    }
    assert_eq!(daemon.figure("/camera/opened"), 0);
}

#[test]
fn other_sites_may_not_change_anything() {
    let (other, own) = ("Origin: http://printer:7125", "Origin: http://test");
    for (args, may) in [
        (&[][..], false),
        (&["--allow-origin", "*"], false),
        (&["--allow-origin", "http://elsewhere"], false),
        (&["--allow-origin", "http://printer:7125"], true),
    ] {
        let daemon = daemon(args);
        for headers in [
            &[other][..],
            &[other, "Sec-Fetch-Site: cross-site"],
            &[other, "Sec-Fetch-Site: same-site"],
        ] {
            let reply = post(&daemon, "{}", headers);
            assert_eq!(is_heard(&reply), may, "{args:?} {headers:?}: {}", reply.text());
            assert_eq!(reply.code == 403, !may, "{args:?} {headers:?}: {}", reply.text());
        }
        for headers in
            [&[own][..], &["Sec-Fetch-Site: same-origin"], &["Sec-Fetch-Site: none"], &[]]
        {
            assert!(is_heard(&post(&daemon, "{}", headers)), "{args:?} {headers:?}");
        }
        assert_eq!(post(&daemon, "{}", &["Origin: null"]).code, 403);
        assert_eq!(post(&daemon, "{}", &["Sec-Fetch-Site: cross-site"]).code, 403);
    }
}

#[test]
fn name_that_anybody_can_let_lead_here_is_no_own_page() {
    let dir = TempDir::new();
    let users = dir.write("users", "user:pass\n");
    let users = users.to_str().unwrap();
    let (evil, password) = ("evil.example:5000", "Authorization: Basic dXNlcjpwYXNz");
    for (args, host, may) in [
        (&[][..], evil, false),
        (&["--allow-origin", "*"], evil, false),
        (&["--allow-origin", "http://evil.example:5000"], evil, true),
        // A browser sends a stored password only to the host name it belongs
        // to, so through another name the reply is 401.
        (&["--auth-file", users], evil, true),
        (&[], "192.168.1.20:5000", true),
        (&[], "octopi.local", true),
    ] {
        let daemon = daemon(args);
        let mut client = Client::connect(daemon.address());
        client.send(format!(
            "POST /controls HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{password}\r\n{JSON}\r\n\
             Content-Length: 2\r\n\r\n{{}}"
        ));
        let reply = client.reply("POST");
        assert_eq!(is_heard(&reply), may, "{args:?} {host}: {}", reply.text());
        assert_eq!(reply.code == 403, !may, "{args:?} {host}: {}", reply.text());
    }
}

#[test]
fn changing_takes_the_password() {
    let dir = TempDir::new();
    let file = dir.write("users", "user:pass\n");
    let daemon = daemon(&["--auth-file", file.to_str().unwrap()]);
    for n in [2, 5000] {
        assert_eq!(post(&daemon, &long(n), &[]).code, 401);
        let password = "Authorization: Basic dXNlcjpwYXNz";
        assert!(is_heard(&post(&daemon, &long(n), &[password])));
    }
}

#[test]
fn curl_posts_with_and_without_expectation() {
    let daemon = daemon(&[]);
    let dir = TempDir::new();
    let small = dir.write("small", "{}");
    let long = dir.write("long", long(60_000));
    for file in [&small, &long] {
        for expect in ["Expect:", "Expect: 100-continue"] {
            let data = format!("@{}", file.to_str().unwrap());
            let url = daemon.url("/controls");
            let args = ["-sS", "-w", "%{http_code}", "-H", JSON, "-H", expect];
            let program = Program::new("curl", "curl").args(args);
            let output = program.args(["--data-binary", &data, &url]).text();
            assert!(output.contains("controls") && output.ends_with("200"), "{expect}: {output}");
        }
    }
}

#[test]
fn order_in_capital_letters_is_an_order() {
    let dir = TempDir::new();
    let daemon = daemon(&["--record", dir.path().to_str().unwrap()]);
    let is_on = || daemon.status()["recording"]["on"] == true;
    for target in ["/Record/Stop", "/RECORD/stop", "/record/Stop/", "/webcam/Record/Stop"] {
        assert_eq!(daemon.get(target).code, 405, "{target}");
        let other = ["Origin: http://printer:7125"];
        assert_eq!(daemon.request("POST", target, &other).code, 403, "{target}");
        assert!(is_on(), "{target}");
    }
    assert_eq!(daemon.request("POST", "/Record/Stop", &[]).code, 200);
    assert!(!is_on());
    let mut client = Client::connect(daemon.address());
    client.request("POST", "/Controls", &[JSON, "Content-Length: 5000"]);
    client.send(long(5000));
    assert!(is_heard(&client.reply("POST")));
}

#[test]
fn locked_controls_are_changed_by_nobody() {
    let daemon = daemon(&["--lock-controls"]);
    let reply = post(&daemon, r#"{"brightness": 1}"#, &[]);
    assert_eq!((reply.code, &*reply.text()), (403, "controls are locked (--lock-controls)\n"));
    let reply = daemon.get("/?action=command&dest=0&plugin=0&id=9963776&group=1&value=1");
    assert_eq!(reply.code, 403);
    assert_eq!(daemon.get("/controls").code, 200);
}
