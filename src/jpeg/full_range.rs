//! Copies a raw picture for an encoder that takes full range only, as a JPEG's
//! samples are: hardware takes what it gets, and white would become grey.

use mjpegd_jpeg_codec::Range;

use super::pixels::Layout;
use super::raw::Raw;

/// A sample of full range for each of limited range.
type Table = [u8; 256];

static LUMA: Table = table(16, 219);
static COLOUR: Table = table(128, 224);

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "samples have 8 bits, and `From` is not const"
)]
const fn table(zero: i32, levels: i32) -> Table {
    let mut table = [0; 256];
    let mut i = 0;
    while i < table.len() {
        let origin = if zero == 128 { 128 } else { 0 };
        // Rounded to the nearest, on both sides of zero.
        let doubled = (i as i32 - zero) * 510 / levels;
        let sample = origin + (doubled + if doubled < 0 { -1 } else { 1 }) / 2;
        table[i] = if sample < 0 {
            0
        } else if sample > 255 {
            255
        } else {
            sample as u8
        };
        i += 1;
    }
    table
}

/// Where the copy goes: the buffers of an encoder.
pub(crate) struct Place<'a> {
    /// One for all planes, or one each.
    pub(crate) buffers: Vec<&'a mut [u8]>,
    /// Bytes from line to line of the first plane in each buffer.
    pub(crate) strides: Vec<usize>,
    /// Lines that there is room for. Those below the picture repeat its last one, so
    /// that no edge is coded there.
    pub(crate) height: usize,
}

/// Copies a picture in full range. `None`: the place is too small for it.
pub(crate) fn copy(raw: &Raw<'_>, place: &mut Place<'_>) -> Option<()> {
    let format = raw.format();
    let (width, height) = (usize::from(raw.width()), usize::from(raw.height()));
    let is_one = place.buffers.len() == 1;
    let mut start = 0;
    for plane in 0..format.n_planes() {
        let (buffer, stride) = if is_one {
            (place.buffers.first_mut()?, format.stride_of(plane, *place.strides.first()?))
        } else {
            (place.buffers.get_mut(plane)?, *place.strides.get(plane)?)
        };
        let tables = tables(raw, plane);
        let len = format.line_len_of(plane, width);
        let n_lines = format.n_lines_of(plane, place.height);
        let last = format.n_lines_of(plane, height).checked_sub(1)?;
        for y in 0..n_lines {
            let to = buffer.get_mut(start + y * stride..)?.get_mut(..len)?;
            copy_line(raw.line_of(plane, y.min(last)), to, tables);
        }
        start += if is_one { n_lines * stride } else { 0 };
    }
    Some(())
}

/// For the first byte of each pair in a line, and for the second.
fn tables(raw: &Raw<'_>, plane: usize) -> Option<[&'static Table; 2]> {
    if raw.range() == Range::Full {
        return None;
    }
    match raw.format().layout() {
        Layout::Rgb { .. } => None,
        Layout::Packed { y: 0, .. } => Some([&LUMA, &COLOUR]),
        Layout::Packed { .. } => Some([&COLOUR, &LUMA]),
        _ if plane > 0 => Some([&COLOUR; 2]),
        _ => Some([&LUMA; 2]),
    }
}

fn copy_line(from: &[u8], to: &mut [u8], tables: Option<[&Table; 2]>) {
    let Some([even, odd]) = tables else { return to.copy_from_slice(from) };
    for (to, from) in to.chunks_mut(2).zip(from.chunks(2)) {
        for ((to, from), table) in to.iter_mut().zip(from).zip([even, odd]) {
            *to = table[usize::from(*from)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::{PixelFormat, Plane};

    #[test]
    fn limited_range_becomes_full_range() {
        let ends = [LUMA[16], LUMA[235], LUMA[0], LUMA[255], LUMA[126]];
        assert_eq!(ends, [0, 255, 0, 255, 128]);
        assert_eq!([COLOUR[16], COLOUR[128], COLOUR[240]], [0, 128, 255]);
        for (format, limited, full) in [
            (PixelFormat::Yuyv, [235, 240, 16, 16], [255, 255, 0, 0]),
            (PixelFormat::Uyvy, [240, 235, 16, 16], [255, 255, 0, 0]),
        ] {
            let raw = Raw::new(format, (2, 1), 4, Range::Limited, &limited).unwrap();
            let mut bytes = [9; 5];
            let mut place = Place { buffers: vec![&mut bytes], strides: vec![4], height: 1 };
            copy(&raw, &mut place).unwrap();
            assert_eq!((&bytes[..4], bytes[4]), (&full[..], 9));
        }
    }

    #[test]
    fn planes_lie_as_the_encoder_wants_them_and_the_last_line_is_repeated() {
        let (luma, colours) = ([1, 2, 3, 4, 5, 6], [7, 8, 9, 10]);
        let planes =
            [(2, &luma[..]), (2, &colours[..])].map(|(stride, data)| Plane { stride, data });
        let raw = Raw::of_planes(PixelFormat::Nv12, (2, 3), Range::Full, &planes).unwrap();
        let mut one = [0; 18];
        let mut place = Place { buffers: vec![&mut one], strides: vec![3], height: 4 };
        copy(&raw, &mut place).unwrap();
        assert_eq!(one, [1, 2, 0, 3, 4, 0, 5, 6, 0, 5, 6, 0, 7, 8, 0, 9, 10, 0]);
        let (mut a, mut b) = ([0; 8], [0; 4]);
        let mut place = Place { buffers: vec![&mut a, &mut b], strides: vec![2, 2], height: 4 };
        copy(&raw, &mut place).unwrap();
        assert_eq!((a, b), ([1, 2, 3, 4, 5, 6, 5, 6], [7, 8, 9, 10]));
        let mut place = Place { buffers: vec![&mut a], strides: vec![2], height: 4 };
        assert!(copy(&raw, &mut place).is_none());
    }
}
