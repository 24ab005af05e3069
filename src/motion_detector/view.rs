//! What people see of the detector while they set it up, and the areas that they draw.

use super::{Detector, Grid, Polygon, zones};

/// What the detector makes of the cells of its last picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Cells across.
    pub width: usize,
    /// A digit for each cell, row by row: `0` for one as it usually is, `1` for one that
    /// differs, `2` for one that differs and belongs to a thing with an edge, and `m` for
    /// one that does not count.
    pub cells: String,
}

impl Detector {
    /// The share of the picture that differs from what it usually is.
    pub fn changed(&self) -> f32 {
        let n_different = self.seen.iter().filter(|cell| cell.strength >= 1.0).count();
        n_different as f32 / self.seen.len().max(1) as f32
    }

    /// What it makes of each cell.
    pub fn view(&self) -> View {
        let cell = |(i, counts): (usize, &bool)| match self.seen.get(i) {
            _ if !counts => 'm',
            Some(cell) if cell.strength < 1.0 => '0',
            Some(_) if self.finder.is_in_thing(i) => '2',
            Some(_) => '1',
            None => '0',
        };
        View { width: self.size.0, cells: self.counts.iter().enumerate().map(cell).collect() }
    }

    /// Other zones and masks. What is known of the picture stays known.
    pub fn set_areas(&mut self, zones: Vec<Polygon>, masks: Vec<Polygon>) {
        let (width, height) = self.size;
        let grid = Grid { width, height, cells: vec![0.0; width * height] };
        self.counts = zones::counting(&grid, &zones, &masks);
        self.n_counting = self.counts.iter().filter(|counts| **counts).count();
        (self.settings.zones, self.settings.masks) = (zones, masks);
        self.tracker.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn half(left: f32) -> Polygon {
        Polygon(vec![(left, 0.0), (left + 0.5, 0.0), (left + 0.5, 1.0), (left, 1.0)])
    }

    /// A wall with a dark thing whose left side is there.
    fn wall(left: usize) -> Grid {
        let is_thing = |x, y| (left..left + 3).contains(&x) && (4..9).contains(&y);
        let cell = |(x, y)| if is_thing(x, y) { 20.0 } else { 120.0 };
        let places = (0..12).flat_map(|y| (0..20).map(move |x| (x, y)));
        Grid { width: 20, height: 12, cells: places.map(cell).collect() }
    }

    #[test]
    fn cells_are_told_and_areas_change_while_it_looks() {
        let settings =
            Settings { sensitivity: 50, min_size: 0.001, zones: vec![], masks: vec![half(0.0)] };
        let mut detector = Detector::new(settings);
        assert_eq!((detector.view(), detector.changed()), (View::default(), 0.0));
        for _ in 0..40 {
            detector.look(&wall(30));
        }
        assert_eq!(
            detector.view().cells,
            format!("{}{}", "m".repeat(10), "0".repeat(10)).repeat(12)
        );
        detector.look(&wall(14));
        let view = detector.view();
        assert_eq!((view.width, view.cells.matches('2').count()), (20, 15), "{view:?}");
        assert_eq!(detector.changed(), 15.0 / 240.0);
        // Nothing of the wall is new on the other side, and what moves there is seen at once.
        detector.set_areas(vec![half(0.0)], vec![]);
        detector.look(&wall(30));
        assert_eq!(
            detector.view().cells,
            format!("{}{}", "0".repeat(10), "m".repeat(10)).repeat(12)
        );
        let seen = (0..6).filter_map(|n| detector.look(&wall(1 + n))).count();
        assert!(seen > 0);
    }
}
