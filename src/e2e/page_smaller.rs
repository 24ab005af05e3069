//! Smaller pictures on the page, in a real browser: where they are shown small, or the
//! line is slow.

use serde_json::{Value, json};

use crate::support::{Browser, Daemon, eventually_is};

/// A browser that runs this script before those of the page, in a window of this width.
fn browser(script: &str, width: u32) -> Browser {
    let browser = Browser::start();
    browser.resize(width, 800);
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    browser
}

const SLOW: &str =
    "Object.defineProperty(navigator, 'connection', { value: { effectiveType: '3g' } });";
/// While `window.isSlow`, the server says that its viewers have one picture a second.
const SLOW_BY_STATUS: &str = "
    const real = window.fetch;
    window.fetch = async (...asked) => {
      const reply = await real(...asked);
      if (!window.isSlow || !String(asked[0]).endsWith('/status')) return reply;
      const status = await reply.json();
      for (const viewer of status.viewers) viewer.fps = 1;
      return new Response(JSON.stringify(status));
    };";

fn wait_for_width(browser: &Browser, width: u32) {
    eventually_is(&format!("the picture is {width} wide"), || {
        browser.run("return document.getElementById('picture').naturalWidth") == width
    });
}

fn is_hidden(browser: &Browser, id: &str) -> bool {
    browser.run(&format!("return document.getElementById('{id}').hidden")) == true
}

fn n_variants(daemon: &Daemon) -> usize {
    daemon.threads().iter().filter(|name| *name == "variant").count()
}

#[test]
fn slow_line_gets_a_smaller_picture_and_full_size_on_demand() {
    let daemon = Daemon::start(&["--camera", "pattern:1280x720@10"]);
    let browser = browser(SLOW, 500);
    browser.open(&daemon.url("/"));
    wait_for_width(&browser, 640);
    eventually_is("it says so", || {
        browser.text("size") == "640 × 360" && browser.text("size-label") == "Size, reduced"
    });
    assert!(!is_hidden(&browser, "full-size"));
    browser.run("document.getElementById('full-size').click()");
    wait_for_width(&browser, 1280);
    eventually_is("it says so", || {
        browser.text("size") == "1280 × 720" && browser.text("size-label") == "Size"
    });
    eventually_is("nobody has a variant", || n_variants(&daemon) == 0);
    let pressed = "return document.getElementById('full-size').ariaPressed";
    assert_eq!(browser.run(pressed), "true");
    browser.run("document.getElementById('full-size').click()");
    wait_for_width(&browser, 640);
    // A snapshot that is saved has the full size.
    let saved = "const clicked = new Promise((done) => {
          HTMLAnchorElement.prototype.click = function () { done(this.href); };
        });
        document.getElementById('snapshot').dispatchEvent(new Event('click', { cancelable: true }));
        return clicked.then((url) => new Promise((done) => {
          const image = new Image();
          image.onload = () => done(image.naturalWidth);
          image.src = url;
        }));";
    assert_eq!(browser.run(saved), 1280);
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
}

#[test]
fn line_that_turns_out_to_be_slow_gets_smaller_ones() {
    let daemon = Daemon::start(&["--camera", "pattern:1280x720@10"]);
    let browser = browser(SLOW_BY_STATUS, 500);
    browser.open(&daemon.url("/"));
    wait_for_width(&browser, 1280);
    assert!(is_hidden(&browser, "full-size"));
    assert_eq!(n_variants(&daemon), 0, "a small window alone is no reason");
    browser.run("window.isSlow = true");
    wait_for_width(&browser, 640);
    wait_for_width(&browser, 320);
    // Whoever wants the full size keeps it.
    browser.run("document.getElementById('full-size').click()");
    wait_for_width(&browser, 1280);
}

#[test]
fn tiles_get_smaller_pictures_live_and_still() {
    let cameras: Vec<_> =
        ["a", "b", "c", "d"].iter().map(|name| format!("{name}=pattern:1280x720@5")).collect();
    let args: Vec<_> = cameras.iter().flat_map(|camera| ["--camera", camera]).collect();
    let daemon = Daemon::start(&args);
    let browser = browser("", 1300);
    browser.open(&daemon.url("/"));
    let widths = "return Array.from(document.querySelectorAll('#tiles .frame'), (frame) =>
        frame.classList.contains('pictured') ? frame.querySelector('img').naturalWidth
            : frame.querySelector('canvas').width)";
    eventually_is("all are smaller, at least as wide as their tiles", || {
        let widths = browser.run(widths);
        widths.as_array().unwrap().iter().all(|width| width == 640 || width == 320)
    });
    eventually_is("it says so", || browser.text("source") == "4 cameras, in reduced size");
    assert_eq!(daemon.figure("/variants/refused"), 0);
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
    // The camera's own page has the full size.
    browser.run("document.querySelector('#tiles a').click()");
    eventually_is("the page of a camera is there", || {
        browser.run("return document.documentElement.dataset.view") == "single"
    });
    wait_for_width(&browser, 1280);
}

#[test]
fn refused_smaller_pictures_are_no_obstacle() {
    for most in ["0", "1"] {
        let daemon = Daemon::start(&[
            "--camera",
            "a=pattern:1280x720@5",
            "--camera",
            "b=pattern:1280x720@5",
            "--max-variants",
            most,
        ]);
        let browser = browser("", 1300);
        browser.open(&daemon.url("/"));
        eventually_is("both are live", || {
            let live = "return document.querySelectorAll('#tiles .pictured').length";
            browser.run(live) == 2 && n_variants(&daemon).to_string() == most
        });
    }
    let daemon = Daemon::start(&["--camera", "pattern:1280x720@10", "--max-variants", "0"]);
    let browser = browser(SLOW, 500);
    browser.open(&daemon.url("/"));
    wait_for_width(&browser, 1280);
}
