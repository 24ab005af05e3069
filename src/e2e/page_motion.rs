//! Motion and events on the page, in a real browser: something crosses the picture every
//! six seconds.

use serde_json::{Value, json};

use crate::events::events;
use crate::motion::{areas, crossing};
use crate::support::{Browser, Daemon, Dir, TempDir, eventually, eventually_is};

struct Page {
    daemon: Daemon,
    browser: Browser,
    _pictures: Dir,
    _folder: TempDir,
}

impl Page {
    fn start(args: &[&str]) -> Self {
        let (pictures, folder) = (crossing(40), TempDir::new());
        let camera = ["--camera", &*pictures.camera(), "--fps", "10"].map(str::to_owned);
        let record = ["--record", folder.path().to_str().unwrap()].map(str::to_owned);
        let own = camera.iter().chain(&record).map(String::as_str);
        let daemon = Daemon::start(&own.chain(args.iter().copied()).collect::<Vec<_>>());
        let browser = Browser::start();
        browser.open(&daemon.url("/"));
        let page = Self { daemon, browser, _pictures: pictures, _folder: folder };
        page.wait_for("document.documentElement.dataset.state === 'live'");
        page
    }

    fn moving() -> Self {
        Self::start(&["--motion", "--motion-hold", "500ms"])
    }

    fn wait_for(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        eventually_is(condition, || self.browser.run(&script) == true);
    }

    fn click(&self, id: &str) {
        self.browser.run(&format!("document.getElementById('{id}').click()"));
    }

    fn key(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.browser.devtools("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key }));
        }
    }

    /// Opens what there is to set motion up, and waits until it can be drawn, and nothing
    /// appears any more that moves the picture.
    fn set_up(&self) {
        self.wait_for(
            "['playback', 'events', 'activity'].every((id) => !document.getElementById(id).hidden)",
        );
        self.browser.run("document.querySelector('#motion details').open = true");
        self.wait_for("!document.getElementById('draw-zones').disabled");
    }

    /// A place in the window, by shares of the picture.
    fn place(&self, [x, y]: [f64; 2]) -> Value {
        let place = self.browser.run(
            "document.getElementById('stage').scrollIntoView();
            const box = document.getElementById('areas').getBoundingClientRect();
            return [box.left, box.top, box.width, box.height]",
        );
        let place = [0, 1, 2, 3].map(|i| place[i].as_f64().unwrap());
        json!({ "x": place[0] + place[2] * x, "y": place[1] + place[3] * y })
    }

    fn mouse(&self, kind: &str, at: [f64; 2]) {
        let mut event = self.place(at);
        let parts = json!({ "type": kind, "button": "left", "clickCount": 1 });
        event.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        self.browser.devtools("Input.dispatchMouseEvent", &event);
    }

    fn touch(&self, kind: &str, fingers: &[[f64; 2]]) {
        let points: Vec<_> = fingers.iter().map(|at| self.place(*at)).collect();
        let event = json!({ "type": kind, "touchPoints": points });
        self.browser.devtools("Input.dispatchTouchEvent", &event);
    }

    /// The corners of the only zone or mask.
    fn drawn(&self, kind: &str) -> Vec<[f64; 2]> {
        let corners = eventually(&format!("there is one of the {kind}"), || {
            let all = areas(&self.daemon)[kind].clone();
            (all.as_array().unwrap().len() == 1).then(|| all[0].clone())
        });
        let corners = corners.as_array().unwrap().iter();
        corners.map(|at| [0, 1].map(|i| at[i].as_f64().unwrap())).collect()
    }

    fn n_drawn(&self) -> [usize; 2] {
        let all = areas(&self.daemon);
        ["zones", "masks"].map(|kind| all[kind].as_array().unwrap().len())
    }

    fn no_error(&self) {
        assert_eq!(self.browser.log("browser"), [] as [Value; 0]);
    }
}

fn are_near(found: &[[f64; 2]], due: &[[f64; 2]]) -> bool {
    let near = |(a, b): (&[f64; 2], &[f64; 2])| (0..2).all(|i| (a[i] - b[i]).abs() < 0.02);
    found.len() == due.len() && found.iter().zip(due).all(near)
}

/// A copy of `canvas` to read from: Chromium warns of a canvas that is read several times.
const COPY: &str = "(() => {
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0);
    return context;
})()";

const MOTIONS: &str = "[...document.querySelectorAll('#event-list button')].filter((button) => \
    button.querySelector('b').textContent === 'Motion')";

/// From live to the newest motion, which plays.
fn play_the_newest_from_live(page: &Page) {
    let is = |state: &str| format!("document.documentElement.dataset.state === '{state}'");
    page.browser.run(
        "const root = document.documentElement;
         new MutationObserver(() => { window.nPast += root.dataset.state === 'past'; })
             .observe(root, { attributeFilter: ['data-state'] });",
    );
    let current = format!("{MOTIONS}[0].hasAttribute('aria-current')");
    let plays_newest = format!("return {} && {current}", is("past"));
    // If it has just begun, what plays catches up with live again: then the next one is tried.
    let has_caught_up = format!("return window.nPast > 0 && {}", is("live"));
    eventually_is("the newest plays", || {
        page.key("l");
        page.wait_for(&is("live"));
        page.browser.run("window.nPast = 0");
        page.key("p");
        eventually("the newest plays, or it has caught up", || {
            let plays = page.browser.run(&plays_newest) == true;
            (plays || page.browser.run(&has_caught_up) == true).then_some(plays)
        })
    });
}

#[test]
fn event_appears_by_itself_and_a_click_or_a_key_jumps_there() {
    let page = Page::moving();
    page.wait_for(&format!("{MOTIONS}.length > 0"));
    let n = page.browser.run(&format!("return {MOTIONS}.length")).as_u64().unwrap();
    page.wait_for(&format!("{MOTIONS}.length > {n}"));
    page.wait_for(&format!("{MOTIONS}.at(-1).querySelector('img')?.naturalWidth > 0"));
    page.wait_for(&format!("/ · [\\d.]+ s$/.test({MOTIONS}.at(-1).textContent)"));
    // Only marks are so far up on the timeline.
    page.wait_for(&format!(
        "(() => {{
            const canvas = document.querySelector('#timeline canvas');
            const row = {COPY}.getImageData(0, 2, canvas.width, 1).data;
            return row.some((part, i) => i % 4 === 3 && part > 0);
        }})()"
    ));

    let begun: Vec<_> = events(&page.daemon, "type=motion-begin")
        .iter()
        .map(|event| event["time"].as_f64().unwrap())
        .collect();
    let now = "return Number(document.getElementById('timeline').getAttribute('aria-valuenow'))";
    // It plays on from there, and the next one is six seconds later.
    let is_at = |time: f64| (-1.5..4.5).contains(&(page.browser.run(now).as_f64().unwrap() - time));
    let is_past = "document.documentElement.dataset.state === 'past'";
    page.click("play");
    page.wait_for(is_past);
    page.browser.run(&format!("{MOTIONS}.at(-1).click()"));
    eventually_is("it is at the first motion", || is_at(begun[0]));
    page.wait_for("!document.getElementById('replay').hidden");
    page.key("n");
    eventually_is("it is at the next one", || is_at(begun[1]));
    page.key("p");
    eventually_is("it is at the one before", || is_at(begun[0]));
    play_the_newest_from_live(&page);
    // The list is one stop of the Tab key, and arrows go on in it.
    let stops = "return document.querySelectorAll('#event-list [tabindex=\"0\"]').length";
    assert_eq!(page.browser.run(stops), 1);
    // Motions that begin meanwhile stand above it.
    page.browser.run(
        "const all = [...document.querySelectorAll('#event-list button')];
         const own = document.querySelector('#event-list [tabindex=\"0\"]');
         own.focus();
         window.due = all[all.indexOf(own) + 1];",
    );
    page.key("ArrowRight");
    assert_eq!(page.browser.run("return document.activeElement === window.due"), true);
    assert_eq!(page.browser.run(stops), 1);
    assert!(page.browser.text("playback-keys").contains("next event"));
    page.no_error();
}

#[test]
fn zones_are_drawn_by_mouse_finger_and_keys_and_used_at_once() {
    let page = Page::moving();
    page.set_up();
    // By clicks; one beside the first corner closes it.
    let corners = [[0.02, 0.35], [0.98, 0.35], [0.98, 0.98], [0.02, 0.98]];
    page.click("draw-masks");
    for at in corners.into_iter().chain([[0.025, 0.355]]) {
        page.mouse("mousePressed", at);
        page.mouse("mouseReleased", at);
    }
    assert!(are_near(&page.drawn("masks"), &corners), "{:?}", page.drawn("masks"));
    page.wait_for("document.getElementById('draw-help').textContent === 'Saved.'");
    page.wait_for("document.querySelector('#polygons .masks text').textContent === 'Mask 1'");
    let masked = || {
        let reply = page.daemon.get("/motion?grid=1").text();
        reply.split_once("cells\":\"").is_some_and(|(_, cells)| cells.matches('m').count() > 600)
    };
    eventually_is("the detector uses it", masked);

    // A rectangle, with a finger.
    page.click("draw-zones");
    page.touch("touchStart", &[[0.2, 0.1]]);
    page.touch("touchMove", &[[0.4, 0.3]]);
    page.touch("touchMove", &[[0.6, 0.5]]);
    page.touch("touchEnd", &[]);
    let due = [[0.2, 0.1], [0.6, 0.1], [0.6, 0.5], [0.2, 0.5]];
    assert!(are_near(&page.drawn("zones"), &due), "{:?}", page.drawn("zones"));

    drag_corners(&page, &due);

    // With keys, from the middle. The page's own meaning of these keys rests meanwhile.
    page.click("draw-zones");
    for key in [" ", "ArrowRight", "ArrowRight", " ", "ArrowDown", "ArrowDown", " "] {
        page.key(key);
    }
    page.key(" ");
    page.key("Backspace");
    page.key("Enter");
    eventually_is("there are two", || page.n_drawn() == [2, 1]);
    let due = [0.5, 0.5, 0.54, 0.5, 0.54, 0.54].map(Value::from);
    let second = areas(&page.daemon)["zones"][1].clone();
    let flat: Vec<_> =
        second.as_array().unwrap().iter().flat_map(|c| c.as_array().unwrap()).collect();
    assert_eq!(flat, due.iter().collect::<Vec<_>>());
    assert_eq!(page.browser.run("return document.documentElement.dataset.state"), "live");

    page.click("draw-undo");
    eventually_is("the second is gone", || page.n_drawn() == [1, 1]);
    page.browser.run("document.querySelector('#area-list [aria-label=\"Delete Mask 1\"]').click()");
    eventually_is("the mask is deleted", || page.n_drawn() == [1, 0]);
    page.click("draw-undo");
    eventually_is("it is back", || page.n_drawn() == [1, 1]);
    // A page that is opened later shows them.
    page.browser.open(&page.daemon.url("/"));
    page.set_up();
    page.wait_for("document.querySelectorAll('#polygons polygon').length === 2");
    page.browser.resize(360, 700);
    page.wait_for("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
    page.no_error();
}

/// Corners can be dragged, and put back; a click beside them changes nothing.
fn drag_corners(page: &Page, due: &[[f64; 2]]) {
    page.mouse("mousePressed", [0.6, 0.5]);
    page.mouse("mouseMoved", [0.65, 0.4]);
    page.mouse("mouseMoved", [0.7, 0.3]);
    page.mouse("mouseReleased", [0.7, 0.3]);
    let moved = [[0.2, 0.1], [0.6, 0.1], [0.7, 0.3], [0.2, 0.5]];
    eventually_is("the corner is moved", || are_near(&page.drawn("zones"), &moved));
    page.touch("touchStart", &[[0.7, 0.3]]);
    page.touch("touchMove", &[[0.6, 0.45]]);
    page.touch("touchMove", &[[0.5, 0.6]]);
    page.touch("touchEnd", &[]);
    let moved = [[0.2, 0.1], [0.6, 0.1], [0.5, 0.6], [0.2, 0.5]];
    eventually_is("it is moved again", || are_near(&page.drawn("zones"), &moved));
    for _ in 0..2 {
        page.click("draw-undo");
    }
    eventually_is("it is back", || are_near(&page.drawn("zones"), due));
}

#[test]
fn activity_is_shown_and_the_grid_only_on_demand() {
    let page = Page::moving();
    page.wait_for("document.getElementById('motion-state').textContent === 'something moves'");
    let label = "document.getElementById('activity').ariaLabel.includes('something moves')";
    page.wait_for(label);
    page.wait_for(&format!(
        "(() => {{
            const canvas = document.getElementById('activity');
            const mark = getComputedStyle(canvas).getPropertyValue('--mark');
            const parts = [1, 3, 5].map((at) => parseInt(mark.slice(at, at + 2), 16));
            const {{ data }} = {COPY}.getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 4) {{
                if (data[i + 3] === 255 && parts.every((part, j) => data[i + j] === part)) return true;
            }}
        }})()"
    ));
    let asked = || page.browser.requests().iter().any(|url| url.contains("grid=1"));
    let n_cells = "document.querySelector('#cells .cell-2')?.getAttribute('d').length";
    page.set_up();
    assert!(!asked());
    page.click("motion-grid");
    page.wait_for(&format!("{n_cells} > 0"));
    assert!(asked());
    page.click("motion-grid");
    page.wait_for("!document.querySelector('#cells path')");
    page.no_error();
}

#[test]
fn page_says_how_to_look_for_motion_and_why_nothing_can_be_drawn() {
    let page = Page::start(&[]);
    page.wait_for("!document.getElementById('motion').hidden");
    assert_eq!(page.browser.text("motion-state"), "off");
    assert!(page.browser.text("motion-off").contains("Start mjpegd with --motion"));
    let hidden =
        "return ['activity', 'motion-tools'].every((id) => document.getElementById(id).hidden)";
    assert_eq!(page.browser.run(hidden), true);
    page.browser.run("document.querySelector('#motion details').open = true");
    // Events need no motion.
    page.wait_for(
        "document.getElementById('event-list').textContent.includes('Recording started')",
    );
    let asked = page.browser.requests();
    assert!(
        !asked.iter().any(|url| url.contains("/motion?") || url.ends_with("/areas")),
        "{asked:?}"
    );
    page.no_error();

    let zone = "0,0 1,0 1,1";
    let page = Page::start(&["--motion", "--lock-controls", "--motion-zone", zone]);
    page.browser.run("document.querySelector('#motion details').open = true");
    page.wait_for("document.getElementById('draw-help').textContent.includes('--lock-controls')");
    assert_eq!(page.browser.run("return document.getElementById('draw-masks').disabled"), true);
    assert_eq!(page.browser.text("area-list"), "Zone 1 of the configuration");
    page.no_error();
}
