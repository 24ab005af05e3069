//! What an archive needs: segments of a chosen length, each handed to a command, and
//! replies that a cache may keep.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, test_kill_process};

use crate::recording::{end, recorder};
use crate::support::{
    Daemon, Dir, TempDir, eventually, eventually_is, flat, frames, of_camera, segments,
    write_segment,
};

/// A folder to record to, one to copy to, and the lines of a command.
struct Archive {
    dir: Dir,
    to: TempDir,
    bucket: TempDir,
}

impl Archive {
    fn new() -> Self {
        Self { dir: Dir::numbered(40, 3000), to: TempDir::new(), bucket: TempDir::new() }
    }

    fn start(&self, command: &str, args: &[&str]) -> Daemon {
        let fixed = ["--record-segment", "1s", "--on-segment", command];
        recorder(&self.dir, self.to.path(), &[&fixed, args].concat())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bucket.path().join(name)
    }

    /// Copies a segment and notes its name. A copy that is ended with the daemon is not half
    /// there.
    fn copy(&self) -> String {
        let bucket = self.bucket.path().display();
        format!(
            "cp \"$MJPEGD_SEGMENT\" {bucket}/part && \
             mv {bucket}/part \"{bucket}/$(basename $MJPEGD_SEGMENT)\" && \
             echo \"$MJPEGD_CAMERA $MJPEGD_FROM $MJPEGD_TO $(basename $MJPEGD_SEGMENT)\" >> {bucket}/log"
        )
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Compares what was copied with what is on disk. Returns how many there are.
    fn check(&self) -> usize {
        let copied = fs::read_dir(self.bucket.path()).unwrap().map(|entry| entry.unwrap().path());
        let copied: Vec<_> =
            copied.filter(|path| path.extension().is_some_and(|e| e == "mjpeg")).collect();
        for copy in &copied {
            let own = of_camera(self.to.path()).join(copy.file_name().unwrap());
            assert!(fs::read(copy).unwrap() == fs::read(&own).unwrap(), "{}", own.display());
        }
        copied.len()
    }
}

fn wait_for_done(daemon: &Daemon, n: u64) {
    eventually_is(&format!("{n} segments are handed over"), || {
        daemon.figure("/recording/on_segment/done") >= n
    });
}

fn is_running(pid: &str) -> bool {
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw).unwrap();
    // A zombie counts as gone.
    let stat =
        fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

#[test]
fn each_finished_segment_is_handed_over_in_order_and_not_again_after_a_start() {
    let archive = Archive::new();
    let daemon = archive.start(&archive.copy(), &[]);
    wait_for_done(&daemon, 3);
    assert_eq!(daemon.status()["recording"]["on_segment"]["failures"], 0);
    let metrics = daemon.get("/metrics").text();
    assert!(metrics.contains("mjpegd_segments_lost_total{camera=\"camera\"} 0\n"), "{metrics}");
    end(daemon);
    let daemon = archive.start(&archive.copy(), &[]);
    wait_for_done(&daemon, 2);
    end(daemon);
    let lines = archive.lines();
    let mut names: Vec<_> = lines.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    let numbers: Vec<_> = names.iter().map(|name| name.rsplit('_').next().unwrap()).collect();
    assert!(numbers.is_sorted(), "in order: {numbers:?}");
    names.dedup();
    // The command may have been ended just before or behind its last line.
    assert!(lines.len() - names.len() <= 1, "again only what was not finished: {lines:?}");
    assert!((names.len()..=names.len() + 1).contains(&archive.check()));
    let on_disk = segments(archive.to.path());
    let on_disk: Vec<_> =
        on_disk.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    assert!(on_disk.starts_with(&names), "none is left out: {on_disk:?} {names:?}");
    // Which camera, and from when to when.
    let words: Vec<_> = lines[0].split(' ').collect();
    let (held, _) = frames(&of_camera(archive.to.path()).join(words[3]));
    let seconds = |text| {
        let time = humantime::parse_rfc3339(text).unwrap();
        time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
    };
    assert_eq!(words[0], "camera");
    assert!((seconds(words[1]) - held[0].time).abs() < 1e-5);
    assert!((seconds(words[2]) - held.last().unwrap().time).abs() < 1e-5);
}

#[test]
fn segments_have_the_length_that_was_asked_for() {
    let archive = Archive::new();
    let daemon = archive.start("true", &[]);
    wait_for_done(&daemon, 4);
    end(daemon);
    let length = |segment: &PathBuf| {
        let (held, _) = frames(segment);
        held.last().unwrap().time - held[0].time
    };
    let lengths: Vec<_> = segments(archive.to.path())[..4].iter().map(length).collect();
    // A machine that pauses makes one shorter, and none longer.
    let is_whole = |length: &f64| *length > 0.5;
    assert!(lengths.iter().all(|length| *length < 1.1), "{lengths:?}");
    assert!(lengths.iter().any(is_whole), "{lengths:?}");
}

#[test]
fn command_that_fails_is_tried_again_before_the_next_segment() {
    let archive = Archive::new();
    let open = archive.path("open");
    let command = format!(
        "test -e {} || {{ echo no bucket >&2; exit 7; }}; {}",
        open.display(),
        archive.copy()
    );
    let daemon = archive.start(&command, &[]);
    let figure = |name: &str| daemon.figure(&format!("/recording/on_segment/{name}"));
    eventually_is("it was tried again", || figure("failures") >= 2 && figure("waiting") >= 2);
    let on_segment = &daemon.status()["recording"]["on_segment"];
    assert_eq!((on_segment["done"].as_u64(), archive.lines().len()), (Some(0), 0));
    let cause = on_segment["cause"].as_str().unwrap();
    assert!(cause.contains("exit status: 7") && cause.ends_with("no bucket"), "{cause}");
    daemon.wait_for_log("trying again");
    fs::write(&open, "").unwrap();
    wait_for_done(&daemon, 3);
    eventually_is("all is well", || daemon.status()["recording"]["on_segment"]["cause"].is_null());
    assert!(archive.lines()[0].ends_with("_000001.mjpeg"), "{:?}", archive.lines());
    end(daemon);
    archive.check();
}

/// Starts with a command that does not end. Returns the daemon and the process of the
/// command.
fn hanging(archive: &Archive) -> (Daemon, String) {
    let file = archive.path("pid");
    // Also a child of the command.
    let command = format!("sleep 1000 & echo $! > {}.new; mv {0}.new {0}; wait", file.display());
    let daemon = archive.start(&command, &[]);
    let pid = eventually("the command runs", || fs::read_to_string(&file).ok());
    assert!(is_running(&pid));
    fs::remove_file(&file).unwrap();
    (daemon, pid)
}

#[test]
fn command_ends_with_the_daemon_however_that_ends() {
    for signal in [Signal::TERM, Signal::KILL] {
        let archive = Archive::new();
        let (mut daemon, pid) = hanging(&archive);
        daemon.signal(signal);
        daemon.wait();
        eventually_is("the command has ended", || !is_running(&pid));
        // What it did not finish is handed over by the next start.
        let daemon = archive.start(&archive.copy(), &[]);
        wait_for_done(&daemon, 2);
        assert!(archive.lines()[0].ends_with("_000001.mjpeg"), "{:?}", archive.lines());
        end(daemon);
        archive.check();
    }
}

#[test]
fn number_of_a_segment_that_was_handed_over_is_not_used_again() {
    let archive = Archive::new();
    let daemon = archive.start("true", &[]);
    wait_for_done(&daemon, 2);
    end(daemon);
    let last = archive.to.path().join("camera/handed_over");
    let n: u64 = fs::read_to_string(&last).unwrap().trim().parse().unwrap();
    assert!(n >= 2);
    for file in fs::read_dir(of_camera(archive.to.path())).unwrap().flatten() {
        if file.path() != last {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let daemon = archive.start(&archive.copy(), &[]);
    wait_for_done(&daemon, 1);
    assert!(archive.lines()[0].ends_with(&format!("_{:06}.mjpeg", n + 1)), "{:?}", archive.lines());
}

#[test]
fn what_waits_is_not_deleted_by_size_or_age() {
    let archive = Archive::new();
    let big = Dir::numbered(40, 20_000);
    let args = [
        "--record-segment",
        "1s",
        "--on-segment",
        "false",
        "--record-max-size",
        "1MiB",
        "--record-max-age",
        "1s",
    ];
    let daemon = recorder(&big, archive.to.path(), &args);
    eventually_is("the limit is passed", || daemon.figure("/recording/bytes") > 2 << 20);
    let on_segment = &daemon.status()["recording"]["on_segment"];
    assert_eq!(on_segment["lost"], 0);
    let is_first_there =
        || segments(archive.to.path())[0].to_str().unwrap().ends_with("_000001.mjpeg");
    assert!(is_first_there());
    end(daemon);
    // Once it is handed over, it is deleted as usual.
    let args = [&args[..2], &["--record-fps", "3", "--on-segment", "true"], &args[4..]].concat();
    let _daemon = recorder(&big, archive.to.path(), &args);
    eventually_is("the oldest is deleted", || !is_first_there());
}

#[test]
fn segment_that_somebody_has_deleted_does_not_hold_up_the_others() {
    let archive = Archive::new();
    let jpeg = flat(64, 48, [1, 2, 3]);
    for id in 1..=3 {
        write_segment(archive.to.path(), id, &jpeg, &[1_795_260_515_000_000 + id * 60_000_000]);
    }
    let first = segments(archive.to.path())[0].clone();
    // The first one is deleted by the command itself, and then fails.
    let name = first.file_name().unwrap().to_str().unwrap();
    let command = format!("case $MJPEGD_SEGMENT in *{name}) rm $MJPEGD_SEGMENT; exit 1;; esac");
    let daemon = archive.start(&command, &[]);
    wait_for_done(&daemon, 3);
    assert_eq!(daemon.figure("/recording/on_segment/lost"), 1);
    daemon.wait_for_log("is gone before it was handed over");
}

#[test]
fn finished_segment_may_be_kept_for_ever_and_the_one_that_grows_not_at_all() {
    let archive = Archive::new();
    let daemon = archive.start("true", &[]);
    wait_for_done(&daemon, 2);
    let path = &segments(archive.to.path())[0];
    let (name, n) =
        (path.file_name().unwrap().to_str().unwrap(), fs::metadata(path).unwrap().len());
    let target = format!("/recordings/{name}");
    let get = |headers: &[&str]| daemon.request("GET", &target, headers);
    let whole = get(&[]);
    let tag = format!("\"{}-{n}\"", name.strip_suffix(".mjpeg").unwrap());
    assert_eq!((whole.code, whole.header("ETag")), (200, Some(&*tag)));
    let caching = whole.header("Cache-Control").unwrap();
    assert!(caching.contains("immutable") && caching.contains("max-age=31536000"), "{caching}");
    for known in [format!("If-None-Match: {tag}"), format!("If-None-Match: \"a\", W/{tag}")] {
        let reply = get(&[&known]);
        assert_eq!((reply.code, reply.body.len(), reply.header("ETag")), (304, 0, Some(&*tag)));
    }
    assert_eq!(get(&["If-None-Match: \"other\""]).code, 200);
    let part = get(&["Range: bytes=0-9", &format!("If-Range: {tag}")]);
    assert_eq!((part.code, part.body.len()), (206, 10));
    assert_eq!(get(&["Range: bytes=0-9", "If-Range: \"other\""]).code, 200);
    assert_eq!(get(&["Range: bytes=0-9"]).code, 206);
    // A segment ends at any time, and it may be the next.
    let growing = eventually("one grows", || {
        let path = segments(archive.to.path()).pop()?;
        let reply = daemon.get(&format!("/recordings/{}", path.file_name()?.to_str()?));
        (reply.code == 200 && reply.header("ETag").is_none()).then_some(reply)
    });
    assert!(growing.header("Cache-Control").unwrap().contains("no-store"));
}

#[test]
fn snapshot_of_the_past_may_be_kept_and_one_of_now_as_long_as_was_asked() {
    let to = TempDir::new();
    let jpeg = flat(64, 48, [1, 2, 3]);
    let at = 1_795_260_515_u64;
    write_segment(to.path(), 1, &jpeg, &[at * 1_000_000, at * 1_000_000 + 500_000]);
    let daemon =
        Daemon::start(&["--camera", "pattern:64x48@20", "--record", to.path().to_str().unwrap()]);
    eventually_is("it is loaded", || daemon.figure("/recording/segments") > 1);
    let target = format!("/snapshot?at={at}.2");
    let old = daemon.get(&target);
    let tag = format!("\"{at}.000000-{}\"", jpeg.len());
    assert_eq!((old.code, old.header("ETag")), (200, Some(&*tag)));
    assert!(old.header("Cache-Control").unwrap().contains("immutable"));
    assert_eq!(daemon.request("GET", &target, &[&format!("If-None-Match: {tag}")]).code, 304);
    let is_kept = |target: &str| {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 200, "{target}");
        !reply.header("Cache-Control").unwrap().contains("no-store")
    };
    assert!(is_kept(&format!("/snapshot?at={at}.7&step=-1")));
    // A later picture could still come.
    assert!(!is_kept(&format!("/snapshot?at={at}&step=1")));
    assert!(
        !is_kept("/snapshot?at=-0s")
            && !is_kept("/snapshot")
            && !is_kept("/snapshot?max_delay=900")
    );
    let reply = daemon.get("/snapshot?max_delay=10000");
    let caching = reply.header("Cache-Control").unwrap();
    let seconds = caching.strip_prefix("max-age=").and_then(|c| c.split(',').next());
    assert!((1..=10).contains(&seconds.unwrap().parse::<u32>().unwrap()), "{caching}");
}

/// A daemon that only shows what is in the bucket. Its indexes are in `caches`.
fn show(archive: &Archive, caches: &TempDir) -> Daemon {
    let camera = format!("front=recording:{}", archive.bucket.path().display());
    let mut command = Daemon::command(&["--camera", &camera]);
    command.env_remove("CACHE_DIRECTORY").env("XDG_CACHE_HOME", caches.path());
    Daemon::spawn(command)
}

#[test]
fn second_daemon_plays_the_copies_as_they_come_and_go() {
    let (archive, caches) = (Archive::new(), TempDir::new());
    let viewer = show(&archive, &caches);
    assert_eq!(viewer.get("/recordings").code, 200, "an empty folder is no error");
    let copy = format!("cp \"$MJPEGD_SEGMENT\" {}/", archive.bucket.path().display());
    let daemon = archive.start(&copy, &[]);
    wait_for_done(&daemon, 3);
    end(daemon);
    let n_frames = |daemon: &Daemon| daemon.figure("/recording/frames");
    let copied: Vec<_> = fs::read_dir(archive.bucket.path()).unwrap().flatten().collect();
    let held: usize = copied.iter().map(|entry| frames(&entry.path()).0.len()).sum();
    eventually_is("all is found", || n_frames(&viewer) == held as u64);
    // What was recorded is played, and the newest picture is the live one.
    let (first, last) = {
        let mut all: Vec<_> = copied.iter().flat_map(|entry| frames(&entry.path()).0).collect();
        all.sort_by(|a, b| a.time.total_cmp(&b.time));
        (all[0].clone(), all.pop().unwrap())
    };
    let at = viewer.get(&format!("/front/snapshot?at={:.6}", first.time));
    assert!(at.code == 200 && at.body == first.jpeg);
    eventually_is("the newest picture is the live one", || {
        viewer.get("/snapshot").body == last.jpeg
    });
    let mut stream = viewer.watch(&format!("/stream?from={:.6}&speed=100", first.time));
    assert_eq!(stream.next().jpeg, first.jpeg);
    drop(stream);
    let reply = viewer.request("POST", "/record/start", &[]);
    assert_eq!((reply.code, n_frames(&viewer)), (404, held as u64), "{}", reply.text());
    // A file that vanishes is no longer listed.
    let gone = copied.iter().min_by_key(|entry| entry.file_name()).unwrap();
    let n_gone = frames(&gone.path()).0.len();
    fs::remove_file(gone.path()).unwrap();
    eventually_is("it is gone", || n_frames(&viewer) == (held - n_gone) as u64);
    // Nothing is written to the folder, and the indexes are elsewhere.
    let names = fs::read_dir(archive.bucket.path()).unwrap().flatten();
    assert!(names.into_iter().all(|entry| entry.path().extension().is_some_and(|e| e == "mjpeg")));
    let folder = fs::read_dir(caches.path().join("mjpegd")).unwrap().flatten().next().unwrap();
    assert!(fs::read_dir(folder.path()).unwrap().count() > 0);
}

#[test]
fn folder_that_is_not_there_yet_is_found_when_it_comes() {
    let (archive, caches) = (Archive::new(), TempDir::new());
    let path = archive.path("later");
    let mut command = Daemon::command(&["--camera", &format!("recording:{}", path.display())]);
    command.env_remove("CACHE_DIRECTORY").env("XDG_CACHE_HOME", caches.path());
    let viewer = Daemon::spawn(command);
    let state = || viewer.status()["recording"]["state"].as_str().unwrap().to_owned();
    eventually_is("it says so", || state() == "failed");
    assert_eq!(viewer.get("/snapshot").code, 503);
    let jpeg = flat(64, 48, [1, 2, 3]);
    write_segment(archive.to.path(), 7, &jpeg, &[1_795_260_515_000_000]);
    fs::rename(of_camera(archive.to.path()), &path).unwrap();
    eventually_is("it is found", || viewer.figure("/recording/frames") == 1);
    eventually_is("it is shown", || viewer.get("/snapshot").body == jpeg);
    assert_eq!(state(), "off");
}
