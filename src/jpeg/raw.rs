//! A raw picture in a borrowed buffer. Its size is checked once, so that no later read
//! is outside of the buffer.

use std::fmt;

pub(crate) use mjpegd_jpeg_codec::Range;

use super::pixels::{Layout, PixelFormat};

/// The longest side of a picture: a JPEG has 16 bits for it.
const MAX_SIDE: usize = u16::MAX as usize;

/// Why a buffer is not a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawError {
    Size { width: usize, height: usize },
    OddWidth { format: PixelFormat, width: usize },
    Stride { stride: usize, needed: usize },
    OddStride { format: PixelFormat, stride: usize },
    TooShort { len: usize, needed: usize },
}

impl fmt::Display for RawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Size { width, height } => {
                write!(f, "a picture of {width}x{height}, where 1x1 to {MAX_SIDE}x{MAX_SIDE} fits")
            }
            Self::OddWidth { format, width } => {
                write!(f, "{format} with {width} columns, where an even number is needed")
            }
            Self::Stride { stride, needed } => {
                write!(f, "lines of {stride} bytes, where {needed} are needed")
            }
            Self::OddStride { format, stride } => {
                write!(f, "{format} in lines of {stride} bytes, where an even number is needed")
            }
            Self::TooShort { len, needed } => {
                write!(f, "a picture of {len} bytes, where {needed} are needed")
            }
        }
    }
}

impl std::error::Error for RawError {}

/// A raw picture in a borrowed buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    format: PixelFormat,
    width: u16,
    height: u16,
    stride: usize,
    range: Range,
    data: &'a [u8],
}

impl<'a> Raw<'a> {
    /// A picture in `data`. `stride` is the number of bytes from line to line of the
    /// first plane (V4L2's bytesperline). The other planes follow directly: a plane of
    /// colour pairs has the same stride, a plane of one colour has half of it.
    ///
    /// # Errors
    /// The size, the stride or the buffer do not fit each other.
    pub(crate) fn new(
        format: PixelFormat,
        (width, height): (usize, usize),
        stride: usize,
        range: Range,
        data: &'a [u8],
    ) -> Result<Self, RawError> {
        let (Ok(w), Ok(h)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(RawError::Size { width, height });
        };
        // Not for a JPEG, where 0 lines mean that a DNL marker follows (T.81 B.2.5), which
        // no browser reads.
        if w == 0 || h == 0 {
            return Err(RawError::Size { width, height });
        }
        // Half of a colour sample would have to be guessed. Cameras offer even widths in
        // these formats.
        if format.pairs_columns() && !width.is_multiple_of(2) {
            return Err(RawError::OddWidth { format, width });
        }
        let needed = format.line_len(width);
        if stride < needed {
            return Err(RawError::Stride { stride, needed });
        }
        // The planes of colour have half the stride, which must be a whole number of bytes.
        if matches!(format.layout(), Layout::Planes { .. }) && !stride.is_multiple_of(2) {
            return Err(RawError::OddStride { format, stride });
        }
        // Last, as it needs sizes that fit. From here on every line lies inside of the
        // buffer.
        let needed = format.min_len(width, height, stride);
        if data.len() < needed {
            return Err(RawError::TooShort { len: data.len(), needed });
        }
        Ok(Self { format, width: w, height: h, stride, range, data })
    }

    pub(crate) fn format(&self) -> PixelFormat {
        self.format
    }

    pub(crate) fn width(&self) -> u16 {
        self.width
    }

    pub(crate) fn height(&self) -> u16 {
        self.height
    }

    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// One line of the first plane.
    pub(super) fn line(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.format.line_len(usize::from(self.width))]
    }

    /// The line of colour pairs that belongs to line `y`.
    pub(super) fn line_of_pairs(&self, y: usize) -> &'a [u8] {
        let at = (usize::from(self.height) + y / 2) * self.stride;
        &self.data[at..][..usize::from(self.width)]
    }

    /// The line of one of the two planes of colour that belongs to line `y`.
    pub(super) fn line_of_plane(&self, plane: usize, y: usize) -> &'a [u8] {
        let n_rows = usize::from(self.height).div_ceil(2);
        let stride = self.stride / 2;
        let at = usize::from(self.height) * self.stride + (plane * n_rows + y / 2) * stride;
        &self.data[at..][..usize::from(self.width) / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(format: PixelFormat, width: usize, height: usize, stride: usize) -> usize {
        let fault = Raw::new(format, (width, height), stride, Range::Full, &[]).unwrap_err();
        let RawError::TooShort { needed, .. } = fault else { panic!("{fault}") };
        needed
    }

    #[test]
    fn planes_follow_the_rules_of_v4l2() {
        assert_eq!(needed(PixelFormat::Yuyv, 640, 480, 1280), 640 * 480 * 2);
        assert_eq!(needed(PixelFormat::Nv12, 640, 480, 640), 640 * 480 * 3 / 2);
        assert_eq!(needed(PixelFormat::Yu12, 640, 480, 640), 640 * 480 * 3 / 2);
        assert_eq!(needed(PixelFormat::Rgb3, 640, 480, 1920), 640 * 480 * 3);
        assert_eq!(needed(PixelFormat::Rgbp, 640, 480, 1280), 640 * 480 * 2);
        assert_eq!(needed(PixelFormat::Grey, 640, 480, 640), 640 * 480);
        // An odd height has a line of colour for its last row alone; the
        // last line needs no padding.
        assert_eq!(needed(PixelFormat::Nv12, 50, 37, 64), 64 * (37 + 18) + 50);
        assert_eq!(needed(PixelFormat::Yv12, 50, 37, 64), 64 * 37 + 32 * (19 + 18) + 25);
        assert_eq!(needed(PixelFormat::Grey, 50, 37, 64), 64 * 36 + 50);
    }

    #[test]
    fn error_names_what_does_not_fit() {
        let new = |format, width, height, stride, len| {
            let data = vec![0; len];
            Raw::new(format, (width, height), stride, Range::Full, &data).unwrap_err().to_string()
        };
        let (yuyv, yu12) = (PixelFormat::Yuyv, PixelFormat::Yu12);
        assert_eq!(new(yuyv, 0, 480, 0, 0), "a picture of 0x480, where 1x1 to 65535x65535 fits");
        assert!(new(yuyv, 65536, 1, 131_072, 0).starts_with("a picture of 65536x1"));
        assert_eq!(
            new(yuyv, 51, 1, 102, 102),
            "YUYV with 51 columns, where an even number is needed"
        );
        assert_eq!(new(yuyv, 50, 1, 99, 99), "lines of 99 bytes, where 100 are needed");
        assert_eq!(
            new(yu12, 50, 2, 51, 999),
            "YU12 in lines of 51 bytes, where an even number is needed"
        );
        assert_eq!(new(yuyv, 50, 2, 100, 199), "a picture of 199 bytes, where 200 are needed");
        assert!(new(yuyv, 50, 65535, usize::MAX, 199).contains("where 18446744073709551615 are"));
    }

    #[test]
    fn a_buffer_that_just_fits_is_read_to_its_end_and_no_further() {
        for format in PixelFormat::ALL {
            for (width, height, pad) in [(2, 1, 0), (2, 2, 6), (50, 37, 14), (16, 16, 0)] {
                let stride = format.line_len(width) + pad;
                let data = vec![0; format.min_len(width, height, stride)];
                let raw = Raw::new(format, (width, height), stride, Range::Full, &data).unwrap();
                for y in 0..height {
                    raw.line(y);
                    match format.layout() {
                        Layout::Pairs { .. } => {
                            raw.line_of_pairs(y);
                        }
                        Layout::Planes { .. } => {
                            raw.line_of_plane(0, y);
                            raw.line_of_plane(1, y);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}
