//! Connected cells that differ from the background.

use super::around::neighbours;
use super::background::Cell;
use super::blob::{Blob, Look};

/// A cell of at least this strength belongs to a blob that has one of strength 1.
const WEAK: f32 = 0.6;
/// A wide blob covers this share.
const WIDE: f32 = 0.02;
/// More blobs than this are rain or noise. The largest are kept.
const MAX_BLOBS: usize = 48;

/// Finds blobs. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// Which blob each cell belongs to, from 1; 0: to none.
    pub(super) labels: Vec<u16>,
    pub(super) members: Vec<usize>,
    /// Of each blob, by its label.
    pub(super) looks: Vec<Look>,
    pub(super) blobs: Vec<Blob>,
}

impl Finder {
    /// Finds all blobs in a picture of this width.
    pub(super) fn find(&mut self, seen: &[Cell], width: usize) {
        self.labels.clear();
        self.labels.resize(seen.len(), 0);
        self.blobs.clear();
        self.looks.clear();
        let mut label = 0;
        for start in 0..seen.len() {
            if seen[start].strength < 1.0 || self.labels[start] > 0 || label == u16::MAX {
                continue;
            }
            label += 1;
            self.grow(width, start, (0, label), |cell| seen[cell].strength >= WEAK);
            let blob = Blob::measure(seen, width, (&self.members, &self.labels, label));
            let is_wide = blob.n_cells as f32 >= WIDE * seen.len() as f32;
            let is_soft = !blob.is_sharp && matches!(blob.look, Look::Light | Look::Shadow);
            self.looks.push(blob.look);
            self.blobs.push(blob);
            if is_wide && is_soft {
                label = self.carve(seen, width, label);
            }
        }
        if self.blobs.len() > MAX_BLOBS {
            self.blobs.sort_unstable_by_key(|blob| std::cmp::Reverse(blob.n_cells));
            self.blobs.truncate(MAX_BLOBS);
        }
    }

    /// Whether the cell belongs to a thing.
    pub(super) fn is_in_thing(&self, cell: usize) -> bool {
        let label = usize::from(self.labels[cell]);
        label > 0 && self.looks[label - 1] == Look::Thing
    }

    /// Finds the cells around one, of a label, that are wanted, and gives them another label.
    pub(super) fn grow(
        &mut self,
        width: usize,
        start: usize,
        (from, to): (u16, u16),
        is_wanted: impl Fn(usize) -> bool,
    ) {
        self.members.clear();
        self.members.push(start);
        self.labels[start] = to;
        let mut at = 0;
        while at < self.members.len() {
            let cell = self.members[at];
            at += 1;
            for next in neighbours(cell, width, self.labels.len()) {
                if self.labels[next] == from && is_wanted(next) {
                    self.labels[next] = to;
                    self.members.push(next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits are tenths of a strength; `x` is a full cell that has changed.
    fn find(picture: &[&str]) -> Vec<Blob> {
        let cell = |c: char| match c {
            'x' => Cell { strength: 5.0, ratio: 0.5, change: 5.0, ..Cell::default() },
            c => {
                let tenths = c.to_digit(10).unwrap_or(0) as f32;
                Cell { strength: tenths / 2.0, ratio: tenths / 20.0, ..Cell::default() }
            }
        };
        let seen: Vec<_> = picture.iter().flat_map(|row| row.chars().map(cell)).collect();
        let mut finder = Finder::default();
        finder.find(&seen, picture[0].len());
        finder.blobs
    }

    #[test]
    fn blobs_are_connected_over_a_gap_of_one_but_not_around_the_picture() {
        let blobs = find(&["x.......", "........", "........", "..x....x", ".x......", ".x.x...."]);
        let sizes: Vec<_> = blobs.iter().map(|blob| (blob.n_cells, blob.columns)).collect();
        assert_eq!(sizes, [(1, (0, 0)), (4, (1, 3)), (1, (7, 7))]);
        assert!(find(&["1111", "1111"]).is_empty());
    }

    #[test]
    fn thing_has_an_edge_and_the_shadow_of_a_cloud_has_none() {
        let thing = find(&[".........", "...xxx...", "...xxx...", "...xxx...", "........."]);
        assert!(thing[0].look == Look::Thing && thing[0].n_changed == 9, "{thing:?}");
        let soft = "00123456788876543210";
        let shadow = find(&[soft; 12]);
        assert!(shadow.len() == 1 && shadow[0].look == Look::Light, "{shadow:?}");
    }
}
