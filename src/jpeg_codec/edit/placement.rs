//! Where the blocks of the picture that is written are in the one that was read.

use super::Edit;
use super::orientation::Orientation;
use crate::error::TranscodeError;
use crate::picture::{MAX_COMPONENTS, Picture};

/// Where the blocks of a component are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Sampling factors, across and down.
    pub(super) factors: (usize, usize),
    /// Blocks that hold pixels, across and down.
    pub(super) n_blocks: (usize, usize),
    /// The place of the first block, and the steps to its neighbours to the right and
    /// below, modulo 2^64.
    origin: usize,
    step: (usize, usize),
}

impl Placed {
    /// The place of a block in the component that was read.
    #[inline(always)]
    pub(super) fn at(&self, x: usize, y: usize) -> usize {
        let down = y.wrapping_mul(self.step.1);
        self.origin.wrapping_add(x.wrapping_mul(self.step.0)).wrapping_add(down)
    }
}

/// The picture that is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placement {
    /// Before it is scaled.
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) n_mcus: (usize, usize),
    pub(super) components: [Placed; MAX_COMPONENTS],
    pub(super) n_components: usize,
    /// What is left of the orientation: a picture that is narrower than an MCU is not
    /// mirrored, as by jpegtran.
    pub(super) orientation: Orientation,
}

impl Placement {
    pub(super) fn new(picture: &Picture, edit: &Edit) -> Result<Self, TranscodeError> {
        let n_components = if edit.is_gray { 1 } else { picture.n_components };
        let mut most = picture.largest_factors();
        if n_components == 1 {
            let of = &picture.components[0];
            if edit.is_gray && (picture.is_rgb || of.factors != most) {
                return Err(TranscodeError::Unsupported("no luma of its full size"));
            }
            most = (1, 1);
        }
        let turned = |(x, y)| if edit.orientation.transpose { (y, x) } else { (x, y) };
        let turned_back = turned;
        let (width, height) = turned((usize::from(picture.width), usize::from(picture.height)));
        let most = turned(most);
        let mut orientation = edit.orientation;
        let (width, n_across) = trimmed(width, 8 * most.0, &mut orientation.flip_x);
        let (height, n_down) = trimmed(height, 8 * most.1, &mut orientation.flip_y);
        let mut components = [Placed::default(); MAX_COMPONENTS];
        for (placed, of) in components.iter_mut().zip(&picture.components[..n_components]) {
            placed.factors = if n_components == 1 { (1, 1) } else { turned(of.factors) };
            let n_blocks =
                |side: usize, factor: usize, most: usize| (side * factor).div_ceil(8 * most);
            placed.n_blocks = (
                n_blocks(width, placed.factors.0, most.0),
                n_blocks(height, placed.factors.1, most.1),
            );
            // From the last block to the first, if mirrored.
            let mirrored = |step: usize, n: usize, is| match is {
                true => (step.wrapping_neg(), step * (n - 1)),
                false => (step, 0),
            };
            let (step_x, step_y) = turned_back((1, of.stride));
            let (step_x, from_x) = mirrored(step_x, placed.n_blocks.0, orientation.flip_x);
            let (step_y, from_y) = mirrored(step_y, placed.n_blocks.1, orientation.flip_y);
            (placed.origin, placed.step) = (from_x + from_y, (step_x, step_y));
        }
        let [width, height] = [width, height].map(|side| u16::try_from(side).unwrap_or(u16::MAX));
        let n_mcus = (n_across, n_down);
        Ok(Self { width, height, n_mcus, components, n_components, orientation })
    }
}

/// A side without the part of an MCU at its end if it is mirrored, with the number of
/// MCUs.
fn trimmed(side: usize, mcu: usize, is_mirrored: &mut bool) -> (usize, usize) {
    let n_whole = side / mcu;
    *is_mirrored &= n_whole > 0;
    if *is_mirrored { (n_whole * mcu, n_whole) } else { (side, side.div_ceil(mcu)) }
}
