//! The pixel formats that are encoded, and how V4L2 lays them out.
//!
//! Names, FourCCs and planes are those of the kernel's "Image Formats" pages
//! for the single-planar API.

use std::fmt;

/// The formats that the encoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PixelFormat {
    Yuyv,
    Yvyu,
    Uyvy,
    Nv12,
    Nv21,
    Yu12,
    Yv12,
    Rgb3,
    Bgr3,
    /// RGB565, low byte first.
    Rgbp,
    Grey,
}

/// Where a format keeps its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Two pixels in four bytes, with the offsets of Y (the second Y lies two
    /// bytes on), Cb and Cr.
    Packed { y: usize, cb: usize, cr: usize },
    /// A plane of Y, then one of pairs for each 2x2 pixels, with the offsets
    /// of Cb and Cr in a pair.
    Pairs { cb: usize, cr: usize },
    /// A plane of Y, then two of a quarter of its size, with their order.
    Planes { cb: usize, cr: usize },
    /// Bytes a pixel. The order of the colours depends on the format.
    Rgb { n_bytes: usize },
    /// A plane of Y.
    Luma,
}

impl PixelFormat {
    /// All formats in order of preference: the cheapest to encode without a loss of
    /// colour first.
    pub(crate) const ALL: [Self; 11] = [
        Self::Yuyv,
        Self::Uyvy,
        Self::Yvyu,
        Self::Nv12,
        Self::Nv21,
        Self::Yu12,
        Self::Yv12,
        Self::Rgb3,
        Self::Bgr3,
        Self::Rgbp,
        Self::Grey,
    ];

    /// The kernel's name, which is also the FourCC.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "YUYV",
            Self::Yvyu => "YVYU",
            Self::Uyvy => "UYVY",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::Yu12 => "YU12",
            Self::Yv12 => "YV12",
            Self::Rgb3 => "RGB3",
            Self::Bgr3 => "BGR3",
            Self::Rgbp => "RGBP",
            Self::Grey => "GREY",
        }
    }

    /// The format with this FourCC, if the encoder accepts it.
    pub(crate) fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.fourcc() == fourcc)
    }

    /// The four bytes that V4L2 knows the format by.
    pub(crate) fn fourcc(self) -> [u8; 4] {
        let mut fourcc = [0; 4];
        fourcc.copy_from_slice(self.name().as_bytes());
        fourcc
    }

    pub(super) fn layout(self) -> Layout {
        match self {
            Self::Yuyv => Layout::Packed { y: 0, cb: 1, cr: 3 },
            Self::Yvyu => Layout::Packed { y: 0, cb: 3, cr: 1 },
            Self::Uyvy => Layout::Packed { y: 1, cb: 0, cr: 2 },
            Self::Nv12 => Layout::Pairs { cb: 0, cr: 1 },
            Self::Nv21 => Layout::Pairs { cb: 1, cr: 0 },
            Self::Yu12 => Layout::Planes { cb: 0, cr: 1 },
            Self::Yv12 => Layout::Planes { cb: 1, cr: 0 },
            Self::Rgb3 | Self::Bgr3 => Layout::Rgb { n_bytes: 3 },
            Self::Rgbp => Layout::Rgb { n_bytes: 2 },
            Self::Grey => Layout::Luma,
        }
    }

    /// The bytes of a line of the first plane without padding.
    pub(crate) fn line_len(self, width: usize) -> usize {
        match self.layout() {
            Layout::Packed { .. } => width * 2,
            Layout::Pairs { .. } | Layout::Planes { .. } | Layout::Luma => width,
            Layout::Rgb { n_bytes } => width * n_bytes,
        }
    }

    /// The fewest bytes that hold such a picture: the padding of the very
    /// last line may be missing. The sizes must have been checked.
    pub(crate) fn min_len(self, width: usize, height: usize, stride: usize) -> usize {
        // The last line of an odd height has colour of its own.
        let n_chroma_rows = height.div_ceil(2);
        let (n_rows, n_half_rows, last) = match self.layout() {
            Layout::Pairs { .. } => (height + n_chroma_rows - 1, 0, width),
            Layout::Planes { .. } => (height, 2 * n_chroma_rows - 1, width / 2),
            _ => (height - 1, 0, self.line_len(width)),
        };
        // The stride comes from the driver: a huge one must not overflow.
        let half_rows = (stride / 2).saturating_mul(n_half_rows);
        stride.saturating_mul(n_rows).saturating_add(half_rows).saturating_add(last)
    }

    /// Whether one sample of colour stands for two pixels of a line.
    pub(super) fn pairs_columns(self) -> bool {
        !matches!(self.layout(), Layout::Rgb { .. } | Layout::Luma)
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
            assert_eq!(PixelFormat::from_fourcc(format.fourcc()), Some(format));
        }
        assert_eq!(PixelFormat::from_fourcc(*b"MJPG"), None);
    }
}
