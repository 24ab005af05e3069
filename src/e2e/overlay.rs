//! The text over the pictures of a camera.

use jpeg_encoder::{ColorType, Encoder};

use crate::support::{Daemon, Dir, TempDir, all_frames, eventually, eventually_is, with_segment};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 240;

/// A picture in which no two blocks are the same.
fn gradient(is_progressive: bool) -> Vec<u8> {
    let pixel = |x: u16, y: u16| [x / 2, y, (x ^ y) & 0xFF].map(|v| u8::try_from(v).unwrap());
    let pixels: Vec<u8> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y))).collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_progressive(is_progressive);
    encoder.encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb).unwrap();
    jpeg
}

/// What another decoder makes of it: three bytes a pixel.
fn decoded(jpeg: &[u8]) -> Vec<u8> {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((info.width, info.height), (WIDTH, HEIGHT));
    pixels
}

/// The least and the greatest column and row of pixels that differ.
fn changed(before: &[u8], after: &[u8]) -> Option<[usize; 4]> {
    let pixels = before.chunks(3).zip(after.chunks(3)).enumerate();
    let differ = pixels.filter(|(_, (a, b))| a != b).map(|(i, _)| i);
    differ.fold(None, |found, i| {
        let (x, y) = (i % usize::from(WIDTH), i / usize::from(WIDTH));
        let [left, right, top, bottom] = found.unwrap_or([x, x, y, y]);
        Some([left.min(x), right.max(x), top.min(y), bottom.max(y)])
    })
}

fn snapshot(daemon: &Daemon) -> Vec<u8> {
    daemon.get("/snapshot").body
}

#[test]
fn only_the_box_changes_and_is_the_same_wherever_the_picture_goes() {
    let source = gradient(false);
    let (dir, record) = (Dir::new(vec![source.clone()]), TempDir::new());
    let folder = record.path().display().to_string();
    let daemon = Daemon::start(
        &[
            &["--camera", &dir.camera(), "--fps", "20", "--record", &folder][..],
            &["--overlay", "Гараж {camera}", "--overlay-box", "--overlay-position", "top-right"],
        ]
        .concat(),
    );
    let jpeg = snapshot(&daemon);
    let (before, after) = (decoded(&source), decoded(&jpeg));
    let [left, right, top, bottom] = changed(&before, &after).expect("the text");
    assert!(left > 160 && right < 320 && top < 32 && bottom < 48, "{left} {right} {top} {bottom}");
    let inside = |i: usize| {
        let (x, y) = (i % usize::from(WIDTH), i / usize::from(WIDTH));
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    };
    let pixels: Vec<_> = after.chunks(3).enumerate().filter(|(i, _)| inside(*i)).collect();
    assert!(
        pixels.iter().filter(|(_, p)| p.iter().all(|v| *v > 200)).count() > 50,
        "white letters"
    );
    assert!(pixels.iter().filter(|(_, p)| p.iter().all(|v| *v < 110)).count() > 500, "on dark");
    let relay = Daemon::start(&["--camera", &daemon.url("/stream")]);
    assert!(daemon.watch("/stream").next().jpeg == jpeg, "in the stream");
    assert!(relay.watch("/stream").next().jpeg == jpeg, "through a relay");
    let recorded = eventually("a recorded picture", || all_frames(record.path()).pop());
    assert!(recorded.jpeg == jpeg, "in the recording");
}

#[test]
fn text_lies_on_the_turned_picture() {
    let dir = Dir::new(vec![gradient(false)]);
    let camera = ["--camera", &dir.camera(), "--fps", "20", "--rotate", "90"];
    let text = ["--overlay", "WW", "--overlay-position", "bottom-right"];
    let turned = snapshot(&Daemon::start(&camera));
    let with_text = snapshot(&Daemon::start(&[&camera[..], &text].concat()));
    let pixels = |jpeg: &[u8]| {
        let mut decoder = jpeg_decoder::Decoder::new(jpeg);
        let pixels = decoder.decode().unwrap();
        assert_eq!(decoder.info().map(|info| (info.width, info.height)), Some((HEIGHT, WIDTH)));
        pixels
    };
    let (before, after) = (pixels(&turned), pixels(&with_text));
    let differ = before.chunks(3).zip(after.chunks(3)).enumerate().filter(|(_, (a, b))| a != b);
    let places: Vec<_> = differ.map(|(i, _)| (i % 240, i / 240)).collect();
    assert!(places.len() > 100, "{} pixels", places.len());
    assert!(places.iter().all(|(x, y)| *x > 160 && *y > 260), "{places:?}");
}

#[test]
fn text_is_upright_on_the_picture_of_a_phone() {
    // EXIF that says: turn this clockwise.
    let tags = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let dir = Dir::new(vec![with_segment(&gradient(false), 0xE1, tags)]);
    let camera = ["--camera", &dir.camera(), "--fps", "20"];
    let turned = snapshot(&Daemon::start(&[&camera[..], &["--rotate", "exif"]].concat()));
    let text = ["--overlay", "gate", "--overlay-box", "--overlay-position", "top-right"];
    let with_text = snapshot(&Daemon::start(&[&camera[..], &text].concat()));
    let pixels = |jpeg: &[u8]| jpeg_decoder::Decoder::new(jpeg).decode().unwrap();
    let (before, after) = (pixels(&turned), pixels(&with_text));
    assert_eq!(before.len(), after.len());
    let differ = before.chunks(3).zip(after.chunks(3)).enumerate().filter(|(_, (a, b))| a != b);
    let places: Vec<_> = differ.map(|(i, _)| (i % 240, i / 240)).collect();
    assert!(places.len() > 100 && places.iter().all(|(x, y)| *x > 120 && *y < 64), "{places:?}");
}

#[test]
fn time_is_local_and_runs() {
    let dir = Dir::new(vec![gradient(false)]);
    let camera = dir.camera();
    let start = |zone: &str, text: &str| {
        let mut command = Daemon::command(&["--camera", &camera, "--overlay", text]);
        command.env("TZ", zone);
        Daemon::spawn(command)
    };
    // The same picture as a text that is written out.
    let zone = snapshot(&start("Asia/Kolkata", "%z"));
    assert!(zone == snapshot(&start("UTC", "+0530")) && zone != snapshot(&start("UTC", "%z")));
    let daemon = start("UTC", "%T");
    let mut viewer = daemon.watch("/stream");
    let first = viewer.next().jpeg;
    eventually_is("a second has passed in the picture", || viewer.next().jpeg != first);
}

#[test]
fn pictures_that_cannot_be_changed_pass_as_they_are() {
    let source = gradient(true);
    let dir = Dir::new(vec![source.clone()]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "50", "--overlay", "x"]);
    let mut viewer = daemon.watch("/stream");
    assert!((0..5).all(|_| viewer.next().jpeg == source));
    daemon.wait_for_log("pictures are shown as they come, not changed: ");
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("not changed: ").count(), 1, "{log}");
}

#[test]
fn damaged_pictures_are_dropped_and_counted() {
    let good = gradient(false);
    let mut damaged = good.clone();
    let scan = memchr::memmem::find(&good, &[0xFF, 0xDA]).unwrap() + 14;
    let end = good.len() - 2;
    // No code of Huffman's has ones only, and zeros after 0xFF are stuffing.
    for pair in damaged[scan + 400..end].chunks_exact_mut(2) {
        pair.copy_from_slice(&[0xFF, 0]);
    }
    let dir = Dir::new(vec![good, damaged.clone()]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "50", "--overlay", "x"]);
    let mut viewer = daemon.watch("/stream");
    eventually_is("one was dropped", || {
        assert!(viewer.next().jpeg != damaged);
        daemon.figure("/camera/frames/dropped/damaged") >= 1
    });
    daemon.wait_for_log("a picture was dropped: a JPEG whose coded data is damaged");
}

#[test]
fn wrong_field_ends_the_start_with_what_would_be_right() {
    let (code, _, error) = Daemon::run(&["--overlay", "%Y {cam}"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("{cam} is no name that is known here; use {camera}, {host}"), "{error}");
}
