//! Rows of a raw picture as the encoder takes them: full range Y, Cb and Cr,
//! each as wide as the picture.
//!
//! Where colour is sampled more coarsely the encoder reads every second
//! sample of every second row (its `Nearest`), so that what a camera gave is
//! coded as it is: samples are doubled here, never mixed.

use jpeg_encoder::{JpegColorType, SamplingFactor, rgb_to_ycbcr};

use super::pixels::{Layout, PixelFormat};
use super::raw::{Range, Raw};

type Table = [u8; 256];

/// Full range values for what a camera gives.
struct Levels {
    luma: Table,
    chroma: Table,
}

static FULL: Levels = Levels { luma: stretched(0, 0, 255), chroma: stretched(0, 0, 255) };
/// BT.601 and BT.709: black is 16 and white 235; colour differences lie
/// between 16 and 240, about 128.
static LIMITED: Levels = Levels { luma: stretched(16, 0, 219), chroma: stretched(128, 128, 224) };

/// A table that makes `zero` of it and widens `span` around that to 255.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
const fn stretched(from_zero: i32, zero: i32, span: i32) -> Table {
    let mut table = [0; 256];
    let mut from = 0;
    while from < 256 {
        let distance = (from - from_zero) * 2 * 255;
        let half = if distance < 0 { -span } else { span };
        let full = zero + (distance + half) / (2 * span);
        table[from as usize] = if full < 0 {
            0
        } else if full > 255 {
            255
        } else {
            full as u8
        };
        from += 1;
    }
    table
}

/// How a format's colour is sampled in the JPEG: as the camera gives it. RGB
/// at 4:2:0 would take 0.7 of the time and 0.8 of the bytes, but lose 3 dB; at
/// equal bytes both look the same, and who chose RGB did so for its colours.
pub(super) fn sampling(format: PixelFormat) -> SamplingFactor {
    match format.layout() {
        Layout::Packed { .. } => SamplingFactor::R_4_2_2,
        Layout::Pairs { .. } | Layout::Planes { .. } => SamplingFactor::R_4_2_0,
        Layout::Rgb { .. } | Layout::Luma => SamplingFactor::R_4_4_4,
    }
}

/// The side lengths of an MCU, the unit that strips are cut in.
pub(super) fn mcu(format: PixelFormat) -> (usize, usize) {
    match format.layout() {
        Layout::Packed { .. } => (16, 8),
        Layout::Pairs { .. } | Layout::Planes { .. } => (16, 16),
        Layout::Rgb { .. } | Layout::Luma => (8, 8),
    }
}

/// What components the JPEG of a format has.
pub(super) fn colours(format: PixelFormat) -> JpegColorType {
    match format.layout() {
        Layout::Luma => JpegColorType::Luma,
        _ => JpegColorType::Ycbcr,
    }
}

/// Some rows of a picture, as a picture of its own.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) raw: &'a Raw<'a>,
    pub(super) top: usize,
    pub(super) n: usize,
}

impl Rows<'_> {
    /// Appends a row to each plane that there is.
    pub(super) fn fill(&self, y: usize, [luma, cb, cr, _]: &mut [Vec<u8>; 4]) {
        let raw = self.raw;
        let y = self.top + y;
        let line = raw.line(y);
        let levels = match raw.range() {
            Range::Full => &FULL,
            Range::Limited => &LIMITED,
        };
        match raw.format().layout() {
            Layout::Packed { y, cb: at_cb, cr: at_cr } => {
                map::<2>(line, y, &levels.luma, luma);
                double::<4>(line, at_cb, &levels.chroma, cb);
                double::<4>(line, at_cr, &levels.chroma, cr);
            }
            Layout::Pairs { cb: at_cb, cr: at_cr } => {
                map::<1>(line, 0, &levels.luma, luma);
                let pairs = raw.line_of_pairs(y);
                double::<2>(pairs, at_cb, &levels.chroma, cb);
                double::<2>(pairs, at_cr, &levels.chroma, cr);
            }
            Layout::Planes { cb: nth_cb, cr: nth_cr } => {
                map::<1>(line, 0, &levels.luma, luma);
                double::<1>(raw.line_of_plane(nth_cb, y), 0, &levels.chroma, cb);
                double::<1>(raw.line_of_plane(nth_cr, y), 0, &levels.chroma, cr);
            }
            Layout::Luma => map::<1>(line, 0, &levels.luma, luma),
            Layout::Rgb { .. } => {
                let n = luma.len();
                let width = usize::from(raw.width());
                for plane in [&mut *luma, &mut *cb, &mut *cr] {
                    plane.resize(n + width, 0);
                }
                let planes = (&mut luma[n..], &mut cb[n..], &mut cr[n..]);
                rgb(raw.format(), line, &levels.luma, planes);
            }
        }
    }
}

/// Appends a sample of each `N` bytes.
fn map<const N: usize>(line: &[u8], at: usize, table: &Table, out: &mut Vec<u8>) {
    out.extend(line.as_chunks::<N>().0.iter().map(|c| table[usize::from(c[at])]));
}

/// Appends a sample of each `N` bytes twice.
fn double<const N: usize>(line: &[u8], at: usize, table: &Table, out: &mut Vec<u8>) {
    let n = out.len();
    let samples = line.as_chunks::<N>().0;
    out.resize(n + 2 * samples.len(), 0);
    for (to, from) in out[n..].as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *to = [table[usize::from(from[at])]; 2];
    }
}

/// JFIF's BT.601 of a line of pixels, into slices of its width.
fn rgb(
    format: PixelFormat,
    line: &[u8],
    table: &Table,
    (luma, cb, cr): (&mut [u8], &mut [u8], &mut [u8]),
) {
    let planes = luma.iter_mut().zip(cb).zip(cr);
    let put = |((y, cb), cr): ((&mut u8, &mut u8), &mut u8), [r, g, b]: [u8; 3]| {
        let full = |v| table[usize::from(v)];
        (*y, *cb, *cr) = rgb_to_ycbcr(full(r), full(g), full(b));
    };
    match format {
        PixelFormat::Rgbp => {
            planes.zip(line.as_chunks().0).for_each(|(p, c)| put(p, rgb565(*c)));
        }
        PixelFormat::Bgr3 => {
            planes.zip(line.as_chunks().0).for_each(|(p, [b, g, r])| put(p, [*r, *g, *b]));
        }
        _ => planes.zip(line.as_chunks().0).for_each(|(p, c)| put(p, *c)),
    }
}

/// Five, six and five bits, widened so that all ones are 255.
fn rgb565(pixel: [u8; 2]) -> [u8; 3] {
    let bits = u16::from_le_bytes(pixel);
    let [r, g, b] = [bits >> 11, bits >> 5 & 0x3F, bits & 0x1F];
    #[allow(clippy::cast_possible_truncation, reason = "5 and 6 bits become 8")]
    [(r << 3 | r >> 2) as u8, (g << 2 | g >> 4) as u8, (b << 3 | b >> 2) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_is_widened_to_the_ends() {
        let Levels { luma, chroma } = &LIMITED;
        assert_eq!([0, 16, 126, 235, 255].map(|i| luma[i]), [0, 0, 128, 255, 255]);
        assert_eq!(
            [0, 16, 127, 128, 129, 240, 255].map(|i| chroma[i]),
            [0, 0, 127, 128, 129, 255, 255]
        );
        assert!(luma.is_sorted() && chroma.is_sorted());
        let same = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!((FULL.luma, FULL.chroma), (same, same));
    }

    #[test]
    fn rgb565_reaches_both_ends() {
        assert_eq!(rgb565([0xFF, 0xFF]), [255, 255, 255]);
        assert_eq!(rgb565([0, 0]), [0, 0, 0]);
        assert_eq!(rgb565([0x00, 0xF8]), [255, 0, 0]);
        assert_eq!(rgb565([0xE0, 0x07]), [0, 255, 0]);
        assert_eq!(rgb565([0x1F, 0x00]), [0, 0, 255]);
    }
}
