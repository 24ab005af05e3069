//! Splits the pixels of cameras into planes of Y, Cb and Cr with full range.

use std::ops;

use crate::simd::Simd;
use crate::tables::{MAX_COMPONENTS, Tables};

/// Samples of two blocks side by side.
pub(crate) const PAIR_WIDTH: usize = 16;

/// Which levels stand for black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 16 to 235, and 16 to 240 for colour differences (BT.601, BT.709).
    Limited,
    /// 0 to 255, as JFIF has it.
    Full,
}

/// Which of two colours comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Cb, as in YUYV, UYVY and NV12.
    CbCr,
    /// Cr, as in YVYU and NV21.
    CrCb,
}

/// A line of pixels, or of a plane of them.
#[derive(Clone, Copy, Debug)]
pub enum Line<'a> {
    /// Y, a colour, Y, the other colour.
    LumaFirst(&'a [u8], Order),
    /// A colour, Y, the other colour, Y.
    ColourFirst(&'a [u8], Order),
    /// Y alone.
    Luma(&'a [u8]),
    /// The two colours in turn.
    Colours(&'a [u8], Order),
    /// Cb alone.
    Cb(&'a [u8]),
    /// Cr alone.
    Cr(&'a [u8]),
    /// Red, green, blue.
    Rgb(&'a [u8]),
    /// Blue, green, red.
    Bgr(&'a [u8]),
    /// Five, six and five bits, the low byte first.
    Rgb565(&'a [u8]),
}

/// The samples of one row of MCUs, each component with its own sampling.
#[derive(Debug, Default)]
pub struct McuRow {
    planes: [Plane; MAX_COMPONENTS],
    n_mcus: usize,
}

#[derive(Debug, Default)]
struct Plane {
    samples: Vec<u8>,
    width: usize,
    /// A multiple of twice an MCU's width, because MCUs are transformed in pairs.
    stride: usize,
}

impl McuRow {
    /// Makes room for a row of a picture with `width` columns. Reuses the memory.
    pub fn set_width(&mut self, tables: &Tables, width: usize) {
        let (across, down) = tables.luma;
        self.n_mcus = width.div_ceil(8 * across);
        for (i, plane) in self.planes.iter_mut().enumerate() {
            let (across, down, width) = match i {
                0 => (across, down, width),
                _ if i < tables.n_components => (1, 1, width.div_ceil(across)),
                _ => (0, 0, 0),
            };
            plane.width = width;
            plane.stride = self.n_mcus.next_multiple_of(2) * across * 8;
            plane.samples.resize(plane.stride * down * 8, 0);
        }
    }

    /// Stores `line` as line `y` of its components, and repeats its last sample to the
    /// end of the last MCU. Ignores lines below the row and pixels beyond the width.
    pub fn set_line(&mut self, simd: Simd, y: usize, line: Line<'_>, range: Range) {
        simd.line(line, range, self.planes.each_mut().map(|plane| plane.line(y)));
        for plane in &mut self.planes[line.components()] {
            plane.extend(y);
        }
    }

    pub(crate) fn n_mcus(&self) -> usize {
        self.n_mcus
    }

    /// Samples and stride of a component.
    #[inline(always)]
    pub(crate) fn plane(&self, component: usize) -> (&[u8], usize) {
        let plane = &self.planes[component];
        (&plane.samples, plane.stride)
    }
}

impl McuRow {
    /// Samples and stride of a component, to fill.
    pub(crate) fn plane_mut(&mut self, component: usize) -> (&mut [u8], usize) {
        let plane = &mut self.planes[component];
        (&mut plane.samples, plane.stride)
    }
}

impl Line<'_> {
    pub(crate) fn components(self) -> ops::Range<usize> {
        match self {
            Line::Luma(_) => 0..1,
            Line::Cb(_) => 1..2,
            Line::Cr(_) => 2..3,
            Line::Colours(..) => 1..3,
            _ => 0..3,
        }
    }
}

impl Plane {
    fn line(&mut self, y: usize) -> &mut [u8] {
        let start = y * self.stride;
        self.samples.get_mut(start..start + self.width).unwrap_or_default()
    }

    fn extend(&mut self, y: usize) {
        let start = y * self.stride;
        if let Some(line) = self.samples.get_mut(start..start + self.stride)
            && let Some((inside, outside)) = line.split_at_mut_checked(self.width)
            && let Some(last) = inside.last()
        {
            outside.fill(*last);
        }
    }
}
