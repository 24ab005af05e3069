//! Large snapshots beside a small stream (`--snapshot-resolution`).

use crate::machine::pictures;
use crate::machine::{Machine, SERVICE_PORT, machine};
use crate::tests::daemon::start;
use crate::tests::helpers::bars::{BARS, assert_near, bars, size};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::viewer::{BackgroundViewer, Viewer, camera, camera_that, get};
use crate::tests::helpers::vivid::Vivid;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// The daemon waits for 4 s for a large picture, and then gives one of the stream.
const SOON: Duration = Duration::from_secs(3);
const WEBCAM: &str = "--resolution 640x480 --fps 15 --snapshot-resolution 1280x720";

/// Asks until a large picture comes. One of the stream, or none, may come only where the machine is slow.
fn large_one(machine: &Machine, path: &str, is_large: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let end = Instant::now() + PATIENCE;
    loop {
        let begun = Instant::now();
        let reply = get(machine, path);
        if is_large(&reply) {
            return reply;
        }
        assert!(begun.elapsed() > SOON, "{path}: {} bytes, not a large picture", reply.len());
        assert!(Instant::now() < end, "{path}: no large picture in {PATIENCE:?}");
    }
}

#[test]
fn webcam_gives_large_snapshots_while_its_stream_stays_small() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let options = format!("--camera v4l2:{} {WEBCAM} --idle-timeout 1s", webcam.link());
    let server = start(&machine, &options);
    let [small, large] = ["640x480", "1280x720"].map(pictures::of_size);
    // From a cold start, as a time-lapse without viewers asks for it.
    let is_large = |jpeg: &[u8]| large.iter().any(|picture| picture == jpeg);
    large_one(&machine, "/snapshot", is_large);
    let mut viewer = Viewer::open(&machine);
    assert!(small.contains(&viewer.next()));
    for path in ["/snapshot", "/?action=snapshot"] {
        large_one(&machine, path, is_large);
    }
    assert!(small.contains(&get(&machine, "/snapshot?full=0")));
    // All that comes is of the small size, byte for byte, and at the rate of before.
    viewer.read_in_a_row(15, small);
    let camera = camera_that(&machine, "a pause", |c| c["stills"]["last_pause_ms"].is_number());
    let stills = &camera["stills"];
    let log = webcam.log();
    let n_changes = log.matches("commit MJPG 1280x720").count();
    assert_eq!((&stills["taken"], &stills["failed"]), (&n_changes.into(), &0.into()), "{log}");
    assert!(n_changes >= 3 && !log.contains("640x480 30 fps"), "{log}");
    assert_eq!((&camera["width"], &camera["got"]["width"]), (&640.into(), &640.into()));
    server.wait_for_log("a snapshot stopped the stream for ");
    eprintln!("the last snapshot stopped the stream for {} ms", stills["last_pause_ms"]);
    assert_eq!(server.stop(), 0);
}

#[test]
fn those_who_ask_at_once_share_one_and_the_recording_goes_on() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    machine.sh("rm -rf /tmp/stills");
    let options = format!("--camera v4l2:{} {WEBCAM} --record /tmp/stills", webcam.link());
    let _server = start(&machine, &options);
    let _viewer = BackgroundViewer::open(&machine);
    camera_that(&machine, "a live camera", |camera| camera["state"] == "live");
    // Inside of the machine: QEMU listens at the port of the host with a queue of one, and
    // the host's kernel resets some of those who come at once while QEMU is busy.
    let ask = format!("wget -q -O /tmp/still$i http://127.0.0.1:{SERVICE_PORT}/snapshot");
    let [small, large] = ["640x480", "1280x720"].map(pictures::of_size);
    let n_large_of_4 = || {
        machine.sh(&format!("for i in 0 1 2 3; do {ask} >/dev/null 2>&1 & done; wait"));
        let got: Vec<_> = (0..4).map(|i| machine.read(&format!("/tmp/still{i}"))).collect();
        assert!(got.iter().all(|p| large.contains(p) || small.contains(p)));
        got.iter().filter(|picture| large.contains(picture)).count()
    };
    // On a slow machine the change for the last ones takes longer than they wait: then
    // they get a picture of the stream.
    let n_rounds = (1..=5).find(|_| n_large_of_4() >= 2).expect("two of four get a large one");
    let taken = camera(&machine)["stills"]["taken"].as_u64().unwrap();
    // Who comes behind the picture of a change needs the next one.
    assert!((1..=3 * n_rounds).contains(&taken), "{taken} changes in {n_rounds} rounds of 4");
    let recording = || {
        let status = get(&machine, "/status");
        serde_json::from_slice::<serde_json::Value>(&status).expect("JSON")["recording"].take()
    };
    let before = recording()["written"].as_u64();
    let end = Instant::now() + PATIENCE;
    while recording()["written"].as_u64() <= before {
        assert!(Instant::now() < end, "{}", recording());
    }
    assert_eq!(recording()["state"], "recording");
    let end = Instant::now() + PATIENCE;
    // Until the recording is a second old, the reply says that there is no picture.
    while !small.contains(&get(&machine, "/snapshot?at=-1s")) {
        assert!(Instant::now() < end, "no picture of the stream a second ago");
    }
}

#[test]
fn raw_cameras_of_both_apis_encode_large_ones() {
    let machine = machine();
    for vivid in [Vivid::single_planar(&machine), Vivid::multi_planar(&machine)] {
        vivid.set("test_pattern", 1);
        let options = "--input 0 --resolution 640x360 --fps 10 --snapshot-resolution 1280x720";
        let server = start(&machine, &format!("--camera {} {options}", vivid.device()));
        let mut viewer = Viewer::open(&machine);
        assert_eq!(size(&viewer.next()), (640, 360));
        for _ in 0..2 {
            let is_large =
                |reply: &[u8]| reply.starts_with(b"\xff\xd8") && size(reply) == (1280, 720);
            let still = large_one(&machine, "/snapshot", is_large);
            assert_near("still", &bars(&still), &BARS, 12);
            for _ in 0..3 {
                let jpeg = viewer.next();
                assert_eq!(size(&jpeg), (640, 360));
                assert_near("stream", &bars(&jpeg), &BARS, 12);
            }
        }
        let camera = camera(&machine);
        assert_eq!((&camera["opened"], &camera["got"]["fps"]), (&1.into(), &10.0.into()));
        assert_eq!(server.stop(), 0);
        vivid.set("test_pattern", 0);
    }
}

#[test]
fn camera_that_cannot_gives_snapshots_of_its_stream() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    // The webcam has no such size and takes the nearest, which is that of the stream.
    let options = "--resolution 1280x720 --fps 15 --snapshot-resolution 4000x3000";
    let server = start(&machine, &format!("--camera v4l2:{} {options}", webcam.link()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    for _ in 0..3 {
        assert!(pictures::of_size("1280x720").contains(&get(&machine, "/snapshot")));
    }
    let says = "it has no other size near, only 1280x720; it is one of the stream";
    server.wait_for_log(says);
    let log = server.log();
    assert_eq!(log.matches(says).count(), 1, "{log}");
    assert_eq!(server.stop(), 0);
    // A device that fails at the large size goes on with the small one.
    let vivid = Vivid::single_planar(&machine);
    let options = "--resolution 320x180 --snapshot-resolution 1280x720";
    let server = start(&machine, &format!("--camera {} {options}", vivid.device()));
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    vivid.set("inject_vidioc_reqbufs_error", 1);
    for _ in 0..2 {
        assert_eq!(size(&get(&machine, "/snapshot")), (320, 180), "{}", server.log());
    }
    let camera = camera(&machine);
    assert_eq!((&camera["state"], &camera["stills"]["failed"]), (&"live".into(), &1.into()));
    let says = "taking buffers failed: Invalid argument (os error 22); it is one of the stream";
    server.wait_for_log(says);
    (0..3).for_each(|_| assert_eq!(size(&viewer.next()), (320, 180)));
}

#[test]
fn unplugged_during_a_snapshot_is_a_loss_like_any_other() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    // So that the change takes two seconds.
    let options = format!("--camera v4l2:{} {WEBCAM} --warmup 30", webcam.link());
    let server = start(&machine, &options);
    let mut viewer = Viewer::open(&machine);
    viewer.next();
    thread::scope(|scope| {
        let asker = scope.spawn(|| get(&machine, "/snapshot"));
        machine.wait_for(
            "the large size",
            PATIENCE,
            &format!("grep -q 'commit MJPG 1280x720' {}", webcam.log_file()),
        );
        webcam.unplug();
        asker.join().unwrap();
    });
    camera_that(&machine, "a lost camera", |camera| camera["state"] == "lost");
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    camera_that(&machine, "a camera that is well", |camera| camera["state"] == "live");
    let small = pictures::of_size("640x480");
    viewer.next_that("a picture again", |jpeg| small.iter().any(|picture| picture == jpeg));
    let large = pictures::of_size("1280x720");
    large_one(&machine, "/snapshot", |reply| large.iter().any(|picture| picture == reply));
    assert_eq!(server.stop(), 0);
    drop(webcam);
}
