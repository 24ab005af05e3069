//! nginx and Caddy in front of a daemon, with a path prefix, and the age of a picture
//! through a relay and HAProxy.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::{Engine, engine, haproxy, own_address, relay, wait_until_found};
use crate::support::{Browser, Client, Daemon, Dir, Metronome, TempDir, Viewer, eventually_is};

/// nginx and Caddy have three relays; here all three are one daemon.
fn upstream(address: SocketAddr) -> Vec<(String, String)> {
    (1..=3).map(|n| (format!("127.0.0.1:500{n}"), address.to_string())).collect()
}

fn nginx(address: SocketAddr, folder: &Path) -> Engine {
    let mut texts = upstream(address);
    // Once is enough for one daemon.
    texts.push((format!("server {address} max_fails=0;"), String::new()));
    texts.push(("least_conn;".into(), format!("server {address} max_fails=0;")));
    texts.push(("/var/cache/nginx".into(), folder.display().to_string()));
    let pid = format!("pid {}/pid;\ndaemon off;\nworker_processes 1;", folder.display());
    texts.push(("worker_processes auto;".into(), pid));
    Engine::start("nginx.conf", ("listen 8080;", "listen 127.0.0.1:PORT;"), &texts, |path| {
        let mut command = engine("nginx");
        command.args(["-c"]).arg(path).stderr(Stdio::null());
        command
    })
}

fn caddy(address: SocketAddr, folder: &Path) -> Engine {
    let mut texts = upstream(address);
    texts.push((format!("{address} {address} {address}"), address.to_string()));
    // No port for orders, so that two can run on one machine.
    texts.push((":8080 {".into(), ":8080 {".into()));
    Engine::start(
        "Caddyfile",
        (":8080 {", "{\n\tadmin off\n}\nhttp://127.0.0.1:PORT {"),
        &texts[..4],
        |path| {
            let mut command = Command::new("caddy");
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).stderr(Stdio::null());
            command
        },
    )
}

fn ask(engine: &Engine, method: &str, target: &str, headers: &[&str]) -> u16 {
    let mut client = Client::connect(engine.address);
    // A proxy keeps the connection otherwise.
    client.request(method, target, &[headers, &["Connection: close"]].concat());
    client.reply(method).code
}

/// The ages of pictures when their last byte has come, in milliseconds, in order.
fn ages(address: SocketAddr, target: &str, n: usize) -> Vec<f64> {
    let mut client = Client::connect(address);
    // Old enough for a proxy to send no chunks.
    client.send(format!("GET {target} HTTP/1.0\r\nHost: {address}\r\n\r\n"));
    let mut viewer = Viewer::new(client);
    let age = |viewer: &mut Viewer| {
        let taken = viewer.next().timestamp();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        (now - taken) * 1000.0
    };
    let mut ages: Vec<_> = (0..n).map(|_| age(&mut viewer)).collect();
    ages.sort_by(f64::total_cmp);
    ages
}

#[test]
#[ignore = "part of make test-fleet"]
fn daemon_behind_nginx_and_caddy_with_a_prefix() {
    for (name, start) in [("nginx", nginx as fn(_, &Path) -> Engine), ("caddy", caddy)] {
        let (to, folder) = (TempDir::new(), TempDir::new());
        let args = ["--camera", "pattern:320x240@10", "--trusted-proxy", "127.0.0.1", "--record"];
        let daemon = Daemon::start(&[&args[..], &[to.path().to_str().unwrap()]].concat());
        let proxy = start(daemon.address(), folder.path());
        eventually_is("it serves", || ask(&proxy, "GET", "/cam/healthz", &[]) == 200);
        for target in [
            "/cam/",
            "/cam/app.js",
            "/cam/snapshot",
            "/cam/status",
            "/cam/recordings",
            "/cam/snapshot?max_delay=3000",
        ] {
            assert_eq!(ask(&proxy, "GET", target, &[]), 200, "{name}: {target}");
        }
        // The page's own requests, as a browser sends them over plain HTTP to another machine.
        let post = |target: &str| {
            let mut client = Client::connect(proxy.address);
            client.send(format!(
                "POST {target} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\n\
                 Content-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                proxy.address
            ));
            client.reply("POST").code
        };
        assert_eq!(post("/cam/record/stop"), 200, "{name}");
        // Not 403: what it lacks is a body.
        assert_eq!(post("/cam/controls"), 400, "{name}");
        // No picture late: another one comes only after 100 ms.
        let (direct, through) =
            (ages(daemon.address(), "/stream", 30), ages(proxy.address, "/cam/stream", 30));
        eprintln!("{name}: age p50 direct {:.1} ms, through it {:.1}", direct[15], through[15]);
        assert!(
            through[3] < direct[3] + 50.0,
            "{name}: a picture late: {direct:.1?} {through:.1?}"
        );
        daemon.wait_for_log("from 127.0.0.1 watches");
        let browser = Browser::start();
        browser.open(&format!("http://{}/cam/", proxy.address));
        eventually_is("the page is live and finds itself", || {
            browser.run("return document.documentElement.dataset.state") == "live"
                && browser.text("fps").ends_with("fps")
        });
        fs::remove_dir_all(folder.path().join("mjpegd")).ok();
    }
}

#[test]
#[ignore = "part of make test-fleet"]
fn picture_is_hardly_older_behind_a_relay_and_haproxy() {
    // JPEGs that are passed on: to encode one takes as long as what is measured here.
    let dir = Dir::numbered(200, 30_000);
    let origin = Daemon::start(&["--camera", &dir.camera(), "--fps", "10"]);
    let relay = relay(&origin, "127.0.0.1:0", 8);
    let proxy = haproxy(&[relay.address()]);
    eventually_is("it serves", || ask(&proxy, "GET", "/healthz", &[]) == 200);
    // The first pictures come while cameras start.
    for address in [origin.address(), relay.address(), proxy.address] {
        ages(address, "/stream", 5);
    }
    let [direct, relayed, through] = [origin.address(), relay.address(), proxy.address]
        .map(|address| ages(address, "/stream", 50));
    let typical = [&direct, &relayed, &through].map(|ages| ages[25]);
    eprintln!("age p50 in ms: direct, relay, relay and HAProxy {typical:.2?}");
    // What a busy machine adds, it does not add to each picture; a hop that waits for the
    // next picture before it passes one on makes all of them 100 ms older.
    assert!(through[5] < direct[5] + 3.0, "{direct:.2?} {through:.2?}");
}

#[test]
#[ignore = "part of make test-fleet"]
fn page_is_back_soon_in_a_rolling_restart() {
    let origin = Daemon::start(&["--camera", "pattern:320x240@20"]);
    let mut relays = [0, 1].map(|n| relay(&origin, &own_address(n), 8));
    let proxy = haproxy(&[relays[0].address(), relays[1].address()]);
    // With equally few viewers they take turns.
    (0..2).for_each(|n| wait_until_found(&proxy, n));
    let browser = Browser::start();
    browser.open(&format!("http://{}/", proxy.address));
    let state = || browser.run("return document.documentElement.dataset.state");
    eventually_is("the page is live", || state() == "live");
    // Notes how often and how long the page was not live.
    browser.run(
        "window.times = []; let at = 0;
         const page = document.documentElement;
         new MutationObserver(() => {
             const now = performance.now();
             if (page.dataset.state !== 'live') at ||= now;
             else if (at) { window.times.push(now - at); at = 0; }
         }).observe(page, { attributes: true, attributeFilter: ['data-state'] });",
    );
    let times = || -> Vec<f64> {
        let times = browser.run("return window.times");
        times.as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect()
    };
    let metronome = Metronome::start();
    for (n, relay_of) in relays.iter_mut().enumerate() {
        let address = relay_of.address().to_string();
        let is_watched = relay_of.figure("/seats/taken") > 0;
        let n_before = times().len();
        relay_of.signal(rustix::process::Signal::TERM);
        assert_eq!(relay_of.wait().code(), Some(0));
        *relay_of = relay(&origin, &address, 8);
        wait_until_found(&proxy, n);
        if is_watched {
            eventually_is("the page is live again", || times().len() > n_before);
        }
    }
    eprintln!("rolling restart: a page was without a picture for {:.0?} ms", times());
    let limit = metronome.allow(Duration::from_secs(2)).as_secs_f64() * 1000.0;
    assert!(!times().is_empty() && times().iter().all(|ms| *ms < limit), "{:?}", times());
}
