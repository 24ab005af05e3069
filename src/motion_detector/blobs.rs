//! Connected cells that differ from the background.

use super::background::Cell;
use super::shade;
use super::texture::texture;

/// A cell of at least this strength belongs to a blob that has one of strength 1.
const WEAK: f32 = 0.6;
/// One of this strength stands out from noise and from what light leaves.
const STRONG: f32 = 2.0;
/// The light on a wall changes little from cell to cell, a thing has an edge: two cells
/// across its border it is gone. Below this share of the blob's own ratio, a border is
/// soft.
const SHARP: f32 = 0.7;
/// A strip of this thickness is thin, in cells.
const THIN: usize = 2;
/// The shadow of a cloud begins as a strip of this share of the border, before anything is
/// seen of how soft it is.
const LONG: f32 = 0.3;
/// It has no such contrast there, as a share of the brightness.
const CLOUD: f32 = 0.25;
/// The evidence for a shadow that is enough, and the one from which a blob may be either.
const SHADOW: f32 = 5.0;
const PERHAPS: f32 = 2.0;
/// What is in the light of a wide blob changes this number of times as much as the light,
/// and as the least that counts.
const APART: f32 = 2.5;
/// A wide blob covers this share.
const WIDE: f32 = 0.02;
/// More of the cells around it do not belong to the wide blob, if it is the end of that.
const AT_END: f32 = 0.2;
/// A small thing covers less than this share of the picture.
const SMALL: f32 = 0.05;
/// More blobs than this are rain or noise. The largest are kept.
const MAX_BLOBS: usize = 48;

/// Some connected cells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blob {
    /// Its middle, in cells.
    pub(super) x: f32,
    pub(super) y: f32,
    /// First and last column and row.
    pub(super) columns: (usize, usize),
    pub(super) rows: (usize, usize),
    pub(super) n_cells: usize,
    /// How many of its cells differ by far more than the least that counts.
    pub(super) n_strong: usize,
    /// How many of its cells are not at its border. A drop of rain is too thin to have one.
    pub(super) n_inside: usize,
    /// How many of its cells differ from the picture before.
    pub(super) n_changed: usize,
    pub(super) look: Look,
    /// How much more likely a shadow is than a thing, as a logarithm.
    pub(super) shade: f32,
    /// Whether it has an edge.
    pub(super) is_sharp: bool,
}

/// What a blob looks like in one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// Things have an edge, or hide the texture behind them.
    Thing,
    /// May be either, as a strip at the border.
    Either,
    /// Light and shadows may have no edge...
    Light,
    /// ...or leave the texture as it is.
    Shadow,
}

impl Blob {
    /// Whether it is a strip at the border of the picture, of this length or more as a share
    /// of the border.
    fn is_strip(&self, width: usize, height: usize, length: f32) -> bool {
        let ((left, right), (top, bottom)) = (self.columns, self.rows);
        let (across, down) = (right + 1 - left, bottom + 1 - top);
        let is_beside = left == 0 || right + 1 == width;
        let is_above = top == 0 || bottom + 1 == height;
        let is_thin = |thick, long, of| thick <= THIN && long as f32 >= of as f32 * length;
        is_beside && is_thin(across, down, height) || is_above && is_thin(down, across, width)
    }
}

/// Finds blobs. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// Which blob each cell belongs to, from 1; 0: to none.
    labels: Vec<u16>,
    members: Vec<usize>,
    /// Of each blob, by its label.
    looks: Vec<Look>,
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
            let blob = self.measure(seen, width, label);
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
    fn grow(
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

    /// Takes out of the last blob, a wide and soft one such as the shadow of a cloud, what
    /// changes much more than the rest of it: a thing in it. Returns the last label.
    fn carve(&mut self, seen: &[Cell], width: usize, wide: u16) -> u16 {
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
            let mut blob = self.measure(seen, width, label);
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

    fn measure(&self, seen: &[Cell], width: usize, label: u16) -> Blob {
        let mut blob = Blob {
            x: 0.0,
            y: 0.0,
            columns: (usize::MAX, 0),
            rows: (usize::MAX, 0),
            n_cells: self.members.len(),
            n_strong: 0,
            n_inside: 0,
            n_changed: 0,
            look: Look::Light,
            shade: 0.0,
            is_sharp: false,
        };
        let is_full = |cell: usize| seen[cell].strength >= 1.0;
        let (mut total, mut steps, mut n_steps) = (0.0, 0.0, 0.0);
        for cell in self.members.iter().copied() {
            let (x, y) = (cell % width, cell / width);
            blob.columns = (blob.columns.0.min(x), blob.columns.1.max(x));
            blob.rows = (blob.rows.0.min(y), blob.rows.1.max(y));
            blob.x += x as f32;
            blob.y += y as f32;
            blob.n_strong += usize::from(seen[cell].strength >= STRONG);
            let mut around = straight(cell, width, seen.len(), 1);
            blob.n_inside += usize::from(is_full(cell) && around.all(is_full));
            blob.n_changed += usize::from(seen[cell].is_changed());
            total += seen[cell].ratio.abs();
            // Two cells further, as a border that runs through a cell makes it half.
            for other in straight(cell, width, seen.len(), 2) {
                if self.labels[other] != label {
                    steps += (seen[cell].ratio - seen[other].ratio).abs();
                    n_steps += 1.0;
                }
            }
        }
        let n = self.members.len() as f32;
        (blob.x, blob.y) = (blob.x / n, blob.y / n);
        // One that fills the picture has no border, and so no edge.
        let is_weak = total / n < CLOUD;
        let is_sharp = n_steps > 0.0 && steps / n_steps >= SHARP * total / n;
        let height = seen.len() / width;
        let is_strip = blob.is_strip(width, height, LONG / 2.0);
        let is_in = |cell: usize| self.labels[cell] == label;
        let texture = texture(seen, width, &self.members, is_in, is_strip);
        let is_inside = |cell| straight(cell, width, seen.len(), 1).all(is_in);
        let is_small = n < SMALL * seen.len() as f32;
        let shade = shade::evidence(seen, &self.members, is_inside, is_small);
        (blob.shade, blob.is_sharp) = (shade, is_sharp);
        blob.look = match texture {
            Some(texture) if texture.is_kept() => Look::Shadow,
            Some(texture) if texture.is_lost() => Look::Thing,
            _ if shade > SHADOW => Look::Shadow,
            _ if !is_sharp => Look::Light,
            _ if shade > PERHAPS => Look::Either,
            _ if blob.is_strip(width, height, LONG) && is_weak => Look::Either,
            _ => Look::Thing,
        };
        blob
    }
}

/// The cells `by` away to the left, right, above and below.
pub(super) fn straight(
    cell: usize,
    width: usize,
    n_cells: usize,
    by: usize,
) -> impl Iterator<Item = usize> {
    let x = cell % width;
    [
        (x >= by).then(|| cell - by),
        (x + by < width).then(|| cell + by),
        cell.checked_sub(by * width),
        Some(cell + by * width).filter(|other| *other < n_cells),
    ]
    .into_iter()
    .flatten()
}

/// The cells around a cell, up to two away: a thing often falls into pieces where it is as
/// bright as the background.
fn neighbours(cell: usize, width: usize, n_cells: usize) -> impl Iterator<Item = usize> {
    const REACH: usize = 2;
    let (x, y, height) = (cell % width, cell / width, n_cells / width);
    let columns = x.saturating_sub(REACH)..=(x + REACH).min(width - 1);
    let rows = y.saturating_sub(REACH)..=(y + REACH).min(height - 1);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
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
