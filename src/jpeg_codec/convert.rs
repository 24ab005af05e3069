//! Lines of pixels to samples: which bytes of a line are what.

use crate::samples::{Line, Order, Range};

/// What a sample is of.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Luma,
    Chroma,
}

/// What a level of SIMD makes of pixels that lie one behind the other.
pub(crate) struct Kernels<Split, Rgb, Rgb565, Widen> {
    /// Every first byte of two, and every second.
    pub(crate) split: Split,
    /// Y, Cb and Cr of red, green and blue, or of the reverse.
    pub(crate) rgb: Rgb,
    /// Y, Cb and Cr of five, six and five bits.
    pub(crate) rgb565: Rgb565,
    /// Limited range made full.
    pub(crate) widen: Widen,
}

/// Pixels that are converted at once where they take two steps: few enough to
/// stay in the first cache.
const N_AT_ONCE: usize = 128;

/// Writes the samples of a line to those of Y, Cb and Cr that it has, as many
/// as fit, in the range that they have.
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
    // A second look at samples that are in the first cache costs less than
    // kernels for both ranges.
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

/// Two pixels in four bytes.
///
/// To take pairs apart twice is faster than to take fours apart: baseline
/// instructions can do nothing but the first.
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
