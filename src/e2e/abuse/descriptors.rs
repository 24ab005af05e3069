//! Too few descriptors, and a listener that died of it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::{connections, idle, worst_gap_until};
use crate::support::{Daemon, Growth, Metronome, Over};

/// A daemon with a limit of `n` descriptors.
fn with_limit(n: u32) -> Daemon {
    let own = Daemon::command(&["--threads", "4", "--head-timeout", "2s"]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {n} && exec \"$0\" \"$@\"")]);
    command.arg(own.get_program()).args(own.get_args());
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("CAMERA", "pattern:64x48@20").stdin(Stdio::null());
    Daemon::spawn(command)
}

/// The HTTP library needs two descriptors for a connection, and its listener
/// dies in two ways: with an error when the first is missing, silently when the
/// second is.
#[test]
fn lack_of_descriptors_is_survived() {
    for limit in [128, 127] {
        let daemon = with_limit(limit);
        let (metronome, growth) = (Metronome::start(), Growth::watch(&daemon));
        let mut viewer = daemon.watch("/stream");
        viewer.next();
        let is_back = AtomicBool::new(false);
        let (begun, idle) = (Instant::now(), idle(&daemon, 90));
        thread::scope(|scope| {
            let over = Over(&is_back);
            let watching = scope.spawn(|| worst_gap_until(&mut viewer, || is_back.load(Relaxed)));
            assert_eq!(daemon.get("/healthz").code, 200);
            let within = metronome.allow(Duration::from_secs(3));
            assert!(begun.elapsed() < within, "{:?} with {limit}", begun.elapsed());
            drop(over);
            let gap = watching.join().unwrap();
            assert!(gap < metronome.allow(Duration::from_millis(200)), "{gap:?}");
        });
        assert_eq!(daemon.figure("/seats/taken"), 1);
        let n_renewed = connections(&daemon, "listener_renewed");
        assert!(n_renewed > 0, "it never died");
        let metrics = daemon.get("/metrics").text();
        assert!(metrics.contains(&format!("\nmjpegd_listener_renewed_total {n_renewed}\n")));
        growth.must_be_small();
        drop(idle);
    }
}
