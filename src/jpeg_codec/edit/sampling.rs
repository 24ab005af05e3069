//! The sampling of a picture that is encoded again.

use super::layout::Layout;
use crate::error::TranscodeError;

/// How often each sample is repeated, across and down.
pub(super) type Repetition = (usize, usize);

/// The sampling of a picture that is encoded again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sampling {
    /// The factors of luma.
    pub(super) luma: (usize, usize),
    /// Of the colours.
    pub(super) repeated: Repetition,
}

impl Sampling {
    /// As in the source, or the nearest that the encoder knows: it has 4:2:2 for 4:1:1.
    pub(super) fn new(layout: &Layout) -> Result<Self, TranscodeError> {
        const UNUSUAL: TranscodeError = TranscodeError::Unsupported("an unusual sampling");
        let [luma, cb, cr] = layout.components.map(|target| target.factors);
        if layout.n_components == 1 {
            return Ok(Self { luma: (1, 1), repeated: (1, 1) });
        }
        let of = |luma: usize, colour: usize| match (luma / colour, luma % colour) {
            (1, 0) => Ok((1, 1)),
            (2, 0) => Ok((2, 1)),
            (4, 0) => Ok((2, 2)),
            _ => Err(UNUSUAL),
        };
        if cb != cr {
            return Err(UNUSUAL);
        }
        let ((across, repeat_x), (down, repeat_y)) = (of(luma.0, cb.0)?, of(luma.1, cb.1)?);
        Ok(Self { luma: (across, down), repeated: (repeat_x, repeat_y) })
    }
}
