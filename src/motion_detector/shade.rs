//! Whether a shadow explains what is seen in a blob better than a thing does.
//!
//! Under a shadow each cell is as bright as it usually is, times a factor that is the same in
//! all cells that lie in it whole. A thing has a brightness of its own, more or less even.
//! Cells at the border are between that and the background, whatever it is. Before an even
//! background both look the same, and nothing is known. This needs no pairs of cells that are
//! both covered whole, as `texture` does, so it also tells of small and narrow blobs.

use super::background::Cell;
use super::expected::WHITE;

/// So many cells of a blob are looked at: it need not take long.
const N_CELLS: usize = 64;
/// So many of them say how dark the shadow may be, or how bright the thing.
const N_GUESSES: usize = 10;
/// How uneven a thing may be, in levels.
const UNEVEN: [f32; 3] = [0.0, 5.0, 15.0];
/// How far light may be from one factor, as a share of the brightness and of the difference.
const TOLERANCE: f32 = 0.008;
const TOLERANCE_OF_DIFFERENCE: f32 = 0.03;
/// A cell that is off by this number of deviations is not what was expected.
const OFF: f32 = 3.0;
/// The logarithm of how likely a brightness is that nothing explains: any of 256.
const ANY: f32 = -5.5;
/// A half of the cells are covered whole, a half in part.
const HALF: f32 = -0.7;

/// A cell of the blob: how bright it usually is, and now, and its noise (a variance).
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    usual: f32,
    now: f32,
    noise: f32,
    is_inside: bool,
}

/// What all cells that are covered whole have in common.
#[derive(Clone, Copy, Debug)]
enum Model {
    /// A factor.
    Shadow(f32),
    /// A brightness, and how much it varies.
    Thing(f32, f32),
    /// A difference: a thing behind a pane, or its image in it.
    Image(f32),
}

impl Model {
    /// How bright a cell is under it, and how far that may be off, as a variance.
    fn due(self, sample: &Sample) -> (f32, f32) {
        match self {
            Self::Shadow(factor) => {
                let due = sample.usual * factor;
                let of_difference = TOLERANCE_OF_DIFFERENCE * (due - sample.usual);
                let tolerance = (TOLERANCE * sample.usual).hypot(of_difference);
                (due, sample.noise + tolerance * tolerance)
            }
            Self::Thing(brightness, uneven) => (brightness, sample.noise + uneven * uneven),
            Self::Image(plus) => (sample.usual + plus, sample.noise),
        }
    }

    /// Whether a cell is covered whole, as it is due; and whether it is not even between
    /// that and the background.
    fn place(self, sample: &Sample) -> (bool, bool) {
        let (due, spread) = self.due(sample);
        let slack = OFF * spread.sqrt();
        let (low, high) = (due.min(sample.usual) - slack, due.max(sample.usual) + slack);
        ((sample.now - due).abs() < slack, !(low..high).contains(&sample.now))
    }

    /// The logarithm of how likely the cells are under it.
    fn fit(self, samples: &[Sample]) -> f32 {
        let fit = |sample: &Sample| {
            let (due, spread) = self.due(sample);
            let (off, slack) = (sample.now - due, spread.sqrt());
            let whole = -0.5 * (off * off / spread + (std::f32::consts::TAU * spread).ln());
            let (low, high) = (due.min(sample.usual) - slack, due.max(sample.usual) + slack);
            let is_between = (low..high).contains(&sample.now);
            let part = if is_between { HALF - (high - low).ln() } else { ANY };
            whole.max(part)
        };
        samples.iter().map(fit).sum()
    }
}

/// How much more likely (as a logarithm) a shadow or a light is than a thing: 0 if nothing
/// is known. Only small things are also looked for behind panes: what changes a large part
/// of a scene by a little is light.
pub(super) fn evidence(
    seen: &[Cell],
    members: &[usize],
    is_inside: impl Fn(usize) -> bool,
    is_small: bool,
) -> f32 {
    let (mut samples, mut n) = ([Sample::default(); N_CELLS], 0);
    for i in members.iter().step_by(members.len().div_ceil(N_CELLS).max(1)) {
        let (usual, now) = (seen[*i].usual, seen[*i].now());
        // What is clipped tells nothing.
        if now < WHITE && usual < WHITE {
            // Numbers are rounded, too.
            let noise = seen[*i].noise + 0.1;
            samples[n] = Sample { usual: usual.max(1.0), now, noise, is_inside: is_inside(*i) };
            n += 1;
        }
    }
    let samples = &samples[..n];
    let (mut shadow, mut thing) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    let mut best = Model::Shadow(1.0);
    for guess in samples.iter().step_by(n.div_ceil(N_GUESSES).max(1)) {
        let model = Model::Shadow(guess.now / guess.usual);
        let fit = model.fit(samples);
        if fit > shadow {
            (shadow, best) = (fit, model);
        }
        for uneven in UNEVEN {
            thing = thing.max(Model::Thing(guess.now, uneven).fit(samples));
        }
        if is_small {
            thing = thing.max(Model::Image(guess.now - guess.usual).fit(samples));
        }
    }
    let (mut sum, mut n_whole, mut n_inside, mut n_off) = (0.0, 0.0_f32, 0.0, 0.0);
    for sample in samples {
        let (is_whole, is_beyond) = best.place(sample);
        if is_whole {
            sum += sample.now / sample.usual;
            n_whole += 1.0;
        }
        n_inside += f32::from(sample.is_inside);
        n_off += f32::from(is_beyond || sample.is_inside && !is_whole);
    }
    // Somebody with a shadow of his own is no shadow.
    if n_off > 1.0 + 0.15 * n_inside {
        return 0.0;
    }
    // One cell has noise, those that agree with it have less together.
    let mean = Model::Shadow(sum / n_whole.max(1.0));
    shadow.max(mean.fit(samples)) - thing
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four by four cells of a wall with some texture.
    fn of(now: impl Fn(f32) -> f32) -> f32 {
        let cell = |i: usize| {
            let usual = 90.0 + (i * 7 % 16) as f32;
            let ratio = now(usual) / usual - 1.0;
            // Without what is added to a brightness before it is divided by.
            let ratio = ratio * usual / (usual + super::super::expected::BLACK);
            Cell { usual, ratio, noise: 0.2, ..Cell::default() }
        };
        let (seen, members): (Vec<_>, Vec<_>) = (0..16).map(|i| (cell(i), i)).unzip();
        evidence(&seen, &members, |i| (5..11).contains(&i), true)
    }

    #[test]
    fn shadow_is_a_factor_and_a_thing_is_not() {
        assert!(of(|usual| usual * 0.6) > 5.0);
        assert!(of(|_| 60.0) < -5.0);
        assert!(of(|usual| 150.0 - usual) < 1.0);
        assert!(of(|usual| usual - 40.0) < 0.0);
        // Half a shadow, half a thing.
        assert!(of(|usual| if usual > 97.0 { 20.0 } else { usual * 0.6 }) < 1.0);
    }
}
