//! A server under test in the guest: started, watched, stopped.
//!
//! Called by the tests. It works for any server. One at a time listens on `SERVICE_PORT`.

use crate::machine::{Machine, SERVICE_PORT};
use std::time::Duration;

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
const LOG_DEADLINE: Duration = Duration::from_secs(60);
/// The guest keeps its output, process id and exit status in files of this name.
const HOME: &str = "/tmp/server";

/// A running server. Killed on drop.
pub(crate) struct Server<'m> {
    machine: &'m Machine,
    pid: String,
}

impl<'m> Server<'m> {
    /// Starts `command` and waits until it listens. `command` is one program with its arguments, not a script, so that
    /// process id and exit status are those of the program.
    pub(crate) fn start(machine: &'m Machine, command: &str) -> Self {
        let child = format!(
            "{command} >{HOME}.log 2>&1 & echo $! >{HOME}.pid; wait $!; echo $? >{HOME}.status"
        );
        machine.sh(&format!("rm -f {HOME}.*; ({child}) >/dev/null 2>&1 &"));
        let pid =
            machine.wait_for_text("the server's process", START_DEADLINE, &format!("{HOME}.pid"));
        let server = Self { machine, pid };
        // A server that has ended never listens, and its log has the reason.
        let listening =
            format!("netstat -ltn | grep ':{SERVICE_PORT} ' || (cat {HOME}.log; false)");
        machine.wait_for("the server's port", START_DEADLINE, &listening);
        server
    }

    /// The process, for signals and for `cpu::while_watched`.
    pub(crate) fn pid(&self) -> &str {
        &self.pid
    }

    /// Its output so far, stdout and stderr.
    pub(crate) fn log(&self) -> String {
        self.machine.sh(&format!("cat {HOME}.log"))
    }

    /// Waits until its log has this text. Log lines of mjpegd go through a thread of their own, so they may come later
    /// than the picture or the status that they belong to.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let look = format!("grep -qF -- '{text}' {HOME}.log || (cat {HOME}.log; false)");
        self.machine.wait_for(&format!("'{text}' in the log"), LOG_DEADLINE, &look);
    }

    /// Leaves it running, for a machine that is switched off with it.
    pub(crate) fn leave(self) {
        std::mem::forget(self);
    }

    /// Stops it with SIGTERM, and returns its exit status: 143 if it does not catch the signal.
    pub(crate) fn stop(self) -> i32 {
        self.machine.sh(&format!("kill -TERM {}", self.pid));
        let file = format!("{HOME}.status");
        let status = self.machine.wait_for_text("the server's end", STOP_DEADLINE, &file);
        status.parse().expect("the shell has written a number")
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // The port must be free for the next server. After `stop` there is nothing to kill.
        let ended = format!(
            "for i in $(seq 3000); do [ ! -s {HOME}.status ] || exit 0; sleep 0.02; done; exit 1"
        );
        let outcome =
            self.machine.run(&format!("[ -s {HOME}.status ] || kill -9 {}; {ended}", self.pid));
        if outcome.status != 0 {
            eprintln!("the server goes on: {}", outcome.text);
        }
    }
}
