//! Whether the cameras give pictures: each is opened as the daemon opens it.

use std::time::{Duration, Instant};

use super::groups::{self, User};
use super::report::{Report, text};
use super::system::System;
use crate::camera::{self, Cause, Driver, Error};
use crate::config::{CameraConfig, Config, Source};
use crate::frame::FrameBuf;
use crate::mode::Mode;
use crate::processes;
use crate::shutdown;
use crate::url::mask_error;

/// How long a camera may take to its first picture.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node that was tried.
pub(super) struct Tried {
    pub(super) node: String,
    /// `None`: it did not open.
    pub(super) mode: Option<Mode>,
}

/// A camera that gave a picture, and goes on.
struct Opened {
    driver: Box<dyn Driver>,
    n_bytes: usize,
    time: Duration,
}

pub(super) fn look(system: &System, config: &Config, report: &mut Report) -> Vec<Tried> {
    report.topic("camera");
    let mut tried = Vec::new();
    let first = &config.cameras[0].camera;
    // What the daemon shows if no camera was chosen.
    if config.cameras.len() == 1 && first.source.as_str() == "demo" {
        let nodes = camera::nodes();
        for node in &nodes {
            let source = Source::device(node);
            let _ = look_at(
                system,
                node,
                &CameraConfig { source, ..first.clone() },
                &mut tried,
                report,
            );
        }
        if tried.is_empty() {
            let what = "no camera is plugged in (no /dev/videoN gives pictures)\n\
                lsusb; sudo dmesg | tail; rpicam-hello --list-cameras";
            report.fault(what, &[]);
        } else {
            let what = "no camera is chosen: the daemon shows a test picture\n--camera v4l2";
            report.note(what, &[]);
        }
        return tried;
    }
    // All at once, as they share a bus and its bandwidth.
    let mut open = Vec::new();
    for camera in &config.cameras {
        let label = camera.description();
        open.extend(look_at(system, &label, &camera.camera, &mut tried, report));
    }
    tried
}

/// Tries one, and returns it open.
fn look_at(
    system: &System,
    label: &str,
    config: &CameraConfig,
    tried: &mut Vec<Tried>,
    report: &mut Report,
) -> Option<Box<dyn Driver>> {
    match open(config.clone()) {
        Ok(Opened { driver, n_bytes, time }) => {
            let mode = driver.mode();
            let (kb, ms) = (text(&(n_bytes / 1000)), text(&time.as_millis()));
            report.ok("@ (@): @ kB after @ ms", &[label, text(&mode), kb, ms]);
            differences(config, &mode, report);
            if let Some(device) = &mode.device {
                let node = device.split(' ').next().unwrap_or_default().to_owned();
                tried.push(Tried { node, mode: Some(mode) });
            }
            Some(driver)
        }
        Err(error) => {
            let why: &str = mask_error(text(&error)).leak();
            let node = why.split([' ', ':']).find(|word| word.starts_with("/dev/"));
            if let Some(node) = node {
                tried.push(Tried { node: node.to_owned(), mode: None });
            }
            let cause = if let Error::Lost(cause, _) = error { cause } else { Cause::Unsupported };
            let is_command = config.source.as_str().starts_with("exec:");
            let act = match cause {
                _ if camera::check(config).is_err() => {
                    "another --camera; the daemon does not start with this one".to_owned()
                }
                Cause::NoDevice | Cause::Ended if is_command => {
                    "try the command in a shell; perhaps a program has to be installed".to_owned()
                }
                _ => advice(system, cause, node.unwrap_or_default(), why),
            };
            if act.is_empty() {
                report.ok("@: @, which is well if that is this daemon", &[label, why]);
            } else {
                report.fault("@: @\n@", &[label, why, &act]);
            }
            None
        }
    }
}

fn open(config: CameraConfig) -> Result<Opened, Error> {
    camera::check(&config).map_err(|e| Error::lost(Cause::Unsupported, format!("{e:#}")))?;
    let (_trigger, stop) = shutdown::channel();
    let (open, _) = camera::opener(config, "doctor");
    let begun = Instant::now();
    let mut driver = open()?;
    loop {
        let mut frame = FrameBuf::new();
        match driver.next_frame(&mut frame, &stop) {
            Ok(_) => {
                let n_bytes = frame.jpeg().len();
                return Ok(Opened { driver, n_bytes, time: begun.elapsed() });
            }
            Err(Error::NotYet | Error::BadFrame(_)) if begun.elapsed() < PATIENCE => {}
            Err(Error::NotYet) => {
                return Err(Error::lost(Cause::Stalled, "no whole picture within 10 s"));
            }
            Err(error) => return Err(error),
        }
    }
}

/// What was asked for and is not what came.
fn differences(config: &CameraConfig, mode: &Mode, report: &mut Report) {
    if let (Some(asked), Some(got)) = (config.device.resolution, mode.size)
        && asked != got
    {
        let what =
            "the device has not the size of --resolution and took another one\nmjpegd devices";
        report.note(what, &[]);
    }
    if let (Some(asked), Some(got)) = (config.fps, mode.fps)
        && got < asked * 0.9
    {
        let what = "the device gives fewer pictures a second than --fps\nmjpegd devices";
        report.note(what, &[]);
    }
}

/// What to do about a camera that is lost; nothing if a daemon has it.
fn advice(system: &System, cause: Cause, node: &str, why: &str) -> String {
    if why.contains("permission denied") {
        return groups::advice(system, node, &User::own());
    }
    let holder = processes::with_device(&system.path("/proc"), &system.path(node));
    match (cause, holder) {
        (Cause::Busy, Some(holder)) if holder.name == "mjpegd" => "",
        (Cause::Busy, Some(holder)) => {
            return ["kill ", &holder.pid.to_string(), ", or let it read from mjpegd"].concat();
        }
        (Cause::Busy, None) => "sudo fuser -v /dev/video*",
        (Cause::NoDevice, _) => "lsusb; sudo dmesg | tail; mjpegd devices",
        (Cause::Bandwidth, _) => "--format MJPG, or a smaller --resolution",
        (Cause::Denied, _) => "write them into the address: http://user:password@host/...",
        (Cause::Ended, _) => "see what ends it: journalctl -u mjpegd",
        (Cause::Stalled | Cause::Io, _) => "plug it in again, into another port; sudo dmesg | tail",
        (Cause::NoSignal, _) => "connect the source and switch it on; mjpegd devices",
        (Cause::Unsupported | Cause::Itself | Cause::Upstream, _) => {
            "see the guide: \"The camera is lost\" in troubleshooting.md"
        }
    }
    .to_owned()
}
