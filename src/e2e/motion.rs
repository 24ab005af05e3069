//! Motion in pictures of a known truth, through the whole program.

use jpeg_encoder::{ColorType, Encoder};
use serde_json::Value;

use crate::events::{events, wait_for};
use crate::recording::end;
use crate::support::{Client, Daemon, Dir, Reply, TempDir, eventually, eventually_is, flat};

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
    eventually_is("the status says so", || daemon.status()["camera"]["motion"]["moving"] == true);
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

fn motion(daemon: &Daemon, query: &str) -> Value {
    serde_json::from_slice(&daemon.get(&format!("/motion?{query}")).body).unwrap()
}

/// Zones and masks, and what else is said of them.
pub(crate) fn areas(daemon: &Daemon) -> Value {
    serde_json::from_slice(&daemon.get("/motion/areas").body).unwrap()
}

fn draw(daemon: &Daemon, areas: &str, headers: &[&str]) -> Reply {
    let length = format!("Content-Length: {}", areas.len());
    let mut client = Client::connect(daemon.address());
    let own = ["Content-Type: application/json", &length];
    client.request("POST", "/motion/areas", &[&own, headers].concat());
    client.send(areas);
    client.reply("POST")
}

#[test]
fn what_the_detector_sees_is_told_to_those_who_ask() {
    let dir = crossing(40);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "10", "--motion"]);
    let crossed = |all: &Value, at: usize| {
        let looks = all["looks"].as_array().unwrap();
        looks.iter().any(|look| look[at].as_f64().unwrap() > 0.01)
    };
    eventually_is("something differs and moves", || {
        let all = motion(&daemon, "");
        crossed(&all, 1) && crossed(&all, 2)
    });
    let all = motion(&daemon, "");
    assert_eq!((&all["min_size"], &all["grid"]), (&0.001.into(), &Value::Null), "{all}");
    let newest = all["looks"].as_array().unwrap().last().unwrap()[0].as_f64().unwrap();
    assert!((all["now"].as_f64().unwrap() - newest).abs() < 5.0, "{all}");
    let later = eventually("there are later ones", || {
        let later = motion(&daemon, &format!("from={}", newest + 0.001));
        later["looks"].as_array().unwrap().first().map(|look| look[0].as_f64().unwrap())
    });
    assert!(later > newest);
    let grid = eventually("the thing is in the grid", || {
        let grid = motion(&daemon, "grid=1")["grid"].clone();
        grid["cells"].as_str().is_some_and(|cells| cells.contains('2')).then_some(grid)
    });
    // Of 320x240, a cell a block.
    assert_eq!((&grid["width"], grid["cells"].as_str().unwrap().len()), (&40.into(), 1200));
    assert!(motion(&daemon, "")["grid"].is_null(), "it is only for those who ask");
    assert_eq!(daemon.get("/motion?from=x").code, 400);
    assert!(daemon.status()["camera"]["motion"]["begun"].as_u64() > Some(0));
    let without = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for target in ["/motion", "/motion/areas"] {
        let reply = without.get(target);
        assert_eq!(reply.code, 404);
        assert!(reply.text().contains("start mjpegd with --motion"), "{}", reply.text());
    }
}

/// A mask over all but the upper two fifths.
const LOWER: &str = r#"{"masks":[[[0,0.4],[1,0.4],[1,1],[0,1]]]}"#;

#[test]
fn drawn_areas_add_to_those_of_the_configuration_and_outlive_the_program() {
    let (dir, folder) = (crossing(40), TempDir::new());
    let camera = dir.camera();
    let record = folder.path().to_str().unwrap();
    let zone = "0,0 0.5,0 0.5,1 0,1";
    let args = ["--camera", &camera, "--fps", "10", "--motion", "--motion-zone", zone];
    let start = |more: &[&str]| Daemon::start(&[&args, more].concat());
    let daemon = start(&["--record", record]);
    let before = areas(&daemon);
    assert_eq!((&before["kept"], &before["locked"]), (&true.into(), &false.into()));
    wait_for(&daemon, "motion-begin");

    for wrong in ["{", "[]", r#"{"zones":[[[0,0],[1,1]]]}"#, r#"{"zone":[]}"#] {
        let reply = draw(&daemon, wrong, &[]);
        assert_eq!(reply.code, 400, "{wrong}");
        assert!(reply.text().contains("3 to 64 corners from 0 to 1"), "{}", reply.text());
    }
    assert_eq!(draw(&daemon, LOWER, &["Origin: http://printer:7125"]).code, 403);
    assert_eq!(areas(&daemon), before);

    let reply = draw(&daemon, LOWER, &[]);
    assert_eq!(reply.code, 200);
    assert_eq!(serde_json::from_slice::<Value>(&reply.body).unwrap(), areas(&daemon));
    let drawn = areas(&daemon);
    assert_eq!(drawn["masks"].as_array().unwrap().len(), 1);
    assert_eq!(drawn["fixed"], before["fixed"]);
    let counting = |daemon: &Daemon| {
        let grid = motion(daemon, "grid=1")["grid"].clone();
        grid["cells"].as_str().map(|cells| cells.len() - cells.matches('m').count())
    };
    // The left half of the upper two fifths.
    eventually_is("the detector looks there only", || counting(&daemon) == Some(20 * 12));
    let n = events(&daemon, "type=motion-begin").len();
    let looks = daemon.figure("/camera/motion/looks");
    eventually_is("it goes on", || daemon.figure("/camera/motion/looks") > looks + 60);
    assert_eq!(events(&daemon, "type=motion-begin").len(), n, "what crosses is masked");
    end(daemon);

    let daemon = start(&["--record", record, "--lock-controls"]);
    let locked = draw(&daemon, "{\"masks\":[]}", &[]);
    assert_eq!((locked.code, &*locked.text()), (403, "controls are locked (--lock-controls)\n"));
    let again = areas(&daemon);
    assert_eq!((&again["masks"], &again["locked"]), (&drawn["masks"], &true.into()));
    eventually_is("the detector knows it", || counting(&daemon) == Some(20 * 12));
    end(daemon);
}

#[test]
fn areas_are_kept_where_there_is_a_folder_and_used_where_there_is_none() {
    let (dir, folder) = (crossing(40), TempDir::new());
    let camera = dir.camera();
    let record = folder.path().to_str().unwrap();
    let args = ["--camera", &camera, "--fps", "10", "--motion"];
    let start = |more: &[&str]| Daemon::start(&[&args, more].concat());
    let masks = serde_json::from_str::<Value>(LOWER).unwrap()["masks"].clone();
    // In a folder of its own, and in that of systemd.
    let state = folder.path().join("state");
    let daemon = start(&["--record", record, "--state-dir", state.to_str().unwrap()]);
    assert_eq!(areas(&daemon)["masks"], Value::Array(vec![]));
    assert_eq!(draw(&daemon, LOWER, &[]).code, 200);
    assert!(state.join("camera/motion.json").exists());
    end(daemon);
    let mut command = Daemon::command(&args);
    command.env("STATE_DIRECTORY", format!("{}:/nowhere", state.display()));
    let daemon = Daemon::spawn(command);
    assert_eq!(areas(&daemon)["masks"], masks);
    end(daemon);

    let missing = folder.path().join("no/disk");
    let daemon = start(&["--state-dir", missing.to_str().unwrap()]);
    let reply = draw(&daemon, LOWER, &[]);
    assert_eq!(reply.code, 503);
    assert!(reply.text().contains("zones and masks cannot be kept: "), "{}", reply.text());
    assert_eq!(areas(&daemon)["masks"], masks, "but they are used");
    end(daemon);

    // Without a folder the page says that they are lost, and why a file is broken.
    let daemon = start(&[]);
    assert_eq!(draw(&daemon, LOWER, &[]).code, 200);
    assert_eq!(areas(&daemon)["kept"], false);
    end(daemon);
    folder.write("camera/motion.json", "{\"zones\":");
    let daemon = start(&["--record", record]);
    daemon.wait_for_log("motion.json: zones and masks cannot be read");
    assert_eq!(areas(&daemon)["masks"], Value::Array(vec![]));
}
