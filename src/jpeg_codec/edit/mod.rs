//! Changes pictures by their coefficients.

mod header;
mod idct;
mod orientation;
mod placement;
mod requantize;
mod shrink;
mod stamp;
mod transcoder;
mod write;

pub use orientation::Orientation;
pub use stamp::Stamp;
pub use transcoder::Transcoder;

/// How much smaller a picture becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// As large as it is.
    #[default]
    Full,
    /// Half as wide and high.
    Half,
    /// A quarter as wide and high.
    Quarter,
    /// An eighth as wide and high.
    Eighth,
}

impl Scale {
    /// The size of a scaled picture, rounded up as libjpeg does.
    pub fn apply(self, width: u16, height: u16) -> (u16, u16) {
        (width.div_ceil(self.divisor()), height.div_ceil(self.divisor()))
    }

    fn divisor(self) -> u16 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// Samples of a block, across as well as down.
    fn block_side(self) -> usize {
        8 / usize::from(self.divisor())
    }
}

/// What is changed in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edit {
    /// How it lies. Blocks at the edge that are there only in part and cannot be moved are
    /// cut off, as by `jpegtran -trim`.
    pub orientation: Orientation,
    /// Any but `Full` decodes it at that size and encodes it again.
    pub scale: Scale,
    /// 1 to 100, as libjpeg scales the tables of annex K. At full size no coefficient is
    /// divided by less than in the source, which would add bytes without detail. `None`:
    /// the source's tables.
    pub quality: Option<u8>,
    /// Luma alone.
    pub is_gray: bool,
}
