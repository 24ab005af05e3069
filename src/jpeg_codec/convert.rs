//! Converts lines of pixels to samples: knows which byte of a line is which component.

use crate::samples::{Line, Order, Range};

/// The kind of a sample, which decides its range.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Luma,
    Chroma,
}

/// The functions of a level of SIMD for pixels that lie in a row.
pub(crate) struct Kernels<Split, Rgb, Rgb565, Widen> {
    /// Every first byte of two, and every second.
    pub(crate) split: Split,
    /// Y, Cb and Cr of red, green and blue, or of the reverse.
    pub(crate) rgb: Rgb,
    /// Y, Cb and Cr of five, six and five bits.
    pub(crate) rgb565: Rgb565,
    /// Limited range widened to full range.
    pub(crate) widen: Widen,
}

/// How many pixels a conversion in two steps takes at once: few enough to stay in the
/// first-level cache.
const N_AT_ONCE: usize = 128;

/// Writes the samples of a line to the planes of its components, as many as fit, and
/// widens them to full range.
#[inline(always)]
pub(crate) fn convert(
    of: Line<'_>,
    range: Range,
    mut planes: [&mut [u8]; 3],
    kernels: &Kernels<
        impl Fn(&[[u8; 2]], &mut [u8], &mut [u8]),
        impl Fn(&[[u8; 3]], bool, Range, [&mut [u8]; 3]),
        impl Fn(&[[u8; 2]], Range, [&mut [u8]; 3]),
        impl Fn(&mut [u8], Kind),
    >,
) {
    let [y, cb, cr] = planes.each_mut().map(|plane| &mut **plane);
    let in_order = |order, cb, cr| if order == Order::CbCr { (cb, cr) } else { (cr, cb) };
    match of {
        Line::LumaFirst(line, order) | Line::ColourFirst(line, order) => {
            let (one, other) = in_order(order, cb, cr);
            let is_luma_first = matches!(of, Line::LumaFirst(..));
            packed(line, is_luma_first, [y, one, other], &kernels.split);
        }
        Line::Luma(line) => copy(line, y),
        Line::Cb(line) => copy(line, cb),
        Line::Cr(line) => copy(line, cr),
        Line::Colours(line, order) => {
            let (one, other) = in_order(order, cb, cr);
            (kernels.split)(line.as_chunks().0, one, other);
        }
        Line::Rgb(line) => return (kernels.rgb)(line.as_chunks().0, false, range, [y, cb, cr]),
        Line::Bgr(line) => return (kernels.rgb)(line.as_chunks().0, true, range, [y, cb, cr]),
        Line::Rgb565(line) => return (kernels.rgb565)(line.as_chunks().0, range, [y, cb, cr]),
    }
    // A second pass over samples in the first-level cache is cheap, and saves a kernel
    // for each range.
    if range == Range::Limited {
        for component in of.components() {
            let kind = if component == 0 { Kind::Luma } else { Kind::Chroma };
            (kernels.widen)(planes[component], kind);
        }
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
}

/// Splits lines with two pixels in four bytes.
///
/// It splits pairs of bytes twice, since baseline SIMD has instructions for pairs but not
/// for groups of four.
#[inline(always)]
fn packed(
    line: &[u8],
    is_luma_first: bool,
    [y, one, other]: [&mut [u8]; 3],
    split: impl Fn(&[[u8; 2]], &mut [u8], &mut [u8]),
) {
    const HALF: usize = N_AT_ONCE / 2;
    let mut colours = [[0; 2]; HALF];
    let planes = y.chunks_mut(N_AT_ONCE).zip(one.chunks_mut(HALF)).zip(other.chunks_mut(HALF));
    for (((y, one), other), line) in planes.zip(line.as_chunks().0.chunks(N_AT_ONCE)) {
        if is_luma_first {
            split(line, y, colours.as_flattened_mut());
        } else {
            split(line, colours.as_flattened_mut(), y);
        }
        split(&colours, one, other);
    }
}
