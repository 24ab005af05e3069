//! A thing in a wide and soft blob, such as the shadow of a cloud that passes over a person.

use super::around::straight;
use super::background::Cell;
use super::blob::{Blob, Look};
use super::blobs::Finder;

/// What is in the light of a wide blob changes this number of times as much as the light,
/// and as the least that counts.
const APART: f32 = 2.5;
/// More of the cells around it do not belong to the wide blob, if it is the end of that.
const AT_END: f32 = 0.2;

impl Finder {
    /// Takes out of the last blob, a wide and soft one such as the shadow of a cloud, what
    /// changes much more than the rest of it: a thing in it. Returns the last label.
    pub(super) fn carve(&mut self, seen: &[Cell], width: usize, wide: u16) -> u16 {
        let all = std::mem::take(&mut self.members);
        let changes: f32 = all.iter().map(|cell| seen[*cell].change.abs()).sum();
        let strong = (APART * changes / all.len() as f32).max(APART);
        let mut label = wide;
        for start in &all {
            if self.labels[*start] != wide
                || seen[*start].change.abs() < strong
                || label == u16::MAX
            {
                continue;
            }
            label += 1;
            let is_wanted = |cell: usize| seen[cell].change.abs() >= strong / 2.0;
            self.grow(width, *start, (wide, label), is_wanted);
            let mut blob = Blob::measure(seen, width, (&self.members, &self.labels, label));
            // By its changes it has an edge; but so has the end of a light.
            if self.is_at_end(width) {
                blob.look = Look::Light;
            } else if blob.look == Look::Light {
                blob.look = Look::Thing;
            }
            self.looks.push(blob.look);
            self.blobs.push(blob);
        }
        label
    }

    /// Whether many of the cells around the members belong to nothing.
    fn is_at_end(&self, width: usize) -> bool {
        let n_cells = self.labels.len();
        let around = self.members.iter().flat_map(|cell| straight(*cell, width, n_cells, 2));
        let (mut n, mut n_outside) = (0, 0);
        for cell in around {
            n += 1;
            n_outside += usize::from(self.labels[cell] == 0);
        }
        n_outside as f32 > AT_END * n as f32
    }
}
