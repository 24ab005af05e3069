//! Whether the USB port of a camera carries what the camera was set to.

use std::path::PathBuf;

use super::devices::Tried;
use super::report::{Report, text as number};
use super::system::{System, text};
use crate::mode::Mode;

/// Megabits a second of USB 2.
const USB_2: u32 = 480;
/// Bytes a second that one device gets of USB 2: three packets of 1024 bytes in each of 8000
/// slots (Universal Serial Bus Specification 2.0, 5.6.3).
const MOST_OF_USB_2: f64 = 3.0 * 1024.0 * 8000.0;
/// Fewer pictures a second than this are seen as jerks.
const SMOOTH: f64 = 15.0;

/// The socket of a camera.
struct Socket {
    mbit: u32,
    bus: &'static str,
}

pub(super) fn look(system: &System, tried: &[Tried], report: &mut Report) {
    report.topic("usb");
    let sockets: Vec<_> = tried.iter().map(|tried| socket(system, &tried.node)).collect();
    for (i, Tried { node, mode }) in tried.iter().enumerate() {
        let Some(Socket { mbit, bus }) = &sockets[i] else { continue };
        if *mbit < USB_2 {
            let what = "@: @ Mbit/s are enough for small pictures only\n\
                use another port or hub, and a cable of USB 2";
            report.fault(what, &[node, number(mbit)]);
        } else if let Some([most, come]) = mode.as_ref().filter(|_| *mbit == USB_2).and_then(raw) {
            let what = "@: USB 2 carries @ raw pictures of this size a second, and @ come\n\
                --format MJPG where `mjpegd devices` lists it, or a smaller --resolution";
            report.note(what, &[node, most, come]);
        } else {
            report.ok("@: @ Mbit/s on bus @", &[node, number(mbit), bus]);
        }
        let is_same = |other: &Option<Socket>| {
            other.as_ref().is_some_and(|other| other.bus == *bus && *mbit <= USB_2)
        };
        if let Some(before) = sockets[..i].iter().position(is_same) {
            let what = "@ and @ share a bus: where one of them is lost with \
                \"not enough USB bandwidth\", it is full\n\
                plug one into a port of another controller (lsusb -t), or --format MJPG";
            report.note(what, &[node, &tried[before].node]);
        }
    }
}

/// How many raw pictures USB 2 carries a second and how many come, if that is few.
fn raw(mode: &Mode) -> Option<[&'static str; 2]> {
    let bits = match mode.format.as_deref()? {
        "MJPG" | "JPEG" => return None,
        "RGB3" | "BGR3" => 24.0,
        "NV12" | "NV21" | "YU12" | "YV12" => 12.0,
        "GREY" => 8.0,
        _ => 16.0,
    };
    let ((width, height), fps) = (mode.size?, mode.fps?);
    let most = MOST_OF_USB_2 / (f64::from(width) * f64::from(height) * bits / 8.0);
    let is_slow = fps < SMOOTH && most < 2.0 * SMOOTH;
    is_slow.then(|| [most, fps].map(|rate| &*format!("{rate:.0}").leak()))
}

/// Where a node is plugged in; `None` if it is no USB device.
fn socket(system: &System, node: &str) -> Option<Socket> {
    let name = system.path(node).canonicalize().ok()?;
    let class = system.path("/sys/class/video4linux").join(name.file_name()?);
    // The interface of the device lies in the folder of the device.
    let device: PathBuf = class.join("device").canonicalize().ok()?.parent()?.into();
    Some(Socket { mbit: text(&device, "speed").parse().ok()?, bus: text(&device, "busnum") })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::system::Fake;
    use super::*;

    /// A system with a USB camera at each of these nodes: number, speed, bus.
    fn cameras(cameras: &[(&str, &str, &str)]) -> Fake {
        let fake = Fake::new(&[]);
        for (n, speed, bus) in cameras {
            let device = format!("/sys/devices/usb{bus}/{bus}-{n}");
            fake.write(&format!("{device}/speed"), &format!("{speed}\n"));
            fake.write(&format!("{device}/busnum"), &format!("{bus}\n"));
            fake.write(&format!("{device}/if/x"), "");
            fake.write(&format!("/dev/video{n}"), "");
            fake.write(&format!("/sys/class/video4linux/video{n}/index"), "0");
            let link = fake.path(&format!("/sys/class/video4linux/video{n}/device"));
            let _ = fs::remove_file(&link);
            symlink(fake.path(&format!("{device}/if")), link).unwrap();
        }
        fake
    }

    fn tried(n: &str, format: &str, size: (u32, u32), fps: f64) -> Tried {
        let mode = Mode {
            format: Some(format.into()),
            size: Some(size),
            fps: Some(fps),
            ..Mode::default()
        };
        Tried { node: format!("/dev/video{n}"), mode: Some(mode) }
    }

    #[test]
    fn slow_ports_raw_pictures_and_shared_buses_are_named() {
        let hd = (1280, 720);
        let says = |fake: &Fake, tried: &[Tried]| fake.says(|s, report| look(s, tried, report));
        let one = cameras(&[("0", "12", "1")]);
        assert!(
            says(&one, &[tried("0", "MJPG", hd, 30.0)]).contains("12 Mbit/s are enough for small")
        );
        let one = cameras(&[("0", "480", "1")]);
        let raw = says(&one, &[tried("0", "YUYV", hd, 10.0)]);
        assert!(raw.contains("USB 2 carries 13 raw pictures"), "{raw}");
        for well in [("YUYV", (640, 480), 30.0), ("MJPG", (1920, 1080), 5.0)] {
            let said = says(&one, &[tried("0", well.0, well.1, well.2)]);
            assert_eq!(said, "usb       ok     /dev/video0: 480 Mbit/s on bus 1\n");
        }
        let two = cameras(&[("0", "480", "1"), ("2", "480", "1"), ("4", "5000", "2")]);
        let both = ["0", "2", "4"].map(|n| tried(n, "MJPG", hd, 30.0));
        assert!(says(&two, &both).contains("/dev/video2 and /dev/video0 share a bus"));
        assert_eq!(says(&two, &both).matches("share").count(), 1);
        assert_eq!(says(&two, &[tried("9", "MJPG", hd, 30.0)]), "");
    }
}
