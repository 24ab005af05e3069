//! The bytes before a scan. The crate jpeg-encoder writes them, so that no own copy of
//! the tables is needed; the tables for the scan are read back from its output.

use jpeg_encoder::{EncodingError, ImageBuffer, JpegColorType};
use mjpegd_jpeg_codec::Tables;

use super::check::segment;
use super::pixels::PixelFormat;
use super::raw::Raw;
use super::rows::{colours, sampling};
use super::{DHT, DQT, is_frame_header};

/// The bytes up to the scan, and the tables in them.
#[derive(Debug)]
pub(super) struct Header {
    format: PixelFormat,
    size: (u16, u16),
    pub(super) bytes: Vec<u8>,
    pub(super) tables: Tables,
}

impl Header {
    /// The header of a picture with a restart marker after every `interval` MCUs.
    pub(super) fn new(
        raw: &Raw<'_>,
        quality: u8,
        interval: Option<u16>,
    ) -> Result<Self, EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(sampling(raw.format()));
        encoder.set_restart_interval(interval.unwrap_or_default());
        encoder.encode_image(Pixel(colours(raw.format())))?;
        // jpeg-encoder would need the pixels of a picture of the true size. So it encodes
        // one pixel, and the true size is written over that of its header.
        let mut tables = Tables::new(1, (1, 1));
        let mut at = 2;
        while let Ok(Some((marker, body))) = segment(&bytes, at) {
            at = body.end;
            let content = &mut bytes[body][2..];
            match (marker, &mut *content) {
                (m, [_, h1, h0, w1, w0, n, _, factors, ..]) if is_frame_header(m) => {
                    [*h1, *h0] = raw.height().to_be_bytes();
                    [*w1, *w0] = raw.width().to_be_bytes();
                    let factors = (usize::from(*factors >> 4), usize::from(*factors & 15));
                    tables = Tables::new(usize::from(*n), factors);
                }
                (DQT, [nth, values @ ..]) => {
                    if let Some(values) = values.first_chunk() {
                        tables.set_divisors(usize::from(*nth), values);
                    }
                }
                (DHT, [which, rest @ ..]) => {
                    if let Some((lengths, symbols)) = rest.split_first_chunk() {
                        let nth = usize::from(*which & 15);
                        tables.set_codes(*which >> 4, nth, lengths, symbols);
                    }
                }
                _ => {}
            }
        }
        // `segment` stops at SOS. The header of SOS belongs to the header, the scan of
        // the one pixel does not.
        let length = bytes.get(at + 2..at + 4).map_or(0, |l| u16::from_be_bytes([l[0], l[1]]));
        bytes.truncate(at + 2 + usize::from(length));
        let size = (raw.width(), raw.height());
        Ok(Self { format: raw.format(), size, bytes, tables })
    }

    /// Whether this header also fits the given picture, for the same quality.
    pub(super) fn fits(&self, raw: &Raw<'_>) -> bool {
        (self.format, self.size) == (raw.format(), (raw.width(), raw.height()))
    }
}

/// A picture of one pixel, encoded for its header.
struct Pixel(JpegColorType);

impl ImageBuffer for Pixel {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        self.0
    }

    fn width(&self) -> u16 {
        1
    }

    fn height(&self) -> u16 {
        1
    }

    fn fill_buffers(&self, _: u16, planes: &mut [Vec<u8>; 4]) {
        planes.iter_mut().for_each(|plane| plane.push(0));
    }
}
