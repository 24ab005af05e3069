//! All cameras on one page, in a real browser.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Browser, Daemon, Dir, eventually, eventually_is};

/// The pictures of all tiles as data URLs.
const PICTURES: &str = "
    return Array.from(document.querySelectorAll('#tiles .frame'), (frame) => {
      const isLive = frame.classList.contains('pictured');
      const picture = frame.querySelector(isLive ? 'img' : 'canvas');
      const canvas = document.createElement('canvas');
      canvas.width = picture.naturalWidth || picture.width;
      canvas.height = picture.naturalHeight || picture.height;
      canvas.getContext('2d').drawImage(picture, 0, 0);
      return canvas.toDataURL();
    });";

const WORDS: &str = "return Array.from(document.querySelectorAll('#tiles li'), (e) => e.innerText)";

const NAMES: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

fn start(names: &[&str], args: &[&str]) -> Daemon {
    let cameras: Vec<_> = names.iter().map(|n| format!("{n}=pattern:320x240@10")).collect();
    let cameras = cameras.iter().flat_map(|camera| ["--camera", camera]);
    Daemon::start(&cameras.chain(args.iter().copied()).collect::<Vec<_>>())
}

/// Opens the page in a window that shows eight tiles at once.
fn open(daemon: &Daemon, target: &str) -> Browser {
    let browser = Browser::start();
    browser.resize(1300, 1500);
    browser.open(&daemon.url(target));
    wait_for_view(&browser, "grid");
    browser
}

fn wait_for_view(browser: &Browser, view: &str) {
    eventually_is(&format!("the page shows: {view}"), || {
        browser.run("return document.documentElement.dataset.view") == view
    });
}

fn wait_for_live(browser: &Browser) {
    eventually_is("the page is live", || {
        browser.run("return document.documentElement.dataset.state") == "live"
    });
}

fn path(browser: &Browser) -> Value {
    browser.run("return location.pathname")
}

/// Waits until tile `n` shows this text.
fn wait_for_words(browser: &Browser, n: usize, words: &str) {
    eventually_is(&format!("tile {n} says: {words}"), || {
        browser.run(WORDS)[n].as_str().unwrap_or("").contains(words)
    });
}

/// Waits until each tile has shown more than `n` different pictures. Calls
/// `look` in each round.
fn wait_for_changes(browser: &Browser, n_tiles: usize, n: usize, mut look: impl FnMut()) {
    let mut seen = vec![BTreeSet::new(); n_tiles];
    eventually("the pictures of all tiles change", || {
        let pictures = browser.run(PICTURES);
        for (tile, picture) in seen.iter_mut().zip(pictures.as_array().unwrap()) {
            tile.insert(picture.as_str().unwrap().to_owned());
        }
        look();
        // The first picture of each tile is the empty canvas, hence more than
        // `n`.
        seen.iter().all(|tile| tile.len() > n).then_some(())
    });
}

#[test]
fn all_tiles_move_over_six_connections() {
    let daemon = start(&NAMES, &[]);
    let browser = open(&daemon, "/");
    wait_for_changes(&browser, NAMES.len(), 4, || {
        // A browser has six connections to a server. The others are for single pictures.
        let seats = daemon.figure("/seats/taken");
        assert!(seats <= 3, "{seats} streams");
    });
    daemon.wait_for_seats(3);
    for (n, name) in NAMES.iter().enumerate() {
        wait_for_words(&browser, n, name);
        wait_for_words(&browser, n, if n < 3 { "Live" } else { "One picture a second" });
    }
    assert_eq!(browser.text("source"), "8 cameras");
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
    let asked = browser.requests();
    let is_ours =
        |url: &String| url.starts_with(&daemon.url("/")) || url.starts_with("data:image/");
    assert!(asked.iter().all(is_ours), "{asked:?}");
    let paths: Vec<_> = asked.iter().map(|url| url.split('?').next().unwrap()).collect();
    for of_the_first in ["/video_feed", "/snapshot", "/controls", "/recordings"] {
        assert!(!paths.contains(&&*daemon.url(of_the_first)), "{of_the_first}: {asked:?}");
    }
}

#[test]
fn tile_opens_its_camera_and_a_link_leads_back() {
    let daemon = start(&NAMES, &[]);
    let browser = open(&daemon, "/");
    daemon.wait_for_seats(3);
    browser.run("document.querySelectorAll('#tiles a')[5].click()");
    wait_for_live(&browser);
    assert_eq!(path(&browser), "/six/");
    eventually_is("only the one is watched", || {
        let status = daemon.status();
        let viewers = status["viewers"].as_array().unwrap();
        viewers.len() == 1 && viewers[0]["camera"] == "six"
    });
    eventually_is("the camera is named", || browser.text("name") == "six");
    assert_eq!(browser.run("return document.getElementById('grid').hidden"), true);
    browser.run("document.getElementById('all').click()");
    wait_for_view(&browser, "grid");
    assert_eq!(path(&browser), "/");
    daemon.wait_for_seats(3);
    browser.run("history.back()");
    eventually_is("the browser is back at the camera", || path(&browser) == "/six/");
    wait_for_live(&browser);
    daemon.wait_for_seats(1);
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
}

#[test]
fn grid_works_under_a_prefix() {
    let daemon = start(&NAMES[..2], &[]);
    let browser = open(&daemon, "/webcam/");
    wait_for_changes(&browser, 2, 2, || {});
    browser.run("document.querySelectorAll('#tiles a')[1].click()");
    wait_for_live(&browser);
    assert_eq!(path(&browser), "/webcam/two/");
    let back = browser.run("return document.getElementById('all').href");
    assert_eq!(back, daemon.url("/webcam/"));
}

#[test]
fn one_camera_has_no_grid() {
    let daemon = start(&NAMES[..1], &[]);
    let browser = Browser::start();
    for target in ["/", "/one/"] {
        browser.open(&daemon.url(target));
        wait_for_live(&browser);
        let hidden = "return ['grid', 'all'].every((id) => document.getElementById(id).hidden)";
        assert_eq!(browser.run(hidden), true, "{target}");
        daemon.wait_for_seats(1);
    }
}

#[test]
fn only_tiles_in_view_are_refreshed() {
    let daemon = start(&NAMES, &[]);
    let browser = Browser::start();
    browser.resize(360, 640);
    browser.open(&daemon.url("/"));
    wait_for_view(&browser, "grid");
    wait_for_words(&browser, 0, "Live");
    let columns = "const e = document.documentElement;
        const tiles = Array.from(document.querySelectorAll('#tiles li'));
        return e.scrollWidth <= e.clientWidth && new Set(tiles.map((t) => t.offsetLeft)).size";
    assert_eq!(browser.run(columns), 1);
    browser.run("window.scrollTo(0, document.documentElement.scrollHeight)");
    wait_for_words(&browser, 7, "Live");
    let opened = |n: usize| daemon.figure(&format!("/cameras/{n}/opened"));
    assert_eq!((opened(0), opened(3), opened(7)), (1, 0, 1));
    eventually_is("the first is left", || daemon.figure("/cameras/0/viewers") == 0);
}

#[test]
fn hidden_grid_asks_for_nothing() {
    let daemon = start(&NAMES, &[]);
    let browser = open(&daemon, "/");
    daemon.wait_for_seats(3);
    wait_for_words(&browser, 7, "One picture a second");
    browser.minimize();
    daemon.wait_for_seats(0);
    // The cameras are off 10 s after the last picture, so by then no request is
    // still running.
    eventually_is("all cameras are off", || {
        let status = daemon.status();
        status["cameras"].as_array().unwrap().iter().all(|camera| camera["state"] == "idle")
    });
    browser.maximize();
    browser.resize(1300, 1500);
    daemon.wait_for_seats(3);
    wait_for_changes(&browser, NAMES.len(), 2, || {});
}

#[test]
fn lost_and_full_cameras_are_told() {
    let dir = Dir::flat(320, 240);
    let gone = format!("gone={}", dir.camera());
    let args = ["--camera", &gone, "--max-viewers", "1"];
    let daemon = start(&NAMES[..2], &args);
    let mut viewer = daemon.watch("/one/stream");
    viewer.next();
    let browser = open(&daemon, "/");
    wait_for_words(&browser, 0, "Seats taken, one picture a second");
    wait_for_words(&browser, 1, "Live");
    wait_for_words(&browser, 2, "Live");
    dir.remove();
    wait_for_words(&browser, 2, "Camera lost");
    wait_for_words(&browser, 2, "no picture in this folder");
    dir.restore();
    wait_for_words(&browser, 2, "Live");
    drop(viewer);
    wait_for_words(&browser, 0, "Live");
}

#[test]
fn grid_can_be_used_by_keyboard_and_by_ear() {
    let daemon = start(&NAMES[..3], &[]);
    let browser = open(&daemon, "/");
    (0..3).for_each(|n| wait_for_words(&browser, n, "Live"));
    let press = |key: &str, code: u32, text: &str| {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code,
                "text": if kind == "keyDown" { text } else { "" } });
            browser.devtools("Input.dispatchKeyEvent", &key);
        }
    };
    let names = browser.run(
        "return Array.from(document.querySelectorAll('#tiles a'), (link) =>
            link.getAttribute('aria-labelledby').split(' ').map((id) =>
                document.getElementById(id).textContent).join(' '))",
    );
    assert_eq!(names, json!(["one Live", "two Live", "three Live"]));
    let alt = browser.run("return document.querySelector('#tiles canvas').ariaLabel");
    assert_eq!(alt, "Picture of one");
    press("Tab", 9, "");
    press("Tab", 9, "");
    let focused = browser.run("return document.activeElement.getAttribute('href')");
    assert_eq!(focused, "two/");
    press("Enter", 13, "\r");
    eventually_is("it is opened", || path(&browser) == "/two/");
    wait_for_live(&browser);
}
