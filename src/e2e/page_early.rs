//! The stream that stands in the HTML of a page of one camera, over HTTP and in a real browser.

use serde_json::json;

use crate::support::{Browser, Daemon, eventually_is};

const CAMERA: &str = "pattern:320x240@10";

/// The width of the picture, if it can be seen.
const IS_SEEN: &str = "const image = document.querySelector('#stage img[src]');
    return image.checkVisibility({ visibilityProperty: true }) && image.naturalWidth";

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
fn page_takes_it_over_and_needs_one_seat() {
    let daemon = Daemon::start(&["--camera", CAMERA, "--threads", "1"]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    wait_until_live(&browser);
    eventually_is("the page knows its stream", || browser.text("fps").ends_with(" fps"));
    assert_eq!(daemon.status()["viewers"][0]["id"], 1);
    // Back from another page, perhaps with HTML out of the cache.
    browser.open(&daemon.url("/links.html"));
    daemon.wait_for_seats(0);
    browser.run("history.back()");
    wait_until_live(&browser);
    assert_eq!(daemon.figure("/seats/refused"), 0);
}

#[test]
fn slow_line_gives_it_up_for_a_smaller_one_on_the_same_seat() {
    let daemon = Daemon::start(&["--camera", CAMERA, "--threads", "1"]);
    let browser = Browser::start();
    let slow = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })";
    let script = json!({ "source": slow });
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &script);
    // Several times, as the server may see soon enough that the first stream has ended.
    for _ in 0..8 {
        browser.open(&daemon.url("/"));
        eventually_is("it asks for a width", || shown(&browser).contains("width="));
        wait_until_live(&browser);
        browser.open(&daemon.url("/links.html"));
        daemon.wait_for_seats(0);
    }
    assert_eq!(daemon.figure("/seats/refused"), 0);
}

#[test]
fn nothing_covers_it_while_the_script_is_not_there() {
    let daemon = Daemon::start(&["--camera", CAMERA]);
    let browser = Browser::start();
    browser.devtools("Network.enable", &json!({}));
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": ["*/app.js"] }));
    browser.open(&daemon.url("/"));
    eventually_is("the picture is there", || browser.run(IS_SEEN) == 320);
    let covered = "return document.getElementById('message').checkVisibility()";
    assert_eq!(browser.run(covered), false);
}

#[test]
fn browser_without_scripts_shows_it_once() {
    let daemon = Daemon::start(&["--camera", CAMERA]);
    let browser = Browser::start();
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&daemon.url("/"));
    daemon.wait_for_seats(1);
    eventually_is("the picture is there", || browser.run(IS_SEEN) == 320);
    assert_eq!(daemon.figure("/seats/taken"), 1);
}
