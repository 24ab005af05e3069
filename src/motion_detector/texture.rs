//! What can be seen of the background in a blob: a thing hides it, light does not.

use super::around::straight;
use super::background::Cell;
use super::expected::WHITE;

/// How far light may change a difference between two cells, as a share of their brightness,
/// beside the noise.
const TOLERANCE: f32 = 0.01;
/// A pair of cells counts no more than one whose texture is this number of times its noise.
const MOST: f32 = 6.0;

/// So many pairs must have so much texture together, in noises squared, to tell anything.
const N_PAIRS: f32 = 4.0;
const LEAST: f32 = 20.0;
/// Light leaves the texture as it is: this share is seen at least and at most, and at least
/// this one for sure. A thing hides it: less than this is seen.
const KEPT_BY_LIGHT: std::ops::Range<f32> = 0.65..1.3;
const SURELY_KEPT: f32 = 0.5;
const KEPT_BY_THING: f32 = 0.45;

/// How much of the texture of the background is seen in a blob: 1 is all of it, 0 nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Texture {
    kept: f32,
    /// How far that may be off.
    error: f32,
}

impl Texture {
    /// As under a shadow or a light.
    pub(super) fn is_kept(self) -> bool {
        self.kept - 2.0 * self.error > SURELY_KEPT && KEPT_BY_LIGHT.contains(&self.kept)
    }

    /// As behind a thing.
    pub(super) fn is_lost(self) -> bool {
        self.kept + 2.0 * self.error < KEPT_BY_THING
    }
}

/// How much of the texture of the background is seen in a blob; `None` if there is none.
/// Two neighbours tell that: light changes both alike.
pub(super) fn texture(
    seen: &[Cell],
    width: usize,
    members: &[usize],
    is_in: impl Fn(usize) -> bool,
    is_strip: bool,
) -> Option<Texture> {
    // Not at the border of the blob, where cells are covered in part. A strip has
    // little else.
    let is_inside = |cell: usize| {
        let mut around = straight(cell, width, seen.len(), 1);
        is_in(cell) && (is_strip || around.all(&is_in))
    };
    // Of a line through the origin: the differences now over those of the background.
    let (mut before_2, mut both, mut now_2, mut n_pairs) = (0.0, 0.0, 0.0, 0.0);
    for cell in members.iter().copied().filter(|cell| is_inside(*cell)) {
        let right = (cell + 1) % width != 0;
        let others = [right.then_some(cell + 1), Some(cell + width)];
        for other in others.into_iter().flatten().filter(|other| *other < seen.len()) {
            if !is_inside(other) {
                continue;
            }
            let (a, b) = (&seen[cell], &seen[other]);
            // Without the flicker of this moment, which falls on things too.
            let before = [a, b].map(|cell| cell.usual.max(1.0));
            let now = [a, b].map(|cell| cell.now().max(1.0));
            if now.iter().chain(&before).any(|value| *value >= WHITE) {
                continue;
            }
            // Differences as shares of the mean: light keeps them.
            let share = |[a, b]: [f32; 2]| 2.0 * (a - b) / (a + b);
            let noise = 2.0 * (a.noise + b.noise).sqrt() / (now[0] + now[1]);
            let [was, is] = [before, now].map(|pair| share(pair) / noise.hypot(TOLERANCE));
            let scale = MOST / was.abs().max(MOST);
            let (was, is) = (was * scale, is * scale);
            before_2 += was * was;
            both += was * is;
            now_2 += is * is;
            n_pairs += 1.0;
        }
    }
    if n_pairs < N_PAIRS || before_2 < LEAST {
        return None;
    }
    let kept = both / before_2;
    // By how well the line fits, but the noise at least.
    let misses = ((now_2 - kept * both) / (n_pairs - 1.0)).max(1.0);
    Some(Texture { kept, error: (misses / before_2).sqrt() * (1.0 + 4.0 / n_pairs) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::BLACK;

    /// Six by six cells of a board, with a blob on all of them in which each is so bright.
    fn seen(contrast: f32, now: impl Fn(f32) -> f32) -> Option<Texture> {
        let cell = |i: usize| {
            let is_dark = (i % 6 + i / 6).is_multiple_of(2);
            let usual = if is_dark { 100.0 - contrast } else { 100.0 + contrast };
            let ratio = (now(usual) - usual) / (usual + BLACK);
            Cell { usual, ratio, noise: 0.1, ..Cell::default() }
        };
        let (seen, members): (Vec<_>, Vec<_>) = (0..36).map(|i| (cell(i), i)).unzip();
        texture(&seen, 6, &members, |_| true, false)
    }

    #[test]
    fn shadow_leaves_the_texture_and_a_thing_hides_it() {
        for contrast in [2.0, 20.0] {
            assert!(seen(contrast, |usual| usual * 0.6).unwrap().is_kept());
            let thing = seen(contrast, |_| 30.0).unwrap();
            assert!(thing.is_lost() && !thing.is_kept(), "{thing:?}");
        }
        assert_eq!(seen(0.0, |usual| usual * 0.6), None);
    }
}
