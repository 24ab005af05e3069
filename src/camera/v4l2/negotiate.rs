//! Agrees with a device on format, size and rate. A driver answers odd wishes
//! without an error by something near: what it made of them is read back.

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

/// JPEGs as they are, which cost nothing.
const PASSED_ON: [[u8; 4]; 2] = [*b"MJPG", *b"JPEG"];
/// Asked for when no size was: what most webcams give at 30 fps as JPEG...
const JPEG_SIZE: (u32, u32) = (1280, 720);
/// ...and what a USB 2 bus can carry raw.
const RAW_SIZE: (u32, u32) = (640, 480);

/// What was agreed on.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) format: sys::Format,
    /// The pixel format, unless JPEGs come.
    pub(super) raw: Option<PixelFormat>,
    pub(super) mode: Mode,
}

/// Sets a device up as near to what was asked for as it goes.
pub(super) fn set(of: &Opened, config: &DeviceConfig, fps: Option<f64>) -> Result<Set, Error> {
    let fourcc = choose(of, config.format)?;
    let is_raw = !PASSED_ON.contains(&fourcc);
    let (width, height) = config.resolution.unwrap_or(if is_raw { RAW_SIZE } else { JPEG_SIZE });
    let format = sys::set_format(&of.device, fourcc, width, height)
        .map_err(|e| nodes::fault(&of.path, "setting the format", &e))?;
    let raw = PixelFormat::from_fourcc(format.fourcc);
    if raw.is_none() && !PASSED_ON.contains(&format.fourcc) {
        return Err(unsupported(of, &format!("it gives {} instead", name(format.fourcc))));
    }
    let mode = Mode {
        device: Some(format!("{} ({})", of.path.display(), of.caps.card)),
        format: Some(name(format.fourcc)),
        size: Some((format.width, format.height)),
        fps: set_rate(of, fps)?,
    };
    Ok(Set { format, raw, mode })
}

/// The format to ask for: the one that was typed, or the cheapest.
fn choose(of: &Opened, wanted: Option<[u8; 4]>) -> Result<[u8; 4], Error> {
    let offered: Vec<_> = sys::formats(&of.device).into_iter().map(|(fourcc, _)| fourcc).collect();
    let ours = PASSED_ON.into_iter().chain(PixelFormat::ALL.map(PixelFormat::fourcc));
    match wanted {
        Some(wanted) if !offered.contains(&wanted) => {
            Err(unsupported(of, &format!("it has no {}", name(wanted))))
        }
        Some(wanted) if ours.clone().any(|known| known == wanted) => Ok(wanted),
        Some(wanted) => Err(unsupported(of, &format!("{} cannot be made a JPEG", name(wanted)))),
        None => ours
            .into_iter()
            .find(|known| offered.contains(known))
            .ok_or_else(|| unsupported(of, "it has no format that can be made a JPEG")),
    }
}

fn unsupported(of: &Opened, why: &str) -> Error {
    let offered: Vec<_> = sys::formats(&of.device).into_iter().map(|(f, _)| name(f)).collect();
    let text = format!("{}: {why}; it offers {}", of.path.display(), offered.join(", "));
    Error::lost(Cause::Unsupported, text)
}

/// Asks for a rate, if one was typed, and returns what holds. Not every
/// driver has one.
fn set_rate(of: &Opened, fps: Option<f64>) -> Result<Option<f64>, Error> {
    let got = match fps.map(thousandths) {
        Some(interval) => of.device.set_params(&Parameters::new(interval)),
        None => of.device.params(),
    };
    match got {
        Ok(Parameters { interval: Fraction { numerator, denominator }, .. }) => {
            let is_known = numerator > 0 && denominator > 0;
            Ok(is_known.then(|| f64::from(denominator) / f64::from(numerator)))
        }
        Err(e) if e.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
            Err(nodes::busy(&of.path))
        }
        Err(_) => Ok(None),
    }
}

/// The interval of a rate of at least a thousandth of a picture a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.001 to 1000 fps")]
fn thousandths(fps: f64) -> Fraction {
    Fraction::new(1000, (fps * 1000.0).round() as u32)
}

fn name(fourcc: [u8; 4]) -> String {
    String::from_utf8_lossy(&fourcc).trim().to_owned()
}
