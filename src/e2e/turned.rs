//! `--rotate` and `--flip`, compared with jpegtran, through the real daemon.

use std::path::Path;

use serde_json::json;

use crate::support::{
    Browser, COLOURS, Client, Daemon, Dir, Program, Reply, TempDir, all_frames, colour, eventually,
    eventually_is, flat, python, size, with_segment,
};

/// The options, and what jpegtran calls the same.
const TURNS: [(&str, &str, &[&str]); 7] = [
    ("90", "none", &["-rotate", "90"]),
    ("180", "none", &["-rotate", "180"]),
    ("270", "none", &["-rotate", "270"]),
    ("0", "horizontal", &["-flip", "horizontal"]),
    ("0", "vertical", &["-flip", "vertical"]),
    ("90", "horizontal", &["-transpose"]),
    ("270", "horizontal", &["-transverse"]),
];

/// Samplings in cjpeg's words: 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1, grey.
const SAMPLINGS: [&[&str]; 6] = [
    &["-sample", "1x1"],
    &["-sample", "2x1"],
    &["-sample", "2x2"],
    &["-sample", "1x2"],
    &["-sample", "4x1"],
    &["-grayscale"],
];

const SIZES: [(usize, usize); 3] = [(64, 48), (75, 53), (33, 17)];

fn tool(name: &'static str) -> Program {
    Program::new(name, "libjpeg-turbo-progs")
}

/// A picture without symmetry, as a PPM.
fn ppm(dir: &TempDir, (width, height): (usize, usize)) -> String {
    let pixel = |x: usize, y: usize| {
        let (x, y) = (x * 255 / width, y * 255 / height);
        [x, y, ((x * 7) ^ (y * 3)) & 255].map(|value| u8::try_from(value).unwrap())
    };
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)));
    let head = format!("P6\n{width} {height}\n255\n").into_bytes();
    let path = dir.write("picture.ppm", [head, pixels.collect()].concat());
    path.to_str().unwrap().to_owned()
}

fn pixels(jpeg: &Path) -> Vec<u8> {
    tool("djpeg").args(["-dct", "int", "-nosmooth", jpeg.to_str().unwrap()]).output()
}

/// Sets controls.
pub(crate) fn post(daemon: &Daemon, body: &str) -> Reply {
    let mut client = Client::connect(daemon.address());
    let length = format!("Content-Length: {}", body.len());
    client.request("POST", "/controls", &["Content-Type: application/json", &length]);
    client.send(body);
    client.reply("POST")
}

#[test]
fn every_turn_of_every_sampling_is_that_of_jpegtran() {
    SIZES.into_iter().for_each(turns_are_those_of_jpegtran);
}

fn turns_are_those_of_jpegtran((width, height): (usize, usize)) {
    let dir = TempDir::new();
    let ppm = ppm(&dir, (width, height));
    let mut sections = String::new();
    let mut due = Vec::new();
    for (nth, sampling) in SAMPLINGS.iter().enumerate() {
        let source = dir.path().join(format!("{nth}.jpg"));
        let source = source.to_str().unwrap();
        let args = ["-quality", "85", "-outfile", source];
        tool("cjpeg").args(sampling.iter().copied().chain(args).chain([&*ppm])).output();
        for (rotate, flip, same) in TURNS {
            let name = format!("s{nth}r{rotate}{flip}");
            let args = [&["-copy", "none", "-trim"], same, &[source]].concat();
            let turned = dir.write(&format!("{name}.jpg"), tool("jpegtran").args(args).output());
            sections += &format!(
                "[[camera]]\nname = \"{name}\"\nsource = \"file:{source}\"\n\
                 rotate = \"{rotate}\"\nflip = \"{flip}\"\n"
            );
            due.push((name, turned));
        }
    }
    let config = dir.write("config.toml", sections);
    let daemon = Daemon::start(&["--config", config.to_str().unwrap()]);
    for (name, turned) in due {
        let what = format!("{name} of {width}x{height}");
        let reply = daemon.get(&format!("/{name}/snapshot"));
        assert_eq!(reply.code, 200, "{what}: {}", reply.text());
        let shown = dir.write("shown.jpg", &reply.body);
        assert!(pixels(&shown) == pixels(&turned), "{what}: other pixels than jpegtran's");
    }
}

/// EXIF of a picture that is to be turned.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [&b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01"[..], &entry, &[0; 4]].concat()
}

/// The orientation that a picture's EXIF says.
fn orientation(jpeg: &[u8]) -> Option<u8> {
    let mark = b"\x01\x12\0\x03\0\0\0\x01\0";
    memchr::memmem::find(jpeg, mark).map(|at| jpeg[at + mark.len()])
}

#[test]
fn stream_snapshot_recording_and_relay_are_turned_alike() {
    let dir = Dir::new(vec![with_segment(&flat(64, 48, [220, 20, 20]), 0xE1, &exif(1))]);
    let record = TempDir::new();
    let daemon = Daemon::start(&[
        "--camera",
        &dir.camera(),
        "--fps",
        "20",
        "--rotate",
        "90",
        "--record",
        record.path().to_str().unwrap(),
    ]);
    let streamed = daemon.watch("/stream").next().jpeg;
    assert_eq!((size(&streamed), orientation(&streamed)), ((48, 64), Some(1)));
    assert_eq!(daemon.get("/snapshot").body, streamed);
    let status = daemon.status();
    assert_eq!([&status["camera"]["width"], &status["camera"]["height"]], [48, 64]);
    eventually_is("frames are recorded", || !all_frames(record.path()).is_empty());
    assert_eq!(all_frames(record.path())[0].jpeg, streamed);
    let relay = Daemon::start(&["--camera", &daemon.url("/stream"), "--rotate", "270"]);
    assert_eq!(size(&relay.watch("/stream").next().jpeg), (64, 48));
}

#[test]
fn exif_is_followed_and_then_says_nothing() {
    let turned = |number: u8, args: &[&str]| {
        let dir = Dir::new(vec![with_segment(&flat(64, 48, [9, 9, 9]), 0xE1, &exif(number))]);
        let daemon = Daemon::start(&[&["--camera", &dir.camera(), "--fps", "20"], args].concat());
        let jpeg = daemon.get("/snapshot").body;
        (size(&jpeg), orientation(&jpeg))
    };
    assert_eq!(turned(6, &[]), ((64, 48), Some(6)), "browsers turn it");
    assert_eq!(turned(6, &["--rotate", "exif"]), ((48, 64), Some(1)));
    assert_eq!(turned(1, &["--rotate", "exif"]), ((64, 48), Some(1)));
    // What EXIF says and the option say the opposite, so only EXIF changes.
    assert_eq!(turned(6, &["--rotate", "270"]), ((64, 48), Some(1)));
    assert_eq!(turned(6, &["--rotate", "90"]), ((64, 48), Some(1)));
}

#[test]
fn turn_is_a_control_too() {
    let dir = Dir::flat(64, 48);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20", "--flip", "vertical"]);
    let mut viewer = daemon.watch("/stream");
    assert_eq!(size(&viewer.next().jpeg), (64, 48));
    let reply = post(&daemon, r#"{"picture_rotate": 90}"#);
    assert_eq!(reply.text(), r#"{"controls":{"picture_rotate":{"value":90}}}"#);
    eventually_is("the same stream is turned", || size(&viewer.next().jpeg) == (48, 64));
    let controls: serde_json::Value =
        serde_json::from_slice(&daemon.get("/controls").body).unwrap();
    let values = |key: &str| [0, 1].map(|n: usize| controls["controls"][n][key].clone());
    assert_eq!(values("name"), ["picture_rotate", "picture_flip"]);
    assert_eq!(values("value"), [json!(90), json!(2)]);
    assert_eq!(values("default"), [json!(0), json!(2)]);
    let wrong = post(&daemon, r#"{"picture_rotate": 45}"#);
    assert_eq!(wrong.code, 400);
    assert!(wrong.text().contains("use one of 0, exif, 90, 180, 270"), "{}", wrong.text());
    assert_eq!(post(&daemon, r#"{"*": null}"#).code, 200);
    eventually_is("it lies as the options say", || size(&viewer.next().jpeg) == (64, 48));
}

#[test]
fn progressive_picture_is_shown_as_it_is_and_the_log_says_why() {
    let dir = TempDir::new();
    let ppm = ppm(&dir, (64, 48));
    let jpeg = tool("cjpeg").args(["-progressive", &ppm]).output();
    let file = dir.write("progressive.jpg", &jpeg);
    let source = format!("file:{}", file.display());
    let daemon = Daemon::start(&["--camera", &source, "--rotate", "90"]);
    assert_eq!(daemon.get("/snapshot").body, jpeg);
    let line = daemon.wait_for_log("not changed");
    assert!(line.contains("progressive"), "{line}");
}

#[test]
fn damaged_picture_is_dropped_and_counted() {
    let good = flat(640, 480, [9, 90, 200]);
    let work = TempDir::new();
    let mut damaged = tool("cjpeg").args([&*ppm(&work, (640, 480))]).output();
    let scan = memchr::memmem::find(&damaged, b"\xFF\xDA").unwrap() + 14;
    // Bytes that are no code in any table.
    damaged[scan + 500..scan + 2500]
        .chunks_mut(2)
        .for_each(|pair| pair.copy_from_slice(&[0xFF, 0]));
    let dir = Dir::new(vec![good, damaged]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20", "--rotate", "180"]);
    let mut viewer = daemon.watch("/stream");
    (0..4).for_each(|_| drop(viewer.next()));
    eventually_is("it is counted", || daemon.figure("/camera/frames/dropped/damaged") > 0);
    daemon.wait_for_log("coded data is damaged");
}

#[test]
fn turn_that_cannot_be_is_refused_with_what_can() {
    let error = |args: &[&str]| {
        let (code, _, stderr) = Daemon::run(args);
        assert_eq!(code, Some(2), "{stderr}");
        stderr
    };
    let wrong = error(&["--rotate", "45"]);
    assert!(wrong.contains("possible values: 0, 90, 180, 270, exif"), "{wrong}");
    let wrong = error(&["--flip", "left"]);
    assert!(wrong.contains("possible values: none, horizontal, vertical, both"), "{wrong}");
}

#[test]
fn page_turns_the_picture_and_the_browser_shows_it() {
    let dir = Dir::new(vec![flat(640, 480, [220, 20, 20])]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "10"]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    let choose = "const menu = document.getElementById('control-picture_rotate'); \
        if (!menu) return false; menu.value = '90'; \
        menu.dispatchEvent(new Event('change', { bubbles: true })); return true";
    eventually_is("the page has the menu", || browser.run(choose) == true);
    let is_upright = "const image = document.getElementById('picture'); \
        return image.naturalWidth === 480 && image.naturalHeight === 640";
    eventually_is("the picture is turned", || browser.run(is_upright) == true);
}

/// A colour in each quarter, from the top left by rows.
const QUARTERS: [usize; 4] = [0, 1, 2, 3];
/// Where the middle of each quarter is in a picture of 48x64.
const MIDDLES: [(usize, usize); 4] = [(12, 16), (36, 16), (12, 48), (36, 48)];

/// A 4:2:2 picture of four colours: what most webcams send. Turned it is 4:4:0, which is
/// rare, so decoders might know it badly.
fn quarters(dir: &TempDir) -> Daemon {
    let colour =
        |x: usize, y: usize| COLOURS[QUARTERS[usize::from(y >= 24) * 2 + usize::from(x >= 32)]];
    let pixels = (0..48).flat_map(|y| (0..64).flat_map(move |x| colour(x, y)));
    let ppm = dir.write("quarters.ppm", [b"P6\n64 48\n255\n".to_vec(), pixels.collect()].concat());
    let file = dir.path().join("quarters.jpg");
    let (ppm, jpeg) = (ppm.to_str().unwrap(), file.to_str().unwrap());
    tool("cjpeg").args(["-sample", "2x1", "-outfile", jpeg, ppm]).output();
    Daemon::start(&["--camera", &format!("file:{jpeg}"), "--fps", "10", "--rotate", "90"])
}

/// Checks the colours in the middles of the quarters of the turned picture.
fn check_quarters(at: impl Fn(usize, usize) -> [i64; 3]) {
    let shown = MIDDLES.map(|(x, y)| colour(at(x, y)));
    assert_eq!(shown, [2, 0, 3, 1].map(Some), "bottom left comes to the top left");
}

#[test]
fn decoders_show_what_a_turn_makes_of_a_webcam() {
    let dir = TempDir::new();
    let daemon = quarters(&dir);
    let url = daemon.url("/stream");
    let output = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
    let args = [&["-v", "error", "-f", "mpjpeg", "-i", &url], &output[..]].concat();
    let pixels = Program::new("ffmpeg", "ffmpeg").args(args).output();
    assert_eq!(pixels.len(), 48 * 64 * 3);
    check_quarters(|x, y| {
        let at = (y * 48 + x) * 3;
        [0, 1, 2].map(|n| i64::from(pixels[at + n]))
    });
    let script = "import cv2, sys, json\n\
        ok, picture = cv2.VideoCapture(sys.argv[1]).read()\n\
        print(json.dumps(picture[:, :, ::-1].tolist()))";
    let rows = python("cv2", "python3-opencv", script, &[&url]);
    let rows: Vec<Vec<[i64; 3]>> = serde_json::from_str(&rows).unwrap();
    assert_eq!((rows[0].len(), rows.len()), (48, 64));
    check_quarters(|x, y| rows[y][x]);
    let browser = Browser::start();
    browser.open(&daemon.url("/"));
    let script = "const image = document.getElementById('picture'); \
        if (image.naturalWidth !== 48) return null; \
        const canvas = document.createElement('canvas'); canvas.width = 48; canvas.height = 64; \
        const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0); \
        return [...pen.getImageData(0, 0, 48, 64).data]";
    let shown = eventually("the browser shows it", || {
        let values = browser.run(script);
        Some(values.as_array()?.iter().map(|v| v.as_i64().unwrap()).collect::<Vec<_>>())
    });
    check_quarters(|x, y| [0, 1, 2].map(|n| shown[(y * 48 + x) * 4 + n]));
}
