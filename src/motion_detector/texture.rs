//! What can be seen of the background in a blob: a thing hides it, light does not.

use super::background::Cell;
use super::blobs::straight;
use super::expected::BLACK;

/// The texture of what is behind: between two cells at least this share of the brightness,
/// and so many times the noise, or it is not known. So many pairs of cells must have some.
const TEXTURE: f32 = 0.02;
const TEXTURE_NOISES: f32 = 3.0;
const N_TEXTURE: f32 = 6.0;

/// How much of the texture of the background cannot be seen in a blob, as a share;
/// `None` if there is none. Two neighbours tell that: light changes both alike.
pub(super) fn lost_texture(
    seen: &[Cell],
    width: usize,
    members: &[usize],
    is_in: impl Fn(usize) -> bool,
    is_strip: bool,
) -> Option<f32> {
    // Not at the border of the blob, where cells are covered in part. A strip has
    // little else.
    let is_inside = |cell: usize| {
        let mut around = straight(cell, width, seen.len(), 1);
        is_in(cell) && (is_strip || around.all(&is_in))
    };
    let (mut texture, mut lost, mut n_pairs) = (0.0, 0.0, 0.0);
    for cell in members.iter().copied().filter(|cell| is_inside(*cell)) {
        let right = (cell + 1) % width != 0;
        let others = [right.then_some(cell + 1), Some(cell + width)];
        for other in others.into_iter().flatten().filter(|other| *other < seen.len()) {
            if !is_inside(other) {
                continue;
            }
            let (a, b) = (&seen[cell], &seen[other]);
            // Without the flicker of this moment, which falls on things too.
            let before = [a, b].map(|cell| cell.usual + BLACK);
            let now = [a, b].map(|cell| (cell.usual + BLACK) * (1.0 + cell.ratio));
            // Differences as shares of the mean: light keeps them.
            let share = |[a, b]: [f32; 2]| 2.0 * (a - b) / (a + b);
            let (was, is) = (share(before), share(now));
            let noise = 2.0 * (a.noise + b.noise).sqrt() / (now[0] + now[1]);
            if was.abs() > (TEXTURE_NOISES * noise).max(TEXTURE) {
                texture += was.abs();
                // With its sign, so that a light that falls off cancels out.
                lost += ((was - is) * was.signum()).clamp(-was.abs(), 2.0 * was.abs());
                n_pairs += 1.0;
            }
        }
    }
    (n_pairs >= N_TEXTURE).then(|| lost / texture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six by six cells of a board, with a blob on all of them in which each is so much
    /// brighter or darker.
    fn lost(ratio: impl Fn(f32) -> f32) -> Option<f32> {
        let cell = |i: usize| {
            let usual = if (i % 6 + i / 6).is_multiple_of(2) { 80.0 } else { 120.0 };
            Cell { usual, ratio: ratio(usual), noise: 0.1, ..Cell::default() }
        };
        let (seen, members): (Vec<_>, Vec<_>) = (0..36).map(|i| (cell(i), i)).unzip();
        lost_texture(&seen, 6, &members, |_| true, false)
    }

    #[test]
    fn shadow_leaves_the_texture_and_a_thing_hides_it() {
        assert!(lost(|_| -0.4).unwrap().abs() < 0.01);
        let thing = lost(|usual| 30.0 / (usual + BLACK) - 1.0);
        assert!(thing.unwrap() > 0.95, "{thing:?}");
        let wall = Cell { usual: 90.0, ratio: -0.4, noise: 0.1, ..Cell::default() };
        let members: Vec<_> = (0..36).collect();
        assert_eq!(lost_texture(&[wall; 36], 6, &members, |_| true, false), None);
    }
}
