//! The stream that stands in the HTML of a page of one camera, over HTTP and in a real browser.

use serde_json::json;

use crate::support::{Browser, Daemon, eventually_is};

const CAMERA: &str = "pattern:320x240@10";

/// The key of the stream in this page; `None` if there is none.
fn key(html: &str) -> Option<String> {
    let (_, behind) = html.split_once("src=\"video_feed?key=")?;
    Some(behind.split_once('"')?.0.to_owned())
}

fn get(daemon: &Daemon, path: &str, headers: &[&str]) -> Option<String> {
    key(&daemon.request("GET", path, headers).text())
}

fn wait_until_live(browser: &Browser) {
    eventually_is("the page is live", || {
        browser.run("return document.documentElement.dataset.state") == "live"
    });
}

/// The address of the stream that is shown.
fn shown(browser: &Browser) -> String {
    let src = browser.run("return document.getElementById('picture').src");
    src.as_str().unwrap().to_owned()
}

#[test]
fn html_of_one_camera_has_its_stream_under_a_key_of_its_own() {
    let daemon = Daemon::start(&["--camera", CAMERA]);
    let [first, second] = ["/", "/index.html"].map(|path| get(&daemon, path, &[]).unwrap());
    assert_ne!(first, second);
    assert_eq!(get(&daemon, "/", &["Sec-Purpose: prefetch;prerender"]), None);
    let length = |method| {
        daemon.request(method, "/", &[]).header("Content-Length").map(str::to_owned).unwrap()
    };
    assert_eq!(length("HEAD"), length("GET"));
}

#[test]
fn html_of_several_cameras_has_none_and_that_of_each_has_it() {
    let camera = |name: &str| format!("{name}={CAMERA}");
    let daemon = Daemon::start(&["--camera", &camera("front"), "--camera", &camera("back")]);
    assert_eq!(get(&daemon, "/", &[]), None);
    assert!(get(&daemon, "/back/", &[]).is_some());
}

#[test]
fn page_takes_it_over_and_opens_no_other() {
    let daemon = Daemon::start(&["--camera", CAMERA]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    wait_until_live(&browser);
    let first = shown(&browser);
    eventually_is("the page knows its stream", || browser.text("seats") == "1 of 16");
    assert_eq!(daemon.status()["viewers"][0]["id"], 1);
    // Back from another page, perhaps with HTML out of the cache.
    browser.open(&daemon.url("/links.html"));
    daemon.wait_for_seats(0);
    browser.run("history.back()");
    wait_until_live(&browser);
    daemon.wait_for_seats(1);
    assert_ne!(shown(&browser), first);
}

#[test]
fn browser_without_scripts_shows_it_once() {
    let daemon = Daemon::start(&["--camera", CAMERA]);
    let browser = Browser::start();
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&daemon.url("/"));
    daemon.wait_for_seats(1);
    let is_seen = "const image = document.querySelector('#stage img[src]');
        return image.checkVisibility({ visibilityProperty: true }) && image.naturalWidth";
    eventually_is("the picture is there", || browser.run(is_seen) == 320);
    assert_eq!(daemon.figure("/seats/taken"), 1);
}
