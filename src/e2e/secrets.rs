//! Secrets in addresses and commands: fed in everywhere, found nowhere in what
//! the program puts out.

use crate::support::{Browser, Daemon, Fake, Reply, TempDir, eventually_is};

/// Stands in each secret of these tests, and in nothing else.
const SECRET: &str = "TOPSECRET";

/// Arguments of commands, with a dollar for each secret.
const COMMANDS: [&str; 20] = [
    "-s -u me:$ http://h/",
    "-ume:$ http://h/",
    "-su 'me:$ $' http://h/",
    "--user me:$",
    "--user=me:$",
    "--proxy-user me:$",
    "-p $ x",
    "--password '$ $'",
    "--password=$",
    "--token $",
    "--oauth2-bearer $",
    "-H 'Authorization: Basic $' -s",
    "-H \"X-Api-Key:$\"",
    "-headers 'Accept: x\\r\\nAuthorization: Bearer $\\r\\n' -i x",
    "-b 'sid=$'",
    "-d 'user=$&pass=$'",
    "-d '{\"password\": \"$\"}'",
    "-i 'rtsp://me:a/b#$@h:554/x?token=$'",
    "-i rtsp://h/user=$_password=$_channel=1",
    "rtspsrc user-id=$ user-pw=$",
];

/// Sources that are refused, with a dollar for each secret.
const BAD_SOURCES: [&str; 12] = [
    "http://me:a#$@h:x/",
    "http://me:a/$@h:x/",
    "http://me:a?$@h:x/",
    "http://me:a@$@h:x/",
    "http://me:a $@h:x/",
    "http://me:a\"$@h:x/",
    "http://h/a b?pwd=$",
    "http://h/?pwd=a $&x=1",
    "http://h:x/?pwd=$",
    "a b=http://me:$@h/",
    "ftp://me:$@h/",
    "curl -u me:$ http://h/",
];

/// Addresses whose replies say something, also what is wrong; a dollar stands for
/// a secret in the query.
const TARGETS: [&str; 14] = [
    "/",
    "/status",
    "/state",
    "/metrics",
    "/controls",
    "/recordings",
    "/healthz?cameras=1",
    "/snapshot",
    "/nothing?$",
    "/status?$",
    "/?action=$",
    "/stream?fps=x&$",
    "/download?$",
    "/snapshot?at=x&$",
];

/// Sources with a secret that a daemon can be started with.
fn sources(server: &str) -> Vec<String> {
    let host = server.strip_prefix("http://").unwrap().trim_end_matches('/');
    // A unit test of the names has more of them.
    let mut sources: Vec<_> =
        ["user", "PASSWD", "access_token", "u", "p", "p%77d", "X-Amz-Signature"]
            .iter()
            .map(|key| format!("http://{host}/v.cgi?fps=5&{key}={SECRET}&n=1"))
            .collect();
    sources.push(format!("http://me:{SECRET}@{host}/"));
    sources.push(format!("http://me:a%23{SECRET}@{host}/?pwd={SECRET}#{SECRET}@x"));
    for command in COMMANDS {
        sources.push(format!("exec:: {}; sleep 600", command.replace('$', SECRET)));
    }
    for assignment in ["PASSWORD=$ :", "CAM_TOKEN='$ $' :", "export API_KEY=\"$\";"] {
        sources.push(format!("exec:{} sleep 600", assignment.replace('$', SECRET)));
    }
    sources
}

/// What the first camera of a daemon puts out, to clients, other programs and in a
/// browser.
fn outputs_show_none(daemon: &Daemon) {
    let secret = format!("token={SECRET}");
    let viewer = daemon.watch(&format!("/c0/stream?{secret}&extra_headers=1"));
    for target in TARGETS {
        for camera in ["", "/c0"] {
            let target = format!("{camera}{target}").replace('$', &secret);
            let Reply { head, code, body } = daemon.get(&target);
            let shown = head + &String::from_utf8_lossy(&body);
            assert!(!shown.contains(SECRET), "{target}: {code} {shown}");
        }
    }
    drop(viewer);
    for command in
        [&["probe", "--duration", "300ms"][..], &["probe", "--json"], &["grab"], &["health"]]
    {
        let url =
            daemon.url(&format!("/c0/snapshot?{secret}")).replace("//", &format!("//me:{SECRET}@"));
        let (_, out, err) = Daemon::run(&[command, &[&url]].concat());
        assert!(!out.contains(SECRET) && !err.contains(SECRET), "{command:?}: {out}{err}");
    }
    let browser = Browser::start();
    browser.open(&daemon.url("/c0/"));
    eventually_is("the page names source and cause", || {
        !browser.text("source").is_empty() && browser.text("reason").contains("redirected")
    });
    assert!(browser.text("source").contains("***"));
    let page = browser.run("return document.documentElement.outerHTML");
    assert!(!page.as_str().unwrap().contains(SECRET), "{page}");
}

#[test]
fn running_daemon_shows_none() {
    let fake = Fake::start(|asked| {
        // Refused with a redirect that has the secret in it, too.
        let location = format!("/again?pwd={SECRET}");
        let reply =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        asked.send(reply);
    });
    let sources = sources(&fake.url("/"));
    let named: Vec<_> = sources.iter().enumerate().map(|(i, s)| format!("c{i}={s}")).collect();
    let mut args: Vec<_> = named.iter().flat_map(|source| ["--camera", source]).collect();
    args.extend(["--idle-timeout", "0"]);
    let mut command = Daemon::command(&args);
    command.env("RUST_LOG", "debug");
    let daemon = Daemon::spawn(command);
    eventually_is("each camera was opened or lost", || {
        let status = daemon.status();
        let cameras = status["cameras"].as_array().unwrap().clone();
        let is_tried = |camera: &serde_json::Value| {
            camera["state"] == "lost" || camera["opened"].as_u64() > Some(0)
        };
        cameras.len() == sources.len() && cameras.iter().all(is_tried)
    });
    for camera in daemon.status()["cameras"].as_array().unwrap() {
        assert!(!camera.to_string().contains(SECRET), "{} {}", camera["source"], camera["cause"]);
    }
    outputs_show_none(&daemon);
    let shown: Vec<_> = daemon.status()["cameras"]
        .as_array()
        .unwrap()
        .iter()
        .map(|camera| camera["source"].as_str().unwrap().to_owned())
        .collect();
    for (source, shown) in sources.iter().zip(shown) {
        assert!(shown.contains("***"), "{source} is not to be recognized in {shown}");
    }
    daemon.get(&format!("/status?token={SECRET}"));
    daemon.wait_for_log("GET /status?token=***");
    let log = daemon.log().join("\n");
    assert!(log.contains("?fps=5&PASSWD=***&n=1"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn command_that_repeats_its_secrets_shows_none() {
    // In no form by which they could be recognized.
    let says = format!("echo \"hello me, {SECRET}? $0\" >&2; echo {SECRET} again >&2");
    let command = format!("exec:: -u me:{SECRET} rtsp://you:{SECRET}2@h/; {says}; exit 3");
    let daemon = Daemon::start(&["--camera", &command, "--idle-timeout", "0"]);
    daemon.wait_for_log("the command says: *** again");
    daemon.wait_for_state("lost");
    assert!(!daemon.get("/status").text().contains(SECRET));
    assert!(!daemon.log().join("\n").contains(SECRET));
}

#[test]
fn refused_arguments_and_files_show_none() {
    let dir = TempDir::new();
    let file = |text: &str| {
        let text = text.replace('$', SECRET);
        dir.write(&format!("{}.toml", text.len()), text).to_str().unwrap().to_owned()
    };
    let bad = |source: &str| source.replace('$', SECRET);
    let mut runs: Vec<Vec<String>> =
        BAD_SOURCES.iter().map(|source| vec!["--camera".to_owned(), bad(source)]).collect();
    for [option, value] in [
        ["--fps", "http://me:$@h/"],
        ["--threads", "token=$"],
        ["--http://me:$@h/", ""],
        ["http://me:$@h/", ""],
        ["--password=$", ""],
        ["--allow-origin", "http://me:$@h pwd=$"],
        ["--bind", "http://me:$@h/"],
        ["--control", "http://me:$@h/"],
        ["--format", "http://me:$@h/"],
        ["--resolution", "http://me:$@h/"],
        ["--record-max-size", "http://me:$@h/"],
    ] {
        runs.push(vec![bad(option), bad(value)]);
    }
    for text in [
        "[[camera]]\nsource = 'http://me:a#$@h:x/'\n",
        "[[camera]]\nsource = 'http://h:x/?pwd=$ $'\n",
        "fps = 'pwd=$'\n",
        "'http://me:$@h/' = 1\n",
        "source = 'pwd=$\n",
        "fps = http://me:$@h/\n",
    ] {
        runs.push(vec!["check-config".into(), file(text)]);
        runs.push(vec!["--config".into(), file(text)]);
    }
    for command in ["probe", "grab", "health"] {
        for url in ["http://me:$@127.0.0.1:1/?pwd=$", "http://me:a#$@h:x/", "http://h:x/?pwd=$"] {
            runs.push(vec![command.into(), bad(url)]);
            runs.push(vec![command.into(), bad(url), bad("--token=$")]);
        }
    }
    for args in runs {
        let (code, out, err) = Daemon::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(matches!(code, Some(1 | 2)), "{args:?}: {code:?}");
        assert!(!out.contains(SECRET) && !err.contains(SECRET), "{args:?}: {out}{err}");
        assert!(!err.is_empty(), "{args:?}");
    }
}

#[test]
fn good_file_and_help_show_none() {
    let dir = TempDir::new();
    let text = format!("[[camera]]\nsource = 'http://h/?user=me&pwd={SECRET}'\n");
    let file = dir.write("c.toml", text);
    let (code, out, err) = Daemon::run(&["check-config", file.to_str().unwrap()]);
    assert_eq!((code, out.contains("?user=***&pwd=***"), err), (Some(0), true, String::new()));
    assert!(!out.contains(SECRET));
    let mut help = Daemon::command(&["--help"]);
    help.env("CAMERA", format!("exec:cam --pass {SECRET}")).env("MJPEGD_CONFIG", SECRET);
    let output = help.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[env: CAMERA]") && !text.contains(SECRET), "{text}");
    let mut bad = Daemon::command(&[]);
    bad.env("CAMERA", format!("http://me:{SECRET}@h:x/"))
        .env("MJPEGD_FPS", format!("pwd={SECRET}"));
    let output = bad.output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains(SECRET), "{output:?}");
}
