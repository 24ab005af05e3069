//! The noise of one picture, before that of each cell is learnt again: at dusk a camera
//! becomes noisier from one picture to the next.

use super::expected::{ENOUGH_CELLS, median};

/// How much more noise, as a variance, a picture may have than is usual. What changes half of
/// the cells by more is no noise.
const MOST: f32 = 30.0;

/// By the median of what changed since the picture before, which things in a part of the
/// picture do not move. A variance, as the usual one.
pub(super) fn noise(change: &[f32], counts: &[bool], usual: f32, scratch: &mut Vec<f32>) -> f32 {
    let step = (change.len() / ENOUGH_CELLS).clamp(1, 4);
    let counting = change.iter().zip(counts).filter(|(_, counts)| **counts);
    scratch.clear();
    scratch.extend(counting.map(|(change, _)| change.abs()).step_by(step));
    // The deviation of a normal distribution; the change has the noise of two pictures.
    ((1.48 * median(scratch)).powi(2) / 2.0).min(MOST * usual)
}
