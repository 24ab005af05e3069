//! What a picture would look like if nothing had moved: the background under the light
//! and exposure of this moment.

use crate::grid::Grid;

/// Added to a brightness before it is divided by, so that noise in the dark does not
/// become large factors.
pub(super) const BLACK: f32 = 8.0;
/// From here on a cell may be clipped: how bright it is behind that is unknown.
const WHITE: f32 = 248.0;
/// A row counts as lit by itself as far as this share of its cells and more agrees.
const FEW: f32 = 0.6;
const MOST: f32 = 0.9;
/// What a lamp does to a row, at most.
const MAX_FLICKER: f32 = 0.3;

/// Finds the expected picture. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Expectation {
    pub(super) cells: Vec<f32>,
    scratch: Vec<f32>,
}

impl Expectation {
    /// Fills in the expected picture. `counts` says which cells are looked at.
    pub(super) fn find(&mut self, grid: &Grid, background: &[f32], counts: &[bool]) {
        self.fit_light(grid, background, counts);
        self.fit_rows(grid, counts);
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
        let all = || {
            let counting = pairs().zip(counts).filter(|(_, counts)| **counts);
            let clear = move |(now, before): &(f32, f32)| is_clear(*now) && is_clear(*before);
            counting.map(|(pair, _)| pair).filter(move |pair| takes_all || clear(pair))
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
        // A camera may also add to all values. A line through the darker and the brighter half
        // is taken if it is clearly better.
        let middle = of(&mut all().map(|(_, before)| before));
        let mut half = |is_dark: bool| {
            let cells = || all().filter(move |(_, before)| (*before < middle) == is_dark);
            let before = of(&mut cells().map(|(_, before)| before));
            (before, of(&mut cells().map(|(now, _)| now)))
        };
        let ((dark, dark_now), (bright, bright_now)) = (half(true), half(false));
        let (mut factor, mut plus) = (factor, plus);
        if miss > 2.0 && bright - dark > 16.0 {
            let slope = ((bright_now - dark_now) / (bright - dark)).clamp(0.1, 5.0);
            let at_zero = (dark_now + bright_now - slope * (dark + bright)) / 2.0;
            let by_line =
                of(&mut all().map(|(now, before)| (now - before * slope - at_zero).abs()));
            if by_line < miss / 2.0 {
                (factor, plus) = (slope, at_zero);
            }
        }
        self.cells.clear();
        self.cells.extend(background.iter().map(|before| before * factor + plus));
    }

    /// Flicker: lamps at 50 or 60 Hz under a rolling shutter make bands, a factor for each
    /// row. A shadow in a part of a row is none.
    fn fit_rows(&mut self, grid: &Grid, counts: &[bool]) {
        let width = grid.width;
        let rows = grid.cells.chunks(width).zip(self.cells.chunks_mut(width));
        for ((now, expected), counts) in rows.zip(counts.chunks(width)) {
            let ratio = |now: f32, expected: f32| (now + BLACK) / (expected + BLACK);
            self.scratch.clear();
            let cells = now.iter().zip(&*expected).zip(counts);
            let cells = cells.filter(|((now, _), counts)| **counts && **now < WHITE);
            self.scratch.extend(cells.clone().map(|((now, expected), _)| ratio(*now, *expected)));
            // A few cells may all be the thing that moves.
            if self.scratch.len() < 8 {
                continue;
            }
            let n = self.scratch.len() as f32;
            let row = median(&mut self.scratch);
            let agrees = |now: f32, expected: f32| {
                let most = 0.02 + 1.5 / (expected + BLACK);
                (ratio(now, expected) - row).abs() <= most
            };
            let n_agree = cells.filter(|((now, expected), _)| agrees(**now, **expected)).count();
            let weight = ((n_agree as f32 / n - FEW) / (MOST - FEW)).clamp(0.0, 1.0);
            let factor = 1.0 + weight * (row - 1.0).clamp(-MAX_FLICKER, MAX_FLICKER);
            expected.iter_mut().for_each(|cell| *cell = (*cell + BLACK) * factor - BLACK);
        }
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
