//! Variants: pictures that are smaller, coarser or grey for those who ask.

use std::collections::BTreeSet;
use std::time::Duration;

use jpeg_decoder::{Decoder, PixelFormat};
use jpeg_encoder::{ColorType, Encoder};
use serde_json::{Value, json};

use crate::recording::{recorder, wait_for_frames};
use crate::support::{
    COLOURS, Daemon, Dir, Fake, TempDir, Viewer, all_frames, eventually, eventually_is, flat,
    number, with_segment,
};

/// Width, height, and whether it is grey, of a picture that decodes.
fn decoded(jpeg: &[u8]) -> (u16, u16, bool) {
    let mut decoder = Decoder::new(jpeg);
    decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    (info.width, info.height, info.pixel_format == PixelFormat::L8)
}

fn start(args: &[&str]) -> Daemon {
    Daemon::start(&[&["--camera", "pattern:640x480@20"], args].concat())
}

/// The variants of the first camera.
fn variants(daemon: &Daemon) -> Vec<Value> {
    daemon.status()["camera"]["variants"].as_array().unwrap().clone()
}

fn n_threads(daemon: &Daemon, name: &str) -> usize {
    daemon.threads().iter().filter(|thread| *thread == name).count()
}

fn wait_for_end_of_all(daemon: &Daemon) {
    eventually_is("no variant is left", || n_threads(daemon, "variant") == 0);
    eventually_is("none is shown", || variants(daemon).is_empty());
}

#[test]
fn every_address_of_pictures_takes_every_wish() {
    let daemon = start(&["--threads", "3"]);
    for (query, size, is_gray) in [
        ("scale=1/2", (320, 240), false),
        ("scale=1%2F4", (160, 120), false),
        ("scale=1/8", (80, 60), false),
        ("width=161", (320, 240), false),
        ("width=80&gray=1", (80, 60), true),
        ("gray=1", (640, 480), true),
        ("quality=10", (640, 480), false),
        ("scale=1", (640, 480), false),
        ("width=640", (640, 480), false),
        ("width=9999", (640, 480), false),
    ] {
        for address in ["/stream", "/video_feed", "/stream.mjpg", "/camera/?action=stream"] {
            let mark = if address.contains('?') { '&' } else { '?' };
            let mut viewer = daemon.watch(&format!("{address}{mark}{query}"));
            let is = decoded(&viewer.next().jpeg);
            assert_eq!(is, (size.0, size.1, is_gray), "{address} {query}");
        }
        for address in ["/snapshot", "/?action=snapshot", "/snapshot.jpg"] {
            let mark = if address.contains('?') { '&' } else { '?' };
            let reply = daemon.get(&format!("{address}{mark}{query}"));
            assert_eq!(reply.code, 200, "{}", reply.text());
            assert_eq!(decoded(&reply.body), (size.0, size.1, is_gray), "{address} {query}");
            assert_eq!(reply.header("X-UStreamer-Width"), Some(&*size.0.to_string()));
        }
    }
    let n_bytes = |target: &str| daemon.get(target).body.len();
    assert!(n_bytes("/snapshot?quality=10") < n_bytes("/snapshot"));
}

#[test]
fn wrong_wishes_are_answered_with_what_is_right() {
    let daemon = start(&[]);
    for address in ["/stream", "/video_feed", "/snapshot"] {
        for (query, right) in [
            ("scale=1/3", "scale: use one of 1, 1/2, 1/4, 1/8"),
            ("width=0", "width: use a number from 1 to 65535"),
            ("width=wide", "width: use a number from 1 to 65535"),
            ("quality=0", "quality: use a number from 1 to 100"),
            ("scale=1/2&width=320", "width: use it without scale"),
        ] {
            let reply = daemon.get(&format!("{address}?{query}"));
            assert_eq!(reply.code, 400, "{address}?{query}");
            assert!(reply.text().contains(right), "{}", reply.text());
        }
    }
}

#[test]
fn picture_is_made_once_for_all_and_keeps_its_time() {
    let daemon = start(&[]);
    let mut full = daemon.watch("/stream");
    let time = |viewer: &mut Viewer| viewer.next().header("X-Timestamp").unwrap();
    let mut originals = vec![time(&mut full)];
    let targets = ["/stream?scale=1/2", "/stream?width=300", "/stream?width=320"];
    let mut viewers: Vec<_> =
        targets.iter().cycle().take(6).map(|target| daemon.watch(target)).collect();
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.extend(viewers.iter_mut().map(time));
        originals.push(time(&mut full));
    }
    eventually_is("they are counted", || {
        daemon.figure("/camera/viewers") == 7 && variants(&daemon).len() == 2
    });
    let shown = variants(&daemon);
    let is = |i: usize| [&shown[i]["wish"], &shown[i]["readers"], &shown[i]["width"]];
    assert_eq!(is(0), [&json!("scale=1/2"), &json!(2), &json!(320)]);
    assert_eq!(is(1), [&json!("width=320"), &json!(4), &json!(320)]);
    let captured = daemon.figure("/camera/frames/captured");
    for variant in &shown {
        let made = variant["made"].as_u64().unwrap();
        assert!((20..=captured).contains(&made), "{made} of {captured}, not once a viewer");
        assert!(variant["cpu_s"].as_f64().unwrap() > 0.0, "{variant}");
        assert!(variant["cpu_ms_per_picture"].as_f64().unwrap() > 0.0, "{variant}");
    }
    assert_eq!(n_threads(&daemon, "variant"), 2);
    assert_eq!(n_threads(&daemon, "capture"), 1);
    let wishes: Vec<_> = daemon.status()["viewers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["variant"].clone())
        .collect();
    assert!(wishes.contains(&Value::Null) && wishes.contains(&json!("width=320")), "{wishes:?}");
    // Each time is that of a picture of the camera.
    let last = seen.iter().max().unwrap();
    while originals.last().unwrap() <= last {
        originals.push(time(&mut full));
    }
    let unknown: BTreeSet<_> = seen.iter().filter(|time| !originals.contains(time)).collect();
    // But for those that this viewer was too slow for.
    eventually_is(&format!("these are counted as skipped: {unknown:?}"), || {
        let rows = daemon.status()["viewers"].clone();
        let row = rows.as_array().unwrap().iter().find(|row| row["variant"].is_null()).unwrap();
        unknown.len() as u64 <= row["skipped"].as_u64().unwrap()
    });
}

#[test]
fn variant_and_camera_end_when_the_last_leaves() {
    let daemon = start(&["--idle-timeout", "1s"]);
    assert_eq!(n_threads(&daemon, "variant"), 0);
    let mut viewers = [daemon.watch("/stream?scale=1/4"), daemon.watch("/stream?scale=1/4")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    assert_eq!(n_threads(&daemon, "variant"), 1);
    drop(viewers);
    wait_for_end_of_all(&daemon);
    daemon.wait_for_state("idle");
    // And begin again.
    assert_eq!(decoded(&daemon.watch("/stream?scale=1/4").next().jpeg).0, 160);
}

#[test]
fn polled_snapshot_costs_one_picture_a_poll() {
    let daemon = start(&[]);
    let made = || variants(&daemon)[0]["made"].as_u64().unwrap();
    let captured = || daemon.figure("/camera/frames/captured");
    daemon.get("/snapshot?scale=1/2");
    let (made_before, captured_before) = (made(), captured());
    for _ in 0..5 {
        let begun = captured();
        eventually_is("time passes", || captured() >= begun + 10);
        let reply = daemon.get("/snapshot?scale=1/2");
        assert_eq!(decoded(&reply.body).0, 320);
        assert!(reply.header("X-Frame-Age-Ms").unwrap().parse::<u64>().unwrap() < 4000);
    }
    let (n_made, n_captured) = (made() - made_before, captured() - captured_before);
    assert!((5..=n_captured / 2).contains(&n_made), "{n_made} of {n_captured} were made");
    assert_eq!(variants(&daemon)[0]["state"], "live");
    wait_for_end_of_all(&daemon);
}

#[test]
fn what_the_camera_gives_itself_costs_nothing() {
    let daemon = start(&[]);
    let mut full = daemon.watch("/stream");
    full.next();
    for query in ["width=640", "width=9999", "scale=1", "gray=0"] {
        daemon.watch(&format!("/stream?{query}")).next();
        assert_eq!(daemon.get(&format!("/snapshot?{query}")).code, 200);
    }
    assert_eq!(n_threads(&daemon, "variant"), 0);
    assert_eq!(variants(&daemon), [] as [Value; 0]);
}

#[test]
fn too_many_are_refused_with_the_reason_and_idle_ones_give_way() {
    let daemon = start(&["--max-variants", "2"]);
    let mut viewers = [daemon.watch("/stream?scale=1/2"), daemon.watch("/stream?quality=30")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    for target in ["/stream?gray=1", "/video_feed?width=80", "/snapshot?scale=1/8"] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 503, "{target}");
        assert!(reply.text().contains("--max-variants"), "{}", reply.text());
        assert!(reply.header("Retry-After").is_some());
    }
    assert_eq!(daemon.figure("/variants/refused"), 3);
    assert_eq!(daemon.figure("/variants/max"), 2);
    daemon.wait_for_log("(2, --max-variants) are in use");
    // A HEAD makes nobody a viewer, and others are served.
    assert_eq!(daemon.request("HEAD", "/stream?gray=1", &[]).code, 200);
    assert_eq!(daemon.get("/snapshot?scale=1/2").code, 200);
    assert_eq!(daemon.get("/snapshot").code, 200);
    daemon.watch("/stream").next();
    let [first, _second] = viewers;
    drop(first);
    eventually_is("the idle one gives way", || daemon.get("/snapshot?gray=1").code == 200);
    let off = start(&["--max-variants", "0"]);
    let reply = off.get("/stream?gray=1");
    assert_eq!(reply.code, 403);
    assert!(reply.text().contains("--max-variants 0"), "{}", reply.text());
    let (code, _, text) = Daemon::run(&["--max-variants", "65"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("--max-variants 65: use a number from 0 to 64"), "{text}");
}

#[test]
fn seats_of_the_camera_count() {
    let daemon = start(&["--max-viewers", "1", "--threads", "5"]);
    let mut viewer = daemon.watch("/stream?scale=1/2");
    viewer.next();
    let reply = daemon.get("/stream?scale=1/2");
    assert_eq!(reply.code, 503);
    assert!(reply.text().contains("all 1 seats of camera"), "{}", reply.text());
}

#[test]
fn methods_and_metrics_are_as_of_every_address() {
    let daemon = start(&[]);
    let head = daemon.request("HEAD", "/snapshot?scale=1/2", &[]);
    assert_eq!(head.code, 200);
    assert!(head.header("Content-Length").unwrap().parse::<usize>().unwrap() > 500);
    let head = daemon.request("HEAD", "/stream?scale=1/2", &[]);
    assert!(head.header("Content-Type").unwrap().starts_with("multipart/x-mixed-replace"));
    assert_eq!(daemon.request("OPTIONS", "/stream?scale=1/2", &[]).code, 204);
    let mut viewer = daemon.watch("/stream?scale=1/2");
    let own = |viewer: &Viewer| {
        let line = viewer.head.lines().find(|line| line.starts_with("X-Mjpegd-Instance: "));
        line.unwrap().to_owned()
    };
    let mut full = daemon.watch("/stream");
    assert_eq!(own(&viewer), own(&full), "a camera knows itself");
    (0..10).for_each(|_| drop((viewer.next(), full.next())));
    let text = daemon.get("/metrics").text();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("mjpegd_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    };
    assert_eq!(value("variants{camera=\"camera\"}"), 1.0);
    assert_eq!(value("variants_max"), 4.0);
    assert_eq!(value("variants_refused_total"), 0.0);
    assert_eq!(value("variant_readers{camera=\"camera\"}"), 1.0);
    assert!(value("variant_frames_total{camera=\"camera\"}") >= 10.0);
    assert!(value("variant_cpu_seconds_total{camera=\"camera\"}") > 0.0);
    assert_eq!(value("viewers{camera=\"camera\"}"), 2.0);
    // What a variant has cost is not forgotten with it.
    drop(viewer);
    wait_for_end_of_all(&daemon);
    assert!(daemon.get("/metrics").text().contains("mjpegd_variants{camera=\"camera\"} 0"));
    let after = daemon.get("/metrics").text();
    assert!(!after.contains("mjpegd_variant_frames_total{camera=\"camera\"} 0"), "{after}");
}

#[test]
fn lost_camera_is_shown_smaller_and_a_relay_knows_it() {
    let dir = Dir::flat(640, 480);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream?scale=1/2");
    assert_eq!(decoded(&viewer.next().jpeg), (320, 240, false));
    let url = daemon.url("/stream?scale=1/2");
    let relay = Daemon::start(&["--camera", &url]);
    let mut relayed = relay.watch("/stream");
    assert_eq!(decoded(&relayed.next().jpeg).0, 320);
    dir.remove();
    let mark = b"X-Mjpegd-Status: lost; ";
    let status = eventually("the status picture", || {
        let jpeg = viewer.next().jpeg;
        memchr::memmem::find(&jpeg, mark).is_some().then_some(jpeg)
    });
    assert_eq!(decoded(&status), (320, 240, false));
    relay.wait_for_state("lost");
    assert!(relay.status()["camera"]["cause"].as_str().unwrap().contains("no picture in this"));
    let reply = daemon.get("/snapshot?scale=1/2");
    assert_eq!(reply.code, 503);
    assert!(reply.text().contains("no picture in this folder"), "{}", reply.text());
    assert!(reply.header("X-Mjpegd-Status").unwrap().starts_with("lost; "));
    dir.restore();
    eventually_is("pictures come again", || {
        memchr::memmem::find(&viewer.next().jpeg, mark).is_none()
    });
    relay.wait_for_state("live");
}

#[test]
fn kind_that_cannot_be_changed_passes_as_it_is_and_the_reason_is_told_once() {
    let mut progressive = Vec::new();
    let mut encoder = Encoder::new(&mut progressive, 80);
    encoder.set_progressive(true);
    encoder.encode(&COLOURS[0].repeat(64 * 48), 64, 48, ColorType::Rgb).unwrap();
    let dir = Dir::new(vec![progressive.clone()]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut viewer = daemon.watch("/stream?scale=1/2");
    (0..5).for_each(|_| assert!(viewer.next().jpeg == progressive));
    let shown = &variants(&daemon)[0];
    assert!(shown["passed"].as_u64() >= Some(5) && shown["made"] == 0, "{shown}");
    assert!(shown["passed_why"].as_str().unwrap().contains("progressive"), "{shown}");
    daemon.wait_for_log("passed on as they are");
    let log = daemon.log().join("\n");
    assert_eq!(log.matches("passed on as they are").count(), 1, "{log}");
    assert!(daemon.get("/snapshot?scale=1/2").body == progressive);
}

#[test]
fn damaged_picture_is_dropped_and_counted() {
    let good = with_segment(&flat(640, 480, COLOURS[0]), 0xFE, b"number 000001");
    let mut bad = with_segment(&flat(640, 480, COLOURS[0]), 0xFE, b"number 000002");
    // No code of the tables has as many ones.
    let at = bad.len() - 200;
    bad[at..at + 100].copy_from_slice(&[0xFF, 0].repeat(50));
    let dir = Dir::new(vec![good, bad]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    let mut full = daemon.watch("/stream");
    eventually_is("the camera's own viewers see it", || number(&full.next().jpeg) == Some(2));
    let mut viewer = daemon.watch("/stream?scale=1/2");
    (0..5).for_each(|_| assert_eq!(number(&viewer.next().jpeg), Some(1)));
    eventually_is("it is counted", || variants(&daemon)[0]["damaged"].as_u64() >= Some(3));
    daemon.wait_for_log("a picture was dropped: a JPEG whose coded data is damaged");
    assert_eq!(daemon.status()["camera"]["faults"]["no_signal"], 0);
}

#[test]
fn slow_variant_skips_pictures_of_its_own_only() {
    // A thousand a second, which no processor scales.
    let dir = Dir::flat(1920, 1080);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "1000"]);
    let mut viewer = daemon.watch("/stream?scale=1/2");
    viewer.next();
    eventually_is("the variant skips", || {
        viewer.next();
        variants(&daemon)[0]["skipped"].as_u64() >= Some(20)
    });
    let shown = &variants(&daemon)[0];
    let captured = daemon.figure("/camera/frames/captured");
    assert!(captured > shown["made"].as_u64().unwrap() + 20, "{captured}, {shown}");
    assert_eq!(daemon.figure("/camera/frames/dropped/stale"), 0);
}

#[test]
fn viewers_of_few_pictures_have_only_those_made() {
    let daemon = start(&[]);
    let mut full = daemon.watch("/stream");
    let mut viewer = daemon.watch("/stream?scale=1/2&fps=1");
    viewer.next();
    let made = || variants(&daemon)[0]["made"].as_u64().unwrap();
    let captured = || daemon.figure("/camera/frames/captured");
    let (made_before, captured_before) = (made(), captured());
    (0..40).for_each(|_| drop(full.next()));
    let (n_made, n_captured) = (made() - made_before, captured() - captured_before);
    assert!(n_made <= n_captured / 2, "{n_made} of {n_captured} were made");
}

#[test]
fn pictures_of_the_past_are_changed_too() {
    let (dir, to) = (Dir::flat(640, 480), TempDir::new());
    let daemon = recorder(&dir, to.path(), &["--max-variants", "1"]);
    wait_for_frames(&daemon, 40);
    let frames = all_frames(to.path());
    let at = frames[5].time;
    let reply = daemon.get(&format!("/snapshot?at={at}&width=160"));
    assert_eq!(decoded(&reply.body), (160, 120, false));
    assert_eq!(reply.header("X-Timestamp").unwrap(), format!("{at:.6}"));
    assert_eq!(decoded(&daemon.get(&format!("/snapshot?at={at}&gray=1")).body), (640, 480, true));
    // A span of it, in both layouts.
    for address in ["/stream", "/video_feed"] {
        // So slow that few are late.
        let target = format!("{address}?from={at}&to={}&scale=1/4&speed=0.1", frames[10].time);
        let play = || {
            let mut viewer = daemon.watch(&target);
            let mut parts: Vec<_> = std::iter::from_fn(|| viewer.next_or_end()).collect();
            daemon.wait_for_seats(0);
            // One that was sent again, as the next was far away, is the same.
            parts.dedup();
            parts
        };
        let parts = (0..10).map(|_| play()).find(|parts| parts.len() == 6).expect(address);
        assert!(parts.iter().all(|part| decoded(&part.jpeg) == (160, 120, false)));
        let times = parts.iter().map(|part| part.header("X-Timestamp"));
        let due = frames[5..=10].iter().map(|frame| format!("{:.6}", frame.time));
        assert!(address != "/stream" || times.flatten().eq(due));
    }
    // From the past to the live variant, in the one place that there is.
    let mut viewer = daemon.watch(&format!("/stream?from={at}&scale=1/8&speed=20"));
    assert_eq!(decoded(&viewer.next().jpeg).0, 80);
    assert_eq!(daemon.get(&format!("/stream?from={at}&gray=1")).code, 503);
    eventually_is("it goes live", || {
        assert_eq!(decoded(&viewer.next().jpeg).0, 80);
        variants(&daemon).len() == 1
    });
    assert_eq!(daemon.get("/snapshot?scale=1/8").code, 200);
    assert_eq!(daemon.get("/snapshot?gray=1").code, 503);
    drop(viewer);
    wait_for_end_of_all(&daemon);
}

#[test]
fn removed_camera_ends_its_variants() {
    let dir = TempDir::new();
    let write = |text: &str| dir.write("c.toml", text);
    let one = "[[camera]]\nname = 'one'\nsource = 'pattern:64x48@20'\n";
    let two = "[[camera]]\nname = 'two'\nsource = 'pattern:64x48@20'\n";
    write(&format!("{one}{two}"));
    let file = dir.path().join("c.toml");
    let daemon = Daemon::start(&["--config", file.to_str().unwrap()]);
    let mut gone = daemon.watch("/two/stream?scale=1/2");
    let mut stays = daemon.watch("/one/stream?scale=1/2");
    drop((gone.next(), stays.next()));
    write(one);
    daemon.signal(rustix::process::Signal::HUP);
    eventually_is("its viewer sees the end", || gone.next_or_end().is_none());
    eventually_is("the other goes on", || n_threads(&daemon, "variant") == 1);
    stays.next();
}

#[test]
fn size_that_is_not_known_yet_is_no_obstacle_and_slow_sources_are_answered_at_once() {
    // One picture, then none for a long time.
    let jpeg = flat(640, 480, COLOURS[1]);
    let fake = Fake::start(move |asked| {
        asked.send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n");
        let head = format!("--b\r\nContent-Length: {}\r\n\r\n", jpeg.len());
        for _ in 0..2 {
            asked.send([head.as_bytes(), &jpeg, b"\r\n"].concat());
            std::thread::sleep(Duration::from_millis(300));
        }
        asked.say_nothing();
    });
    let args = ["--camera", &fake.url("/"), "--fps", "0.01", "--stall-timeout", "1day"];
    let daemon = Daemon::start(&args);
    let mut viewer = daemon.watch("/stream?width=100");
    assert_eq!(decoded(&viewer.next().jpeg).0, 160);
    assert_eq!(decoded(&viewer.next().jpeg).0, 160);
    assert_eq!(decoded(&daemon.get("/snapshot?scale=1/2").body).0, 320);
}

#[test]
fn grab_takes_the_parameters_in_its_address() {
    let (daemon, to) = (start(&[]), TempDir::new());
    let folder = to.path().to_str().unwrap();
    let url = daemon.url("/stream?scale=1/4&gray=1");
    let (code, _, text) = Daemon::run(&["grab", &url, "-n", "2", "-o", folder]);
    assert_eq!(code, Some(0), "{text}");
    for name in ["000001.jpg", "000002.jpg"] {
        let jpeg = std::fs::read(to.path().join(name)).unwrap();
        assert_eq!(decoded(&jpeg), (160, 120, true), "{name}");
    }
}
