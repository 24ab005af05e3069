//! The timeline of the page, in a real browser: wheel, keys and fingers, and
//! its requests to the daemon.

use serde_json::{Value, json};

use crate::page_playback::Recorder;
use crate::support::eventually_is;

/// The timeline of a paused page. Its view does not follow the present time and
/// a span is chosen in the middle of it, so only the tested input moves it.
struct Timeline<'a> {
    page: &'a Recorder,
    /// Left, top and width in the window.
    place: [f64; 3],
}

impl<'a> Timeline<'a> {
    fn of(page: &'a Recorder) -> Self {
        // A low window: the page could scroll, so the test can see that the
        // wheel does not scroll it.
        page.browser.resize(1000, 500);
        let place = page.browser.run(
            "const timeline = document.getElementById('timeline');
            timeline.scrollIntoView({ block: 'center' });
            const box = timeline.getBoundingClientRect();
            return [box.left, box.top, box.width]",
        );
        let timeline = Self { page, place: [0, 1, 2].map(|i| place[i].as_f64().unwrap()) };
        page.key("ArrowLeft", 0);
        eventually_is("it is paused", || page.is_paused());
        page.browser.run("document.getElementById('timeline').focus()");
        page.key("Home", 0);
        page.wait_for_row("the first one", |_, now| now == 0);
        page.key("+", 0);
        timeline.mouse("mousePressed", 0.5);
        timeline.mouse("mouseReleased", 0.5);
        page.wait_for_row("one in the middle", |_, now| now > 20);
        timeline.mouse("mousePressed", 0.5);
        [0.52, 0.56, 0.6].into_iter().for_each(|share| timeline.mouse("mouseMoved", share));
        timeline.mouse("mouseReleased", 0.6);
        timeline.becomes("chosen", [0.5, 0.6]);
        timeline
    }

    fn at(&self, share: f64) -> Value {
        json!({ "x": self.place[0] + self.place[2] * share, "y": self.place[1] + 20.0 })
    }

    fn mouse(&self, kind: &str, share: f64) {
        let event = json!({ "type": kind, "button": "left", "clickCount": 1 });
        self.page.browser.devtools("Input.dispatchMouseEvent", &merged(event, self.at(share)));
    }

    fn wheel(&self, share: f64, down: f64, modifiers: u8) {
        let event =
            json!({ "type": "mouseWheel", "deltaX": 0, "deltaY": down, "modifiers": modifiers });
        self.page.browser.devtools("Input.dispatchMouseEvent", &merged(event, self.at(share)));
    }

    fn touch(&self, kind: &str, fingers: &[f64]) {
        let point = |(id, share): (u8, &f64)| merged(json!({ "id": id }), self.at(*share));
        let points: Vec<_> = (1..).zip(fingers).map(point).collect();
        let event = json!({ "type": kind, "touchPoints": points });
        self.page.browser.devtools("Input.dispatchTouchEvent", &event);
    }

    /// Where the picture on display is, as a fraction of the timeline's width.
    fn shown(&self) -> f64 {
        let share = self.page.browser.run(
            "const head = document.querySelector('#timeline .head');
            return parseFloat(head.style.translate) / document.getElementById('timeline').clientWidth",
        );
        share.as_f64().unwrap()
    }

    /// Waits until the chosen span begins and ends at these fractions of the
    /// timeline's width.
    fn becomes(&self, what: &str, due: [f64; 2]) {
        eventually_is(&format!("{what}: {due:?}"), || {
            let edges = self.page.browser.run(
                "const timeline = document.getElementById('timeline').getBoundingClientRect();
                const box = document.querySelector('#timeline .choice').getBoundingClientRect();
                return [box.left, box.right].map((x) => (x - timeline.left) / timeline.width)",
            );
            (0..2).all(|i| (edges[i].as_f64().unwrap() - due[i]).abs() < 0.01)
        });
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    let Value::Object(other) = other else { panic!("no object: {other}") };
    one.as_object_mut().unwrap().extend(other);
    one
}

#[test]
fn wheel_and_keys_zoom_the_timeline_where_they_are() {
    let page = Recorder::start(300);
    let timeline = Timeline::of(&page);
    let scrolled = page.browser.run("return scrollY");
    // The time under the pointer stays there.
    let factor = 1.0018_f64.powi(300);
    timeline.wheel(0.5, -300.0, 0);
    timeline.becomes("wheel up", [0.5, 0.5 + 0.1 * factor]);
    timeline.wheel(0.5, 300.0, 0);
    timeline.becomes("wheel down", [0.5, 0.6]);
    timeline.wheel(0.6, -300.0, 0);
    timeline.becomes("wheel up at the other end", [0.6 - 0.1 * factor, 0.6]);
    timeline.wheel(0.6, 300.0, 0);
    timeline.becomes("wheel down there", [0.5, 0.6]);
    // With shift it moves the view.
    timeline.wheel(0.5, timeline.place[2] * 0.2, 8);
    timeline.becomes("later", [0.3, 0.4]);
    // The keys zoom around the time of the picture on display, which is near 0.3: as near as
    // one was recorded there.
    let shown = timeline.shown();
    page.key("+", 0);
    timeline.becomes("plus", [0.3, 0.4].map(|edge| shown + 2.0 * (edge - shown)));
    page.key("-", 0);
    timeline.becomes("minus", [0.3, 0.4]);
    timeline.wheel(0.5, timeline.place[2] * -0.2, 8);
    timeline.becomes("earlier", [0.5, 0.6]);
    assert_eq!(page.browser.run("return scrollY"), scrolled, "the wheel scrolled the page");
    page.no_error();
}

#[test]
fn moments_under_two_fingers_stay_under_them() {
    let page = Recorder::start(300);
    let timeline = Timeline::of(&page);
    let shown = page.shown();
    timeline.touch("touchStart", &[0.5]);
    timeline.touch("touchStart", &[0.5, 0.6]);
    for fingers in [[0.49, 0.61], [0.46, 0.63], [0.45, 0.65]] {
        timeline.touch("touchMove", &fingers);
    }
    timeline.becomes("spread", [0.45, 0.65]);
    timeline.touch("touchMove", &[0.4, 0.55]);
    timeline.becomes("pinched", [0.4, 0.55]);
    timeline.touch("touchEnd", &[]);
    timeline.becomes("let go", [0.4, 0.55]);
    assert_eq!(page.shown(), shown, "lifting a finger moved the playback position");
    page.no_error();
}

#[test]
fn list_is_asked_for_whole_at_first_and_then_for_what_is_new() {
    let page = Recorder::start(20);
    let spans = "return import(new URL('recordings.js', document.baseURI)).then((m) => m.spans)";
    let spans = || page.browser.run(spans).as_array().unwrap().clone();
    let asked = |part: &str| page.browser.requests().iter().any(|url| url.ends_with(part));
    assert!(asked("/recordings"));
    let first = spans()[0]["start"].clone();
    // Long enough for a gap.
    page.click("record");
    eventually_is("it stopped", || page.daemon.status()["recording"]["state"] == "off");
    let frames = page.daemon.figure("/recording/frames");
    let newest = page.newest();
    eventually_is("three seconds pass", || page.newest() > newest + 60);
    page.click("record");
    eventually_is("it goes on", || page.daemon.figure("/recording/frames") > frames + 5);
    eventually_is("the page knows both", || spans().len() == 2);
    let both = spans();
    assert_eq!((&both[0]["start"], &both[0]["frames"]), (&first, &frames.into()));
    let n = both[1]["frames"].as_u64();
    eventually_is("the second grows", || spans()[1]["frames"].as_u64() > n);
    assert_eq!(spans()[0], both[0]);
    let asked = page.browser.requests();
    let start = both[1]["start"].as_f64().unwrap();
    assert!(asked.iter().any(|url| url.ends_with(&format!("?from={start:.6}"))), "{asked:?}");
    page.no_error();
}
