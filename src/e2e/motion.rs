//! Motion in pictures of a known truth, through the whole program.

use jpeg_encoder::{ColorType, Encoder};
use serde_json::Value;

use crate::events::{events, wait_for};
use crate::recording::end;
use crate::support::{Daemon, Dir, eventually_is, flat};

const SIZE: (u16, u16) = (320, 240);

/// A scene with a dark thing whose left side is there; `None`: without it.
fn scene(left: Option<u16>, progressive: bool) -> Vec<u8> {
    let (width, height) = SIZE;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let is_thing = left.is_some_and(|left| (left..left + 30).contains(&x) && y > 100);
            let wall = 120 + ((x / 40 + y / 30) % 3) as u8 * 30;
            pixels.push(if is_thing { 20 } else { wall });
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_progressive(progressive);
    encoder.encode(&pixels, width, height, ColorType::Luma).unwrap();
    jpeg
}

/// Some pictures of nothing, then two seconds in which something crosses, at ten pictures a
/// second.
pub(crate) fn crossing(n_still: usize) -> Dir {
    let still = (0..n_still).map(|_| scene(None, false));
    Dir::new(still.chain((0..20).map(|n| scene(Some(n * 14), false))).collect())
}

#[test]
fn crossing_begins_and_ends_a_motion() {
    let dir = crossing(40);
    let options = ["--motion", "--motion-hold", "1s", "--fps", "10", "--idle-timeout", "1s"];
    let daemon = Daemon::start(&[&["--camera", &dir.camera()], &options[..]].concat());
    let begin = wait_for(&daemon, "motion-begin");
    let share = |name: &str| begin["data"][name].as_f64().unwrap();
    assert!(share("y") + share("height") > 0.9 && share("width") < 0.5, "{begin}");
    assert_eq!(daemon.status()["camera"]["motion"]["moving"], true);
    let finish = wait_for(&daemon, "motion-end");
    let time = finish["data"]["duration_s"].as_f64().unwrap();
    assert!((0.2..3.0).contains(&time), "{finish}");
    assert!(finish["time"].as_f64() > begin["time"].as_f64());
    // It is a reader, so the camera stays on without viewers, and its thread has a name.
    assert!(daemon.threads().contains(&"motion".to_owned()));
    assert_eq!(daemon.status()["camera"]["state"], "live");
    let metrics = daemon.get("/metrics").text();
    let looks = metrics.lines().find(|line| line.starts_with("mjpegd_motion_looks_total{"));
    assert!(!looks.unwrap().ends_with(" 0"), "{looks:?}");
    assert!(events(&daemon, "type=camera-off,camera-lost").is_empty());
    end(daemon);
}

#[test]
fn masked_part_of_the_picture_and_a_still_one_give_no_motion() {
    let dir = crossing(40);
    let masked = ["--camera", &*dir.camera(), "--fps", "10", "--motion"].map(str::to_owned);
    let mask = ["--motion-mask", "0,0.4 1,0.4 1,1 0,1"].map(str::to_owned);
    let args: Vec<_> = masked.iter().chain(&mask).map(String::as_str).collect();
    let daemon = Daemon::start(&args);
    // Three rounds.
    eventually_is("it has looked for long", || daemon.figure("/camera/motion/looks") > 90);
    assert_eq!(events(&daemon, "type=motion-begin"), [] as [Value; 0]);
}

#[test]
fn pictures_that_cannot_be_read_are_told_and_are_no_motion() {
    let dir = Dir::new(vec![scene(None, true)]);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "10", "--motion"]);
    let line = daemon.wait_for_log("no motion is seen");
    assert!(line.contains("pictures of this kind (") && line.contains("progressive"), "{line}");
    let motion = daemon.status()["camera"]["motion"].clone();
    assert!(motion["unreadable"].as_u64().unwrap() > 0 && motion["looks"] == 0, "{motion}");
    // It begins when there are others, of another size too.
    dir.overwrite(&flat(64, 48, [90, 90, 90]));
    eventually_is("it looks", || daemon.figure("/camera/motion/looks") > 5);
    assert!(daemon.status()["camera"]["motion"]["cause"].is_null());
    assert!(daemon.get("/metrics").text().contains("mjpegd_motion{camera=\"camera\"} 0"));
}
