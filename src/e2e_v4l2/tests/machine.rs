//! The machine itself: it boots, runs scripts, and has the cameras that the other tests rely on.

use crate::machine::{SERVICE_PORT, machine};
use crate::tests::helpers::usb::Webcam;
use crate::tests::helpers::vivid::Vivid;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

/// Measured on two cores: in 4 s when idle, 17 s with five other jobs.
#[test]
fn boots() {
    eprintln!("booted in {:?}", machine().boot_time);
}

#[test]
fn scripts_give_output_and_status() {
    let machine = machine();
    let outcome = machine.run("echo out; echo err >&2; exit 3");
    assert_eq!((outcome.text.as_str(), outcome.status), ("out\nerr\n", 3));
}

#[test]
fn files_go_there_and_back() {
    let machine = machine();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    machine.write("/tmp/bytes", &bytes);
    assert!(machine.read("/tmp/bytes") == bytes, "the bytes have changed on the way");
}

#[test]
fn service_port_leads_into_the_guest() {
    let machine = machine();
    machine.sh(&format!("nc -l -p {SERVICE_PORT} -e echo hello >/dev/null 2>&1 &"));
    machine.wait_for(
        "nc",
        Duration::from_secs(60),
        &format!("netstat -ltn | grep :{SERVICE_PORT}"),
    );
    let mut text = String::new();
    TcpStream::connect(machine.service).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello\n");
}

#[test]
fn lists_three_vivid_cameras_and_the_webcam() {
    let machine = machine();
    let webcam = Webcam::plug_in(&machine, 0, "0001");
    let listing = machine.sh("v4l2-ctl --list-devices");
    for name in [
        "vivid (platform:vivid-000)",
        "vivid (platform:vivid-001)",
        "vivid (platform:vivid-002)",
        "Test Camera: Test Camera (usb-vhci_hcd.0-1)",
    ] {
        assert!(listing.contains(name), "{name} is not in\n{listing}");
    }
    for device in [webcam.device(), webcam.metadata_device()] {
        assert!(listing.contains(&device), "{device} is not in\n{listing}");
    }
}

#[test]
fn vivid_has_one_camera_of_each_api() {
    let machine = machine();
    let type_of = |camera: Vivid| machine.sh(&format!("v4l2-ctl -d {} --info", camera.device()));
    assert!(type_of(Vivid::single_planar(&machine)).contains("Video Capture\n"));
    assert!(type_of(Vivid::multi_planar(&machine)).contains("Video Capture Multiplanar"));
}
