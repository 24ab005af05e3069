//! Cameras whose driver gives the raw data of a sensor: libcamera makes pictures of it,
//! so another program has to be used.
//!
//! A driver is known by the name that it reports (VIDIOC_QUERYCAP).

use v4l::Device;

use super::super::{Cause, Error};
use super::negotiate;
use super::sys::{self, Caps, formats};

/// What has a camera that libcamera reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Board {
    /// Its own programs, of the package rpicam-apps, write JPEGs.
    RaspberryPi,
    Other,
}

/// Drivers of receivers that give what the sensor sends: pictures of an HDMI bridge, or
/// the raw data of a camera.
const RECEIVERS: [(&str, Board); 12] = [
    ("unicam", Board::RaspberryPi),
    ("rp1-cfe", Board::RaspberryPi),
    ("rkisp1", Board::Other),
    ("sun4i_csi", Board::Other),
    ("sun6i-csi", Board::Other),
    ("sun6i-video", Board::Other),
    ("imx7-csi", Board::Other),
    ("imx-media-capture", Board::Other),
    ("mxc-isi", Board::Other),
    ("qcom-camss", Board::Other),
    ("ipu3-cio2", Board::Other),
    ("isys", Board::Other),
];

/// Drivers of image processors, which give a picture only to the program that feeds them
/// with one.
const PROCESSORS: [(&str, Board); 3] = [
    ("bcm2835-isp", Board::RaspberryPi),
    ("pispbe", Board::RaspberryPi),
    ("ipu3-imgu", Board::Other),
];

fn find(list: &[(&str, Board)], driver: &str) -> Option<Board> {
    list.iter().find(|(name, _)| *name == driver).map(|(_, board)| *board)
}

/// Whether a device may need libcamera: another camera is a better choice.
pub(super) fn is_of_libcamera(caps: &Caps) -> bool {
    find(&RECEIVERS, &caps.driver).is_some()
}

/// Why a device gives no picture by itself, and what to use instead. Devices of other
/// drivers are not asked for anything.
pub(super) fn why_unusable(device: &Device, caps: &Caps) -> Option<String> {
    if let Some(board) = find(&PROCESSORS, &caps.driver) {
        return Some(format!("an image processor, not a camera; {}", instead(board)));
    }
    find(&RECEIVERS, &caps.driver)?;
    let offered: Vec<_> =
        formats::formats(device, caps.capture()).into_iter().map(|(f, _)| f).collect();
    let has_picture = offered.iter().any(|fourcc| negotiate::is_supported(*fourcc));
    if has_picture { None } else { advice(&caps.driver, &offered) }
}

/// What to use instead of a device, where one of this driver or with these formats gives
/// the data of a sensor.
pub(super) fn advice(driver: &str, offered: &[[u8; 4]]) -> Option<String> {
    let board = find(&RECEIVERS, driver);
    let is_raw = !offered.is_empty() && offered.iter().all(|fourcc| is_raw_bayer(*fourcc));
    if board.is_none() && !is_raw {
        return None;
    }
    let what = "a sensor whose data libcamera makes pictures of";
    Some(format!("{what}; {}", instead(board.unwrap_or(Board::Other))))
}

/// The error of a device that did not start, with what to use instead.
pub(super) fn explain(error: Error, caps: &Caps) -> Error {
    match (error, advice_at_start(caps)) {
        (Error::Lost(cause @ Cause::Io, why), Some(advice)) => {
            Error::lost(cause, format!("{why}; {advice}"))
        }
        (error, _) => error,
    }
}

/// What to use instead of a device that did not start, although its formats are those of
/// pictures.
fn advice_at_start(caps: &Caps) -> Option<String> {
    if caps.flags & sys::IO_MC != 0 || find(&RECEIVERS, &caps.driver).is_some() {
        let board = find(&RECEIVERS, &caps.driver).unwrap_or(Board::Other);
        Some(format!("its sensor has to be set up by media-ctl or libcamera; {}", instead(board)))
    } else {
        None
    }
}

/// The camera to type instead.
fn instead(board: Board) -> &'static str {
    match board {
        Board::RaspberryPi => {
            "use --camera 'exec:rpicam-vid -t 0 --codec mjpeg --width 1280 --height 720 -o -' \
             (libcamera-vid where the system is older)"
        }
        Board::Other => {
            "use --camera 'exec:gst-launch-1.0 -q libcamerasrc ! video/x-raw,width=1280,height=720 \
             ! videoconvert ! jpegenc ! fdsink'"
        }
    }
}

/// Whether a format is one of a sensor without a picture: colours in a pattern (Bayer) of
/// 8 to 16 bits, packed or not.
fn is_raw_bayer(fourcc: [u8; 4]) -> bool {
    // The names of the kernel's pixfmt-srggb*.rst: RGGB, GRBG, GBRG, BA81 with 8 bits; RG10,
    // BA12 and the like with more; pRAA, pgCC packed; and those of drivers of their own.
    match &fourcc {
        b"RGGB" | b"GRBG" | b"GBRG" | b"BA81" | b"BYR2" => true,
        [a, b, b'1', b'0' | b'2' | b'4' | b'6'] => {
            [b"RG", b"BA", b"GB", b"BG", b"GR"].contains(&&[*a, *b])
        }
        [b'p', b'R' | b'B' | b'G' | b'g', a, b] => a == b && matches!(a, b'A' | b'C' | b'E'),
        [b'P', b'C', b'1', b'R' | b'B' | b'G' | b'g'] => true,
        [b'i', b'p', b'3', _] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raspberry_pi_is_told_its_own_program() {
        for driver in ["unicam", "rp1-cfe"] {
            let advice = advice(driver, &[*b"RG10", *b"pRAA"]).unwrap();
            let line =
                "--camera 'exec:rpicam-vid -t 0 --codec mjpeg --width 1280 --height 720 -o -'";
            assert!(advice.contains(line) && advice.contains("libcamera-vid"), "{advice}");
        }
        assert!(instead(find(&PROCESSORS, "bcm2835-isp").unwrap()).contains("rpicam-vid"));
        assert!(instead(find(&PROCESSORS, "pispbe").unwrap()).contains("rpicam-vid"));
    }

    #[test]
    fn other_boards_are_told_a_program_that_reads_libcamera() {
        for (driver, offered) in [("rkisp1", b"NV12"), ("sun6i-csi", b"BA81"), ("new", b"pgCC")] {
            assert!(advice(driver, &[*offered]).unwrap().contains("libcamerasrc"), "{driver}");
        }
    }

    #[test]
    fn webcams_and_hdmi_bridges_are_left_alone() {
        assert_eq!(advice("uvcvideo", &[*b"H264"]), None);
        assert_eq!(advice("uvcvideo", &[*b"RGB3", *b"BGR3", *b"BA81"]), None);
        assert_eq!(advice("uvcvideo", &[]), None);
        for fourcc in
            [b"GREY", b"Y10 ", b"MJPG", b"NV12", b"RGBP", b"RGB3", b"BGR4", b"YU12", b"BM12"]
        {
            assert!(!is_raw_bayer(*fourcc), "{fourcc:?}");
        }
        for fourcc in
            [b"RG10", b"BA10", b"GB12", b"BG14", b"BYR2", b"GR16", b"pBAA", b"pgCC", b"pGEE"]
        {
            assert!(is_raw_bayer(*fourcc), "{fourcc:?}");
        }
    }

    #[test]
    fn device_that_needs_a_pipeline_says_so_when_it_does_not_start() {
        let caps = |driver: &str, flags| {
            let [card, bus] = ["card", "bus"].map(str::to_owned);
            Caps { driver: driver.into(), card, bus, flags }
        };
        assert!(advice_at_start(&caps("rp1-cfe", sys::IO_MC)).unwrap().contains("rpicam-vid"));
        assert!(advice_at_start(&caps("vimc", sys::IO_MC)).unwrap().contains("libcamerasrc"));
        assert_eq!(advice_at_start(&caps("uvcvideo", 0)), None);
        assert!(is_of_libcamera(&caps("unicam", 0)) && !is_of_libcamera(&caps("uvcvideo", 0)));
    }
}
