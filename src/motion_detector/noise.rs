//! The noise of one picture, before that of each cell is learnt again: at dusk a camera
//! becomes noisier from one picture to the next.

use super::expected::ENOUGH_CELLS;

/// Noise as a variance, in units of the usual one: less than this is usual, and what changes so
/// many cells by more than this is no noise.
const LEAST: f32 = 2.0;
const MOST: f32 = 30.0;
/// The share of the cells that have changed least, which things in a part of the picture do
/// not move; and their variance, if that of all of a normal distribution is 1. Not a median,
/// as a JPEG has values in steps.
const SHARE: (usize, usize) = (7, 10);
const OF_SHARE: f32 = 0.31;

/// The variance of what is noisy in a picture, by what changed since the one before, where that is
/// clearly more than usual; else 0.
pub(super) fn noise(change: &[f32], counts: &[bool], usual: f32, scratch: &mut Vec<f32>) -> f32 {
    let step = (change.len() / ENOUGH_CELLS).clamp(1, 4);
    let counting = change.iter().zip(counts).filter(|(_, counts)| **counts);
    scratch.clear();
    scratch.extend(counting.map(|(change, _)| change * change).step_by(step));
    let n = scratch.len() * SHARE.0 / SHARE.1;
    if n == 0 {
        return 0.0;
    }
    let (least, ..) = scratch.select_nth_unstable_by(n, f32::total_cmp);
    // The change has the noise of two pictures.
    let now = least.iter().sum::<f32>() / n as f32 / OF_SHARE / 2.0;
    if now < LEAST * usual { 0.0 } else { now.min(MOST * usual) }
}
