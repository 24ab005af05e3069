//! Disks that are full, read-only or missing: the recorder reports the cause
//! and tries again, and viewers notice nothing.

use std::fs;
use std::path::PathBuf;

use crate::support::{
    Daemon, Dir, TempDir, all_frames, eventually, eventually_is, number, segments, unshare,
};

/// A daemon with a small file system of its own, mounted at `$DIR` and prepared
/// by `script`.
struct OnDisk {
    daemon: Daemon,
    dir: TempDir,
}

impl OnDisk {
    /// Starts it in a mount namespace. Where none can be made, the test fails with the
    /// reason instead of passing unseen.
    fn start(camera: &str, script: &str) -> Self {
        let dir = TempDir::new();
        let mounted = format!(
            "mount -t tmpfs -o size=2m,mode=777 none \"$DIR\" || exit; {script}; exec \"$@\""
        );
        let plain = Daemon::command(&["--camera", camera, "--fps", "30", "--record", "REC"]);
        let mut command = unshare().unwrap();
        command.args(["sh", "-c", &mounted, "sh"]);
        command.arg(plain.get_program());
        let rec = dir.path().join("rec");
        command.args(plain.get_args().map(|arg| if arg == "REC" { rec.as_os_str() } else { arg }));
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("DIR", dir.path());
        Self { daemon: Daemon::spawn(command), dir }
    }

    /// The path of the small file system outside its namespace.
    fn disk(&self) -> PathBuf {
        let inside = self.dir.path().strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.daemon.pid())).join(inside)
    }

    fn cause_with(&self, text: &str) -> String {
        eventually(&format!("a cause with {text:?}"), || {
            let status = self.daemon.status();
            let cause = status["recording"]["cause"].as_str().unwrap_or("");
            (status["recording"]["state"] == "failed" && cause.contains(text))
                .then(|| cause.to_owned())
        })
    }
}

/// Reads 30 frames and checks that most follow one another: a fault of the
/// recorder must not disturb viewers.
fn watch(daemon: &Daemon) {
    let mut viewer = daemon.watch("/stream");
    let numbers: Vec<_> = (0..30).map(|_| number(&viewer.next().jpeg).unwrap()).collect();
    let n_steps = numbers.windows(2).filter(|pair| pair[1] == (pair[0] + 1) % 40).count();
    assert!(n_steps >= 20, "{numbers:?}");
}

#[test]
fn full_disk_stops_the_recording_and_room_on_it_starts_it_again() {
    let dir = Dir::numbered(40, 20_000);
    let on = OnDisk::start(&dir.camera(), "head -c 1500000 /dev/zero > \"$DIR/ballast\"");
    let cause = on.cause_with("No space left on device");
    assert!(cause.contains("cannot write to") && cause.contains("/rec"), "{cause}");
    on.daemon.wait_for_log("not recording: cannot write to");
    watch(&on.daemon);
    assert!(on.daemon.figure("/recording/failures") >= 1);
    // What was recorded before the fault is intact and readable.
    let rec = on.disk().join("rec");
    let n_before = all_frames(&rec).len();
    assert!(n_before >= 5);
    assert!(segments(&rec).iter().all(|segment| crate::support::frames(segment).1.is_empty()));
    assert!(on.daemon.get("/download?format=mjpeg").body.starts_with(&[0xFF, 0xD8]));
    fs::remove_file(on.disk().join("ballast")).unwrap();
    eventually_is("it records again", || {
        let status = on.daemon.status();
        status["recording"]["state"] == "recording" && status["recording"]["cause"].is_null()
    });
    eventually_is("there are more frames", || all_frames(&rec).len() > n_before);
}

#[test]
fn read_only_disk_is_told_and_what_is_on_it_can_be_seen() {
    let (dir, before) = (Dir::numbered(40, 3000), TempDir::new());
    let daemon = crate::recording::recorder(&dir, before.path(), &[]);
    crate::recording::wait_for_frames(&daemon, 10);
    drop(daemon);
    // On a read-only disk the file cannot be truncated, so a partly written
    // frame stays. It must not be listed.
    let last = segments(before.path()).pop().unwrap();
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 100]).unwrap();
    let due = all_frames(before.path());
    let script = format!(
        "cp -r '{}' \"$DIR/rec\"; mount -o remount,ro none \"$DIR\"",
        before.path().display()
    );
    let on = OnDisk::start(&dir.camera(), &script);
    on.cause_with("Read-only file system");
    watch(&on.daemon);
    assert_eq!(on.daemon.figure("/recording/frames"), due.len() as u64);
    let whole: Vec<u8> = due.iter().flat_map(|frame| frame.jpeg.clone()).collect();
    assert!(on.daemon.get("/download?format=mjpeg").body == whole);
}

#[test]
fn folder_that_is_not_there_is_waited_for() {
    let (dir, disk) = (Dir::numbered(40, 0), TempDir::new());
    let to = disk.path().join("stick/rec");
    let daemon = crate::recording::recorder(&dir, &to, &[]);
    eventually_is("the cause is in the status", || {
        let status = daemon.status();
        let cause = status["recording"]["cause"].as_str().unwrap_or("");
        cause.contains("cannot open") && cause.contains("No such file or directory")
    });
    watch(&daemon);
    fs::create_dir(disk.path().join("stick")).unwrap();
    eventually_is("it records", || daemon.status()["recording"]["state"] == "recording");
    // As if the disk were exchanged during the recording: another folder takes
    // its place.
    fs::remove_dir_all(&to).unwrap();
    eventually_is("it records again", || all_frames(&to).len() > 5);
    assert!(daemon.figure("/recording/failures") >= 2);
}

#[test]
fn segment_that_others_cut_is_left_for_a_new_one() {
    let (dir, to) = (Dir::numbered(40, 5000), TempDir::new());
    let daemon = crate::recording::recorder(&dir, to.path(), &[]);
    crate::recording::wait_for_frames(&daemon, 20);
    let cut = fs::OpenOptions::new().write(true).open(&segments(to.path())[0]).unwrap();
    cut.set_len(0).unwrap();
    let log = daemon.wait_for_log("not recording: cannot write to");
    assert!(log.contains("was deleted or truncated"), "{log}");
    eventually_is("there is a new one", || segments(to.path()).len() == 2);
    eventually_is("what is new can be seen", || daemon.get("/snapshot?at=-0s").code == 200);
    // Frames written after the truncation are whole, and they are listed.
    let frames = all_frames(to.path()).len() as u64;
    eventually_is("all is listed", || daemon.figure("/recording/frames") >= frames);
}

#[test]
fn file_in_the_place_of_the_folder_is_told() {
    let (dir, disk) = (Dir::numbered(40, 0), TempDir::new());
    let file = disk.write("rec", "no folder");
    let daemon = crate::recording::recorder(&dir, &file, &[]);
    eventually_is("the cause is in the status", || {
        let status = daemon.status();
        status["recording"]["cause"].as_str().unwrap_or("").contains("cannot open")
    });
    watch(&daemon);
    assert_eq!(fs::read(&file).unwrap(), b"no folder");
}
