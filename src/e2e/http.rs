//! Methods, paths, queries and headers that work alike for every request.

use crate::support::{Client, Daemon, TempDir};

const METHODS: &str = "GET, HEAD, OPTIONS";
const TARGETS: [&str; 9] = [
    "/",
    "/snapshot",
    "/status",
    "/state",
    "/metrics",
    "/controls",
    "/healthz",
    "/stream",
    "/video_feed",
];

fn daemon(args: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", "pattern:64x48@20"], args].concat())
}

#[test]
fn unknown_paths_are_not_found() {
    let daemon = daemon(&[]);
    for path in ["/nothing", "/cam.jpg", "/streams", "/favicon.ico", "/index.php", "/webcams"] {
        let reply = daemon.get(path);
        assert_eq!(reply.code, 404, "{path}");
        let text = reply.text();
        let names: Vec<_> = text.split([' ', ',', '\n']).collect();
        assert!(["/stream", "/snapshot"].iter().all(|name| names.contains(name)), "{text}");
    }
}

#[test]
fn other_methods_are_refused_with_those_that_are_allowed() {
    let daemon = daemon(&[]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"] {
        for target in ["/", "/video_feed", "/snapshot", "/nothing"] {
            let reply = daemon.request(method, target, &["Content-Length: 0"]);
            assert_eq!(reply.code, 405, "{method} {target}");
            assert_eq!(reply.header("Allow"), Some(METHODS));
        }
    }
    assert_eq!(daemon.figure("/camera/opened"), 0);
}

#[test]
fn get_with_a_body_is_a_bad_request() {
    let daemon = daemon(&[]);
    let mut client = Client::connect(daemon.address());
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.reply("GET").code, 400);
}

#[test]
fn request_without_an_address_is_a_bad_request() {
    let daemon = daemon(&[]);
    let mut client = Client::connect(daemon.address());
    client.send("GET  HTTP/1.1\r\nHost: a\r\n\r\n");
    let reply = client.reply("GET");
    assert_eq!(reply.code, 400);
    assert!(reply.text().contains("names no address"), "{}", reply.text());
}

#[test]
fn head_gives_the_headers_of_get_and_nothing_else() {
    let daemon = daemon(&[]);
    for target in TARGETS.into_iter().chain(["/nothing", "/webcam", "/?action=snapshot"]) {
        let head = daemon.request("HEAD", target, &[]);
        let mut client = Client::connect(daemon.address());
        client.request("GET", target, &[]);
        let names = |head: &str| {
            let name = |line: &str| line.split(": ").next().unwrap().to_owned();
            let mut names: Vec<_> = head.trim_end().split("\r\n").map(name).collect();
            // A HEAD of a stream makes nobody a viewer, who would have a name.
            names.retain(|name| name != "Set-Cookie");
            names.sort();
            names
        };
        assert_eq!(names(&head.head), names(&client.head()), "{target}");
        for name in ["Content-Type", "Connection"] {
            assert!(head.header(name).is_some(), "{target} {name}");
        }
    }
}

#[test]
fn options_says_what_is_allowed() {
    let daemon = daemon(&[]);
    for target in ["/", "/video_feed", "/nothing", "*"] {
        let headers = ["Access-Control-Request-Headers: x-requested-with, Range"];
        let reply = daemon.request("OPTIONS", target, &headers);
        assert_eq!(reply.code, 204, "{target}");
        assert_eq!(reply.header("Allow"), Some(METHODS));
        assert_eq!(reply.header("Access-Control-Allow-Methods"), Some(METHODS));
        let echoed = reply.header("Access-Control-Allow-Headers");
        assert_eq!(echoed, Some("x-requested-with, Range"));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
    }
}

#[test]
fn only_names_of_headers_are_echoed() {
    let daemon = daemon(&["--allow-origin", "*"]);
    for evil in ["a: b", "<script>", "x\tSet-Cookie", "\"", "x\rSet-Cookie: a=b"] {
        let header = format!("Access-Control-Request-Headers: {evil}");
        let mut client = Client::connect(daemon.address());
        client.request("OPTIONS", "/", &[&header]);
        // The HTTP library closes the connection without a reply when it
        // refuses a header.
        let reply = String::from_utf8_lossy(&client.take_rest()).into_owned();
        assert!(!reply.contains(evil), "{reply}");
    }
}

#[test]
fn other_sites_may_not_read_unless_asked_for() {
    let daemon = daemon(&[]);
    for target in TARGETS {
        let reply = daemon.request("HEAD", target, &["Origin: http://printer"]);
        assert!(!reply.head.contains("Access-Control-Allow-Origin"), "{}", reply.head);
        assert!(!reply.head.contains("Cross-Origin-Resource-Policy"), "{}", reply.head);
    }
}

#[test]
fn allowed_origin_stands_in_every_reply() {
    for (origin, vary) in [("*", None), ("http://printer:7125", Some("Origin"))] {
        let daemon = daemon(&["--allow-origin", origin, "--threads", "1"]);
        for target in TARGETS.into_iter().chain(["/nothing", "/snapshot?max_delay=x"]) {
            let reply = daemon.request("HEAD", target, &["Origin: http://other"]);
            assert_eq!(reply.header("Access-Control-Allow-Origin"), Some(origin), "{target}");
            assert_eq!(reply.header("Vary"), vary, "{target}");
            let policy = reply.header("Cross-Origin-Resource-Policy");
            assert_eq!(policy, Some("cross-origin"), "{target}");
            assert!(!reply.head.contains("Allow-Credentials"), "{}", reply.head);
        }
        let viewer = daemon.watch("/stream");
        assert!(viewer.head.contains(&format!("Access-Control-Allow-Origin: {origin}\r\n")));
        let full = daemon.get("/stream");
        assert_eq!(full.code, 503);
        assert_eq!(full.header("Access-Control-Allow-Origin"), Some(origin));
    }
}

#[test]
fn unknown_query_parameters_are_ignored() {
    let daemon = daemon(&[]);
    let busters = "timestamp=1700000000&bypassCache=1&cacheBust=%20&=&&x&a=b=c&%zz";
    for target in TARGETS {
        let target = format!("{target}?{busters}");
        assert_eq!(daemon.request("HEAD", &target, &[]).code, 200, "{target}");
    }
    for target in ["/?action=stream", "/?action=snapshot", "/webcam/?action=stream"] {
        let target = format!("{target}&{busters}");
        assert_eq!(daemon.request("HEAD", &target, &[]).code, 200, "{target}");
    }
}

#[test]
fn known_parameters_with_values_that_cannot_be_are_bad_requests() {
    let daemon = daemon(&[]);
    for target in [
        "/stream?fps=0",
        "/stream?fps=many",
        "/stream?fps=NaN",
        "/stream?headers=some",
        "/?action=reboot",
    ] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 400, "{target}");
        assert!(reply.text().contains(": use "), "{}", reply.text());
    }
}

#[test]
fn connection_is_closed_after_one_reply() {
    let daemon = daemon(&[]);
    for target in TARGETS.into_iter().filter(|t| !["/stream", "/video_feed"].contains(t)) {
        // `get` returns only when the daemon closes the connection, which this
        // test is about.
        let reply = daemon.request("GET", target, &["Connection: keep-alive"]);
        assert_eq!((reply.code, reply.header("Connection")), (200, Some("close")), "{target}");
    }
}

#[test]
fn short_replies_work_for_http_1_0_and_absolute_targets() {
    let daemon = daemon(&[]);
    for request in [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET http://camera:5000/healthz HTTP/1.1\r\nHost: camera\r\n\r\n",
        "GET /healthz?x#y HTTP/1.1\r\nHost: camera\r\nTE: chunked\r\n\r\n",
    ] {
        let mut client = Client::connect(daemon.address());
        client.send(request);
        let reply = client.reply("GET");
        assert_eq!((reply.code, reply.text().as_str()), (200, "ok\n"), "{request}");
    }
}

#[test]
fn webcam_is_the_same_under_another_name() {
    let daemon = daemon(&[]);
    let page = daemon.get("/");
    assert!(page.header("Content-Type").unwrap().starts_with("text/html"));
    // But for the key of its stream, which is another one each time.
    assert_eq!(daemon.get("/webcam/").body.len(), page.body.len());
    let moved = daemon.get("/webcam");
    assert_eq!((moved.code, moved.header("Location")), (301, Some("webcam/")));
    for target in ["/webcam/status", "/webcam/snapshot", "/webcam/app.js"] {
        assert_eq!(daemon.get(target).code, 200, "{target}");
    }
}

#[test]
fn files_of_www_replace_the_page() {
    let www = TempDir::new();
    www.write("index.html", "my page");
    www.write("sub/index.html", "below");
    www.write("a b+c.txt", "text");
    www.write("pictures/x.svg", "<svg/>");
    let daemon = daemon(&["--www", www.path().to_str().unwrap()]);
    for (path, content_type, body) in [
        ("/", "text/html; charset=utf-8", "my page"),
        ("/index.html?v=2", "text/html; charset=utf-8", "my page"),
        ("/webcam/", "text/html; charset=utf-8", "my page"),
        ("/sub/", "text/html; charset=utf-8", "below"),
        ("/a%20b+c.txt", "text/plain; charset=utf-8", "text"),
        ("/pictures/x.svg", "image/svg+xml", "<svg/>"),
    ] {
        let reply = daemon.get(path);
        assert_eq!((reply.code, reply.text().as_str()), (200, body), "{path}");
        assert_eq!(reply.header("Content-Type"), Some(content_type), "{path}");
    }
    assert_eq!(daemon.get("/app.js").code, 404, "the page in the program is not mixed in");
    assert_eq!(daemon.get("/status").code, 200);
}

#[test]
fn folder_without_a_page_is_warned_of() {
    let www = TempDir::new();
    let daemon = daemon(&["--www", www.path().to_str().unwrap()]);
    daemon.wait_for_log("it has no index.html");
}

#[test]
fn no_path_leaves_the_folder() {
    let outside = TempDir::new();
    let secret = outside.write("secret.txt", "SECRET");
    let www = TempDir::new();
    www.write("index.html", "page");
    www.write("sub/a.txt", "a");
    www.write(".hidden", "SECRET");
    www.write("sub/.hidden/a.txt", "SECRET");
    let link = |to: &std::path::Path, name| {
        std::os::unix::fs::symlink(to, www.path().join(name)).unwrap();
    };
    link(&secret, "link.txt");
    link(outside.path(), "linked");
    let secret = secret.to_str().unwrap();
    let up = format!("/{}{}", "../".repeat(20), &secret[1..]);
    let encoded = format!("/{}{}", "%2e%2e/".repeat(20), &secret[1..]);
    let slashes = format!("/{}{}", "..%2f".repeat(20), &secret[1..]);
    let below = format!("/sub{up}");
    let double = format!("/{secret}");
    let served = daemon(&["--www", www.path().to_str().unwrap()]);
    let built_in = daemon(&[]);
    for path in [
        secret,
        &up,
        &encoded,
        &slashes,
        &below,
        &double,
        "/link.txt",
        "/linked/secret.txt",
        "/.hidden",
        "/sub/.hidden/a.txt",
        "/%2ehidden",
        "/sub/./a.txt%00",
        "/..",
        "/%2e%2e",
        "/sub/..%5c..%5csecret.txt",
        "/index.html%00.txt",
        "/%ff",
        "/sub/../index.html",
    ] {
        for daemon in [&served, &built_in] {
            let reply = daemon.get(path);
            assert_eq!(reply.code, 404, "{path}: {}", reply.text());
            assert!(!reply.text().contains("SECRET"), "{path}");
        }
    }
    assert_eq!(served.get("/sub/a.txt").text(), "a");
}
