//! The USB webcam as the tests hold it: plug in, misbehave, unplug.
//!
//! Called by the tests. The camera itself is the program in `webcam/`; this starts and ends it in the guest.

use crate::machine::Machine;
use crate::machine::initramfs::PICTURES;
use std::time::Duration;

/// From the plug to the link under /dev/v4l/by-id, with room for a busy host: enumeration takes about a second.
const PLUG_DEADLINE: Duration = Duration::from_secs(20);

/// A webcam that is plugged in. Dropping it unplugs it.
pub(crate) struct Webcam<'m> {
    machine: &'m Machine,
    /// Its log and mode file lie here.
    home: String,
    pid: String,
    /// What its links have in common, as a pattern for the shell.
    links: String,
    link: String,
}

impl<'m> Webcam<'m> {
    /// Plugs a "Test Camera" with serial number `serial` into `port` (0 to 7) and waits for its nodes and links.
    pub(crate) fn plug_in(machine: &'m Machine, port: u32, serial: &str) -> Self {
        Self::plug_in_as(machine, port, "Test Camera", serial)
    }

    /// As `plug_in`, for a camera of any name, for which the link is found by the serial number.
    pub(crate) fn plug_in_as(machine: &'m Machine, port: u32, product: &str, serial: &str) -> Self {
        Self::start(machine, port, serial, &format!("--endpoint bulk --product '{product}'"))
    }

    /// As `plug_in`, for a camera that claims bandwidth before it streams. Its frames are as those of the others.
    pub(crate) fn plug_in_isochronous(machine: &'m Machine, port: u32, serial: &str) -> Self {
        Self::start(machine, port, serial, "--endpoint isochronous --product 'Test Camera'")
    }

    fn start(machine: &'m Machine, port: u32, serial: &str, options: &str) -> Self {
        let home = format!("/tmp/webcam{port}");
        let camera = format!(
            "usb_webcam --frames {PICTURES} --mode {home}/mode --port {port} --serial {serial}"
        );
        let pid = machine.sh(&format!(
            "mkdir -p {home}; rm -f {home}/mode; {camera} {options} >{home}/log 2>&1 & echo $!"
        ));
        let links = format!("/dev/v4l/by-id/*_{serial}-video-index");
        let mut webcam = Self { machine, home, pid, links, link: String::new() };
        // The metadata node, index 1, comes last. A camera that has ended will not come: its log says why.
        let Self { links, home, .. } = &webcam;
        let arrived = format!("ls {links}1 >/dev/null && ls {links}0 || (cat {home}/log; false)");
        webcam.link = machine.wait_for(&format!("webcam {serial}"), PLUG_DEADLINE, &arrived);
        webcam
    }

    /// The path that stays the same from plug to plug.
    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// The present node, as `/dev/video2`.
    pub(crate) fn device(&self) -> String {
        self.machine.sh(&format!("realpath {}", self.link))
    }

    /// The node that carries no pictures.
    pub(crate) fn metadata_device(&self) -> String {
        self.machine.sh(&format!("realpath {}", self.link.replace("index0", "index1")))
    }

    /// Changes how the camera behaves from the next frame on; see webcam/damage.rs for the words.
    pub(crate) fn set_mode(&self, mode: &str) {
        self.machine.write(&format!("{}/mode", self.home), mode.as_bytes());
    }

    /// Where the guest keeps what `log` gives: for scripts that wait for a line.
    pub(crate) fn log_file(&self) -> String {
        format!("{}/log", self.home)
    }

    /// What the camera saw the host do, a line each.
    pub(crate) fn log(&self) -> String {
        self.machine.sh(&format!("cat {}", self.log_file()))
    }

    /// Pulls the plug, and waits until its links are gone.
    pub(crate) fn unplug(self) {
        drop(self);
    }
}

impl Drop for Webcam<'_> {
    fn drop(&mut self) {
        // Not `sh`: a second panic while a test fails would hide the first.
        let gone = format!(
            "for i in $(seq 500); do ls {}? 2>/dev/null || exit 0; sleep 0.02; done; exit 1",
            self.links
        );
        let outcome = self.machine.run(&format!("kill -9 {}; {gone}", self.pid));
        if outcome.status != 0 {
            eprintln!("webcam {} is still there: {}", self.links, outcome.text);
        }
    }
}
