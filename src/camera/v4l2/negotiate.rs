//! Negotiates format, size and rate with a device. A driver silently replaces values
//! that it does not have by similar ones, so the result is read back.

use rustix::io::Errno;
use v4l::fraction::Fraction;
use v4l::video::Capture;
use v4l::video::capture::Parameters;

use super::super::{Cause, Error};
use super::nodes::{self, Opened};
use super::sys;
use crate::config::DeviceConfig;
use crate::jpeg::PixelFormat;
use crate::mode::Mode;

/// Formats that are passed on unchanged, which costs no encoding.
const PASSED_ON: [[u8; 4]; 2] = [*b"MJPG", *b"JPEG"];
/// The default size for JPEG: most webcams give it at 30 fps...
const JPEG_SIZE: (u32, u32) = (1280, 720);
/// ...and for raw pictures: USB 2 has the bandwidth for it.
const RAW_SIZE: (u32, u32) = (640, 480);

/// The result of the negotiation.
#[derive(Debug)]
pub(super) struct Negotiated {
    pub(super) format: sys::Format,
    /// The pixel format; `None` if the device gives JPEGs.
    pub(super) raw: Option<PixelFormat>,
    pub(super) mode: Mode,
}

/// Sets a device up, as close to the configuration as the driver allows.
pub(super) fn negotiate(
    opened: &Opened,
    config: &DeviceConfig,
    fps: Option<f64>,
) -> Result<Negotiated, Error> {
    let fourcc = choose(opened, config.format)?;
    let is_raw = !PASSED_ON.contains(&fourcc);
    let (width, height) = config.resolution.unwrap_or(if is_raw { RAW_SIZE } else { JPEG_SIZE });
    let format = sys::set_format(&opened.device, fourcc, width, height)
        .map_err(|e| nodes::error(&opened.path, "setting the format", &e))?;
    let raw = PixelFormat::from_fourcc(format.fourcc);
    if raw.is_none() && !PASSED_ON.contains(&format.fourcc) {
        return Err(unsupported(opened, &format!("it gives {} instead", name(format.fourcc))));
    }
    let mode = Mode {
        device: Some(format!("{} ({})", opened.path.display(), opened.caps.card)),
        format: Some(name(format.fourcc)),
        size: Some((format.width, format.height)),
        // Behind the format, as uvcvideo goes back to its default rate with each new format.
        fps: set_rate(opened, fps)?,
        quality: raw.is_some().then_some(config.quality),
    };
    Ok(Negotiated { format, raw, mode })
}

/// The format to request: the configured one, or the cheapest to convert.
fn choose(opened: &Opened, requested: Option<[u8; 4]>) -> Result<[u8; 4], Error> {
    // Asked first, because a driver replaces a format that it does not have by another, and
    // reports no error (VIDIOC_S_FMT).
    let offered: Vec<_> =
        sys::formats(&opened.device).into_iter().map(|(fourcc, _)| fourcc).collect();
    // In the order of preference: the cheapest to convert first.
    let supported = PASSED_ON.into_iter().chain(PixelFormat::ALL.map(PixelFormat::fourcc));
    let requested = requested.map(|requested| offered_jpeg(requested, &offered));
    match requested {
        Some(requested) if !offered.contains(&requested) => {
            Err(unsupported(opened, &format!("it has no {}", name(requested))))
        }
        Some(requested) if supported.clone().any(|known| known == requested) => Ok(requested),
        Some(requested) => {
            Err(unsupported(opened, &format!("{} cannot be encoded to JPEG", name(requested))))
        }
        None => supported
            .into_iter()
            .find(|known| offered.contains(known))
            .ok_or_else(|| unsupported(opened, "it has no format that can be encoded to JPEG")),
    }
}

/// Webcams call their JPEGs MJPG and some other devices JPEG, and people who want
/// one of them get the one that there is.
fn offered_jpeg(requested: [u8; 4], offered: &[[u8; 4]]) -> [u8; 4] {
    let is_jpeg = PASSED_ON.contains(&requested) && !offered.contains(&requested);
    let other = PASSED_ON.into_iter().find(|known| is_jpeg && offered.contains(known));
    other.unwrap_or(requested)
}

fn unsupported(opened: &Opened, why: &str) -> Error {
    let offered: Vec<_> = sys::formats(&opened.device).into_iter().map(|(f, _)| name(f)).collect();
    let text = format!("{}: {why}; it offers {}", opened.path.display(), offered.join(", "));
    Error::lost(Cause::Unsupported, text)
}

/// Requests a rate, if one is configured, and returns the rate in use; `None` if the
/// driver does not know it.
fn set_rate(opened: &Opened, fps: Option<f64>) -> Result<Option<f64>, Error> {
    let got = match fps.map(thousandths) {
        Some(interval) => opened.device.set_params(&Parameters::new(interval)),
        None => opened.device.params(),
    };
    match got {
        Ok(Parameters { interval: Fraction { numerator, denominator }, .. }) => {
            let is_known = numerator > 0 && denominator > 0;
            Ok(is_known.then(|| f64::from(denominator) / f64::from(numerator)))
        }
        Err(e) if e.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
            Err(nodes::busy(&opened.path))
        }
        // Some drivers do not support VIDIOC_G_PARM and run at a rate of their own. The camera
        // is usable nevertheless.
        Err(_) => Ok(None),
    }
}

/// The interval of a rate, exact to a thousandth of a frame a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.001 to 1000 fps")]
fn thousandths(fps: f64) -> Fraction {
    Fraction::new(1000, (fps * 1000.0).round() as u32)
}

fn name(fourcc: [u8; 4]) -> String {
    String::from_utf8_lossy(&fourcc).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jpeg_and_mjpg_stand_for_each_other_where_one_is_missing() {
        for (requested, offered, taken) in [
            (b"JPEG", &[*b"YUYV", *b"MJPG"][..], b"MJPG"),
            (b"MJPG", &[*b"JPEG"], b"JPEG"),
            (b"JPEG", &[*b"MJPG", *b"JPEG"], b"JPEG"),
            (b"JPEG", &[*b"YUYV"], b"JPEG"),
            (b"YUYV", &[*b"MJPG"], b"YUYV"),
        ] {
            assert_eq!(offered_jpeg(*requested, offered), *taken);
        }
    }
}
