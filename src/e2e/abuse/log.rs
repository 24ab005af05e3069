//! A log that is not read: a stopped terminal, a full pipe.

use rustix::process::Signal;

use crate::support::{Daemon, eventually_is};

/// A daemon whose log has filled its pipe.
fn with_full_log() -> Daemon {
    let mut command = Daemon::command(&["--camera", "pattern:64x48@20"]);
    command.env("RUST_LOG", "debug");
    let daemon = Daemon::spawn(command);
    daemon.be_deaf(true);
    let long = format!("/{}", "a".repeat(5000));
    // A pipe holds 64 KiB, and the queue of lines before it a thousand lines.
    (0..1200).for_each(|_| assert_eq!(daemon.get(&long).code, 404));
    daemon
}

#[test]
fn log_that_nobody_reads_holds_nobody_up() {
    let daemon = with_full_log();
    let mut viewer = daemon.watch("/stream");
    (0..10).for_each(|_| drop(viewer.next()));
    daemon.be_deaf(false);
    daemon.wait_for_log("lines of the log were lost");
}

#[test]
fn log_that_nobody_reads_does_not_keep_it_from_its_end() {
    let mut daemon = with_full_log();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    let mut daemon = with_full_log();
    daemon.signal(Signal::TERM);
    daemon.signal(Signal::INT);
    let mut code = None;
    eventually_is("it ends", || {
        code = (!daemon.is_running()).then(|| daemon.wait().code());
        code.is_some()
    });
}
