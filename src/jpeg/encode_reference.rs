//! What jpeg-encoder makes of the same picture.

use crate::jpeg::pixels::{Layout, PixelFormat};
use crate::jpeg::raw::{Range, Raw};
use crate::jpeg::rows::{colours, sampling};

/// The same samples by other means, for an encoder that takes every component
/// in full resolution and codes every second sample of every second row.
pub(super) fn by_jpeg_encoder(raw: &Raw<'_>, quality: u8) -> Vec<u8> {
    struct Picture<'a>(&'a Raw<'a>);
    impl jpeg_encoder::ImageBuffer for Picture<'_> {
        fn get_jpeg_color_type(&self) -> jpeg_encoder::JpegColorType {
            colours(self.0.format())
        }
        fn width(&self) -> u16 {
            self.0.width()
        }
        fn height(&self) -> u16 {
            self.0.height()
        }
        fn fill_buffers(&self, y: u16, planes: &mut [Vec<u8>; 4]) {
            for x in 0..usize::from(self.0.width()) {
                for (plane, sample) in planes.iter_mut().zip(sample(self.0, x, usize::from(y))) {
                    plane.push(sample);
                }
            }
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(sampling(raw.format()));
    encoder.encode_image(Picture(raw)).unwrap();
    jpeg
}

/// Y, Cb and Cr of a pixel, where the format has them.
fn sample(raw: &Raw<'_>, x: usize, y: usize) -> Vec<u8> {
    let line = raw.line(y);
    let levels = |[y, cb, cr]: [u8; 3]| {
        let widened = |v: u8, from_zero: f64, zero: f64, span: f64| {
            let full = match raw.range() {
                Range::Full => f64::from(v),
                Range::Limited => zero + ((f64::from(v) - from_zero) * 255.0 / span).round(),
            };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            return full.clamp(0.0, 255.0) as u8;
        };
        match raw.format().layout() {
            Layout::Rgb { .. } => {
                let [r, g, b] = [y, cb, cr].map(|v| widened(v, 16.0, 0.0, 219.0));
                let (y, cb, cr) = jpeg_encoder::rgb_to_ycbcr(r, g, b);
                vec![y, cb, cr]
            }
            Layout::Luma => vec![widened(y, 16.0, 0.0, 219.0)],
            _ => {
                let [cb, cr] = [cb, cr].map(|v| widened(v, 128.0, 128.0, 224.0));
                vec![widened(y, 16.0, 0.0, 219.0), cb, cr]
            }
        }
    };
    levels(match (raw.format().layout(), raw.format()) {
        (Layout::Packed { y, cb, cr }, _) => {
            let pixels = &line[x / 2 * 4..];
            [pixels[y + x % 2 * 2], pixels[cb], pixels[cr]]
        }
        (Layout::Pairs { cb, cr, sampling: (across, _) }, _) => {
            let pair = &raw.line_of_colours(1, y)[x / across * 2..];
            [line[x], pair[cb], pair[cr]]
        }
        (Layout::Planes { cb, cr, sampling: (across, _) }, _) => {
            let [cb, cr] = [cb, cr].map(|i| raw.line_of_colours(1 + i, y)[x / across]);
            [line[x], cb, cr]
        }
        (Layout::Luma, _) => [line[x], 0, 0],
        (_, PixelFormat::Bgr3) => [line[3 * x + 2], line[3 * x + 1], line[3 * x]],
        (_, PixelFormat::Rgbp) => {
            let bits = u16::from_le_bytes([line[2 * x], line[2 * x + 1]]);
            let [r, g, b] = [bits >> 11, bits >> 5 & 0x3F, bits & 0x1F].map(|v| v.to_le_bytes()[0]);
            [r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2]
        }
        (_, _) => [line[3 * x], line[3 * x + 1], line[3 * x + 2]],
    })
}
