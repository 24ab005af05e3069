//! Time: slow viewers, a stalled camera, a clock that jumps.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::worst_gap;
use crate::support::{
    Client, Daemon, Dir, Metronome, Over, TempDir, Viewer, eventually_is, faketime, number,
};

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn viewer_on_a_slow_line_sees_pictures_that_are_fresh() {
    let dir = Dir::numbered(5, 30_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    let metronome = Metronome::start();
    let mut client = Client::narrow(daemon.address());
    client.request("GET", "/stream", &[]);
    let mut viewer = Viewer::new(client);
    let mut ages = Vec::new();
    // The camera makes 900 kB a second, and this viewer reads 300.
    for _ in 0..30 {
        let part = viewer.next();
        ages.push(now() - part.timestamp());
        thread::sleep(Duration::from_millis(100));
    }
    ages.sort_by(f64::total_cmp);
    let (median, limit) = (ages[15], metronome.allow(Duration::from_secs(1)));
    assert!(median < limit.as_secs_f64(), "{ages:?}");
}

#[test]
fn viewers_go_on_when_a_stalled_camera_does() {
    let dir = Dir::numbered(1, 1000);
    let [picture, stop, stopped] =
        ["000000.jpg", "stop", "stopped"].map(|name| dir.path().join(name));
    let script = format!(
        "exec:while :; do cat {0}; sleep 0.05; while [ -e {1} ]; do : > {2}; sleep 0.05; done; done",
        picture.display(),
        stop.display(),
        stopped.display()
    );
    let daemon =
        Daemon::start(&["--camera", &script, "--threads", "100", "--stall-timeout", "10m"]);
    let mut viewers: Vec<_> = (0..100).map(|_| daemon.watch("/stream")).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    fs::write(&stop, "").unwrap();
    eventually_is("it gives no more", || stopped.exists());
    let n_repeated = || -> Vec<u64> {
        let rows = daemon.status()["viewers"].take();
        rows.as_array().unwrap().iter().map(|row| row["repeated"].as_u64().unwrap()).collect()
    };
    let before = n_repeated();
    // While no new picture comes, the last one is sent again: each viewer
    // notices the stall only by that, and none is dropped.
    eventually_is("the camera stalls", || {
        n_repeated().iter().zip(&before).all(|(now, before)| now > before)
    });
    let captured = || daemon.figure("/camera/frames/captured");
    let (before, begun) = (captured(), Instant::now());
    while begun.elapsed() < Duration::from_secs(10) {
        viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    }
    assert_eq!(captured(), before, "it did not stall");
    fs::remove_file(&stop).unwrap();
    eventually_is("the camera goes on", || captured() > before + 10);
    viewers.iter_mut().for_each(|viewer| (0..5).for_each(|_| drop(viewer.next())));
    assert_eq!((daemon.figure("/seats/taken"), daemon.figure("/camera/opened")), (100, 1));
}

/// The longest time between two of some hundred pictures, without those that
/// this viewer was too slow for; and how long all of them took. Anything that delays
/// the publishing thread delays the next picture.
fn longest_step(viewer: &mut Viewer) -> (Duration, Duration) {
    let (mut n_steps, mut longest, begun) = (0, 0.0_f64, Instant::now());
    let mut last = viewer.next();
    while n_steps < 300 {
        let part = viewer.next();
        let [before, now] = [&last, &part].map(|part| number(&part.jpeg).unwrap());
        if now == (before + 1) % N_PICTURES {
            longest = longest.max(part.timestamp() - last.timestamp());
            n_steps += 1;
        }
        last = part;
    }
    (Duration::from_secs_f64(longest), begun.elapsed())
}

const N_PICTURES: usize = 100;

/// Viewers that read nothing, and some that read a little now and then, so that
/// some writes fit into their socket buffer and others do not.
fn dawdle(mut slow: Vec<Client>, is_over: &AtomicBool) {
    while !is_over.load(Relaxed) {
        slow.iter_mut().for_each(|client| drop(client.take(5000)));
        thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn publisher_waits_for_no_viewer() {
    let dir = Dir::numbered(N_PICTURES, 4000);
    let args = ["--camera", &dir.camera(), "--fps", "400", "--threads", "100"];
    // So long that a thread that waits for a stalled viewer is noticed.
    let daemon = Daemon::start(&[&args[..], &["--write-timeout", "10m"]].concat());
    let mut viewer = daemon.watch("/stream");
    let metronome = Metronome::start();
    // Several tries, of which the best one counts: the rest are delays of the
    // machine.
    let alone: Vec<_> = (0..5).map(|_| longest_step(&mut viewer)).collect();
    let shortest = |all: &[(Duration, Duration)]| {
        (
            all.iter().map(|(step, _)| *step).min().unwrap(),
            all.iter().map(|(_, all)| *all).min().unwrap(),
        )
    };
    let alone = shortest(&alone);
    let others = (0..99).map(|_| {
        let mut client = Client::narrow(daemon.address());
        client.request("GET", "/stream", &[]);
        client
    });
    let mut stalled: Vec<_> = others.collect();
    let slow = stalled.split_off(80);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = Over(&is_over);
        scope.spawn(|| dawdle(slow, &is_over));
        let mut limits = Vec::new();
        let steps = (0..15).map(|_| {
            let metronome = Metronome::start();
            let step = longest_step(&mut viewer);
            // 5 ms more than alone, or what the machine took for 5 ms meanwhile.
            limits.push(alone.0 + metronome.worst());
            step
        });
        let steps: Vec<_> = steps.collect();
        drop(over);
        // What else the machine does may have changed since.
        let after = longest_step(&mut viewer).1;
        let is_soon = steps.iter().zip(&limits).any(|((step, _), limit)| step < limit);
        assert!(is_soon, "{steps:?}, none below {limits:?}");
        assert!(shortest(&steps).1 < 2 * alone.1.max(after), "{steps:?}, and alone {alone:?}");
        // A blocked write waits for two seconds.
        let longest = Duration::from_secs(1) + 3 * metronome.worst();
        assert!(steps.iter().all(|(step, _)| *step < longest), "{steps:?}, one above {longest:?}");
    });
    daemon.wait_for_seats(81);
    drop(stalled);
}

#[test]
fn clock_that_jumps_a_day_neither_stalls_nor_floods() {
    let dir = TempDir::new();
    let clock = dir.write("clock", "+0");
    let mut command = Daemon::command(&["--camera", "pattern:64x48@20", "--idle-timeout", "2s"]);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let daemon = Daemon::spawn(command);
    let mut viewer = daemon.watch("/stream");
    let metronome = Metronome::start();
    for (jump, days) in [("+1d", 1.0), ("-1d", -1.0), ("+0", 0.0)] {
        // The file is replaced in one step, since an empty file would be no
        // valid time.
        fs::rename(dir.write("next", jump), &clock).unwrap();
        eventually_is("its clock has jumped", || {
            let shown = viewer.next().timestamp() - now();
            (shown - days * 86_400.0).abs() < 3600.0
        });
        let begun = Instant::now();
        let n_before = daemon.figure("/camera/frames/captured");
        let gap = worst_gap(&mut viewer, Duration::from_secs(2));
        let n = daemon.figure("/camera/frames/captured") - n_before;
        assert!(gap < metronome.allow(Duration::from_millis(500)), "{jump}: {gap:?}");
        // 20 a second and no more: the jump must not cause a burst.
        let most = 20.0 * begun.elapsed().as_secs_f64() + 5.0;
        assert!(f64::from(u32::try_from(n).unwrap()) <= most, "{jump}: {n}, at most {most}");
    }
    assert!(daemon.status()["uptime_s"].as_f64() < Some(3600.0));
    drop(viewer);
    daemon.wait_for_state("idle");
}
