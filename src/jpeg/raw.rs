//! A raw picture in borrowed buffers. Its size is checked once, so that no later read
//! is outside of them.

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
    Planes { format: PixelFormat, n: usize },
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
            Self::Planes { format, n } => {
                write!(f, "{format} in {n} buffers, where {} are needed", format.n_planes())
            }
        }
    }
}

impl std::error::Error for RawError {}

/// The most planes that a format has.
pub(crate) const MAX_PLANES: usize = 3;

/// Lines of samples in a borrowed buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plane<'a> {
    /// The bytes from line to line.
    pub(crate) stride: usize,
    pub(crate) data: &'a [u8],
}

/// A raw picture in borrowed buffers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    format: PixelFormat,
    width: u16,
    height: u16,
    range: Range,
    planes: [Plane<'a>; MAX_PLANES],
}

impl<'a> Raw<'a> {
    /// A picture in `data`. `stride` is the number of bytes from line to line of the
    /// first plane (V4L2's bytesperline). The other planes follow directly: with 4:2:0
    /// and 4:2:2, a plane of colour pairs has the same stride, a plane of one colour has
    /// half of it.
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
        let mut raw = Self::without_planes(format, (width, height), range)?;
        let needed = format.line_len(width);
        if stride < needed {
            return Err(RawError::Stride { stride, needed });
        }
        // The planes of colour then have half the stride, which must be a whole number.
        let is_halved = matches!(format.layout(), Layout::Planes { .. }) && format.pairs_columns();
        if is_halved && !stride.is_multiple_of(2) {
            return Err(RawError::OddStride { format, stride });
        }
        // Last, as it needs sizes that fit. From here on every line lies inside of the
        // buffer.
        let needed = format.min_len(width, height, stride);
        if data.len() < needed {
            return Err(RawError::TooShort { len: data.len(), needed });
        }
        let mut rest = data;
        for (i, plane) in raw.planes.iter_mut().take(format.n_planes()).enumerate() {
            let stride = format.stride_of(i, stride);
            *plane = Plane { stride, data: rest };
            // The last plane has all that is left; its last line may lack its padding.
            let len = stride * format.n_lines_of(i, height);
            rest = rest.get(len..).unwrap_or_default();
        }
        Ok(raw)
    }

    /// A picture whose planes lie in buffers of their own, each with its own stride.
    ///
    /// # Errors
    /// As [`Raw::new`], and if the format has another number of planes.
    pub(crate) fn of_planes(
        format: PixelFormat,
        (width, height): (usize, usize),
        range: Range,
        planes: &[Plane<'a>],
    ) -> Result<Self, RawError> {
        let mut raw = Self::without_planes(format, (width, height), range)?;
        if planes.len() != format.n_planes() {
            return Err(RawError::Planes { format, n: planes.len() });
        }
        for (i, plane) in planes.iter().enumerate() {
            let needed = format.line_len_of(i, width);
            if plane.stride < needed {
                return Err(RawError::Stride { stride: plane.stride, needed });
            }
            let needed = format.min_len_of(i, (width, height), plane.stride);
            if plane.data.len() < needed {
                return Err(RawError::TooShort { len: plane.data.len(), needed });
            }
            raw.planes[i] = *plane;
        }
        Ok(raw)
    }

    /// A picture of this size, which is checked, and still without its samples.
    fn without_planes(
        format: PixelFormat,
        (width, height): (usize, usize),
        range: Range,
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
        let planes = [Plane::default(); MAX_PLANES];
        Ok(Self { format, width: w, height: h, range, planes })
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
        self.line_of(0, y)
    }

    /// The line of a plane of colours that belongs to line `y` of the picture.
    pub(super) fn line_of_colours(&self, plane: usize, y: usize) -> &'a [u8] {
        let (_, down) = self.format.sampling();
        self.line_of(plane, y / down)
    }

    /// One line of a plane.
    pub(super) fn line_of(&self, plane: usize, line: usize) -> &'a [u8] {
        let Plane { stride, data } = self.planes[plane];
        &data[line * stride..][..self.format.line_len_of(plane, usize::from(self.width))]
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
        let most = format!("where {} are needed", usize::MAX);
        assert!(new(yuyv, 50, 65535, usize::MAX, 199).contains(&most));
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
                    for plane in 1..format.n_planes() {
                        raw.line_of_colours(plane, y);
                    }
                }
            }
        }
    }

    /// Each plane of a picture in a buffer of its own, with padding of its own.
    fn apart(format: PixelFormat, (width, height): (usize, usize)) -> Vec<(usize, Vec<u8>)> {
        let plane = |i| {
            let stride = format.line_len_of(i, width) + 6 * (i + 1);
            let len = format.min_len_of(i, (width, height), stride);
            (stride, (0..len).map(|at| (at * (i + 3)).to_le_bytes()[0]).collect())
        };
        (0..format.n_planes()).map(plane).collect()
    }

    #[test]
    fn planes_in_buffers_of_their_own_are_read_to_their_ends() {
        for format in PixelFormat::ALL {
            let size = (50, 37);
            let buffers = apart(format, size);
            let planes: Vec<_> =
                buffers.iter().map(|(stride, data)| Plane { stride: *stride, data }).collect();
            let raw = Raw::of_planes(format, size, Range::Full, &planes).unwrap();
            for y in 0..size.1 {
                assert_eq!(raw.line(y).as_ptr(), planes[0].data[y * planes[0].stride..].as_ptr());
                for (i, plane) in planes.iter().enumerate().skip(1) {
                    let at = y * format.n_lines_of(i, 2) / 2 * plane.stride;
                    assert_eq!(raw.line_of_colours(i, y).as_ptr(), plane.data[at..].as_ptr());
                }
            }
            for i in 0..planes.len() {
                let mut short = planes.clone();
                short[i].data = &short[i].data[1..];
                let fault = Raw::of_planes(format, size, Range::Full, &short).unwrap_err();
                assert!(matches!(fault, RawError::TooShort { .. }), "{format}: {fault}");
            }
            let fault = Raw::of_planes(format, size, Range::Full, &planes[1..]).unwrap_err();
            assert!(fault.to_string().contains("buffers, where"), "{fault}");
        }
    }
}
