//! Playback on the page, in a real browser. A number drawn into each picture
//! tells which one is shown.

use jpeg_encoder::{ColorType, Encoder};
use serde_json::{Value, json};

use crate::support::{
    Browser, Client, Daemon, Dir, Program, TempDir, eventually, eventually_is, flat, write_segment,
};

/// As many as the bits can number, and more than any test shows.
const N_PICTURES: usize = 1 << N_BITS;
const N_BITS: usize = 11;
const SIDE: usize = 16;
const FPS: &str = "20";

/// A picture whose columns are the bits of a number, black or white.
fn coded(n: usize) -> Vec<u8> {
    let (width, height) = (N_BITS * SIDE, 96);
    let row = (0..width).map(|x| if n >> (x / SIDE) & 1 == 1 { 235 } else { 20 });
    let pixels = row.collect::<Vec<u8>>().repeat(height);
    let mut jpeg = Vec::new();
    let size = [width, height].map(|side| u16::try_from(side).unwrap());
    Encoder::new(&mut jpeg, 80).encode(&pixels, size[0], size[1], ColorType::Luma).unwrap();
    jpeg
}

/// The brightness of each column of the picture on display.
const COLUMNS: &str = "
    const by = (id) => document.getElementById(id);
    const replay = by('replay');
    const image = !replay.hidden && replay.naturalWidth ? replay
        : by('stage').classList.contains('pictured') ? by('picture') : by('still');
    const width = image.naturalWidth || image.width, height = image.naturalHeight || image.height;
    const canvas = document.createElement('canvas');
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const row = context.getImageData(0, height >> 1, width, 1).data;
    return Array.from({ length: width / 16 }, (_, i) => row[(i * 16 + 8) * 4]);";

/// A daemon that records numbered pictures, and its page.
pub(crate) struct Recorder {
    pub(crate) daemon: Daemon,
    pub(crate) browser: Browser,
    _pictures: Dir,
    _folder: TempDir,
}

/// A row of the list of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    number: usize,
    time: f64,
}

impl Recorder {
    /// Returns when at least `n_recorded` pictures are recorded.
    pub(crate) fn start(n_recorded: u64) -> Self {
        let (pictures, folder) = (Dir::new((0..N_PICTURES).map(coded).collect()), TempDir::new());
        let record = folder.path().to_str().unwrap();
        let daemon =
            Daemon::start(&["--camera", &pictures.camera(), "--fps", FPS, "--record", record]);
        let browser = Browser::start();
        browser.open(&daemon.url("/"));
        let this = Self { daemon, browser, _pictures: pictures, _folder: folder };
        this.wait_for("live");
        eventually_is("the timeline is shown", || {
            this.browser.run("return document.getElementById('playback').hidden") == false
        });
        let label = format!("{n_recorded} pictures are recorded");
        eventually_is(&label, || this.daemon.figure("/recording/frames") >= n_recorded);
        this
    }

    fn wait_for(&self, state: &str) {
        eventually_is(&format!("the page is {state}"), || {
            self.browser.run("return document.documentElement.dataset.state") == state
        });
    }

    pub(crate) fn click(&self, id: &str) {
        self.browser.run(&format!("document.getElementById('{id}').click()"));
    }

    pub(crate) fn key(&self, key: &str, modifiers: u8) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "modifiers": modifiers });
            self.browser.devtools("Input.dispatchKeyEvent", &event);
        }
    }

    /// The number of the picture on display; `None` before there is one.
    pub(crate) fn shown(&self) -> Option<usize> {
        let columns = self.browser.run(COLUMNS);
        let columns = columns.as_array().filter(|columns| columns.len() == N_BITS)?;
        Some(
            columns
                .iter()
                .rev()
                .fold(0, |n, column| n << 1 | usize::from(column.as_i64() > Some(128))),
        )
    }

    /// The number of the newest captured picture.
    pub(crate) fn newest(&self) -> usize {
        usize::try_from(self.daemon.figure("/camera/frames/captured") - 1).unwrap()
    }

    /// The recorded frames, oldest first.
    fn rows(&self) -> Vec<Row> {
        let mut client = Client::connect(self.daemon.address());
        client.request("GET", "/recordings/frames.csv", &[]);
        client.head();
        let list = String::from_utf8(client.take_rest()).unwrap();
        let mut lines = list.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let at = |name: &str| names.iter().position(|n| *n == name).unwrap();
        let (time, seq) = (at("time"), at("seq"));
        let row = |line: Vec<&str>| {
            let time = humantime::parse_rfc3339(line[time]).unwrap();
            let time = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
            Row { number: line[seq].parse::<usize>().unwrap() - 1, time }
        };
        lines.map(row).collect()
    }

    /// Waits until a recorded picture is on display that satisfies `does`, and
    /// returns its index in the list.
    pub(crate) fn wait_for_row(&self, what: &str, does: impl Fn(&[Row], usize) -> bool) -> usize {
        eventually(what, || {
            let number = self.shown()?;
            let rows = self.rows();
            let place = rows.iter().position(|row| row.number == number)?;
            does(&rows, place).then_some(place)
        })
    }

    /// Whether the page is paused with a recorded picture on display and no
    /// step pending.
    pub(crate) fn is_paused(&self) -> bool {
        self.browser.run(
            "const section = document.getElementById('playback');
            const replay = document.getElementById('replay');
            return section.dataset.past === 'paused' && section.ariaBusy !== 'true'
                && !replay.hidden && replay.complete && replay.naturalWidth > 0",
        ) == true
    }

    pub(crate) fn no_error(&self) {
        assert_eq!(self.browser.log("browser"), [] as [Value; 0]);
    }
}

/// The page skips gaps in the recording, and a busy machine may have caused
/// some: hence the wide range.
fn is_ten_earlier(from: f64, to: f64) -> bool {
    (9.8..18.0).contains(&(from - to))
}

#[test]
fn pause_freezes_steps_are_one_picture_back_is_older_and_live_the_newest() {
    let page = Recorder::start(260);
    let newest = page.newest();
    page.click("play");
    eventually_is("it is paused", || page.is_paused());
    let frozen = page.shown().unwrap();
    assert!(frozen + 100 >= newest && frozen <= page.newest(), "{frozen} of {newest}");
    eventually_is("the camera goes on", || page.newest() > newest + 30);
    assert_eq!(page.shown(), Some(frozen));
    assert!(page.browser.text("moment").contains("Paused −"), "{}", page.browser.text("moment"));
    assert_eq!(page.browser.text("state"), "Paused");

    let rows = page.rows();
    let place = rows.iter().position(|row| row.number == frozen).unwrap();
    for (button, by) in
        [("earlier", -1), ("earlier", -2), ("later", -1), ("later", 0), ("later", 1)]
    {
        page.click(button);
        let due = rows[place.checked_add_signed(by).unwrap()].number;
        eventually_is("the picture beside it is shown", || page.shown() == Some(due));
    }
    // Clicks faster than pictures load: each one counts.
    page.browser.run("for (let i = 0; i < 7; i += 1) document.getElementById('earlier').click()");
    let due = rows[place + 1 - 7].number;
    eventually_is("seven pictures earlier", || page.shown() == Some(due));

    page.click("back");
    let from = rows[place + 1 - 7].time;
    page.wait_for_row("ten seconds earlier", |rows, now| is_ten_earlier(from, rows[now].time));
    let newest = page.newest();
    page.click("live");
    page.wait_for("live");
    eventually_is("the newest picture is shown", || page.shown() > Some(newest));
    page.no_error();
}

#[test]
fn playback_goes_on_from_the_past_and_catches_up_when_it_is_fast() {
    let page = Recorder::start(260);
    page.click("back");
    page.wait_for("past");
    eventually_is("it plays", || page.browser.text("moment-mode") == "Playback");
    let newest = page.newest();
    let first =
        page.wait_for_row("ten seconds ago", |rows, place| rows[place].number + 100 < newest);
    let later = page.wait_for_row("it moves", |_, place| place > first + 20);
    // Pause, then play on from there.
    page.key(" ", 0);
    eventually_is("it is paused", || page.is_paused());
    let paused = page.wait_for_row("there", |_, place| place + 5 >= later);
    page.key(" ", 0);
    page.wait_for_row("it goes on", |_, place| place > paused);
    page.browser.run(
        "const speed = document.getElementById('speed');
        speed.value = '16'; speed.dispatchEvent(new Event('change'))",
    );
    page.wait_for("live");
    page.daemon.wait_for_seats(1);
    page.no_error();
}

#[test]
fn keys_step_jump_and_go_live() {
    let page = Recorder::start(230);
    page.key("ArrowLeft", 0);
    eventually_is("it is paused", || page.is_paused());
    let place = page.wait_for_row("a recorded picture", |_, _| true);
    page.key("ArrowRight", 0);
    page.wait_for_row("the next one", |_, now| now == place + 1);
    page.key("ArrowLeft", 8);
    page.wait_for_row("ten seconds earlier", |rows, now| {
        is_ten_earlier(rows[place + 1].time, rows[now].time)
    });
    page.browser.run("document.getElementById('timeline').focus()");
    page.key("Home", 0);
    page.wait_for_row("the first one", |_, now| now == 0);
    let text = "return document.getElementById('timeline').getAttribute('aria-valuetext')";
    eventually_is("the slider says so", || {
        page.browser.run(text).as_str().is_some_and(|text| text.ends_with("ago, paused"))
    });
    page.key("l", 0);
    page.wait_for("live");
    assert_eq!(page.browser.run(text), "Live");
    page.no_error();
}

#[test]
fn dragged_span_is_downloaded_as_a_film_and_hover_shows_a_picture() {
    let page = Recorder::start(120);
    let mouse = |kind: &str, share: f64, button: &str| {
        let place = page.browser.run(
            "const box = document.getElementById('timeline').getBoundingClientRect();
            return [box.left, box.top, box.width]",
        );
        let place = [0, 1, 2].map(|i| place[i].as_f64().unwrap());
        let event = json!({
            "type": kind, "x": place[0] + place[2] * share, "y": place[1] + 20.0,
            "button": button, "clickCount": 1,
        });
        page.browser.devtools("Input.dispatchMouseEvent", &event);
    };
    let seen = "const image = document.querySelector('#timeline .preview img');
        return image.offsetWidth > 0 && image.naturalWidth";
    // A pointer that rests causes one request only, which may fail on a busy
    // machine. So it keeps moving.
    let mut shares = [0.4, 0.5].into_iter().cycle();
    eventually_is("a preview is shown", || {
        mouse("mouseMoved", shares.next().unwrap(), "none");
        page.browser.run(seen) == N_BITS * SIDE
    });

    mouse("mousePressed", 0.4, "left");
    for share in [0.45, 0.5, 0.6] {
        mouse("mouseMoved", share, "left");
    }
    mouse("mouseReleased", 0.6, "left");
    let link = "return document.getElementById('download').getAttribute('href')";
    let link = eventually("there is a link", || {
        page.browser.run(link).as_str().map(|link| link.replace(&page.daemon.url(""), ""))
    });
    assert!(
        page.browser.text("selection-text").contains("pictures"),
        "{}",
        page.browser.text("selection-text")
    );
    let value = |key: &str| {
        let query = link.split_once('?').unwrap().1.as_bytes().to_vec();
        let found = form_urlencoded::parse(&query).find(|(k, _)| k == key);
        found.unwrap().1.parse::<f64>().unwrap()
    };
    let (from, to) = (value("from"), value("to"));
    let n = page.rows().iter().filter(|row| (from..=to).contains(&row.time)).count();
    assert!(n > 5, "{link}");
    for (format, demuxer) in [("avi", "avi"), ("mjpeg", "mjpeg")] {
        let file = page.daemon.get(&link.replace("format=avi", &format!("format={format}")));
        assert_eq!(file.code, 200, "{link}");
        let temp = TempDir::new();
        let path = temp.write("span", &file.body);
        let probed = Program::new("ffprobe", "ffmpeg")
            .args(["-v", "error", "-f", demuxer, "-count_frames", "-show_entries"])
            .args(["stream=nb_read_frames", "-of", "csv=p=0", path.to_str().unwrap()])
            .text();
        assert_eq!(probed.trim(), n.to_string(), "{format}");
    }
    page.key("Escape", 0);
    assert_eq!(page.browser.run("return document.getElementById('selection').hidden"), true);
    page.no_error();
}

#[test]
fn zip_of_more_pictures_than_it_holds_is_not_offered() {
    const MOST: u64 = 16_384;
    let folder = TempDir::new();
    // A picture each millisecond: in the span that is chosen first there are all.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let start = u64::try_from(now.as_micros()).unwrap() - 100_000_000;
    let times: Vec<_> = (0..MOST + 100).map(|n| start + n * 1000).collect();
    write_segment(folder.path(), 1, &flat(16, 16, [9, 9, 9]), &times);
    let record = folder.path().to_str().unwrap();
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10", "--record", record]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    let offered = |format: &str| {
        let script = format!(
            "const format = document.getElementById('format');
            format.value = '{format}';
            format.dispatchEvent(new Event('change'));
            return document.getElementById('download').hasAttribute('href')"
        );
        browser.run(&script) == true
    };
    browser.run("document.getElementById('choose').click()");
    eventually_is("the long span can be chosen", || {
        browser.run("document.getElementById('choose').click()");
        browser.run("return !document.getElementById('selection').hidden") == true
            && browser.text("selection-text").contains("about 16,")
    });
    assert!(offered("avi") && offered("mjpeg"));
    assert!(!offered("zip"));
    assert!(browser.text("selection-text").contains("a ZIP holds 16,384 at most"));
    let code = |to: u64| {
        let time = |n: u64| times[usize::try_from(n).unwrap()];
        let second = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let (from, to) = (second(start), second(time(to)));
        daemon.request("HEAD", &format!("/download?from={from}&to={to}&format=zip"), &[]).code
    };
    assert_eq!((code(MOST - 1), code(MOST)), (200, 400), "the page's limit is that of the server");
}

#[test]
fn switch_stops_recording_and_starts_it_again() {
    let page = Recorder::start(10);
    page.click("record");
    eventually_is("it says so", || page.browser.text("record-state").starts_with("Not recording"));
    eventually_is("it stopped", || page.daemon.status()["recording"]["state"] == "off");
    let state = "return document.getElementById('record').getAttribute('aria-checked')";
    assert_eq!(page.browser.run(state), "false");
    page.click("record");
    eventually_is("it goes on", || page.browser.text("record-state").starts_with("Recording ·"));
    assert_eq!(page.browser.run(state), "true");

    // Each button has a name, fits the screen of a phone, and is large enough
    // for a finger.
    for width in [320, 390, 1280] {
        page.browser.devtools("Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500 }));
        page.click("choose");
        let bad = page.browser.run(
            "const parts = document.querySelectorAll('#playback :is(button, select, a)');
            return Array.from(parts).filter((part) => {
                const box = part.getBoundingClientRect();
                const name = part.getAttribute('aria-label') || part.textContent.trim();
                return !name || box.height < 44 || box.width < 44 || box.right > innerWidth;
            }).map((part) => part.id)",
        );
        assert_eq!(bad, json!([]), "at {width}");
        page.click("selection-clear");
    }
    page.no_error();
}

#[test]
fn page_without_recording_has_no_timeline() {
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10"]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    eventually_is("the seats are shown", || browser.text("seats") == "1 of 16");
    assert_eq!(browser.run("return document.getElementById('playback').hidden"), true);
    browser.run(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', bubbles: true }))",
    );
    assert_eq!(browser.run("return document.documentElement.dataset.state"), "live");
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
}
