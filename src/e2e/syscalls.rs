//! What the daemon asks of the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Daemon, Dir, Program, TempDir, eventually, eventually_is};

/// A strace of a running daemon.
struct Trace {
    strace: Child,
    dir: TempDir,
}

impl Trace {
    /// Follows these calls of all threads, those of the future too.
    fn start(daemon: &Daemon, calls: &str) -> Self {
        let dir = TempDir::new();
        let file = dir.path().join("trace");
        let (pid, filter) = (daemon.pid().to_string(), format!("trace={calls}"));
        let file = file.to_str().unwrap();
        let args = ["-f", "-q", "-s", "200", "-e", &filter, "-o", file, "-p", &pid];
        let strace = Program::new("strace", "strace").args(args).start();
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

    /// Detaches, and gives back all that was seen.
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

/// What each thread wrote to sockets, call by call: results, by thread.
fn writes(trace: &str) -> BTreeMap<&str, Vec<i64>> {
    let mut by_thread = BTreeMap::<_, Vec<_>>::new();
    // Threads whose call is a line of the log.
    let mut logging = Vec::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect(line);
        let call = call.trim_start();
        if call.starts_with("write(2,") {
            logging.push(thread);
        }
        let Some(result) = call.rsplit_once(" = ").map(|(_, result)| result) else { continue };
        if let Some(at) = logging.iter().position(|t| *t == thread) {
            logging.swap_remove(at);
        } else if let Ok(n) = result.split(' ').next().unwrap().parse() {
            by_thread.entry(thread).or_default().push(n);
        }
    }
    by_thread
}

#[test]
fn frame_of_100_kb_is_one_write_per_viewer() {
    let dir = Dir::numbered(5, 100_000);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "10"]);
    let trace =
        Trace::start(&daemon, "write,writev,sendto,sendmsg,sendmmsg,pwrite64,sendfile,splice");
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
    let streams: Vec<_> =
        writes(&trace).into_values().filter(|w| w.iter().any(|n| *n > 90_000)).collect();
    let frames: Vec<i64> = streams.iter().flatten().copied().filter(|n| *n > 1_000).collect();
    assert!(frames.len() >= 30, "{streams:?}");
    let length = i64::try_from(lengths[0]).unwrap();
    for n in frames {
        assert!((length + 10..length + 500).contains(&n), "a part of a frame: {n} in {streams:?}");
    }
    // The rest are heads and openings, one a stream.
    let n_small = streams.iter().flatten().filter(|n| (0..=1_000).contains(*n)).count();
    assert_eq!(n_small, 3, "{streams:?}");
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
