//! Passes the rows of a raw picture to the encoder.
//!
//! The JPEG has the camera's colour sampling, so no colour sample is averaged or
//! repeated.

use jpeg_encoder::{JpegColorType, SamplingFactor};
use mjpegd_jpeg_codec::{Line, McuRow, Order, Simd};

use super::pixels::{Layout, PixelFormat};
use super::raw::Raw;

/// The colour sampling of the JPEG: that of the camera. RGB at 4:2:0 would take 0.7 of
/// the time and 0.8 of the bytes, but lose 3 dB. At an equal number of bytes both look
/// the same, so RGB keeps its full colour.
pub(super) fn sampling(format: PixelFormat) -> SamplingFactor {
    match format.layout() {
        Layout::Packed { .. } => SamplingFactor::R_4_2_2,
        Layout::Pairs { .. } | Layout::Planes { .. } => SamplingFactor::R_4_2_0,
        Layout::Rgb { .. } | Layout::Luma => SamplingFactor::R_4_4_4,
    }
}

/// The width and height of an MCU in pixels. Strips consist of whole MCUs.
pub(super) fn mcu(format: PixelFormat) -> (usize, usize) {
    match format.layout() {
        Layout::Packed { .. } => (16, 8),
        Layout::Pairs { .. } | Layout::Planes { .. } => (16, 16),
        Layout::Rgb { .. } | Layout::Luma => (8, 8),
    }
}

/// The components that the JPEG of a format has.
pub(super) fn colours(format: PixelFormat) -> JpegColorType {
    match format.layout() {
        Layout::Luma => JpegColorType::Luma,
        _ => JpegColorType::Ycbcr,
    }
}

/// A range of rows of a picture, which is encoded like a separate picture.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) raw: &'a Raw<'a>,
    pub(super) top: usize,
    pub(super) n: usize,
}

impl Rows<'_> {
    /// Fills a row of MCUs with the lines from `top` on. If the picture ends inside an
    /// MCU, its last line is repeated.
    pub(super) fn fill(&self, top: usize, simd: Simd, samples: &mut McuRow) {
        let raw = self.raw;
        let range = raw.range();
        let (_, mcu_height) = mcu(raw.format());
        for i in 0..mcu_height {
            // Repeated and not black: an edge inside a block would cost bytes, and shine
            // through at low quality.
            let y = self.top + (top + i).min(self.n - 1);
            let line = raw.line(y);
            let mut set = |i, line| samples.set_line(simd, i, line, range);
            match raw.format().layout() {
                Layout::Packed { y: 0, cb, .. } => set(i, Line::LumaFirst(line, order(cb == 1))),
                Layout::Packed { cb, .. } => set(i, Line::ColourFirst(line, order(cb == 0))),
                Layout::Luma => set(i, Line::Luma(line)),
                Layout::Rgb { .. } => set(i, pixels(raw.format(), line)),
                Layout::Pairs { cb, .. } => {
                    set(i, Line::Luma(line));
                    // A line of colour serves two lines of the picture.
                    if i % 2 == 0 {
                        set(i / 2, Line::Colours(raw.line_of_pairs(y), order(cb == 0)));
                    }
                }
                Layout::Planes { cb, cr } => {
                    set(i, Line::Luma(line));
                    if i % 2 == 0 {
                        set(i / 2, Line::Cb(raw.line_of_plane(cb, y)));
                        set(i / 2, Line::Cr(raw.line_of_plane(cr, y)));
                    }
                }
            }
        }
    }
}

fn order(is_cb_first: bool) -> Order {
    if is_cb_first { Order::CbCr } else { Order::CrCb }
}

fn pixels(format: PixelFormat, line: &[u8]) -> Line<'_> {
    match format {
        PixelFormat::Rgbp => Line::Rgb565(line),
        PixelFormat::Bgr3 => Line::Bgr(line),
        _ => Line::Rgb(line),
    }
}
