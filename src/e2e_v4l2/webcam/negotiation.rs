//! Probe and commit: host and camera agree on format, size and frame rate.
//!
//! Called by `main` for class requests to the streaming interface. Layout: UVC 1.1, table 4-47. A request that the
//! camera cannot satisfy is never refused: as real cameras do, it answers with the nearest choice it has.

use super::descriptors::Endpoint;
use super::formats::{FORMATS, Format, Size, interval};
use super::isochronous;

const PROBE: u8 = 1;
const COMMIT: u8 = 2;
/// Bytes of the probe and commit structure of UVC 1.1.
const LENGTH: usize = 34;

/// A format, a size and a frame rate that the camera has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    format: usize,
    size: usize,
    pub(crate) fps: u32,
}

impl Choice {
    pub(crate) fn format(self) -> &'static Format {
        &FORMATS[self.format]
    }

    pub(crate) fn size(self) -> &'static Size {
        &FORMATS[self.format].sizes[self.size]
    }

    /// "MJPG 640x480 30 fps", for the log.
    pub(crate) fn describe(self) -> String {
        format!("{} {} {} fps", self.format().name, self.size().folder(), self.fps)
    }

    /// Numbers in the request count from 1. 0 and unknown numbers select the first.
    fn nearest(request: &[u8]) -> Self {
        let pick = |number: u8, n: usize| {
            usize::from(number).checked_sub(1).filter(|&at| at < n).unwrap_or(0)
        };
        let format = pick(request[2], FORMATS.len());
        let size = pick(request[3], FORMATS[format].sizes.len());
        let rates = FORMATS[format].sizes[size].fps;
        let desired = u32::from_le_bytes([request[4], request[5], request[6], request[7]]);
        let nearest = rates.iter().copied().min_by_key(|&fps| interval(fps).abs_diff(desired));
        let fps = if desired == 0 { rates[0] } else { nearest.unwrap_or(rates[0]) };
        Self { format, size, fps }
    }

    fn to_bytes(self, endpoint: Endpoint) -> Vec<u8> {
        let number = |at: usize| u8::try_from(at + 1).expect("there are few formats");
        let frame_bytes = self.size().max_frame_bytes();
        let payload_bytes = match endpoint {
            // A whole frame and its header are one payload.
            Endpoint::Bulk => frame_bytes + 2,
            Endpoint::Isochronous => isochronous::packet_bytes(self.format(), self.size()).into(),
        };
        let mut bytes = vec![1, 0, number(self.format), number(self.size)];
        bytes.extend(interval(self.fps).to_le_bytes());
        bytes.extend([0; 10]);
        bytes.extend(frame_bytes.to_le_bytes());
        bytes.extend(payload_bytes.to_le_bytes());
        bytes.resize(LENGTH, 0);
        bytes
    }
}

/// The state of the negotiation.
pub(crate) struct Negotiation {
    endpoint: Endpoint,
    probed: Choice,
}

impl Negotiation {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, probed: Choice::nearest(&[0; LENGTH]) }
    }

    /// Answers a GET request for probe or commit. `None` is a stall.
    pub(crate) fn get(&self, request: u8, selector: u8) -> Option<Vec<u8>> {
        match (request, selector) {
            (_, s) if s != PROBE && s != COMMIT => None,
            // The current state. Minimum, maximum and default may equal it, since the host asks about one format.
            (0x81..=0x83 | 0x87, _) => Some(self.probed.to_bytes(self.endpoint)),
            (0x85, _) => Some(vec![u8::try_from(LENGTH).expect("34 fits"), 0]),
            (0x86, _) => Some(vec![0x03]),
            _ => None,
        }
    }

    /// Accepts a request of the host. `Err` is a stall. `Ok(Some)` means that the host has committed and wants frames.
    pub(crate) fn set(&mut self, selector: u8, request: &[u8]) -> Result<Option<Choice>, ()> {
        if request.len() < 8 || (selector != PROBE && selector != COMMIT) {
            return Err(());
        }
        self.probed = Choice::nearest(request);
        Ok((selector == COMMIT).then_some(self.probed))
    }
}
