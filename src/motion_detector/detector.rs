//! From a grid to what moves in it.

// A part of this file's, as it looks into the detector.
#[path = "view.rs"]
mod view;

use super::background::{Background, Cell, Fate};
use super::blob::{Blob, Look};
use super::blobs::Finder;
use super::grid::Grid;
use super::tracks::Tracker;
use super::zones::{self, Polygon};

pub use view::View;

/// What counts as motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// 1 to 100; 50 is usual.
    pub sensitivity: u8,
    /// The smallest thing, as a share of the picture's area.
    pub min_size: f64,
    /// Where motion counts; none: everywhere...
    pub zones: Vec<Polygon>,
    /// ...but not here.
    pub masks: Vec<Polygon>,
}

/// When more of the picture than this differs, the scene is another one: the camera was
/// turned, a lamp was switched on that lights a part of it.
const NEW_SCENE: f32 = 0.6;

/// Finds motion in pictures of one camera. All memory is a few values a cell.
#[derive(Debug)]
pub struct Detector {
    settings: Settings,
    counts: Vec<bool>,
    n_counting: usize,
    size: (usize, usize),
    background: Background,
    seen: Vec<Cell>,
    fates: Vec<Fate>,
    finder: Finder,
    tracker: Tracker,
}

/// What moves in a picture: one box around all of it, in shares of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activity {
    /// Its left side.
    pub x: f32,
    /// Its upper side.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
    /// The share of the picture that the things in it cover.
    pub area: f32,
}

impl Detector {
    /// Knows no picture yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            counts: Vec::new(),
            n_counting: 0,
            size: (0, 0),
            background: Background::default(),
            seen: Vec::new(),
            fates: Vec::new(),
            finder: Finder::default(),
            tracker: Tracker::default(),
        }
    }

    /// Looks at the next picture. One of another size begins everything again.
    pub fn look(&mut self, grid: &Grid) -> Option<Activity> {
        if grid.n_cells() == 0 {
            return None;
        }
        if self.size != (grid.width, grid.height) {
            self.begin(grid);
        }
        let factor = factor(self.settings.sensitivity);
        let is_known = self.background.compare(grid, &self.counts, factor, &mut self.seen);
        self.finder.find(&self.seen, grid.width);
        let n_different = self.seen.iter().filter(|cell| cell.strength >= 1.0).count();
        if n_different as f32 > NEW_SCENE * self.n_counting as f32 {
            self.background.restart(grid);
            self.tracker.restart();
            return None;
        }
        let smallest = self.smallest(grid.n_cells());
        // What is no thing, such as light, soon belongs to the background.
        self.fates.clear();
        let things = &self.finder;
        self.fates.extend((0..grid.n_cells()).map(|i| match things.is_in_thing(i) {
            true => Fate::Thing,
            false => Fate::Free,
        }));
        self.background.learn(grid, &self.seen, &self.fates);
        if !is_known {
            return None;
        }
        let is_thing = |blob: &&Blob| blob.look != Look::Light && blob.n_cells >= smallest;
        let things: Vec<_> = self.finder.blobs.iter().filter(is_thing).cloned().collect();
        let moving = self.tracker.follow(&things, &self.seen, grid.width);
        activity(&moving, grid)
    }

    fn begin(&mut self, grid: &Grid) {
        let Settings { zones, masks, .. } = &self.settings;
        let counts = zones::counting(grid, zones, masks);
        *self = Self {
            n_counting: counts.iter().filter(|counts| **counts).count(),
            counts,
            size: (grid.width, grid.height),
            ..Self::new(self.settings.clone())
        };
    }

    /// The fewest cells of a thing.
    fn smallest(&self, n_cells: usize) -> usize {
        let least = self.settings.min_size * n_cells as f64;
        (1..n_cells).find(|n| *n as f64 >= least).unwrap_or(n_cells)
    }
}

/// Differences that count are larger by this.
fn factor(sensitivity: u8) -> f32 {
    ((50.0 - f32::from(sensitivity)) / 25.0).exp2()
}

fn activity(moving: &[Blob], grid: &Grid) -> Option<Activity> {
    let first = |of: fn(&Blob) -> usize| moving.iter().map(of).min();
    let last = |of: fn(&Blob) -> usize| moving.iter().map(of).max();
    let (left, top) = (first(|blob| blob.columns.0)?, first(|blob| blob.rows.0)?);
    let (right, bottom) = (last(|blob| blob.columns.1)? + 1, last(|blob| blob.rows.1)? + 1);
    let n_cells: usize = moving.iter().map(|blob| blob.n_cells).sum();
    let share = |n: usize, of: usize| n as f32 / of as f32;
    Some(Activity {
        x: share(left, grid.width),
        y: share(top, grid.height),
        width: share(right - left, grid.width),
        height: share(bottom - top, grid.height),
        area: share(n_cells, grid.n_cells()),
    })
}
