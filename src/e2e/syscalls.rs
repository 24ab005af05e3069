//! The daemon's system calls.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::recording::{recorder, wait_for_frames};
use crate::support::{Daemon, Dir, Program, TempDir, eventually, eventually_is};

/// strace, attached to a running daemon.
struct Trace {
    strace: Child,
    dir: TempDir,
}

impl Trace {
    /// Traces these calls of all threads, including those that start later.
    fn start(daemon: &Daemon, calls: &str) -> Self {
        Self::with(daemon, calls, &[])
    }

    fn with(daemon: &Daemon, calls: &str, more: &[&str]) -> Self {
        let dir = TempDir::new();
        let file = dir.path().join("trace");
        let (pid, filter) = (daemon.pid().to_string(), format!("trace={calls}"));
        let file = file.to_str().unwrap();
        let args = ["-f", "-q", "-s", "200", "-e", &filter, "-o", file, "-p", &pid];
        let strace = Program::new("strace", "strace").args(args).args(more.iter().copied()).start();
        let tracer = |task: u32| {
            let status = fs::read_to_string(format!("/proc/{task}/status")).unwrap_or_default();
            status.lines().any(|l| l.starts_with("TracerPid:") && !l.ends_with("\t0"))
        };
        eventually_is("strace is attached to every thread", || {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
            let tasks = tasks.map(|t| t.unwrap().file_name().to_str().unwrap().parse().unwrap());
            tasks.into_iter().all(tracer)
        });
        Self { strace, dir }
    }

    fn read(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.path().join("trace")).unwrap()).into_owned()
    }

    /// Detaches, and returns the whole trace.
    fn stop(mut self) -> String {
        let pid = Pid::from_raw(self.strace.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        eventually("strace ends", || self.strace.try_wait().unwrap());
        self.read()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// The bytes written to each descriptor, one number for each call and a 0 for
/// its close. Calls on one descriptor never overlap, so their order is that of
/// their lines.
fn writes(trace: &str) -> BTreeMap<&str, Vec<i64>> {
    let mut by_descriptor = BTreeMap::<_, Vec<_>>::new();
    // The descriptors of calls that strace prints in two lines, because another
    // thread's call came in between.
    let mut unfinished = BTreeMap::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect(line);
        let call = call.trim_start();
        let descriptor = match call.split_once('(') {
            Some((name, rest)) if !name.starts_with('<') => rest.split([',', ')']).next().unwrap(),
            _ => unfinished.remove(thread).unwrap_or(""),
        };
        if call.ends_with("<unfinished ...>") {
            unfinished.insert(thread, descriptor);
        } else if let Some((_, result)) = call.rsplit_once(" = ")
            && let Ok(n) = result.split(' ').next().unwrap().parse()
        {
            by_descriptor.entry(descriptor).or_default().push(n);
        }
    }
    by_descriptor
}

#[test]
fn frame_of_100_kb_is_one_write_or_two_if_it_is_not_taken_at_once() {
    let dir = Dir::numbered(5, 100_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "10"]);
    let calls = "write,writev,sendto,sendmsg,sendmmsg,pwrite64,sendfile,splice,close";
    let trace = Trace::start(&daemon, calls);
    let mut lengths = Vec::new();
    for target in ["/stream", "/video_feed", "/stream?extra_headers=1"] {
        let mut viewer = daemon.watch(target);
        for _ in 0..10 {
            let part = viewer.next();
            lengths.push(part.jpeg.len());
        }
    }
    daemon.wait_for_seats(0);
    let trace = trace.stop();
    let length = i64::try_from(lengths[0]).unwrap();
    let mut n_frames = 0;
    for calls in writes(&trace).into_values().filter(|calls| calls.iter().any(|n| *n > 1_000)) {
        let mut pieces: Vec<i64> = Vec::new();
        for n in calls.iter().copied().filter(|n| *n >= 0) {
            // A head or an opening, or the last write to a viewer that left
            // within a frame.
            if n == 0 || pieces.is_empty() && n <= 1_000 {
                pieces.clear();
                continue;
            }
            pieces.push(n);
            let n_bytes: i64 = pieces.iter().sum();
            assert!(n_bytes < length + 500, "more than a frame: {pieces:?} in {calls:?}");
            if n_bytes >= length + 10 {
                assert!(pieces.len() <= 2, "a frame of many pieces: {pieces:?} in {calls:?}");
                n_frames += 1;
                pieces.clear();
            }
        }
    }
    assert!(n_frames >= 30, "{n_frames} frames in {trace}");
}

#[test]
fn frame_that_is_recorded_is_one_write() {
    let (dir, to) = (Dir::numbered(5, 100_000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 1);
    // strace prints the path of each descriptor.
    let trace = Trace::with(&daemon, "write,writev,pwrite64,fdatasync,fsync", &["-y"]);
    let n_before = daemon.figure("/recording/written");
    wait_for_frames(&daemon, n_before + 100);
    let trace = trace.stop();
    let calls = |name: &str, file: &str| {
        trace.lines().filter(|line| line.contains(name) && line.contains(file)).count()
    };
    let n_frames = calls("writev(", ".mjpeg>");
    assert!(n_frames >= 100, "{trace}");
    assert_eq!(calls("write", ".mjpeg>"), n_frames, "{trace}");
    // Synced and listed in the index once a second, which is less often than
    // frames come, however slow the machine.
    let (n_syncs, n_lists) = (calls("fdatasync(", ".mjpeg>"), calls("write(", ".idx>"));
    assert!((1..=n_frames / 2).contains(&n_syncs), "{n_syncs} syncs: {trace}");
    assert!((1..=n_frames / 2).contains(&n_lists), "{n_lists} writes to the index: {trace}");
}

#[test]
fn each_frame_can_be_told_to_the_disk() {
    let (dir, to) = (Dir::numbered(5, 20_000), TempDir::new());
    let (camera, to) = (dir.camera(), to.path().to_str().unwrap());
    let args = ["--camera", &camera, "--fps", "4", "--record", to, "--record-sync", "0"];
    let daemon = Daemon::start(&args);
    wait_for_frames(&daemon, 1);
    let trace = Trace::with(&daemon, "writev,fdatasync", &["-y"]);
    // On a disk that needs more than the 250 ms of a frame, one sync covers several; by
    // default, with one a second, two in a row never have their own.
    eventually_is("two frames in a row are synced one by one", || {
        let trace = trace.read();
        let of_frames = trace.lines().filter(|line| line.contains(".mjpeg>"));
        let is_sync: Vec<_> = of_frames.map(|line| line.contains("fdatasync(")).collect();
        is_sync.windows(4).any(|four| four.windows(2).all(|pair| pair[0] != pair[1]))
    });
}

#[test]
fn what_a_camera_gave_before_it_fell_silent_is_told_to_the_disk() {
    let (dir, to) = (Dir::numbered(3, 20_000), TempDir::new());
    let (go, here) = (to.path().join("go"), to.path().display());
    // All frames come within a second: after the sync of the first one, none is
    // due before the camera falls silent.
    let camera = format!(
        "exec:until [ -e {go} ] || [ ! -d {here} ]; do sleep 0.1; done; \
         for f in {pictures}/0*.jpg; do cat $f; sleep 0.1; done; exec sleep 600",
        go = go.display(),
        pictures = dir.path().display()
    );
    let record = to.path().join("recording");
    let args =
        ["--camera", &camera, "--stall-timeout", "10m", "--record", record.to_str().unwrap()];
    let daemon = Daemon::start(&args);
    let trace = Trace::with(&daemon, "writev,fdatasync", &["-y"]);
    fs::write(&go, "").unwrap();
    wait_for_frames(&daemon, 2);
    eventually_is("there is a sync after the last frame", || {
        let trace = trace.read();
        let mut of_frames = trace.lines().filter(|line| line.contains(".mjpeg>"));
        of_frames.next_back().is_some_and(|line| line.contains("fdatasync("))
    });
}

#[test]
fn no_request_reaches_the_file_system_without_www() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    daemon.get("/status");
    let trace = Trace::start(&daemon, "%file");
    for path in ["/", "/app.js", "/marker-1", "/../marker-2", "//etc/marker-3", "/%2e%2e/marker-4"]
    {
        daemon.get(path);
    }
    let trace = trace.stop();
    assert!(!trace.contains("marker"), "{trace}");
    for name in ["www", "index.html", "app.js"] {
        assert!(!trace.contains(name), "{trace}");
    }
}

#[test]
fn trace_of_files_sees_what_www_opens() {
    let www = TempDir::new();
    www.write("marker-1", "text");
    let daemon = Daemon::start(&["--www", www.path().to_str().unwrap()]);
    let trace = Trace::start(&daemon, "%file");
    assert_eq!(daemon.get("/marker-1").code, 200);
    assert!(trace.stop().contains("marker-1"));
}
