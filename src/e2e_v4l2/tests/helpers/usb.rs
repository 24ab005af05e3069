//! The USB webcam: plug in, set a fault, unplug.
//!
//! Called by the tests. The camera itself is the program in `webcam/`, which this file starts and ends in the guest.

use crate::machine::Machine;
use crate::machine::initramfs::PICTURES;
use std::time::Duration;

/// From plugging in to the link below /dev/v4l/by-id. Enumeration takes about a second; the rest is for a busy host.
/// Longer than the camera waits for its port, so that its log says so.
const PLUG_DEADLINE: Duration = Duration::from_secs(90);

/// A webcam that is plugged in. Unplugged on drop.
pub(crate) struct Webcam<'m> {
    machine: &'m Machine,
    /// The folder of its log and mode file.
    home: String,
    pid: String,
    /// The common part of its links, as a shell pattern.
    links: String,
    link: String,
}

impl<'m> Webcam<'m> {
    /// Plugs a "Test Camera" with serial number `serial` into `port` (0 to 7) and waits for its nodes and links.
    pub(crate) fn plug_in(machine: &'m Machine, port: u32, serial: &str) -> Self {
        Self::plug_in_as(machine, port, "Test Camera", serial)
    }

    /// As `plug_in`, with any product name. The link is found by the serial number.
    pub(crate) fn plug_in_as(machine: &'m Machine, port: u32, product: &str, serial: &str) -> Self {
        Self::start(machine, port, serial, &format!("--endpoint bulk --product '{product}'"))
    }

    /// As `plug_in`, for a camera that claims bandwidth before it streams. Its frames are the same.
    pub(crate) fn plug_in_isochronous(machine: &'m Machine, port: u32, serial: &str) -> Self {
        Self::start(machine, port, serial, "--endpoint isochronous --product 'Test Camera'")
    }

    /// As `plug_in`, for one of several cameras with one serial number, whose pictures are in the folder `frames` of
    /// the guest. Its link is that of the port.
    pub(crate) fn plug_in_twin(
        machine: &'m Machine,
        port: u32,
        serial: &str,
        frames: &str,
    ) -> Self {
        let options = "--endpoint bulk --product 'Test Camera'";
        let links =
            format!("/dev/v4l/by-path/platform-vhci_hcd.0-usb-0:{}:1.0-video-index", port + 1);
        Self::start_with(machine, port, serial, options, (frames, links))
    }

    fn start(machine: &'m Machine, port: u32, serial: &str, options: &str) -> Self {
        let links = format!("/dev/v4l/by-id/*_{serial}-video-index");
        Self::start_with(machine, port, serial, options, (PICTURES, links))
    }

    fn start_with(
        machine: &'m Machine,
        port: u32,
        serial: &str,
        options: &str,
        (frames, links): (&str, String),
    ) -> Self {
        let home = format!("/tmp/webcam{port}");
        let camera = format!(
            "usb_webcam --frames {frames} --mode {home}/mode --port {port} --serial {serial}"
        );
        let pid = machine.sh(&format!(
            "mkdir -p {home}; rm -f {home}/mode; {camera} {options} >{home}/log 2>&1 & echo $!"
        ));
        let mut webcam = Self { machine, home, pid, links, link: String::new() };
        // The metadata node, index 1, appears last. If the camera has ended, no node appears, and its log has the
        // reason.
        let Self { links, home, .. } = &webcam;
        let arrived = format!("ls {links}1 >/dev/null && ls {links}0 || (cat {home}/log; false)");
        webcam.link = machine.wait_for(&format!("webcam {serial}"), PLUG_DEADLINE, &arrived);
        webcam
    }

    /// The path that stays the same each time the camera is plugged in.
    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// The current node, such as `/dev/video2`.
    pub(crate) fn device(&self) -> String {
        self.machine.sh(&format!("realpath {}", self.link))
    }

    /// The metadata node, which has no pictures.
    pub(crate) fn metadata_device(&self) -> String {
        self.machine.sh(&format!("realpath {}", self.link.replace("index0", "index1")))
    }

    /// Changes the camera's behaviour from the next frame on. The modes are in webcam/damage.rs.
    pub(crate) fn set_mode(&self, mode: &str) {
        self.machine.write(&format!("{}/mode", self.home), mode.as_bytes());
    }

    /// The path of the log in the guest, for scripts that wait for a line.
    pub(crate) fn log_file(&self) -> String {
        format!("{}/log", self.home)
    }

    /// The host's actions as the camera saw them, one per line.
    pub(crate) fn log(&self) -> String {
        self.machine.sh(&format!("cat {}", self.log_file()))
    }

    /// Unplugs the camera, and waits until its links are gone.
    pub(crate) fn unplug(self) {
        drop(self);
    }
}

impl Drop for Webcam<'_> {
    fn drop(&mut self) {
        // Not `sh`, which may panic: a second panic during a failing test would hide the first.
        let gone = format!(
            "for i in $(seq 3000); do ls {}? 2>/dev/null || exit 0; sleep 0.02; done; exit 1",
            self.links
        );
        let outcome = self.machine.run(&format!("kill -9 {}; {gone}", self.pid));
        if outcome.status != 0 {
            eprintln!("webcam {} is still there: {}", self.links, outcome.text);
        }
    }
}
