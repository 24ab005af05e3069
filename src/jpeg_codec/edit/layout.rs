//! Where the blocks of the picture that is written are in the one that was read.

use super::Edit;
use super::orientation::Orientation;
use crate::error::TranscodeError;
use crate::picture::{MAX_COMPONENTS, MAX_MCU_BLOCKS, Picture};

/// Where the blocks of a component are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ComponentLayout {
    /// Sampling factors, across and down.
    pub(super) factors: (usize, usize),
    /// Blocks that hold pixels, across and down.
    pub(super) n_blocks: (usize, usize),
    /// The place of the first block, and the steps to its neighbours to the right and
    /// below, modulo 2^64.
    origin: usize,
    step: (usize, usize),
}

impl ComponentLayout {
    /// The place of a block in the component that was read.
    #[inline(always)]
    pub(super) fn at(&self, x: usize, y: usize) -> usize {
        let down = y.wrapping_mul(self.step.1);
        self.origin.wrapping_add(x.wrapping_mul(self.step.0)).wrapping_add(down)
    }
}

/// The picture that is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    /// Before it is scaled.
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) n_mcus: (usize, usize),
    pub(super) components: [ComponentLayout; MAX_COMPONENTS],
    pub(super) n_components: usize,
    /// The orientation that is applied. A picture narrower than an MCU is not mirrored,
    /// as jpegtran does it.
    pub(super) orientation: Orientation,
}

impl Layout {
    pub(super) fn new(picture: &Picture, edit: &Edit) -> Result<Self, TranscodeError> {
        let n_components = if edit.is_gray { 1 } else { picture.n_components };
        let mut most = picture.largest_factors();
        if n_components == 1 {
            let luma = &picture.components[0];
            if edit.is_gray && (picture.is_rgb || luma.factors != most) {
                return Err(TranscodeError::Unsupported("no luma of its full size"));
            }
            most = (1, 1);
        }
        let turned = |(x, y)| if edit.orientation.transpose { (y, x) } else { (x, y) };
        let (width, height) = turned((usize::from(picture.width), usize::from(picture.height)));
        let most = turned(most);
        let mut orientation = edit.orientation;
        let (width, n_across) = trimmed(width, 8 * most.0, &mut orientation.flip_x);
        let (height, n_down) = trimmed(height, 8 * most.1, &mut orientation.flip_y);
        let mut components = [ComponentLayout::default(); MAX_COMPONENTS];
        for (target, source) in components.iter_mut().zip(&picture.components[..n_components]) {
            target.factors = if n_components == 1 { (1, 1) } else { turned(source.factors) };
            let n_blocks =
                |side: usize, factor: usize, most: usize| (side * factor).div_ceil(8 * most);
            target.n_blocks = (
                n_blocks(width, target.factors.0, most.0),
                n_blocks(height, target.factors.1, most.1),
            );
            // From the last block to the first, if mirrored.
            let mirrored = |step: usize, n: usize, is| match is {
                true => (step.wrapping_neg(), step * (n - 1)),
                false => (step, 0),
            };
            let (step_x, step_y) = turned((1, source.stride));
            let (step_x, from_x) = mirrored(step_x, target.n_blocks.0, orientation.flip_x);
            let (step_y, from_y) = mirrored(step_y, target.n_blocks.1, orientation.flip_y);
            (target.origin, target.step) = (from_x + from_y, (step_x, step_y));
        }
        let n_in_mcu = components.iter().map(|target| target.factors.0 * target.factors.1);
        if n_in_mcu.sum::<usize>() > MAX_MCU_BLOCKS {
            return Err(TranscodeError::Unsupported("more than ten blocks in an MCU"));
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
