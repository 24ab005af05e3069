//! What is known of each cell: its usual brightness, and how much it varies.

use super::expected::{BLACK, Expectation};
use super::grid::Grid;
use super::noise::noise;

/// How fast the background follows, a picture: a cell without a thing in it in some
/// seconds, one with a thing that stays in some ten, and one where something moves in
/// a minute.
const FOLLOW: f32 = 0.05;
const ABSORB: f32 = 0.02;
const ABSORB_MOVING: f32 = 0.003;
/// How fast the noise of a cell is learnt, and where something moves.
const LEARN: f32 = 0.03;
const LEARN_MOVING: f32 = 0.003;
/// The noise of a cell that is not known yet.
const FIRST_NOISE: f32 = 1.0;
/// How far a cell may be from its mean so far to move it as far, while it is not known.
const FIRST_STEP: f32 = 12.0;
/// Pictures that are only learnt from.
const N_FIRST: u32 = 15;

/// How large a difference must be, at the usual sensitivity, in brightness and in noise:
/// to the background, and to the picture before.
const MIN_DIFFERENCE: f32 = 4.0;
const DIFFERENCE_NOISES: f32 = 5.5;
const MIN_CHANGE: f32 = 1.5;
const CHANGE_NOISES: f32 = 8.0;
const LEAST_NOISES: f32 = 0.6;
/// How much more a cell may vary slowly than from one picture to the next, as a variance, to
/// count as noise.
const SLOW: f32 = 30.0;

#[derive(Debug, Default)]
pub(super) struct Background {
    mean: Vec<f32>,
    /// Variances: of the difference to the background, and of its change from one picture
    /// to the next.
    spread: Vec<f32>,
    jitter: Vec<f32>,
    expectation: Expectation,
    /// The picture before, what it lets expect, and how much each cell differs from that.
    /// Not the change of the difference to the background: that also changes while the
    /// background is learnt.
    before: Vec<f32>,
    step: Expectation,
    change: Vec<f32>,
    scratch: Vec<f32>,
    n_seen: u32,
}

/// What is seen in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// It differs from the background, in units of the least difference that counts.
    pub(super) strength: f32,
    /// The same as a share of the brightness, with its sign.
    pub(super) ratio: f32,
    /// How bright the background is, in its own light.
    pub(super) usual: f32,
    /// What of that came with this picture, in units of the least change that counts.
    pub(super) change: f32,
    /// The variance of its noise.
    pub(super) noise: f32,
}

impl Cell {
    /// How bright it is, in the usual light.
    pub(super) fn now(&self) -> f32 {
        (self.usual + BLACK) * (1.0 + self.ratio) - BLACK
    }

    /// Whether it differs from the picture before.
    pub(super) fn is_changed(&self) -> bool {
        self.change.abs() > 1.0
    }
}

/// What becomes of a cell in the background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// Nothing is in it.
    Free,
    /// Something is in it.
    Thing,
}

impl Background {
    /// Compares a picture with the background. `factor` is above 1 for less sensitivity.
    /// `false` while the background is not known yet: then there is nothing to see.
    pub(super) fn compare(
        &mut self,
        grid: &Grid,
        counts: &[bool],
        factor: f32,
        seen: &mut Vec<Cell>,
    ) -> bool {
        // More sensitive, but not to what noise makes of itself.
        let noises = factor.max(LEAST_NOISES);
        seen.clear();
        if self.mean.is_empty() {
            self.mean.clone_from(&grid.cells);
            self.spread = vec![FIRST_NOISE; grid.n_cells()];
            self.jitter = vec![FIRST_NOISE; grid.n_cells()];
            self.before.clone_from(&grid.cells);
        }
        self.expectation.find(grid, &self.mean, counts);
        self.step.find(grid, &self.before, counts);
        self.before.clone_from(&grid.cells);
        self.change.clear();
        let pairs = grid.cells.iter().zip(&self.step.cells);
        self.change.extend(pairs.map(|(now, expected)| now - expected));
        self.n_seen = self.n_seen.saturating_add(1);
        // The noise of one cell is known badly at first, that of all cells well.
        let usual = [&self.spread, &self.jitter];
        let usual = usual.map(|all| all.iter().sum::<f32>() / grid.n_cells() as f32);
        let now = noise(&self.change, counts, usual[1], &mut self.scratch);
        let [usual_spread, usual_jitter] = usual.map(|usual| 0.7 * usual.max(now));
        seen.extend((0..grid.n_cells()).map(|i| {
            if !counts[i] {
                return Cell::default();
            }
            let difference = grid.cells[i] - self.expectation.cells[i];
            // What varies slowly, such as the light under clouds, is not all noise.
            let most = SLOW * self.jitter[i].max(usual_jitter);
            let spread = self.spread[i].max(usual_spread).min(most).sqrt();
            let least = (noises * DIFFERENCE_NOISES * spread).max(factor * MIN_DIFFERENCE);
            let expected = self.expectation.cells[i];
            let jitter = self.jitter[i].max(usual_jitter);
            Cell {
                strength: difference.abs() / least,
                ratio: difference / (expected + BLACK),
                usual: self.mean[i],
                change: self.change[i]
                    / (noises * CHANGE_NOISES * jitter.sqrt()).max(factor * MIN_CHANGE),
                noise: jitter,
            }
        }));
        self.n_seen > N_FIRST
    }

    /// Learns from the picture that was compared.
    pub(super) fn learn(&mut self, grid: &Grid, seen: &[Cell], fates: &[Fate]) {
        let is_first = self.n_seen <= N_FIRST;
        let first = 1.0 / self.n_seen.max(1) as f32;
        for i in 0..seen.len() {
            let expected = self.expectation.cells[i];
            let (difference, is_changed) = (grid.cells[i] - expected, seen[i].is_changed());
            let (follow, absorb) = match fates[i] {
                Fate::Free => (FOLLOW.max(first), FOLLOW.max(first)),
                // With the others in light and exposure, and slowly to what is there.
                Fate::Thing if is_changed => (FOLLOW, ABSORB_MOVING),
                Fate::Thing => (FOLLOW, ABSORB),
            };
            let mean = &mut self.mean[i];
            // A drop of rain or an insect in front of a cell moves it little.
            let most =
                if is_first { FIRST_STEP } else { difference.abs() / seen[i].strength.max(1.0) };
            *mean += follow * (expected - *mean) + absorb * difference.clamp(-most, most);
            // A clipped cell has no noise, and gets it back with the next light.
            if !(4.0..251.0).contains(&grid.cells[i]) {
                continue;
            }
            let learn = if is_first { first.max(LEARN) } else { LEARN };
            let spread_pace = if fates[i] == Fate::Free { learn } else { LEARN_MOVING };
            self.spread[i] += spread_pace * ((difference * difference).min(900.0) - self.spread[i]);
            let change = self.change[i];
            let jitter_pace = if is_changed && !is_first { LEARN_MOVING } else { learn };
            // The change has the noise of two pictures.
            let jitter = (change * change / 2.0).min(900.0);
            self.jitter[i] += jitter_pace * (jitter - self.jitter[i]);
        }
    }

    /// Begins again with this picture, of which too much is new. Noise stays known.
    pub(super) fn restart(&mut self, grid: &Grid) {
        self.mean.clone_from(&grid.cells);
        // Some pictures to settle.
        self.n_seen = self.n_seen.min(N_FIRST / 2);
    }
}
