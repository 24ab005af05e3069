//! The page, in a real browser.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Browser, COLOURS, Daemon, Dir, TempDir, colour, eventually, eventually_is};

/// The colour in the middle of the painted picture.
const CENTRE: &str = "
    const image = document.getElementById('picture');
    if (!image || !image.naturalWidth) return null;
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const x = canvas.width >> 1, y = canvas.height >> 1;
    return Array.from(context.getImageData(x, y, 1, 1).data).slice(0, 3);";

/// The index of the painted colour in [`COLOURS`].
fn painted(browser: &Browser) -> Option<usize> {
    let rgb = browser.run(CENTRE);
    let part = |i: usize| rgb[i].as_i64();
    colour([part(0)?, part(1)?, part(2)?])
}

fn wait_for_state(browser: &Browser, state: &str) {
    eventually_is(&format!("the page is {state}"), || {
        browser.run("return document.documentElement.dataset.state") == state
    });
}

/// Opens the page and waits until it is live.
fn open(daemon: &Daemon) -> Browser {
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    wait_for_state(&browser, "live");
    browser
}

fn coloured(fps: &str, args: &[&str]) -> (Daemon, Dir) {
    let dir = Dir::flat(320, 240);
    let camera = dir.camera();
    (Daemon::start(&[&["--camera", &*camera, "--fps", fps], args].concat()), dir)
}

/// Of `n` frames at one a second, how many the browser painted before the next
/// one came.
fn n_in_time(browser: &Browser, daemon: &Daemon, n: u64) -> usize {
    let captured = || daemon.figure("/camera/frames/captured");
    let first = captured() + 1;
    let mut in_time = BTreeSet::new();
    loop {
        let before = captured();
        let shown = painted(browser);
        if before >= first + n {
            return in_time.len();
        }
        // The camera was opened once, so frame numbers follow the files from
        // the first.
        let newest = usize::try_from(before - 1).unwrap() % COLOURS.len();
        if before >= first && shown == Some(newest) && captured() == before {
            in_time.insert(before);
        }
    }
}

#[test]
fn newest_frame_is_painted_and_not_the_one_before() {
    let (daemon, _dir) = coloured("1", &[]);
    let browser = open(&daemon);
    // A machine that pauses may miss some; the layout below never gets there.
    let mut seen = Vec::new();
    let is_in_time = (0..5).any(|_| {
        seen.push(n_in_time(&browser, &daemon, 5));
        seen.last() >= Some(&4)
    });
    assert!(is_in_time, "{seen:?} of 5 were painted before the next came");
    assert_eq!(daemon.figure("/camera/opened"), 1);
}

#[test]
fn layout_b_would_be_painted_one_frame_late() {
    // Proves that the test above can fail, and shows why the advance layout exists.
    let www = TempDir::new();
    www.write("index.html", "<img id='picture' src='/stream?headers=full'>");
    let (daemon, _dir) = coloured("1", &["--www", www.path().to_str().unwrap()]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    eventually_is("a picture is painted", || painted(&browser).is_some());
    let n = n_in_time(&browser, &daemon, 5);
    assert!(n <= 1, "{n} of 5 were painted before the next came");
}

#[test]
fn picture_moves_and_the_page_says_what_it_is() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10", "--idle-timeout", "0"]);
    let browser = open(&daemon);
    let script =
        CENTRE.replace("const x = canvas.width >> 1, y = canvas.height >> 1;", "").replace(
            "Array.from(context.getImageData(x, y, 1, 1).data).slice(0, 3)",
            "canvas.toDataURL()",
        );
    let mut pictures = BTreeSet::new();
    eventually_is("the picture changes", || {
        pictures.insert(browser.run(&script).to_string());
        pictures.len() >= 4
    });
    eventually_is("the size is shown", || browser.text("size").contains("320 × 240"));
    eventually_is("the seats are shown", || browser.text("seats") == "1 of 16");
    eventually_is("the rate is shown", || {
        let rate = browser.text("fps").split(' ').next().unwrap().parse::<f64>();
        rate.is_ok_and(|fps| (2.0..20.0).contains(&fps))
    });
    eventually_is("the age is shown", || browser.text("age").ends_with('s'));
    assert_eq!(browser.text("state"), "Live");
    let urls = browser.text("elsewhere");
    for target in ["/stream", "/video_feed", "/snapshot"] {
        assert!(urls.contains(&daemon.url(target)), "{urls}");
    }
}

/// Firefox fires the event for each picture; what it changes has to be laid out before the picture is
/// shown.
#[test]
fn further_pictures_change_nothing_else_on_the_page() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = open(&daemon);
    let n_changes = browser.run(
        "const changes = new MutationObserver(() => {});
        changes.observe(document,
            { subtree: true, childList: true, attributes: true, characterData: true });
        document.getElementById('picture').dispatchEvent(new Event('load'));
        return changes.takeRecords().length;",
    );
    assert_eq!(n_changes, 0);
}

#[test]
fn no_error_on_the_console_and_no_request_to_others() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = open(&daemon);
    eventually_is("the seats are shown", || browser.text("seats") == "1 of 16");
    browser.run("document.getElementById('snapshot').click()");
    eventually_is("a snapshot is taken", || browser.text("note").starts_with("Saved "));
    let asked = "return performance.getEntriesByType('resource').some((e) => \
        e.name.endsWith('/controls') && e.responseEnd)";
    eventually_is("the controls are asked for", || browser.run(asked) == true);
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
    let asked = browser.requests();
    let is_ours =
        |url: &str| ["data:", "blob:", &daemon.url("/")].iter().any(|ours| url.starts_with(ours));
    assert!(asked.iter().all(|url| is_ours(url)), "{asked:?}");
    // This camera has no controls of its own, only those of every picture.
    let groups = "return [...document.querySelectorAll('#controls legend')].map((l) => \
        l.textContent).join()";
    eventually_is("the controls are shown", || browser.run(groups) == "Picture");
    let files = ["/", "/app.js", "/controls.js", "/style.css"];
    for path in files.iter().chain(&["/video_feed", "/status", "/snapshot", "/controls"]) {
        assert!(asked.iter().any(|url| url.starts_with(&daemon.url(path))), "{path}: {asked:?}");
    }
}

#[test]
fn script_of_an_allowed_origin_reads_the_age_of_a_snapshot() {
    let www = TempDir::new();
    www.write("index.html", "<p>a page of another origin");
    let elsewhere = Daemon::start(&["--www", www.path().to_str().unwrap()]);
    let origin = elsewhere.url("");
    let pattern = ["--camera", "pattern:320x240@10"];
    let open = Daemon::start(&[&pattern[..], &["--allow-origin", &origin]].concat());
    let closed = Daemon::start(&pattern);
    let browser = Browser::start();
    browser.open(&elsewhere.url("/"));
    let read = |daemon: &Daemon| {
        browser.run(&format!(
            "window.answer = null;
            fetch('{}').then((reply) => ['X-Frame-Age-Ms', 'X-Timestamp'].map((name) => reply.headers.get(name)))
                .catch(() => 'refused').then((answer) => {{ window.answer = answer; }})",
            daemon.url("/snapshot")
        ));
        eventually("the script is answered", || {
            Some(browser.run("return window.answer")).filter(|answer| !answer.is_null())
        })
    };
    let answer = read(&open);
    let number = |i: usize| answer[i].as_str().and_then(|text| text.parse::<f64>().ok());
    assert!(number(0).is_some_and(|age| age < 4000.0), "{answer}");
    assert!(number(1).is_some_and(|time| time > 1e9), "{answer}");
    assert_eq!(read(&closed), "refused");
}

#[test]
fn hidden_page_gives_its_seat_back_and_takes_it_again() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = open(&daemon);
    daemon.wait_for_seats(1);
    browser.minimize();
    wait_for_state(&browser, "hidden");
    daemon.wait_for_seats(0);
    browser.maximize();
    wait_for_state(&browser, "live");
    daemon.wait_for_seats(1);
}

#[test]
fn full_house_is_told_and_the_first_free_seat_taken() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10", "--threads", "1"]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    wait_for_state(&browser, "full");
    assert!(browser.text("title").contains("seat"), "{}", browser.text("title"));
    drop(viewer);
    wait_for_state(&browser, "live");
}

#[test]
fn seats_of_the_camera_are_told_where_they_are_fewer() {
    let args = ["--camera", "front=pattern:320x240@10", "--max-viewers", "2", "--threads", "9"];
    let daemon = Daemon::start(&args);
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/stream")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    wait_for_state(&browser, "full");
    assert_eq!(browser.text("title"), "All 2 seats are taken");
    assert_eq!(browser.text("seats"), "2 of 2");
    drop(viewers);
    wait_for_state(&browser, "live");
    eventually_is("its own seat is shown", || browser.text("seats") == "1 of 2");
}

#[test]
fn lost_camera_is_told_and_its_return_seen() {
    let (daemon, dir) = coloured("10", &[]);
    let browser = open(&daemon);
    dir.remove();
    wait_for_state(&browser, "lost");
    eventually_is("the cause is shown", || {
        browser.text("reason").contains("no picture in this folder")
    });
    dir.restore();
    wait_for_state(&browser, "live");
    eventually_is("a picture of the camera is painted", || painted(&browser).is_some());
}

#[test]
fn lost_server_is_told_and_its_return_seen() {
    // An address that no other test uses, so that the port stays free between the two starts.
    let start = |bind: &str| Daemon::start(&["--camera", "pattern:320x240@10", "--bind", bind]);
    let mut daemon = start("127.0.0.74:0");
    let address = daemon.address().to_string();
    let browser = open(&daemon);
    daemon.signal(rustix::process::Signal::TERM);
    daemon.wait();
    wait_for_state(&browser, "offline");
    let _again = start(&address);
    wait_for_state(&browser, "live");
}

#[test]
fn page_fits_a_phone_and_follows_light_and_dark() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = open(&daemon);
    for (width, height) in [(320, 640), (1280, 800)] {
        browser.resize(width, height);
        let widths = browser.run(
            "const e = document.documentElement;
            return [e.scrollWidth, e.clientWidth, document.getElementById('picture').clientWidth]",
        );
        let [scroll, client, picture] = [0, 1, 2].map(|i| widths[i].as_i64().unwrap());
        assert!(scroll <= client && picture > client / 2, "at {width}: {widths}");
    }
    let background = |scheme: &str| {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
        browser.run("return getComputedStyle(document.body).backgroundColor")
    };
    assert_ne!(background("light"), background("dark"));
}

#[test]
fn page_can_be_used_by_keyboard_and_by_ear() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = open(&daemon);
    let mut reached = BTreeSet::new();
    for _ in 0..12 {
        let key = json!({ "type": "keyDown", "key": "Tab", "windowsVirtualKeyCode": 9 });
        browser.devtools("Input.dispatchKeyEvent", &key);
        let id = browser.run("return document.activeElement.id");
        reached.insert(id.as_str().unwrap_or("").to_owned());
    }
    for id in ["snapshot", "fullscreen"] {
        assert!(reached.contains(id), "{id} is not in {reached:?}");
        assert!(!browser.text(id).trim().is_empty(), "{id} has no name");
    }
    let alt = browser.run("return document.getElementById('picture').alt");
    assert!(!alt.as_str().unwrap().is_empty());
    assert_eq!(browser.run("return document.documentElement.lang"), "en");
    assert!(
        browser.run("return document.querySelectorAll('[role=status], [aria-live]').length") != 0
    );
    browser.run("document.getElementById('fullscreen').click()");
    eventually("it is full", || {
        let full = browser.run(
            "return Boolean(document.fullscreenElement
            || document.getElementById('viewer').classList.contains('full'))",
        );
        (full == true).then_some(())
    });
}
