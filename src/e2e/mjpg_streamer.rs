//! Addresses and bodies as mjpg-streamer has them, for programs and pages that
//! were made for it.

use serde_json::{Value, json};

use crate::support::{
    Browser, Client, Daemon, Fake, Reply, TempDir, Viewer, eventually, eventually_is,
};

const COMMAND: &str = "/?action=command&dest=0&plugin=0&id=9963776&group=1&value=1";
/// What each browser says of itself, and no page can take away.
const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101";

fn daemon(args: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", "pattern:64x48@20"], args].concat())
}

fn json_of(daemon: &Daemon, target: &str) -> Value {
    let reply = daemon.get(target);
    assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("application/json")));
    serde_json::from_slice(&reply.body).unwrap()
}

/// A command for a control that is not there is answered like this when it may be given.
fn is_heard(reply: &Reply) -> bool {
    reply.code == 404 && reply.text().contains("there is no control")
}

#[test]
fn post_of_a_stream_is_answered_as_a_get() {
    let daemon = daemon(&[]);
    for (target, headers, body) in [
        ("/stream", &[][..], ""),
        ("/stream", &["Content-Length: 0"], ""),
        ("/?action=stream", &["Content-Length: 3"], "a=b"),
        ("/camera/stream", &["Origin: http://elsewhere", "Content-Length: 0"], ""),
    ] {
        let mut client = Client::connect(daemon.address());
        client.request("POST", target, headers);
        client.send(body);
        let mut viewer = Viewer::new(client);
        (0..3).for_each(|_| assert!(!viewer.next().jpeg.is_empty(), "{target} {headers:?}"));
    }
    let code = |target: &str, headers: &[&str]| daemon.request("POST", target, headers).code;
    let allow = "GET, HEAD, POST, OPTIONS";
    assert_eq!(daemon.request("OPTIONS", "/stream", &[]).header("Allow"), Some(allow));
    assert_eq!(daemon.request("PUT", "/stream", &[]).header("Allow"), Some(allow));
    assert_eq!(code("/stream", &["Content-Length: 100000"]), 400);
    assert_eq!(code("/stream", &["Transfer-Encoding: chunked"]), 400);
    assert_eq!(code("/video_feed", &["Content-Length: 0"]), 405);
    assert_eq!(code("/snapshot", &["Content-Length: 0"]), 405);
}

#[test]
fn number_chooses_the_camera() {
    let args = ["--camera", "front=pattern:64x48@20", "--camera", "stream_0=pattern:96x48@20"];
    let daemon = Daemon::start(&args);
    let width = |target: &str| crate::support::size(&daemon.get(target).body).0;
    assert_eq!(width("/snapshot_0"), 64);
    assert_eq!(width("/snapshot1"), 96);
    assert_eq!(width("/cam_2.jpg"), 96);
    assert_eq!(daemon.get("/stream_0").code, 301, "a camera of that name is meant first");
    assert_eq!(daemon.get("/input_1.json").code, 200);
    assert_eq!(daemon.get("/input_2.json").code, 404);
    let heard = daemon.get("/?action=command&plugin=1&id=1&value=1");
    assert!(is_heard(&heard), "{}", heard.text());
    let reply = daemon.get("/?action=command&plugin=2&id=1&value=1");
    assert!(reply.code == 404 && reply.text().contains("no camera of that number"));
}

#[test]
fn inputs_outputs_and_clients_have_the_shape_that_mjpg_streamer_gives() {
    let server = Fake::start(|asked| asked.close());
    let camera = format!("http://{}/video?user=me&password=secret", server.address());
    let daemon = Daemon::start(&[
        "--camera",
        "front=pattern:64x48@20",
        "--camera",
        &format!("back={camera}"),
    ]);
    for target in ["/input.json", "/input_0.json", "/front/input.json", "/webcam/input.json"] {
        let input = json_of(&daemon, target);
        assert_eq!(input["formats"], json!([]), "{target}");
        // A camera that is no device has the two of its pictures.
        let names = [0, 1].map(|nth: usize| input["controls"][nth]["name"].clone());
        assert_eq!(names, ["Rotate", "Flip"], "{target}");
    }
    assert_eq!(json_of(&daemon, "/output_0.json"), json!({ "controls": [] }));
    let program = json_of(&daemon, "/program.json");
    let front = json!({
        "id": "0", "name": "front", "plugin": "input_mjpegd.so", "args": "pattern:64x48@20",
    });
    assert_eq!(program["inputs"][0], front);
    assert_eq!(
        (&program["inputs"][1]["id"], &program["inputs"][1]["plugin"]),
        (&json!("1"), &json!("input_http.so"))
    );
    assert!(!program.to_string().contains("secret"), "{program}");
    assert_eq!(program["outputs"][0]["plugin"], "output_http.so");
    assert_eq!(json_of(&daemon, "/clients.json"), json!({ "clients": [] }));
    let mut viewer = daemon.watch("/front/stream");
    viewer.next();
    let clients = json_of(&daemon, "/clients.json");
    assert_eq!(clients["clients"].as_array().unwrap().len(), 1, "{clients}");
    assert_eq!(clients["clients"][0]["address"], "127.0.0.1");
    assert!(clients["clients"][0]["timestamp"].as_u64() > Some(1_700_000_000), "{clients}");
}

#[test]
fn command_is_taken_from_programs_and_own_pages_only() {
    let (own, evil) = ("Referer: http://test/control.htm", "Referer: http://evil/");
    let daemon = daemon(&[]);
    let ask = |headers: &[&str]| daemon.request("GET", COMMAND, headers);
    for headers in [
        &[][..],
        &["User-Agent: curl/7.88.1", "Accept: */*", "Cookie: stream_client=0/1"],
        &[BROWSER, own],
        &[BROWSER, "Sec-Fetch-Site: same-origin"],
        &[BROWSER, "Sec-Fetch-Site: none"],
        &["Origin: http://test"],
    ] {
        assert!(is_heard(&ask(headers)), "{headers:?}: {}", ask(headers).text());
    }
    for headers in [
        &[BROWSER][..],
        &[BROWSER, evil],
        &[evil],
        &["Accept-Language: en"],
        &[BROWSER, own, "Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: same-site"],
        &["Origin: http://printer:7125"],
    ] {
        assert_eq!(ask(headers).code, 403, "{headers:?}");
        let target = COMMAND.replace("/?", "/camera/?").replace("command", "Command/");
        assert_eq!(daemon.request("GET", &target, headers).code, 403, "{headers:?}");
    }
    for method in ["HEAD", "POST"] {
        let reply = daemon.request(method, COMMAND, &["Content-Length: 0"]);
        assert_eq!((reply.code, reply.header("Allow")), (405, Some("GET, OPTIONS")), "{method}");
    }
    assert_eq!(daemon.request("GET", "/?action=command&value=1", &[]).code, 400);
    let named = self::daemon(&["--allow-origin", "http://printer:7125"]);
    let of_printer = [BROWSER, "Referer: http://printer:7125/"];
    assert!(is_heard(&named.request("GET", COMMAND, &of_printer)));
    assert_eq!(named.request("GET", COMMAND, &[BROWSER, evil]).code, 403);
}

#[test]
fn command_takes_the_password() {
    let dir = TempDir::new();
    let file = dir.write("users", "user:pass\n");
    let daemon = daemon(&["--auth-file", file.to_str().unwrap()]);
    assert_eq!(daemon.get(COMMAND).code, 401);
    let password = "Authorization: Basic dXNlcjpwYXNz";
    assert!(is_heard(&daemon.request("GET", COMMAND, &[password])));
}

/// A page with the command in an `<img>` and in a script, which says when both
/// were answered.
fn page(target: &str, referrer: &str) -> String {
    format!(
        "<!doctype html><meta name=referrer content={referrer}><img src='{target}'>
         <script>
         const image = new Promise(end => document.images[0].onerror = end);
         const options = {{ mode: 'no-cors', headers: {{ Accept: '*/*', 'Accept-Language': '*' }} }};
         const script = fetch('{target}&script', options).catch(() => {{}});
         Promise.all([image, script]).then(() => document.title = 'answered');
         </script>"
    )
}

#[test]
fn image_on_another_site_gives_no_command_and_an_own_page_does() {
    let dir = TempDir::new();
    for (name, referrer) in [("own", "same-origin"), ("silent", "no-referrer")] {
        dir.write(&format!("{name}.html"), page(COMMAND, referrer));
    }
    let args = ["--camera", "pattern:64x48@20", "--www", dir.path().to_str().unwrap()];
    let mut command = Daemon::command(&args);
    command.env("RUST_LOG", "mjpegd=debug");
    let daemon = Daemon::spawn(command);
    let browser = Browser::start_with_names("MAP *.lan 127.0.0.1");
    // How many commands a page had sent and how many of them were refused when
    // both were answered.
    let open = |url: &str| {
        let count = |text: &str| daemon.log().iter().filter(|line| line.contains(text)).count();
        let counts = || (count("GET /?action=command"), count("refused, as "));
        let before = counts();
        browser.open(url);
        eventually_is(&format!("{url} has its answers"), || {
            browser.run("return document.title") == "answered"
        });
        // The log is written in the order of the requests.
        let mark = format!("/mark{}", before.0);
        daemon.get(&mark);
        daemon.wait_for_log(&format!("GET {mark}"));
        let after = counts();
        (after.0 - before.0, after.1 - before.1)
    };
    // By a name, as a browser sends Sec-Fetch-Site to 127.0.0.1 and localhost and
    // leaves it out here, as in the network of a house.
    let at = |host: &str| format!("http://{host}:{}", daemon.address().port());
    let (by_name, local) = (at("camera.lan"), at("127.0.0.1"));
    assert_eq!(open(&format!("{by_name}/own.html")), (2, 0));
    assert_eq!(open(&format!("{local}/own.html")), (2, 0));
    assert_eq!(open(&format!("{by_name}/silent.html")), (2, 2), "it proves nothing");
    assert_eq!(open(&format!("{local}/silent.html")), (2, 0), "Sec-Fetch-Site proves it");
    for base in [&by_name, &local] {
        for referrer in ["unsafe-url", "no-referrer"] {
            let body = page(&format!("{base}{COMMAND}"), referrer);
            let evil = Fake::start(move |asked| {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length";
                asked.send(format!("{head}: {}\r\n\r\n{body}", body.len()));
                asked.close();
            });
            let url = format!("http://evil.lan:{}/", evil.address().port());
            assert_eq!(open(&url), (2, 2), "{base} {referrer}");
        }
    }
}

#[test]
fn take_gives_the_newest_picture_of_the_recording_as_a_file() {
    let dir = TempDir::new();
    let daemon = daemon(&["--record", dir.path().to_str().unwrap()]);
    let newest = |target: &str| {
        eventually("a picture is recorded", || Some(daemon.get(target)).filter(|r| r.code == 200))
    };
    let reply = newest("/?action=take&filename=/tmp/print%201.jpg");
    assert_eq!(reply.header("Content-Type"), Some("image/jpeg"));
    let disposition = "attachment; filename=\"print_1.jpg\"";
    assert_eq!(reply.header("Content-Disposition"), Some(disposition));
    let at = format!("/snapshot?at={}", reply.header("X-Timestamp").unwrap());
    assert!(daemon.get(&at).body == reply.body, "the recording keeps it");
    for target in ["/take", "/take?filename=", "/camera/take", "/?action=take_0"] {
        assert_eq!(newest(target).header("Content-Disposition"), None, "{target}");
    }
    assert_eq!(daemon.request("POST", "/record/stop", &[]).code, 200);
    let reply = daemon.get("/take?filename=a.jpg");
    assert!(reply.code == 404 && reply.text().contains("POST /record/start"), "{}", reply.text());
    let reply = self::daemon(&[]).get("/take?filename=a.jpg");
    assert!(reply.code == 404 && reply.text().contains("--record DIR"), "{}", reply.text());
}
