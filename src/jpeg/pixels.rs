//! The pixel formats that are encoded, and how V4L2 lays them out.
//!
//! Names, FourCCs and planes are those of the kernel's "Image Formats" pages. A
//! format whose planes lie in buffers of their own has another FourCC there, but the
//! same samples.

use std::fmt;

/// The formats that the encoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PixelFormat {
    Yuyv,
    Yvyu,
    Uyvy,
    Nv16,
    Nv61,
    Nv12,
    Nv21,
    Nv24,
    Nv42,
    /// 4:2:2, with Cb before Cr.
    Yu16,
    /// 4:2:2, with Cr before Cb.
    Yv16,
    Yu12,
    Yv12,
    /// 4:4:4, with Cb before Cr.
    Yu24,
    /// 4:4:4, with Cr before Cb.
    Yv24,
    Rgb3,
    Bgr3,
    /// RGB565, low byte first.
    Rgbp,
    Grey,
}

/// How many pixels of a line and how many lines share one sample of colour.
pub(super) type Sampling = (usize, usize);

/// Where a format keeps its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Two pixels in four bytes, with the offsets of Y (the second Y lies two
    /// bytes on), Cb and Cr.
    Packed { y: usize, cb: usize, cr: usize },
    /// A plane of Y, then one of pairs of colours, with the offsets of Cb and Cr
    /// in a pair.
    Pairs { cb: usize, cr: usize, sampling: Sampling },
    /// A plane of Y, then two of one colour each, with their order.
    Planes { cb: usize, cr: usize, sampling: Sampling },
    /// Bytes a pixel. The order of the colours depends on the format.
    Rgb { n_bytes: usize },
    /// A plane of Y.
    Luma,
}

impl PixelFormat {
    /// All formats in order of preference: the cheapest to encode without a loss of
    /// colour first.
    pub(crate) const ALL: [Self; 19] = [
        Self::Yuyv,
        Self::Uyvy,
        Self::Yvyu,
        Self::Nv16,
        Self::Nv61,
        Self::Yu16,
        Self::Yv16,
        Self::Nv12,
        Self::Nv21,
        Self::Yu12,
        Self::Yv12,
        Self::Nv24,
        Self::Nv42,
        Self::Yu24,
        Self::Yv24,
        Self::Rgb3,
        Self::Bgr3,
        Self::Rgbp,
        Self::Grey,
    ];

    /// The FourCC as text. Of a format that exists only with its planes in buffers of
    /// their own, it is that one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "YUYV",
            Self::Yvyu => "YVYU",
            Self::Uyvy => "UYVY",
            Self::Nv16 => "NV16",
            Self::Nv61 => "NV61",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::Nv24 => "NV24",
            Self::Nv42 => "NV42",
            // The kernel's name of this one has no letters of its planes.
            Self::Yu16 => "422P",
            Self::Yv16 => "YM61",
            Self::Yu12 => "YU12",
            Self::Yv12 => "YV12",
            Self::Yu24 => "YM24",
            Self::Yv24 => "YM42",
            Self::Rgb3 => "RGB3",
            Self::Bgr3 => "BGR3",
            Self::Rgbp => "RGBP",
            Self::Grey => "GREY",
        }
    }

    /// The FourCC of this format where each plane has a buffer of its own, if V4L2 has
    /// one.
    fn separate_name(self) -> Option<&'static str> {
        match self {
            Self::Nv16 => Some("NM16"),
            Self::Nv61 => Some("NM61"),
            Self::Nv12 => Some("NM12"),
            Self::Nv21 => Some("NM21"),
            Self::Yu16 => Some("YM16"),
            Self::Yu12 => Some("YM12"),
            Self::Yv12 => Some("YM21"),
            // Packed formats have one plane, and the kernel has no 4:4:4 of three planes in
            // one buffer.
            _ => None,
        }
    }

    /// The format with this FourCC, if the encoder accepts it.
    pub(crate) fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.fourccs().any(|known| known == fourcc))
    }

    /// The four bytes that V4L2 knows the format by, once or twice: in one buffer, and
    /// with its planes in buffers of their own.
    pub(crate) fn fourccs(self) -> impl Iterator<Item = [u8; 4]> {
        let names = [Some(self.name()), self.separate_name()];
        names.into_iter().flatten().filter_map(|name| name.as_bytes().first_chunk().copied())
    }

    pub(super) fn layout(self) -> Layout {
        const QUARTER: Sampling = (2, 2);
        const HALF: Sampling = (2, 1);
        const FULL: Sampling = (1, 1);
        match self {
            Self::Yuyv => Layout::Packed { y: 0, cb: 1, cr: 3 },
            Self::Yvyu => Layout::Packed { y: 0, cb: 3, cr: 1 },
            Self::Uyvy => Layout::Packed { y: 1, cb: 0, cr: 2 },
            Self::Nv12 => Layout::Pairs { cb: 0, cr: 1, sampling: QUARTER },
            Self::Nv21 => Layout::Pairs { cb: 1, cr: 0, sampling: QUARTER },
            Self::Nv16 => Layout::Pairs { cb: 0, cr: 1, sampling: HALF },
            Self::Nv61 => Layout::Pairs { cb: 1, cr: 0, sampling: HALF },
            Self::Nv24 => Layout::Pairs { cb: 0, cr: 1, sampling: FULL },
            Self::Nv42 => Layout::Pairs { cb: 1, cr: 0, sampling: FULL },
            Self::Yu12 => Layout::Planes { cb: 0, cr: 1, sampling: QUARTER },
            Self::Yv12 => Layout::Planes { cb: 1, cr: 0, sampling: QUARTER },
            Self::Yu16 => Layout::Planes { cb: 0, cr: 1, sampling: HALF },
            Self::Yv16 => Layout::Planes { cb: 1, cr: 0, sampling: HALF },
            Self::Yu24 => Layout::Planes { cb: 0, cr: 1, sampling: FULL },
            Self::Yv24 => Layout::Planes { cb: 1, cr: 0, sampling: FULL },
            Self::Rgb3 | Self::Bgr3 => Layout::Rgb { n_bytes: 3 },
            Self::Rgbp => Layout::Rgb { n_bytes: 2 },
            Self::Grey => Layout::Luma,
        }
    }

    pub(super) fn sampling(self) -> Sampling {
        match self.layout() {
            Layout::Packed { .. } => (2, 1),
            Layout::Pairs { sampling, .. } | Layout::Planes { sampling, .. } => sampling,
            Layout::Rgb { .. } | Layout::Luma => (1, 1),
        }
    }

    pub(super) fn n_planes(self) -> usize {
        match self.layout() {
            Layout::Packed { .. } | Layout::Rgb { .. } | Layout::Luma => 1,
            Layout::Pairs { .. } => 2,
            Layout::Planes { .. } => 3,
        }
    }

    /// The bytes of a line of the first plane without padding.
    pub(crate) fn line_len(self, width: usize) -> usize {
        self.line_len_of(0, width)
    }

    /// The bytes of a line of a plane without padding.
    pub(super) fn line_len_of(self, plane: usize, width: usize) -> usize {
        let (across, _) = self.sampling();
        match self.layout() {
            Layout::Packed { .. } => width * 2,
            Layout::Rgb { n_bytes } => width * n_bytes,
            // Odd widths were refused before, so that nothing is lost by the division.
            Layout::Pairs { .. } if plane > 0 => width / across * 2,
            Layout::Planes { .. } if plane > 0 => width / across,
            Layout::Pairs { .. } | Layout::Planes { .. } | Layout::Luma => width,
        }
    }

    /// The lines of a plane.
    pub(super) fn n_lines_of(self, plane: usize, height: usize) -> usize {
        let (_, down) = self.sampling();
        // The last line of an odd height has colour of its own.
        if plane == 0 { height } else { height.div_ceil(down) }
    }

    /// The bytes from line to line of a plane, where all planes lie in one buffer: what
    /// the kernel derives from the stride of the first plane, which is a driver's and
    /// may be huge.
    pub(super) fn stride_of(self, plane: usize, stride: usize) -> usize {
        let (across, _) = self.sampling();
        match self.layout() {
            // Two bytes for `across` pixels, padded as the first plane is.
            Layout::Pairs { .. } if plane > 0 => stride.saturating_mul(2) / across,
            Layout::Planes { .. } if plane > 0 => stride / across,
            _ => stride,
        }
    }

    /// The fewest bytes that hold such a picture: the padding of the very
    /// last line may be missing. The sizes must have been checked.
    pub(crate) fn min_len(self, width: usize, height: usize, stride: usize) -> usize {
        let last = self.n_planes() - 1;
        // Whole planes up to the last one, whose end some drivers cut off.
        let whole =
            (0..last).map(|i| self.stride_of(i, stride).saturating_mul(self.n_lines_of(i, height)));
        whole.fold(
            self.min_len_of(last, (width, height), self.stride_of(last, stride)),
            usize::saturating_add,
        )
    }

    /// The fewest bytes that hold one plane.
    pub(super) fn min_len_of(
        self,
        plane: usize,
        (width, height): (usize, usize),
        stride: usize,
    ) -> usize {
        let n_lines = self.n_lines_of(plane, height);
        stride.saturating_mul(n_lines - 1).saturating_add(self.line_len_of(plane, width))
    }

    /// Whether one sample of colour stands for two pixels of a line.
    pub(super) fn pairs_columns(self) -> bool {
        self.sampling().0 == 2
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_fourcc() {
        for format in PixelFormat::ALL {
            for fourcc in format.fourccs() {
                assert_eq!(PixelFormat::from_fourcc(fourcc), Some(format));
            }
        }
        assert_eq!(PixelFormat::from_fourcc(*b"NM12"), Some(PixelFormat::Nv12));
        assert_eq!(PixelFormat::from_fourcc(*b"MJPG"), None);
    }
}
