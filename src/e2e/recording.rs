//! Recording: the files on disk, their limits, and what a stop or a kill
//! leaves.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    Daemon, Dir, Program, TempDir, all_frames, eventually_is, frames, index, number, of_camera,
    segments,
};

/// A daemon that records a folder of numbered pictures.
pub(crate) fn recorder(dir: &Dir, to: &Path, args: &[&str]) -> Daemon {
    let (camera, to) = (dir.camera(), to.to_str().unwrap());
    Daemon::start(&[&["--camera", &*camera, "--fps", "30", "--record", to], args].concat())
}

pub(crate) fn wait_for_frames(daemon: &Daemon, n: u64) {
    eventually_is(&format!("{n} frames are recorded"), || daemon.figure("/recording/written") >= n);
}

fn wait_for_state(daemon: &Daemon, state: &str) {
    eventually_is(&format!("the recording is {state}"), || {
        daemon.status()["recording"]["state"] == state
    });
}

/// Stops a daemon with SIGTERM and waits for its end.
pub(crate) fn end(mut daemon: Daemon) {
    daemon.signal(Signal::TERM);
    assert!(daemon.wait().success());
}

/// The errors that ffmpeg reports when it reads a whole segment.
fn complaints(segment: &Path) -> String {
    let file = segment.to_str().unwrap();
    let args = ["-hide_banner", "-v", "warning", "-f", "mpjpeg", "-i", file, "-f", "null", "-"];
    let child = Program::new("ffmpeg", "ffmpeg").args(args).start_piped();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{file}: {}", output.status);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_frame_is_recorded_while_nobody_watches() {
    let (dir, to) = (Dir::numbered(40, 5000), TempDir::new());
    let (camera, to_text) = (dir.camera(), to.path().to_str().unwrap());
    // At a rate that a busy machine keeps up with, and for longer than the idle timeout.
    let args = ["--camera", &*camera, "--fps", "10", "--record", to_text];
    let daemon = Daemon::start(&[&args[..], &["--idle-timeout", "500ms"]].concat());
    wait_for_frames(&daemon, 40);
    let status = daemon.status();
    assert_eq!(status["recording"]["state"], "recording");
    assert_eq!(status["recording"]["max_bytes"], 1u64 << 30);
    assert_eq!(status["camera"]["opened"], 1);
    assert!(daemon.threads().contains(&"recorder".to_owned()));
    end(daemon);
    let frames = all_frames(to.path());
    assert!(frames.len() >= 40);
    // What a busy machine skips is counted, before the frame that comes after it.
    let [n_written, n_skipped] =
        ["written", "skipped"].map(|key| status["recording"][key].as_u64().unwrap());
    let n_breaks =
        n_breaks(&index(&segments(to.path())[0]), usize::try_from(n_written).unwrap()) as u64;
    assert!(n_breaks <= n_skipped && n_skipped < 40, "{n_breaks} breaks, {n_skipped} skipped");
    for frame in &frames {
        assert!(frame.jpeg == dir.pictures[number(&frame.jpeg).unwrap()]);
    }
    assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time));
}

#[test]
fn segment_is_what_a_viewer_was_sent_and_players_play_it() {
    let to = TempDir::new();
    let to_text = to.path().to_str().unwrap();
    let daemon = Daemon::start(&["--camera", "pattern:320x240@10", "--record", to_text]);
    wait_for_frames(&daemon, 1);
    let mut viewer = daemon.watch("/stream");
    let parts: Vec<_> = (0..20).map(|_| viewer.next()).collect();
    wait_for_frames(&daemon, daemon.figure("/recording/written") + 3);
    let n_skipped = daemon.figure("/recording/skipped");
    end(daemon);
    let [segment] = &segments(to.path())[..] else { panic!("not one segment") };
    let bytes = fs::read(segment).unwrap();
    let mut n_same = 0;
    for part in &parts {
        let wire = [b"--frame\r\n", part.head.as_bytes(), &part.jpeg, b"\r\n"].concat();
        n_same += u64::from(memchr::memmem::find(&bytes, &wire).is_some());
    }
    assert!(n_same + n_skipped >= 20, "only {n_same} of 20 are in the file, {n_skipped} skipped");
    assert_eq!(complaints(segment), "");
    let args = ["-v", "error", "-f", "mpjpeg", "-count_frames", "-of", "csv=p=0"];
    let args = args.into_iter().chain(["-show_entries", "stream=width,height,nb_read_frames"]);
    let text =
        Program::new("ffprobe", "ffmpeg").args(args.chain([segment.to_str().unwrap()])).text();
    assert_eq!(text.trim(), format!("320,240,{}", frames(segment).0.len()));
}

#[test]
fn switch_stops_and_starts_and_lets_the_camera_rest() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let daemon = recorder(&dir, to.path(), &["--idle-timeout", "500ms"]);
    wait_for_frames(&daemon, 5);
    let post = |target, headers: &[&str]| daemon.request("POST", target, headers);
    let reply = daemon.get("/record/stop");
    assert_eq!((reply.code, reply.header("Allow")), (405, Some("POST, OPTIONS")));
    assert_eq!(post("/record/stop", &["Origin: http://evil.example"]).code, 403);
    assert_eq!(post("/record/stop", &["Sec-Fetch-Site: cross-site"]).code, 403);
    assert_eq!(daemon.status()["recording"]["on"], true);
    let reply = post("/record/stop", &[]);
    assert_eq!(reply.code, 200, "{}", reply.text());
    wait_for_state(&daemon, "off");
    daemon.wait_for_state("idle");
    let n_frames = daemon.figure("/recording/frames");
    assert_eq!(post("/record/start", &[]).code, 200);
    wait_for_state(&daemon, "recording");
    eventually_is("it grows", || daemon.figure("/recording/frames") > n_frames);
    assert_eq!(segments(to.path()).len(), 2);
    let log = daemon.log().join("\n");
    assert!(!log.contains("not recording"), "the folder was not given back: {log}");
}

#[test]
fn without_a_folder_nothing_is_recorded_and_that_is_said() {
    let daemon = Daemon::start(&[]);
    assert_eq!(daemon.status()["recording"], serde_json::Value::Null);
    for target in [
        "/recordings",
        "/recordings/frames.csv",
        "/recordings/x",
        "/download",
        "/snapshot?at=-1s",
        "/stream?from=-1s",
    ] {
        let reply = daemon.get(target);
        assert!(reply.code == 404 && reply.text().contains("--record DIR"), "{target}: {reply:?}");
    }
    assert_eq!(daemon.request("POST", "/record/start", &[]).code, 404);
}

#[test]
fn record_fps_thins_what_is_recorded_and_not_what_is_seen() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let daemon = recorder(&dir, to.path(), &["--record-fps", "5"]);
    let mut viewer = daemon.watch("/stream");
    let seen: Vec<_> = (0..40).map(|_| number(&viewer.next().jpeg).unwrap()).collect();
    assert!(seen.windows(2).filter(|pair| pair[1] == (pair[0] + 1) % 40).count() > 20);
    wait_for_frames(&daemon, 12);
    assert_eq!(daemon.figure("/recording/skipped"), 0);
    end(daemon);
    let frames = all_frames(to.path());
    let took = frames[frames.len() - 1].time - frames[0].time;
    let fps = (frames.len() - 1) as f64 / took;
    assert!(fps <= 5.5, "{fps}");
}

#[test]
fn size_is_bounded_and_the_oldest_go_first() {
    let (dir, to) = (Dir::numbered(40, 50_000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &["--record-max-size", "2MiB"]);
    eventually_is("old segments were deleted", || {
        daemon.figure("/recording/written_bytes") > 6 << 20
    });
    eventually_is("it is within bounds", || {
        let used: u64 = fs::read_dir(of_camera(to.path()))
            .unwrap()
            .map(|e| e.unwrap().metadata().map_or(0, |m| m.len()))
            .sum();
        // The cleaner looks once a second, and frames are written in between.
        used < (2 << 20) + 30 * 60_000 && daemon.figure("/recording/bytes") < 4 << 20
    });
    end(daemon);
    let left = segments(to.path());
    assert!((3..=16).contains(&left.len()), "{left:?}");
    assert!(!left[0].to_str().unwrap().contains("_000001."), "{left:?}");
    let numbers: Vec<_> = left.iter().map(|path| number_in_name(path)).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

fn number_in_name(segment: &Path) -> u64 {
    let stem = segment.file_stem().unwrap().to_str().unwrap();
    stem.rsplit_once('_').unwrap().1.parse().unwrap()
}

#[test]
fn age_is_bounded() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 5);
    end(daemon);
    let old = segments(to.path());
    let daemon = recorder(&dir, to.path(), &["--record-max-age", "2s"]);
    eventually_is("the old segment is gone", || !old[0].exists() && !index(&old[0]).exists());
    assert_eq!(segments(to.path()).len(), 1);
    wait_for_state(&daemon, "recording");
}

#[test]
fn kill_at_any_moment_loses_at_most_the_last_frame() {
    let to = TempDir::new();
    let args = ["--camera", "pattern:320x240@30", "--record", to.path().to_str().unwrap()];
    let (mut moment, mut n_due, mut n_missed): (u64, _, _) = (12_345, 0, 0);
    for round in 0..50 {
        let daemon = Daemon::start(&args);
        wait_for_frames(&daemon, 1);
        // A pseudo-random delay, so that each round kills the recorder at
        // another point of its work.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let until = Instant::now() + Duration::from_millis(moment >> 56);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        let n_written = usize::try_from(daemon.figure("/recording/written")).unwrap();
        daemon.signal(Signal::KILL);
        drop(daemon);
        let files = segments(to.path());
        assert_eq!(files.len(), round + 1);
        let (frames, rest) = frames(&files[round]);
        assert!(frames.len() >= n_written, "{} of {n_written}", frames.len());
        assert!(rest.len() < 2 * frames[0].jpeg.len(), "more than one frame is cut");
        n_due += frames.len();
        n_missed += n_breaks(&index(&files[round]), usize::MAX);
    }
    assert!(n_missed <= n_due / 10, "{n_missed} breaks in {n_due} frames");
    let daemon = Daemon::start(&args);
    wait_for_frames(&daemon, 1);
    assert!(daemon.figure("/recording/frames") > n_due as u64);
    end(daemon);
    for segment in segments(to.path()) {
        assert_eq!(complaints(&segment), "", "{}", segment.display());
        assert_eq!(frames(&segment).1, b"");
        assert_eq!(index(&segment).metadata().unwrap().len() % 32, 0);
    }
}

/// How many of the first `n` frame numbers of an index do not follow the one before:
/// on a busy machine the recorder may skip frames.
pub(crate) fn n_breaks(index: &Path, n: usize) -> usize {
    // A kill may come before the first frames are listed.
    let bytes = fs::read(index).unwrap_or_default();
    let (records, _) = bytes.as_chunks::<32>();
    let number = |record: &[u8; 32]| u64::from_le_bytes(record[16..24].try_into().unwrap());
    let records = records.get(1..).unwrap_or_default();
    records[..records.len().min(n)]
        .windows(2)
        .filter(|pair| number(&pair[1]) != number(&pair[0]) + 1)
        .count()
}

#[test]
fn index_that_lies_or_is_missing_is_made_anew() {
    let (dir, to) = (Dir::numbered(40, 3000), TempDir::new());
    for _ in 0..3 {
        let daemon = recorder(&dir, to.path(), &[]);
        wait_for_frames(&daemon, 10);
        end(daemon);
    }
    let files = segments(to.path());
    let due = all_frames(to.path());
    let lying = fs::OpenOptions::new().write(true).open(index(&files[0])).unwrap();
    // Overwrites the offsets of three frames in the index (format:
    // `recording/record.rs`).
    (3..6).for_each(|i| lying.write_all_at(&[1, 2, 3], 32 * i).unwrap());
    fs::remove_file(index(&files[1])).unwrap();
    fs::write(index(&files[2]), "short").unwrap();
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 1);
    let reply = daemon.get("/download?format=mjpeg");
    assert_eq!(reply.code, 200, "{}", reply.text());
    let whole: Vec<u8> = due.iter().flat_map(|frame| frame.jpeg.clone()).collect();
    assert!(reply.body.starts_with(&whole), "{} of {}", reply.body.len(), whole.len());
}

#[test]
fn nothing_outside_the_folder_is_shown() {
    let (dir, to, outside) = (Dir::numbered(40, 0), TempDir::new(), TempDir::new());
    let secret = outside.write("secret", b"a secret");
    let name = "2026-01-01T00-00-00Z_000007.mjpeg";
    let within = of_camera(to.path());
    fs::create_dir(&within).unwrap();
    symlink(&secret, within.join(name)).unwrap();
    symlink(&secret, within.join(name.replace("mjpeg", "idx"))).unwrap();
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 5);
    let listed = daemon.get("/recordings?segments=1").text();
    assert!(!listed.contains(name), "{listed}");
    for target in [
        format!("/recordings/{name}"),
        "/recordings/../secret".into(),
        "/recordings/%2e%2e/secret".into(),
        "/recordings//etc/passwd".into(),
        format!("/recordings/{}", secret.display()),
    ] {
        let reply = daemon.get(&target);
        assert_eq!(reply.code, 404, "{target}: {}", reply.text());
    }
    let own = segments(to.path());
    let own = own.iter().rfind(|path| !path.is_symlink()).unwrap();
    let own = own.file_name().unwrap().to_str().unwrap();
    assert_eq!(daemon.get(&format!("/recordings/{own}")).code, 200);
    assert_eq!(fs::read(&secret).unwrap(), b"a secret");
}

#[test]
fn each_camera_is_recorded_by_its_name_and_options() {
    let (to, file) = (TempDir::new(), TempDir::new());
    let config = format!(
        "record = '{}'\n[[camera]]\nname = 'front'\nsource = 'pattern:64x48@20'\n\
         [[camera]]\nname = 'back'\nsource = 'pattern:64x48@20'\nrecord-fps = 2\n",
        to.path().display()
    );
    let config = file.write("mjpegd.toml", config);
    let daemon = Daemon::start(&["--config", config.to_str().unwrap()]);
    let written = |name: &str| {
        let status = daemon.get(&format!("/{name}/status"));
        let status: serde_json::Value = serde_json::from_slice(&status.body).unwrap();
        status["recording"]["written"].as_u64().unwrap()
    };
    eventually_is("both are recorded", || written("front") >= 20 && written("back") >= 3);
    assert!(written("front") > 2 * written("back"));
    for name in ["front", "back"] {
        assert!(fs::read_dir(to.path().join(name)).unwrap().count() >= 2, "{name}");
        assert_eq!(daemon.get(&format!("/{name}/snapshot?at=-0s")).code, 200);
    }
    assert_eq!(daemon.request("POST", "/back/record/stop", &[]).code, 200);
    let is_on = |name: &str| {
        let list: serde_json::Value =
            serde_json::from_slice(&daemon.get(&format!("/{name}/recordings")).body).unwrap();
        list["recording"]["on"].as_bool().unwrap()
    };
    assert!(is_on("front") && !is_on("back"));
    let metrics = daemon.get("/metrics").text();
    for name in ["front", "back"] {
        let line = format!("mjpegd_frames_recorded_total{{camera=\"{name}\"}} ");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn two_programs_do_not_record_into_one_folder() {
    let (dir, to) = (Dir::numbered(40, 0), TempDir::new());
    let first = recorder(&dir, to.path(), &[]);
    wait_for_frames(&first, 5);
    let second = recorder(&dir, to.path(), &[]);
    wait_for_state(&second, "failed");
    let cause = second.status()["recording"]["cause"].as_str().unwrap().to_owned();
    assert!(cause.contains("another program records there"), "{cause}");
    second.watch("/stream").next();
    assert_eq!(second.get("/snapshot?at=-0s").code, 200, "it can be looked at");
    drop(first);
    wait_for_state(&second, "recording");
}
