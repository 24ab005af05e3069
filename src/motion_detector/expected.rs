//! What a picture would look like if nothing had moved: the background under the light
//! and exposure of this moment.

use crate::grid::Grid;

/// Added to a brightness before it is divided by, so that noise in the dark does not
/// become large factors.
pub(super) const BLACK: f32 = 8.0;
/// From here on a cell may be clipped: how bright it is behind that is unknown.
pub(super) const WHITE: f32 = 248.0;
/// There is flicker if in many rows this share of the cells agrees...
const MOST: f32 = 0.75;
/// ...and then a row has it if this share does.
const FEW: f32 = 0.5;
/// So that a median is known well enough.
pub(super) const ENOUGH_CELLS: usize = 500;
/// Fewer cells of a row may all be the thing that moves.
const MIN_CELLS: usize = 8;
/// What a lamp does to a row: at least, so that it matters, and at most.
const LEAST_FLICKER: f32 = 0.005;
const MAX_FLICKER: f32 = 0.3;

/// Finds the expected picture. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Expectation {
    pub(super) cells: Vec<f32>,
    scratch: Vec<f32>,
    /// How much brighter each cell is than expected.
    ratios: Vec<f32>,
    /// Of each row or column.
    factors: Vec<f32>,
}

impl Expectation {
    /// Fills in the expected picture. `counts` says which cells are looked at.
    pub(super) fn find(&mut self, grid: &Grid, background: &[f32], counts: &[bool]) {
        self.fit_light(grid, background, counts);
        self.fit_bands(grid, counts, Lines::Rows);
        self.fit_bands(grid, counts, Lines::Columns);
        for ((expected, now), before) in self.cells.iter_mut().zip(&grid.cells).zip(background) {
            *expected = expected.clamp(0.0, 255.0);
            // It was clipped before, so it may well be brighter than that predicts, and
            // a black one darker.
            let is_clipped = (*before >= WHITE && now >= expected)
                || (*before <= 255.0 - WHITE && now <= expected);
            if is_clipped {
                *expected = *now;
            }
        }
    }

    /// The light and the exposure of the whole picture, by medians, which a thing in a part
    /// of the picture does not move.
    fn fit_light(&mut self, grid: &Grid, background: &[f32], counts: &[bool]) {
        let scratch = &mut self.scratch;
        let is_clear = |value: f32| (255.0 - WHITE..WHITE).contains(&value);
        let pairs = || grid.cells.iter().copied().zip(background.iter().copied());
        let mut n_clear = 0;
        for ((now, before), counts) in pairs().zip(counts) {
            n_clear += usize::from(*counts && is_clear(now) && is_clear(before));
        }
        let takes_all = n_clear < 16;
        // Some hundred cells say the same as all of them.
        let step = (n_clear / ENOUGH_CELLS).clamp(1, 4);
        let all = || {
            let counting = pairs().zip(counts).filter(|(_, counts)| **counts);
            let clear = move |(now, before): &(f32, f32)| is_clear(*now) && is_clear(*before);
            let clear = counting.map(|(pair, _)| pair).filter(move |pair| takes_all || clear(pair));
            clear.step_by(step)
        };
        let mut of = |values: &mut dyn Iterator<Item = f32>| {
            scratch.clear();
            scratch.extend(values);
            median(scratch)
        };
        // Light is a factor. That is also right where a shadow covers a part of the picture:
        // then what is left follows the shadow alone, and not the texture under it.
        let factor = of(&mut all().map(|(now, before)| (now + BLACK) / (before + BLACK)));
        let plus = BLACK * factor - BLACK;
        let miss = of(&mut all().map(|(now, before)| (now - before * factor - plus).abs()));
        let (mut factor, mut plus) = (factor, plus);
        // A camera may also add to all values. A line through the darker and the brighter half
        // is taken if it is clearly better.
        if miss > 2.0 {
            let middle = of(&mut all().map(|(_, before)| before));
            let mut half = |is_dark: bool| {
                let cells = || all().filter(move |(_, before)| (*before < middle) == is_dark);
                let before = of(&mut cells().map(|(_, before)| before));
                (before, of(&mut cells().map(|(now, _)| now)))
            };
            let ((dark, dark_now), (bright, bright_now)) = (half(true), half(false));
            let slope = ((bright_now - dark_now) / (bright - dark).max(1.0)).clamp(0.1, 5.0);
            let at_zero = (dark_now + bright_now - slope * (dark + bright)) / 2.0;
            let by_line =
                of(&mut all().map(|(now, before)| (now - before * slope - at_zero).abs()));
            if bright - dark > 16.0 && by_line < miss / 2.0 {
                (factor, plus) = (slope, at_zero);
            }
        }
        self.cells.clear();
        self.cells.extend(background.iter().map(|before| before * factor + plus));
    }

    /// Flicker: lamps at 50 or 60 Hz under a rolling shutter make bands, a factor for each
    /// line: a row, or a column if the picture is turned. It is in most lines at once; what
    /// changes a few of them is a thing.
    fn fit_bands(&mut self, grid: &Grid, counts: &[bool], lines: Lines) {
        let is_clear = |i: &usize| counts[*i] && grid.cells[*i] < WHITE;
        let clear = |line: usize| lines.places(grid, line).filter(is_clear);
        self.ratios.clear();
        let pairs = grid.cells.iter().zip(&self.cells);
        self.ratios.extend(pairs.map(|(now, expected)| (now + BLACK) / (expected + BLACK)));
        // Mostly there is none, which is soon seen.
        if !self.may_flicker((0..lines.n(grid)).map(clear)) {
            return;
        }
        let (mut n_known, mut n_darker, mut n_brighter) = (0, 0, 0);
        self.factors.clear();
        for line in 0..lines.n(grid) {
            self.scratch.clear();
            self.scratch.extend(clear(line).map(|i| self.ratios[i]));
            let n = self.scratch.len() as f32;
            if self.scratch.len() < MIN_CELLS {
                self.factors.push(1.0);
                continue;
            }
            let middle = median(&mut self.scratch);
            let (mut n_agree, mut sum) = (0.0, 0.0);
            for i in clear(line) {
                let most = 0.02 + 1.5 / (self.cells[i] + BLACK);
                if (self.ratios[i] - middle).abs() <= most {
                    n_agree += 1.0;
                    sum += self.ratios[i];
                }
            }
            // Without the thing that is in a part of it.
            let factor = sum / f32::max(n_agree, 1.0);
            let off = (factor - 1.0).abs();
            let is_lit = n_agree >= FEW * n && off < MAX_FLICKER;
            n_known += 1;
            let is_band = n_agree >= MOST * n && off > LEAST_FLICKER && off < MAX_FLICKER;
            n_darker += usize::from(is_band && factor < 1.0);
            n_brighter += usize::from(is_band && factor > 1.0);
            self.factors.push(if is_lit { factor } else { 1.0 });
        }
        if !is_flicker(n_darker, n_brighter, n_known) {
            return;
        }
        for (line, factor) in self.factors.iter().enumerate() {
            for i in lines.places(grid, line) {
                self.cells[i] = (self.cells[i] + BLACK) * factor - BLACK;
            }
        }
    }

    /// Whether most cells of enough lines are darker or brighter than expected.
    fn may_flicker(&self, lines: impl Iterator<Item = impl Iterator<Item = usize>>) -> bool {
        let (mut n_known, mut n_darker, mut n_brighter) = (0, 0, 0);
        for line in lines {
            let (mut darker, mut brighter, mut n) = (0, 0, 0_usize);
            for i in line {
                n += 1;
                darker += usize::from(self.ratios[i] < 1.0 - LEAST_FLICKER / 2.0);
                brighter += usize::from(self.ratios[i] > 1.0 + LEAST_FLICKER / 2.0);
            }
            n_known += usize::from(n >= MIN_CELLS);
            n_darker += usize::from(darker * 2 > n);
            n_brighter += usize::from(brighter * 2 > n);
        }
        is_flicker(n_darker, n_brighter, n_known)
    }
}

/// Whether enough lines are darker and brighter. Under the shadow of a cloud there are
/// darker ones alone.
fn is_flicker(n_darker: usize, n_brighter: usize, n_known: usize) -> bool {
    n_darker.min(n_brighter) * 6 >= n_known.max(1)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lines {
    Rows,
    Columns,
}

impl Lines {
    fn n(self, grid: &Grid) -> usize {
        if self == Self::Rows { grid.height } else { grid.width }
    }

    /// The cells of a line.
    fn places(self, grid: &Grid, line: usize) -> impl Iterator<Item = usize> {
        let (start, step, n) = match self {
            Self::Rows => (line * grid.width, 1, grid.width),
            Self::Columns => (line, grid.width, grid.height),
        };
        (0..n).map(move |i| start + i * step)
    }
}

/// The value in the middle; 0 of none.
fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
