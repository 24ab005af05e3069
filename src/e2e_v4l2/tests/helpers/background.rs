//! A capture with v4l2-ctl that goes on while the test does something else.
//!
//! Called by the tests.

use super::capture::{DEADLINE, Request};
use crate::machine::Machine;

/// Files in the guest for the frames, v4l2-ctl's output and its exit status.
const BACKGROUND: &str = "/tmp/background";

impl<'a> Request<'a> {
    /// Starts a capture in the background and waits until frames come.
    pub(crate) fn start(&self, machine: &'a Machine) -> Background<'a> {
        let background = self.start_blindly(machine);
        machine.wait_for(
            "the first frames",
            DEADLINE,
            &format!("grep 'seq: *5 ' {BACKGROUND}.log"),
        );
        background
    }

    /// As `start`, without the wait, for a camera that sends no frames.
    pub(crate) fn start_blindly(&self, machine: &'a Machine) -> Background<'a> {
        let command = self.command(&format!("{BACKGROUND}.frames"), &format!("{BACKGROUND}.log"));
        let old = format!("{BACKGROUND}.*");
        machine.sh(&format!(
            "rm -f {old}; ({command}; echo $? >{BACKGROUND}.status) >/dev/null 2>&1 &"
        ));
        Background { machine }
    }
}

/// A capture in the background. Ended on drop.
pub(crate) struct Background<'m> {
    machine: &'m Machine,
}

impl Background<'_> {
    fn wait_for_end(&self) {
        let status = format!("{BACKGROUND}.status");
        self.machine.wait_for_text("the end of v4l2-ctl", DEADLINE, &status);
    }

    /// Waits for its end, and returns the output of v4l2-ctl.
    pub(crate) fn wait(self) -> String {
        self.wait_for_end();
        self.machine.sh(&format!("cat {BACKGROUND}.log"))
    }

    /// Waits for its end, and returns the bytes of all frames.
    pub(crate) fn wait_for_frames(self) -> Vec<u8> {
        self.wait_for_end();
        self.machine.read(&format!("{BACKGROUND}.frames"))
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        // Its own `timeout` would end it later, but the next test would find the camera busy. No other v4l2-ctl runs at
        // this point.
        let status = format!("{BACKGROUND}.status");
        let ended = format!(
            "for i in $(seq 3000); do [ ! -e {status} ] || exit 0; sleep 0.02; done; exit 1"
        );
        let outcome =
            self.machine.run(&format!("[ -e {status} ] || kill $(pidof v4l2-ctl); {ended}"));
        if outcome.status != 0 {
            eprintln!("a capture goes on: {}", outcome.text);
        }
    }
}
