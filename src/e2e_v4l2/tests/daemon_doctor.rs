//! `mjpegd doctor` on the webcam: one that is free, and one that another program uses.

use crate::machine::{Machine, machine};
use crate::tests::helpers::capture::Request;
use crate::tests::helpers::usb::Webcam;

/// The exit code and the findings, with single blanks.
fn doctor(machine: &Machine, device: &str) -> (i32, String) {
    let outcome =
        machine.run(&format!("mjpegd doctor --camera front={device} --bind 127.0.0.1:7000 2>&1"));
    let words: Vec<_> = outcome.text.split_whitespace().collect();
    (outcome.status, words.join(" "))
}

#[test]
fn doctor_tries_a_free_camera_and_names_who_holds_a_busy_one() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let device = webcam.device();
    let (status, found) = doctor(&machine, &device);
    assert_eq!(status, 0, "{found}");
    // It was opened by its lasting name.
    let opened = format!("camera ok camera front: {device} ({} (", webcam.link());
    assert!(found.starts_with(&opened) && found.contains("MJPG, 1280x720"), "{found}");
    assert!(found.contains(&format!("usb ok {}: 480 Mbit/s on bus ", webcam.link())), "{found}");
    let _capture = Request::holder(&device).start(&machine);
    let holder = machine.sh("pidof v4l2-ctl");
    let (status, found) = doctor(&machine, &device);
    let busy = format!("camera to do camera front: {device}: busy: /dev/");
    let act = format!(" (process {holder}) -> kill {holder}, or let it read from mjpegd");
    assert_eq!(status, 1, "{found}");
    assert!(found.starts_with(&busy), "{found}");
    assert!(found.contains(&format!(" is used by v4l2-ctl{act}")), "{found}");
}
