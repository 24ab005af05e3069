//! Negotiates format, size and rate with a device. A driver silently replaces values
//! that it does not have by similar ones, so the result is read back.

use rustix::io::Errno;

use super::super::{Cause, Error};
use super::nodes::{self, Opened};
use super::pipeline;
use super::sys::formats::{self, Field, Format};
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
    pub(super) format: Format,
    /// The pixel format; `None` if the device gives JPEGs.
    pub(super) raw: Option<PixelFormat>,
    pub(super) mode: Mode,
}

/// Sets a device up, as close to the configuration as the driver allows. `signal` is the
/// size of what comes in, where that is known.
pub(super) fn negotiate(
    opened: &Opened,
    config: &DeviceConfig,
    fps: Option<f64>,
    signal: Option<(u32, u32)>,
) -> Result<Negotiated, Error> {
    let fourcc = choose(opened, config.format)?;
    let is_raw = !PASSED_ON.contains(&fourcc);
    let default = if is_raw { RAW_SIZE } else { JPEG_SIZE };
    let size = config.resolution.or(signal).unwrap_or(default);
    let format = formats::set_format(&opened.device, &opened.caps, fourcc, size)
        .map_err(|e| nodes::error(&opened.path, "setting the format", &e))?;
    check_fields(opened, format.field)?;
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
        encoder: None,
    };
    Ok(Negotiated { format, raw, mode })
}

/// Refuses pictures of which a buffer holds half of the lines, or two halves one above
/// the other.
fn check_fields(opened: &Opened, field: Field) -> Result<(), Error> {
    let path = opened.path.display();
    match field {
        Field::None => {}
        Field::Interlaced => {
            log::info!("{path}: the pictures are interlaced, so what moves has combed edges");
        }
        Field::Separate => {
            let why = "interlaced, and the driver gives the two fields of a picture apart: each \
                       has half of the lines, and they would jump up and down";
            let usage = "let the source send a progressive picture (720p, 1080p)";
            return Err(Error::lost(Cause::Unsupported, format!("{path}: {why}; {usage}")));
        }
    }
    Ok(())
}

/// The format to request: the configured one, or the cheapest to convert.
fn choose(opened: &Opened, requested: Option<[u8; 4]>) -> Result<[u8; 4], Error> {
    // Asked first, because a driver replaces a format that it does not have by another, and
    // reports no error (VIDIOC_S_FMT).
    let offered = offered(opened);
    match requested {
        Some(requested) if !is_supported(requested) && offered.contains(&requested) => {
            Err(unsupported(opened, &format!("{} cannot be encoded to JPEG", name(requested))))
        }
        Some(requested) => find(requested, &offered)
            .ok_or_else(|| unsupported(opened, &format!("it has no {}", name(requested)))),
        None => {
            let raw = PixelFormat::ALL.into_iter().flat_map(PixelFormat::fourccs);
            // In the order of preference: the cheapest to convert first.
            let mut supported = PASSED_ON.into_iter().chain(raw);
            supported
                .find(|known| offered.contains(known))
                .ok_or_else(|| unsupported(opened, "it has no format that can be encoded to JPEG"))
        }
    }
}

/// The format to take for one that was asked for.
fn find(requested: [u8; 4], offered: &[[u8; 4]]) -> Option<[u8; 4]> {
    // NV12 is also meant where the device has it with its planes apart.
    let same = PixelFormat::from_fourcc(requested).into_iter().flat_map(PixelFormat::fourccs);
    // Webcams call their JPEGs MJPG and some other devices JPEG: who wants one of them gets
    // the one that there is.
    let jpegs = PASSED_ON.into_iter().filter(|_| PASSED_ON.contains(&requested));
    let mut wanted = std::iter::once(requested).chain(same).chain(jpegs);
    wanted.find(|fourcc| offered.contains(fourcc))
}

/// Whether pictures of a format can be shown.
pub(super) fn is_supported(fourcc: [u8; 4]) -> bool {
    PASSED_ON.contains(&fourcc) || PixelFormat::from_fourcc(fourcc).is_some()
}

fn offered(opened: &Opened) -> Vec<[u8; 4]> {
    formats::formats(&opened.device, opened.caps.capture())
        .into_iter()
        .map(|(fourcc, _)| fourcc)
        .collect()
}

fn unsupported(opened: &Opened, why: &str) -> Error {
    let offered = offered(opened);
    let names: Vec<_> = offered.iter().copied().map(name).collect();
    let mut text = format!("{}: {why}; it offers {}", opened.path.display(), names.join(", "));
    if let Some(advice) = pipeline::advice(&opened.caps.driver, &offered) {
        text = format!("{text}: {advice}");
    }
    Error::lost(Cause::Unsupported, text)
}

/// Requests a rate, if one is configured, and returns the rate in use; `None` if the
/// driver does not know it.
pub(super) fn set_rate(opened: &Opened, fps: Option<f64>) -> Result<Option<f64>, Error> {
    match formats::interval(&opened.device, &opened.caps, fps.map(thousandths)) {
        Ok((numerator, denominator)) => {
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
fn thousandths(fps: f64) -> (u32, u32) {
    (1000, (fps * 1000.0).round() as u32)
}

fn name(fourcc: [u8; 4]) -> String {
    String::from_utf8_lossy(&fourcc).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_of_the_same_format_stands_for_one_that_is_missing() {
        for (requested, offered, taken) in [
            (b"JPEG", &[*b"YUYV", *b"MJPG"][..], Some(b"MJPG")),
            (b"MJPG", &[*b"JPEG"], Some(b"JPEG")),
            (b"JPEG", &[*b"MJPG", *b"JPEG"], Some(b"JPEG")),
            (b"NV12", &[*b"MJPG", *b"NM12"], Some(b"NM12")),
            (b"JPEG", &[*b"YUYV"], None),
            (b"YUYV", &[*b"MJPG"], None),
        ] {
            assert_eq!(find(*requested, offered), taken.copied());
        }
    }
}
