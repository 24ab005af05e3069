//! A blob that is followed from picture to picture.

use super::background::Cell;
use super::blob::{Blob, Look};

/// What was a shadow for long may still turn out to be a thing, and the other way.
const LEAST_SHARP: i32 = -2;
const MOST_SHARP: i32 = 4;
/// How alike what changes and what differs may be, as a cosine.
const ALIKE: f32 = 0.9;
const MOST: f32 = 3.0;
/// What falls does so at least so fast, in cells a picture.
const LEAST_FALL: f32 = 0.5;
/// How far a thing may go from one picture to the next, as a share of the picture's width,
/// while its speed is not known, and how far from where it is due afterwards, in cells.
const FIRST_REACH: f32 = 0.3;
const REACH: f32 = 2.5;

#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) blob: Blob,
    /// Cells a picture; `None` before the second blob.
    pub(super) speed: Option<(f32, f32)>,
    pub(super) score: f32,
    pub(super) n_missed: u32,
    /// How many of its blobs are counted as chance.
    pub(super) n_counted: f32,
    /// How many more of its blobs look like a thing than like a shadow.
    pub(super) n_sharp: i32,
    pub(super) is_thing: bool,
    /// Whether it is counted as snow.
    pub(super) has_fallen: bool,
}

impl Track {
    pub(super) fn new(blob: &Blob) -> Self {
        Self {
            blob: blob.clone(),
            speed: None,
            score: 0.0,
            n_missed: 0,
            n_counted: 0.0,
            n_sharp: sharp(blob),
            is_thing: false,
            has_fallen: false,
        }
    }

    pub(super) fn is_thin(&self) -> bool {
        self.blob.n_inside == 0
    }

    pub(super) fn is_falling(&self) -> bool {
        self.speed.is_some_and(|(x, y)| y >= LEAST_FALL && y >= x.abs())
    }

    /// How far from where it is due the next blob may be.
    pub(super) fn reach(&self, width: usize) -> f32 {
        let size = (self.blob.n_cells as f32).sqrt();
        match self.speed {
            None => FIRST_REACH * width as f32,
            Some((x, y)) => REACH + 0.5 * x.hypot(y) + 0.5 * size,
        }
    }

    pub(super) fn distance(&self, blob: &Blob) -> f32 {
        let (x, y) = self.speed.unwrap_or_default();
        let n = (1 + self.n_missed) as f32;
        (blob.x - self.blob.x - x * n).hypot(blob.y - self.blob.y - y * n)
    }

    /// Whether the sizes fit. A thing that enters the picture grows.
    pub(super) fn may_be(&self, blob: &Blob) -> bool {
        let (small, large) =
            (self.blob.n_cells.min(blob.n_cells), self.blob.n_cells.max(blob.n_cells));
        large <= 6 * small + 8
    }

    /// Whether a blob is this one further in: what comes into the picture grows from its
    /// border. So does a shadow.
    pub(super) fn is_further_in(&self, blob: &Blob, size: (usize, usize)) -> bool {
        let has_same =
            borders(&self.blob, size).iter().zip(borders(blob, size)).any(|(a, b)| *a && b);
        let holds =
            |of: (usize, usize), other: (usize, usize)| of.0 <= other.0 + 1 && other.1 <= of.1 + 1;
        has_same
            && blob.shade <= 0.0
            && blob.n_cells > self.blob.n_cells
            && holds(blob.columns, self.blob.columns)
            && holds(blob.rows, self.blob.rows)
    }

    /// Whether something has moved in the blob. What appears and stays, such as the light of
    /// a lamp, is no motion after its first picture.
    pub(super) fn is_evidence(&self, blob: &Blob, seen: &[Cell], width: usize) -> bool {
        // Not by where its middle is: what is absorbed into the background shrinks.
        blob.n_changed * 20 >= blob.n_cells.max(20) && !self.is_fade(blob, seen, width)
    }

    /// Whether all of it becomes stronger or weaker where it is, as a light that is turned up
    /// or the shadow of a tree when the sun comes out. What moves changes at its ends, and
    /// where it was.
    fn is_fade(&self, blob: &Blob, seen: &[Cell], width: usize) -> bool {
        let both = |a: (usize, usize), b: (usize, usize), end: usize| {
            a.0.min(b.0).saturating_sub(1)..(a.1.max(b.1) + 2).min(end)
        };
        let columns = both(self.blob.columns, blob.columns, width);
        let rows = both(self.blob.rows, blob.rows, seen.len() / width);
        let (mut product, mut changes, mut differences) = (0.0, 0.0, 0.0);
        for cell in rows.flat_map(|y| &seen[y * width..][columns.clone()]) {
            let is_different = cell.strength >= 0.5;
            if is_different || cell.is_changed() {
                // No cell counts much more than the others: what is behind a thing varies.
                let share = |value: f32| value.clamp(-MOST, MOST);
                let difference =
                    if is_different { share(cell.strength.copysign(cell.ratio)) } else { 0.0 };
                let change = share(cell.change);
                product += difference * change;
                changes += change * change;
                differences += difference * difference;
            }
        }
        product.abs() >= ALIKE * (changes * differences).sqrt()
    }

    /// As if the blob were its first.
    pub(super) fn begin_again(&mut self, blob: &Blob) {
        let Self { n_counted, has_fallen, .. } = *self;
        *self = Self { n_counted, has_fallen, ..Self::new(blob) };
    }

    pub(super) fn take(&mut self, blob: &Blob) {
        let n = (1 + self.n_missed) as f32;
        let step = ((blob.x - self.blob.x) / n, (blob.y - self.blob.y) / n);
        self.speed = Some(match self.speed {
            None => step,
            Some((x, y)) => ((x + step.0) / 2.0, (y + step.1) / 2.0),
        });
        self.blob = blob.clone();
        self.n_missed = 0;
        self.n_sharp = (self.n_sharp + sharp(blob)).clamp(LEAST_SHARP, MOST_SHARP);
        if self.n_sharp <= 0 {
            self.is_thing = false;
        }
    }
}

/// Which borders of the picture it touches.
pub(super) fn borders(blob: &Blob, (width, height): (usize, usize)) -> [bool; 4] {
    let ((left, right), (top, bottom)) = (blob.columns, blob.rows);
    [left == 0, right + 1 == width, top == 0, bottom + 1 == height]
}

/// How a blob counts for a thing.
fn sharp(blob: &Blob) -> i32 {
    match blob.look {
        Look::Thing => 1,
        Look::Either | Look::Light => 0,
        Look::Shadow => -1,
    }
}
